using System.Text.Json;

namespace Hub.Edge.Contract.Encoding;

/// <summary>Reads the records of a JSON pack one by one, forward only.</summary>
internal ref struct JsonRecords
{
    /// <summary>A record is at depth 2; what is deeper belongs to fields nobody here knows.</summary>
    public const int DepthMax = 16;

    private readonly ReadOnlySpan<byte> _payload;
    private Utf8JsonReader _reader;

    public JsonRecords(ReadOnlySpan<byte> payload)
    {
        _payload = payload;
        _reader = NewReader(payload);
    }

    /// <summary>Where reading stopped.</summary>
    public readonly int Position => (int)_reader.BytesConsumed;

    public static Utf8JsonReader NewReader(ReadOnlySpan<byte> json) => new(json, new JsonReaderOptions { MaxDepth = DepthMax });

    /// <summary>Opens the array.</summary>
    /// <returns>False when the payload does not begin with one.</returns>
    public bool Open()
    {
        try
        {
            return _reader.Read() && _reader.TokenType == JsonTokenType.StartArray;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public RecordShape Next(ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        fields = default;
        int start = SkipSeparator(Position);
        try
        {
            RecordShape shape = NextUnguarded(ref fields, ref bases, scratch);
            if (shape == RecordShape.Malformed)
            {
                fields.Record = new Extent(start, _payload.Length - start);
            }

            return shape;
        }
        catch (JsonException)
        {
            // The only way the framework's reader reports broken input; it ends the pack, so it happens once at most.
            fields.Record = new Extent(start, _payload.Length - start);
            return RecordShape.Malformed;
        }
    }

    private readonly int SkipSeparator(int position)
    {
        while (position < _payload.Length && _payload[position] is (byte)',' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            position++;
        }

        return position;
    }

    private RecordShape NextUnguarded(ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        if (!_reader.Read())
        {
            return RecordShape.Malformed;
        }

        if (_reader.TokenType == JsonTokenType.EndArray)
        {
            // Throws for anything but white space behind the array.
            return _reader.Read() ? RecordShape.Malformed : RecordShape.End;
        }

        int start = (int)_reader.TokenStartIndex;
        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            _reader.Skip();
            fields.Record = new Extent(start, Position - start);
            return RecordShape.NotMap;
        }

        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            SenmlLabel label = ReadLabel(in _reader);
            _reader.Read();
            if (label == SenmlLabel.Unknown)
            {
                _reader.Skip();
            }
            else
            {
                Take(label, ref fields, ref bases, scratch);
            }
        }

        fields.Record = new Extent(start, Position - start);
        return RecordShape.Map;
    }

    public static SenmlLabel ReadLabel(in Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> name = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
        {
            return SenmlLabels.FromText(name);
        }

        // The longest label has 4 characters, the longest escape 6 bytes.
        Span<byte> plain = stackalloc byte[4];
        return name.Length <= 24 && JsonText.TryUnescape(name, plain, out int written) ? SenmlLabels.FromText(plain[..written]) : SenmlLabel.Unknown;
    }

    private void Take(SenmlLabel label, ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        int start = (int)_reader.TokenStartIndex;
        SenmlFieldType type = SenmlLabels.TypeOf(label);
        switch (_reader.TokenType)
        {
            case JsonTokenType.Number when type == SenmlFieldType.Number:
                Extent raw = new(start, Position - start);
                double number = _reader.TryGetDouble(out double parsed) ? parsed : double.NaN;
                FieldIntake.Number(ref fields, ref bases, label, number, raw);
                break;
            case JsonTokenType.String when type is SenmlFieldType.Text or SenmlFieldType.Data:
                TakeText(label, start, ref fields, ref bases, scratch);
                break;
            case JsonTokenType.True or JsonTokenType.False when type == SenmlFieldType.Boolean:
                FieldIntake.Boolean(ref fields, ref bases, _reader.TokenType == JsonTokenType.True, new Extent(start, Position - start));
                break;
            default:
                _reader.Skip();
                FieldIntake.WrongType(ref fields, ref bases, label, new Extent(start, Position - start));
                break;
        }
    }

    private readonly void TakeText(SenmlLabel label, int start, ref RecordFields fields, ref BaseFields bases, Span<byte> scratch)
    {
        Extent raw = new(start, Position - start);
        Extent inside = new(start + 1, raw.Length - 2);
        ReadOnlySpan<byte> text = _payload.Slice(inside.Start, inside.Length);
        if (!_reader.ValueIsEscaped || label is SenmlLabel.StringValue or SenmlLabel.DataValue)
        {
            FieldIntake.Text(ref fields, ref bases, label, text, inside, fits: true, raw, scratch);
            return;
        }

        // A base field and the record's own are unescaped into places of their own, as both may be needed at once.
        (int at, int length) = label switch
        {
            SenmlLabel.Name => (Scratch.OwnName, Scratch.NameBytesMax),
            SenmlLabel.BaseName => (Scratch.JoinedName, Scratch.NameBytesMax),
            SenmlLabel.Unit => (Scratch.OwnUnit, Scratch.UnitBytesMax),
            _ => (Scratch.BaseUnit, Scratch.UnitBytesMax),
        };
        Span<byte> target = scratch.Slice(at, length);
        bool fits = JsonText.TryUnescape(text, target, out int written);
        FieldIntake.Text(ref fields, ref bases, label, target[..written], new Extent(at, written, InScratch: true), fits, raw, scratch);
    }
}
