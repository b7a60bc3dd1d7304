using System.Buffers;
using System.Buffers.Text;
using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Contract.Encoding;

/// <summary>Which of its four forms the value of a record has.</summary>
public enum SenmlValueKind
{
    /// <summary>No value: the record has only a sum.</summary>
    None,

    /// <summary><c>v</c>.</summary>
    Number,

    /// <summary><c>vs</c>.</summary>
    Text,

    /// <summary><c>vb</c>.</summary>
    Boolean,

    /// <summary><c>vd</c>.</summary>
    Data,
}

/// <summary>One record with its base fields applied; its spans point into the payload or the reader's scratch buffer, until the next read.</summary>
public readonly ref struct SenmlRecord
{
    internal SenmlRecord(scoped in RecordFields fields, ReadOnlySpan<byte> text, PackFormat format)
    {
        Fields = fields;
        RawText = text;
        Format = format;
    }

    /// <summary>Base name and name, joined and checked against the characters RFC 8428 allows; 1 to 512 bytes.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    /// <summary>The unit's symbol as sent (own or base); empty when neither was.</summary>
    public ReadOnlySpan<byte> Unit { get; init; }

    /// <summary>The unit in the registry; null when none was sent or it is not registered.</summary>
    public SenmlUnit? RegisteredUnit { get; init; }

    /// <summary>Version of the pack.</summary>
    public int Version { get; init; }

    /// <summary>Form of the value.</summary>
    public SenmlValueKind Kind { get; init; }

    /// <summary>The number, base value added; 0 for another kind.</summary>
    public double Number { get; init; }

    /// <summary>The integral of the value over time, base sum added; null when neither was sent.</summary>
    public double? Sum { get; init; }

    /// <summary>Time plus base time in seconds: below 2^28 relative to the arrival, otherwise since 1970 (POSIX).</summary>
    public double Time { get; init; }

    /// <summary>True when <see cref="Time"/> is relative to the arrival.</summary>
    public bool TimeIsRelative => Time < SenmlTime.AbsoluteFrom;

    /// <summary>Longest time until the next reading of this name, seconds; null when not sent.</summary>
    public double? UpdateTime => Fields.Has(SenmlLabel.UpdateTime) ? Fields.UpdateTime : null;

    /// <summary>Value of <c>vb</c>.</summary>
    public bool Boolean => Fields.Boolean;

    internal RecordFields Fields { get; }

    private ReadOnlySpan<byte> RawText { get; }

    private PackFormat Format { get; }

    /// <summary>Value of <c>vs</c>, unescaped; null when the value is of another kind or not valid text. Allocates.</summary>
    public string? Text()
    {
        if (Kind != SenmlValueKind.Text)
        {
            return null;
        }

        byte[] utf8 = new byte[RawText.Length];
        int length;
        bool whole;
        if (Format == PackFormat.Json)
        {
            whole = JsonText.TryUnescape(RawText, utf8, out length);
        }
        else
        {
            var reader = new CborReader(RawText);
            whole = reader.TryReadText(utf8, out _, out length, out bool fits) && fits;
        }

        return whole && System.Text.Unicode.Utf8.IsValid(utf8.AsSpan(0, length)) ? System.Text.Encoding.UTF8.GetString(utf8, 0, length) : null;
    }

    /// <summary>Value of <c>vd</c>; null when the value is of another kind or not valid base64url. Allocates.</summary>
    public byte[]? Data()
    {
        if (Kind != SenmlValueKind.Data)
        {
            return null;
        }

        byte[] bytes = new byte[RawText.Length];
        if (Format == PackFormat.Cbor)
        {
            var reader = new CborReader(RawText);
            return reader.TryReadBytes(bytes, out _, out int length, out bool fits) && fits ? bytes[..length] : null;
        }

        if (!JsonText.TryUnescape(RawText, bytes, out int plain))
        {
            return null;
        }

        // The one of the library's decoders that never throws: those beside it do for texts that its own check calls valid.
        byte[] decoded = new byte[plain];
        return Base64Url.DecodeFromUtf8(bytes.AsSpan(0, plain), decoded, out _, out int written) == OperationStatus.Done ? decoded[..written] : null;
    }
}
