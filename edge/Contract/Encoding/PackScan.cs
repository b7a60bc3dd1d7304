using System.Globalization;
using System.Text.Json;

namespace Hub.Edge.Contract.Encoding;

/// <summary>
/// Looks through a pack for the two mistakes that refuse it as a whole, an unknown version and a field that must be understood, before
/// anything of it is handed over: readings are stored as they are decoded, and cannot be taken back.
/// </summary>
internal static class PackScan
{
    /// <returns>The refusal of the whole pack, or null.</returns>
    public static Refusal? Check(ReadOnlySpan<byte> payload, PackFormat format)
    {
        if (format == PackFormat.Cbor)
        {
            return CheckCbor(payload);
        }

        return NeedsNoScan(payload) ? null : CheckJson(payload);
    }

    public static string VersionProblem(double version) => double.IsFinite(version)
        ? string.Create(CultureInfo.InvariantCulture, $"bver {version:R} announces features this hub does not know; 10 and 26 are understood.")
        : "bver must be a whole number.";

    /// <summary>
    /// True for nearly every honest JSON pack, found by a search that takes a fraction of a parse: no escapes (which could hide a name), no
    /// text ending in <c>_</c>, and no version statement beyond the first record, where the decoder meets it before any reading.
    /// </summary>
    private static bool NeedsNoScan(ReadOnlySpan<byte> json)
    {
        if (json.Contains((byte)'\\') || json.IndexOf("_\""u8) >= 0)
        {
            return false;
        }

        int version = json.IndexOf("bver"u8);
        if (version < 0)
        {
            return true;
        }

        // One statement, with nothing but the opening of the first record before it.
        ReadOnlySpan<byte> before = json[..version];
        int first = before.IndexOf((byte)'{');
        return first >= 0
            && before[..first].Trim(" \t\r\n"u8).SequenceEqual("["u8)
            && before[(first + 1)..].IndexOfAny((byte)'{', (byte)'}') < 0
            && json[(version + 4)..].IndexOf("bver"u8) < 0;
    }

    private static Refusal? CheckJson(ReadOnlySpan<byte> payload)
    {
        var version = default(VersionCheck);
        try
        {
            Utf8JsonReader reader = JsonRecords.NewReader(payload);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                return null;
            }

            for (int record = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; record++)
            {
                if (reader.TokenType != JsonTokenType.StartObject)
                {
                    reader.Skip();
                    continue;
                }

                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    if (JsonText.EndsInUnderscore(reader.ValueSpan))
                    {
                        return MustUnderstand(reader.ValueSpan, record);
                    }

                    bool isVersion = JsonRecords.ReadLabel(in reader) == SenmlLabel.BaseVersion;
                    reader.Read();
                    if (isVersion)
                    {
                        double number = reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double parsed) ? parsed : double.NaN;
                        if (version.Take(number, record) is { } refusal)
                        {
                            return refusal;
                        }
                    }

                    reader.Skip();
                }
            }
        }
        catch (JsonException)
        {
            // Broken further on: the decoder will say so at the record where it is, and keeps what stands before.
        }

        return null;
    }

    private static Refusal? CheckCbor(ReadOnlySpan<byte> payload)
    {
        var version = default(VersionCheck);
        var reader = new CborReader(payload);
        if (!reader.TryReadContainer(CborReader.ArrayMajor, out long records))
        {
            return null;
        }

        for (int record = 0; reader.TryHasNext(ref records, out bool more) && more; record++)
        {
            if (!reader.TryPeekMajor(out int major))
            {
                return null;
            }

            if (major != CborReader.MapMajor)
            {
                if (!reader.TrySkip())
                {
                    return null;
                }

                continue;
            }

            if (!reader.TryReadContainer(CborReader.MapMajor, out long pairs))
            {
                return null;
            }

            while (true)
            {
                if (!reader.TryHasNext(ref pairs, out bool morePairs) || (morePairs && !reader.TryReadKey(out _)))
                {
                    return null;
                }

                if (!morePairs)
                {
                    break;
                }

                if (reader.KeyEndsInUnderscore)
                {
                    return MustUnderstand(reader.KeyText, record);
                }

                if (reader.KeyLabel == SenmlLabel.BaseVersion)
                {
                    // "For the version number, only an unsigned integer is allowed" (RFC 8428 section 6); we also read a float that is one.
                    if (!reader.TryReadNumber(out double number, out bool isNumber))
                    {
                        return null;
                    }

                    if (version.Take(isNumber ? number : double.NaN, record) is { } refusal)
                    {
                        return refusal;
                    }
                }
                else if (!reader.TrySkip())
                {
                    return null;
                }
            }
        }

        return null;
    }

    private static Refusal MustUnderstand(ReadOnlySpan<byte> label, int record) => new(
        -1,
        RefusalReason.MustUnderstand,
        $"Record {record} has the field {Excerpt.Of(label)}, which by its ending _ must be understood and is not.");

    private struct VersionCheck
    {
        private int _stated;
        private bool _any;

        public Refusal? Take(double version, int record)
        {
            if (!SenmlVersion.IsUnderstood(version))
            {
                return new Refusal(-1, RefusalReason.Version, VersionProblem(version));
            }

            int before = _any || record == 0 ? _stated : SenmlVersion.Base;
            if ((_any || record > 0) && before != (int)version)
            {
                return new Refusal(-1, RefusalReason.Version, $"Record {record} says bver {(int)version}, the records before it {before}; a pack has one version.");
            }

            _any = true;
            _stated = (int)version;
            return null;
        }
    }
}
