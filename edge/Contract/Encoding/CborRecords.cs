namespace Hub.Edge.Contract.Encoding;

/// <summary>Reads the records of a CBOR pack one by one, forward only.</summary>
internal ref struct CborRecords
{
    private const int TextMajor = 3;
    private const int BytesMajor = 2;

    private readonly ReadOnlySpan<byte> _payload;
    private CborReader _reader;
    private long _remaining;

    public CborRecords(ReadOnlySpan<byte> payload)
    {
        _payload = payload;
        _reader = new CborReader(payload);
    }

    /// <summary>Where reading stopped.</summary>
    public readonly int Position => _reader.Position;

    /// <summary>Opens the array.</summary>
    /// <returns>False when the payload does not begin with one.</returns>
    public bool Open() => _reader.TryReadContainer(CborReader.ArrayMajor, out _remaining);

    public RecordShape Next(ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        fields = default;
        int start = Position;
        RecordShape shape = NextFrom(start, ref fields, ref bases, scratch);
        if (shape == RecordShape.Malformed)
        {
            fields.Record = new Extent(start, _payload.Length - start);
        }

        return shape;
    }

    private RecordShape NextFrom(int start, ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        if (!_reader.TryHasNext(ref _remaining, out bool more))
        {
            return RecordShape.Malformed;
        }

        if (!more)
        {
            return _reader.AtEnd ? RecordShape.End : RecordShape.Malformed;
        }

        if (!_reader.TryPeekMajor(out int major))
        {
            return RecordShape.Malformed;
        }

        if (major != CborReader.MapMajor)
        {
            bool skipped = _reader.TrySkip();
            fields.Record = new Extent(start, Position - start);
            return skipped ? RecordShape.NotMap : RecordShape.Malformed;
        }

        if (!_reader.TryReadContainer(CborReader.MapMajor, out long pairs))
        {
            return RecordShape.Malformed;
        }

        while (_reader.TryHasNext(ref pairs, out bool morePairs))
        {
            if (!morePairs)
            {
                fields.Record = new Extent(start, Position - start);
                return RecordShape.Map;
            }

            if (!_reader.TryReadKey(out _) || !TryTake(ref fields, ref bases, scratch))
            {
                return RecordShape.Malformed;
            }
        }

        return RecordShape.Malformed;
    }

    private bool TryTake(ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        SenmlLabel label = _reader.KeyLabel;
        int start = Position;
        if (label == SenmlLabel.Unknown)
        {
            return _reader.TrySkip();
        }

        if (_reader.KeyIsMisspelt)
        {
            // Passing over "bt" as an unknown field would quietly move readings in time.
            FieldIntake.Misspelt(ref fields, ref bases, label, "must have its integer key in CBOR");
            return _reader.TrySkip();
        }

        switch (SenmlLabels.TypeOf(label))
        {
            case SenmlFieldType.Number:
                if (!_reader.TryReadNumber(out double number, out bool isNumber))
                {
                    return false;
                }

                if (isNumber)
                {
                    FieldIntake.Number(ref fields, ref bases, label, number, From(start));
                    return true;
                }

                break;
            case SenmlFieldType.Boolean:
                if (!_reader.TryReadBoolean(out bool value, out bool isBoolean))
                {
                    return false;
                }

                if (isBoolean)
                {
                    FieldIntake.Boolean(ref fields, ref bases, value, From(start));
                    return true;
                }

                break;
            case SenmlFieldType.Text:
                return TryTakeText(label, start, ref fields, ref bases, scratch);
            default:
                // A head that is cut off must not be passed over in two steps.
                if (!_reader.TryPeekMajor(out int major) || !_reader.TrySkip())
                {
                    return false;
                }

                if (major == BytesMajor)
                {
                    FieldIntake.Text(ref fields, ref bases, label, default, From(start), fits: true, From(start), scratch);
                    return true;
                }

                break;
        }

        FieldIntake.WrongType(ref fields, ref bases, label, From(start));
        return true;
    }

    private bool TryTakeText(SenmlLabel label, int start, ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        if (!_reader.TryPeekMajor(out int major))
        {
            return false;
        }

        if (major != TextMajor)
        {
            bool skipped = _reader.TrySkip();
            FieldIntake.WrongType(ref fields, ref bases, label, From(start));
            return skipped;
        }

        if (label == SenmlLabel.StringValue)
        {
            bool skipped = _reader.TrySkip();
            FieldIntake.Text(ref fields, ref bases, label, default, From(start), fits: true, From(start), scratch);
            return skipped;
        }

        (int at, int length) = label switch
        {
            SenmlLabel.Name => (Scratch.OwnName, Scratch.NameBytesMax),
            SenmlLabel.BaseName => (Scratch.JoinedName, Scratch.NameBytesMax),
            SenmlLabel.Unit => (Scratch.OwnUnit, Scratch.UnitBytesMax),
            _ => (Scratch.BaseUnit, Scratch.UnitBytesMax),
        };
        Span<byte> target = scratch.Slice(at, length);
        if (!_reader.TryReadText(target, out _, out int written, out bool fits))
        {
            return false;
        }

        FieldIntake.Text(ref fields, ref bases, label, target[..written], new Extent(at, written, InScratch: true), fits, From(start), scratch);
        return true;
    }

    private readonly Extent From(int start) => new(start, Position - start);
}
