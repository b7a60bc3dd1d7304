using System.Buffers;
using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Contract.Encoding;

/// <summary>
/// Reads any SenML pack (RFC 8428), JSON or CBOR, record by record, with the base fields applied. Knows nothing of quantities or stations:
/// <see cref="ReadingPack"/> puts those on top. Never throws for bad input; allocates only for a mistake.
/// </summary>
/// <remarks>Not for concurrent use. Fields nobody knows are passed over; a record of base fields only is applied and not reported.</remarks>
public ref struct SenmlReader
{
    /// <summary>Size the scratch buffer must have, bytes.</summary>
    public const int ScratchBytes = Scratch.Bytes;

    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:./_"u8);

    private readonly ReadOnlySpan<byte> _payload;
    private readonly PackFormat _format;
    private readonly DateTime _receivedAt;
    private readonly Span<byte> _scratch;
    private JsonRecords _json;
    private CborRecords _cbor;
    private RecordFields _fields;
    private BaseFields _bases;
    private Extent _refused;
    private bool _refusedAlone;
    private bool _opened;

    /// <summary>Begins to read a pack.</summary>
    /// <param name="payload">The pack, at most <see cref="ReadingPack.BytesMax"/>; a UTF-8 mark before JSON is passed over.</param>
    /// <param name="format">Its encoding.</param>
    /// <param name="receivedAt">UTC instant of arrival, the "now" of relative times.</param>
    /// <param name="scratch">Working memory of at least <see cref="ScratchBytes"/>; must outlive the reader.</param>
    public SenmlReader(ReadOnlySpan<byte> payload, PackFormat format, DateTime receivedAt, Span<byte> scratch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(scratch.Length, ScratchBytes);
        if (format == PackFormat.Json && payload.StartsWith("\uFEFF"u8))
        {
            payload = payload[3..];
        }

        _payload = payload;
        _format = format;
        _receivedAt = receivedAt;
        _scratch = scratch;
        _bases.Version = SenmlVersion.Base;
        RecordIndex = -1;
        if (format == PackFormat.Json)
        {
            _json = new JsonRecords(payload);
        }
        else
        {
            _cbor = new CborRecords(payload);
        }
    }

    /// <summary>0-based index in the pack of what the last read found; -1 where the pack as a whole is refused.</summary>
    public int RecordIndex { get; private set; }

    /// <summary>What is wrong with what the last read found; null when it is good.</summary>
    public Refusal? Refusal { get; private set; }

    /// <summary>The refusal concerns everything from this record on; nothing further will be read.</summary>
    public bool EndsPack { get; private set; }

    /// <summary>Goes to the next record.</summary>
    /// <returns>False at the end of the pack. Otherwise <see cref="Refusal"/> says whether <see cref="Current"/> can be used.</returns>
    public bool Read()
    {
        if (EndsPack)
        {
            return false;
        }

        Refusal = null;
        if (!_opened && !TryOpen())
        {
            return true;
        }

        while (true)
        {
            RecordIndex++;
            RecordShape shape = _format == PackFormat.Json
                ? _json.Next(ref _fields, ref _bases, _scratch)
                : _cbor.Next(ref _fields, ref _bases, _scratch);
            switch (shape)
            {
                case RecordShape.End when RecordIndex == 0:
                    RefusePack(RefusalReason.Malformed, "The pack has no records.");
                    return true;
                case RecordShape.End:
                    EndsPack = true;
                    return false;
                case RecordShape.Malformed:
                    RefuseRest(RefusalReason.Malformed, $"Not well-formed {(_format == PackFormat.Json ? "JSON" : "CBOR")} at byte {Position}.");
                    return true;
                case var _ when RecordIndex >= ReadingPack.RecordsMax:
                    RefuseRest(RefusalReason.TooLarge, $"The pack has more than {ReadingPack.RecordsMax} records.");
                    return true;
                case RecordShape.NotMap:
                    Refuse(RefusalReason.FieldType, "The record is not a map.");
                    return true;
                case var _ when _fields.EndsPack:
                    RefusePack(_fields.Reason, _fields.Problem!);
                    return true;
                case var _ when (_fields.Seen & SenmlLabels.RegularMask) == 0 && _fields.Seen != 0 && _fields.Problem is null:
                    continue;
                default:
                    CheckRecord();
                    return true;
            }
        }
    }

    /// <summary>The record last read, where it was not refused.</summary>
    public readonly SenmlRecord Current
    {
        get
        {
            bool ownUnit = _fields.Has(SenmlLabel.Unit);
            ReadOnlySpan<byte> unit = ownUnit ? Slice(_fields.Unit) : _scratch.Slice(Scratch.BaseUnit, _bases.UnitLength);
            SenmlUnit? registered = !ownUnit ? _bases.Unit : SenmlUnits.TryGet(unit, out SenmlUnit? own) ? own : null;
            SenmlValueKind kind = Kind(_fields.Seen);
            bool summed = _fields.Has(SenmlLabel.Sum) || SenmlLabels.Has(_bases.Set, SenmlLabel.BaseSum);
            return new SenmlRecord(in _fields, Slice(_fields.Text), _format)
            {
                Name = JoinedName(),
                Unit = unit,
                RegisteredUnit = registered,
                Version = _bases.Version,
                Kind = kind,
                Number = kind == SenmlValueKind.Number ? WithBaseValue() : 0,
                Sum = summed ? _bases.Sum + _fields.Sum : null,
                Time = _bases.Time + _fields.Time,
            };
        }
    }

    /// <summary>The bytes to keep of what was refused: the whole payload, the rest of it, or the record as a pack of its own. May allocate.</summary>
    public readonly ReadOnlySpan<byte> RefusedBytes() =>
        _refusedAlone ? Standalone() : _payload.Slice(_refused.Start, _refused.Length);

    /// <summary>
    /// Writes the record last read as a pack of one, in the same encoding, with the base fields that applied to it and, where its time was
    /// relative, with the instant it resolved to: decoded alone and at any later time, it says the same. Allocates.
    /// </summary>
    public readonly byte[] Standalone() => StandaloneRecord.Write(_payload, _format, in _fields, in _bases, _receivedAt);

    private readonly int Position => _format == PackFormat.Json ? _json.Position : _cbor.Position;

    private bool TryOpen()
    {
        _opened = true;
        if (_payload.Length > ReadingPack.BytesMax)
        {
            RefusePack(RefusalReason.TooLarge, $"The pack has {_payload.Length} bytes; at most {ReadingPack.BytesMax} are taken.");
            return false;
        }

        if (_payload.IsEmpty)
        {
            RefusePack(RefusalReason.Malformed, "The payload is empty.");
            return false;
        }

        if (PackScan.Check(_payload, _format) is { } refusal)
        {
            RefusePack(refusal.Reason, refusal.Detail);
            return false;
        }

        if (_format == PackFormat.Json ? _json.Open() : _cbor.Open())
        {
            return true;
        }

        RefusePack(RefusalReason.Malformed, $"The payload is not {(_format == PackFormat.Json ? "a JSON" : "a CBOR")} array.");
        return false;
    }

    private void CheckRecord()
    {
        if (_fields.Problem is { } problem)
        {
            Refuse(_fields.Reason, problem);
            return;
        }

        uint needed = (1u << (int)SenmlLabel.BaseName) | (1u << (int)SenmlLabel.BaseTime) | (1u << (int)SenmlLabel.BaseSum)
            | (_fields.Has(SenmlLabel.Unit) ? 0 : 1u << (int)SenmlLabel.BaseUnit)
            | (_fields.Has(SenmlLabel.Value) ? 1u << (int)SenmlLabel.BaseValue : 0);
        uint broken = _bases.Broken & needed;
        if (broken != 0)
        {
            var label = (SenmlLabel)System.Numerics.BitOperations.TrailingZeroCount(broken);
            Refuse(RefusalReason.FieldType, $"{SenmlLabels.Text(label)} of an earlier record applies here and is not usable.");
            return;
        }

        uint values = _fields.Seen & SenmlLabels.ValueMask;
        if (!System.Numerics.BitOperations.IsPow2(values) && !(values == 0 && _fields.Has(SenmlLabel.Sum)))
        {
            Refuse(RefusalReason.Value, values == 0 ? "The record has no value." : "The record has more than one value.");
            return;
        }

        ReadOnlySpan<byte> name = JoinName();
        if (name.IsEmpty || !char.IsAsciiLetterOrDigit((char)name[0]) || name.ContainsAnyExcept(NameBytes))
        {
            string found = name.IsEmpty ? "The record has no name." : $"The name {Excerpt.Of(name)} is not one SenML allows: A-Z a-z 0-9 - : . / _ only, the first one a letter or digit.";
            Refuse(RefusalReason.Name, found);
            return;
        }

        CheckUnit();
    }

    private void CheckUnit()
    {
        SenmlUnit? unit = _bases.Unit;
        if (_fields.Has(SenmlLabel.Unit) && !SenmlUnits.TryGet(Slice(_fields.Unit), out unit))
        {
            return;
        }

        if (unit is { NeedsSecondaryUnits: true } && !SenmlVersion.AllowsSecondaryUnits(_bases.Version))
        {
            Refuse(
                RefusalReason.Unit,
                $"{unit.Symbol} is a secondary unit: the pack must say bver {SenmlVersion.BaseWithSecondaryUnits}, or use {unit.Primary}.");
        }
    }

    // Adding a base value of 0 would turn -0 into 0: the bits of a value stay as they came.
    private readonly double WithBaseValue() => _bases.Value == 0 ? _fields.Value : _bases.Value + _fields.Value;

    /// <summary>Puts the record's name behind the base name in the scratch buffer; without one of them the other stays where it is.</summary>
    private readonly ReadOnlySpan<byte> JoinName()
    {
        if (_bases.NameLength > 0 && _fields.Name.Length > 0)
        {
            Slice(_fields.Name).CopyTo(_scratch[(Scratch.JoinedName + _bases.NameLength)..]);
        }

        return JoinedName();
    }

    private readonly ReadOnlySpan<byte> JoinedName() => _bases.NameLength == 0
        ? Slice(_fields.Name)
        : _scratch.Slice(Scratch.JoinedName, _bases.NameLength + _fields.Name.Length);

    private readonly ReadOnlySpan<byte> Slice(Extent extent) =>
        (extent.InScratch ? _scratch : _payload).Slice(extent.Start, extent.Length);

    private static SenmlValueKind Kind(uint seen) => (seen & SenmlLabels.ValueMask) switch
    {
        1u << (int)SenmlLabel.Value => SenmlValueKind.Number,
        1u << (int)SenmlLabel.StringValue => SenmlValueKind.Text,
        1u << (int)SenmlLabel.BooleanValue => SenmlValueKind.Boolean,
        1u << (int)SenmlLabel.DataValue => SenmlValueKind.Data,
        _ => SenmlValueKind.None,
    };

    private void Refuse(RefusalReason reason, string detail)
    {
        Refusal = new Refusal(RecordIndex, reason, detail);
        _refusedAlone = true;
    }

    private void RefuseRest(RefusalReason reason, string detail)
    {
        Refusal = new Refusal(RecordIndex, reason, detail);
        _refused = RecordIndex == 0 ? new Extent(0, _payload.Length) : new Extent(_fields.Record.Start, _payload.Length - _fields.Record.Start);
        _refusedAlone = false;
        EndsPack = true;
    }

    private void RefusePack(RefusalReason reason, string detail)
    {
        RecordIndex = -1;
        Refusal = new Refusal(-1, reason, detail);
        _refused = new Extent(0, _payload.Length);
        _refusedAlone = false;
        EndsPack = true;
    }
}
