using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Ingest.Adapters;

/// <summary>Where a field of a push goes.</summary>
/// <param name="Sensor">Name of the instrument at the station.</param>
/// <param name="Property">Observed property, of the catalogue.</param>
/// <param name="Unit">Unit the field is in, as a SenML symbol of the property's kind.</param>
internal readonly record struct FieldTarget(string Sensor, string Property, string Unit);

/// <summary>What became of one push: readings in canonical units, what is refused with the bytes to keep, and what was left out on purpose. Used by one caller at a time.</summary>
internal sealed class Translation
{
    /// <summary>Most fields, rows or values of one push: what is more is no push of one station.</summary>
    public const int ItemsMax = 1_000;

    /// <summary>Most names of left-out fields remembered.</summary>
    private const int IgnoredMax = 50;

    private readonly IStationAdapter _adapter;
    private readonly AdapterPush _push;
    private readonly SortedSet<string> _ignored = new(StringComparer.Ordinal);

    private Translation(IStationAdapter adapter, in AdapterPush push)
    {
        _adapter = adapter;
        _push = push;
        Payload = push.Body;
    }

    /// <summary>Readings with the index of their field or row.</summary>
    public List<(int Index, Reading Reading)> Readings { get; } = [];

    /// <summary>Refusals with what to keep of each: an envelope of its own, empty for the whole push.</summary>
    public List<(Refusal Refusal, ReadOnlyMemory<byte> Kept)> Refused { get; } = [];

    /// <summary>Fields that are known and are no observed property of the hub, by name, at most 50.</summary>
    public IReadOnlyCollection<string> Ignored => _ignored;

    /// <summary>How many such fields there were.</summary>
    public int IgnoredCount { get; private set; }

    /// <summary>How many fields were not known at all.</summary>
    public int UnknownCount { get; private set; }

    /// <summary>The whole push as the quarantine should keep it: with its context and, where the push has no time, its arrival.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Runs an adapter over a push.</summary>
    public static Translation Of(IStationAdapter adapter, in AdapterPush push)
    {
        var translation = new Translation(adapter, push);
        if (push.Body.Length > ReadingPack.BytesMax)
        {
            translation.RefuseWhole(RefusalReason.TooLarge, $"The body has more than {ReadingPack.BytesMax} bytes; send less at once.");
            return translation;
        }

        try
        {
            CheckTexts(push.Body.Span);
            using var document = JsonDocument.Parse(push.Body);
            adapter.Translate(push, document.RootElement, translation);
            if (translation.Refused.Count > 0)
            {
                translation.Payload = AdapterEnvelope.Write(adapter, push, writer => document.RootElement.WriteTo(writer));
            }
        }
        catch (JsonException exception)
        {
            translation.Readings.Clear();
            translation.Refused.Clear();
            translation.RefuseWhole(
                RefusalReason.Malformed,
                string.Create(CultureInfo.InvariantCulture, $"The body is not JSON (line {(exception.LineNumber ?? 0) + 1}, byte {(exception.BytePositionInLine ?? 0) + 1})."));
        }

        return translation;
    }

    /// <summary>A push on which its adapter failed: kept whole.</summary>
    public static Translation Failed(IStationAdapter adapter, in AdapterPush push)
    {
        var translation = new Translation(adapter, push);
        translation.RefuseWhole(RefusalReason.Malformed, "The push cannot be translated.");
        return translation;
    }

    /// <summary>Takes one value: converts it to the canonical unit and flags it when it is not plausible.</summary>
    /// <param name="index">0-based index of the field or row.</param>
    /// <param name="field">Name of the field, for the refusal.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="value">Value in the target's unit.</param>
    /// <param name="time">UTC; start of the period.</param>
    /// <param name="body">Writes a body that holds this field alone, for the quarantine.</param>
    /// <param name="period">Period, zero for an instantaneous value.</param>
    /// <param name="coverage">Share of the period measured, or null.</param>
    /// <param name="quality">What else is known against it.</param>
    /// <param name="revision">See <see cref="Reading.Revision"/>.</param>
    public void Take(
        int index, string field, in FieldTarget target, double value, DateTime time, Action<Utf8JsonWriter> body, TimeSpan period = default, double? coverage = null, Quality quality = Quality.Good, int revision = 0)
    {
        if (!QuantityCatalogue.TryGet(target.Property, out var quantity)
            || !SenmlUnits.TryGet(target.Unit, out var from)
            || !SenmlUnits.TryGet(quantity.SenmlUnit, out var to)
            || !SenmlUnit.TryConvert(value, from, to, out var converted))
        {
            Refuse(index, RefusalReason.Unit, $"{field} is mapped to {target.Property} in {target.Unit}, which the catalogue does not have.", body);
            return;
        }

        if (Readings.Count >= ReadingPack.RecordsMax)
        {
            Refuse(index, RefusalReason.TooLarge, $"{field} is beyond the {ReadingPack.RecordsMax} readings of one push.", body);
            return;
        }

        if (time < ReadingRules.TimeMin || time - _push.ReceivedAt > ReadingRules.FutureMax)
        {
            Refuse(index, RefusalReason.Time, string.Create(CultureInfo.InvariantCulture, $"{field} is of {time:yyyy-MM-ddTHH:mm:ssZ}: the time must be from 2000 on and at most 24 h after the arrival."), body);
            return;
        }

        time = new DateTime(time.Ticks - (time.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

        // Nothing like Sampling stands before the adapter, so the plausible range is judged here. Kept and flagged, as everywhere.
        if (converted < quantity.PlausibleMin || converted > quantity.PlausibleMax)
        {
            quality |= Quality.OutOfRange;
        }

        var reading = new Reading(target.Sensor, target.Property, time, converted) { Quality = quality, Period = period, Coverage = coverage, Revision = revision };
        if (ReadingRules.Problem(reading) is { } problem)
        {
            Refuse(index, RefusalReason.FieldType, $"{field}: {problem}", body);
            return;
        }

        Readings.Add((index, reading));
    }

    /// <summary>Refuses one field or row.</summary>
    public void Refuse(int index, RefusalReason reason, string detail, Action<Utf8JsonWriter> body) =>
        Refused.Add((new Refusal(index, reason, detail), AdapterEnvelope.Write(_adapter, _push, body)));

    /// <summary>Refuses the push as a whole.</summary>
    public void RefuseWhole(RefusalReason reason, string detail) => Refused.Add((new Refusal(-1, reason, detail), default));

    /// <summary>Refuses a push of too many items; false, and nothing done, when there are not.</summary>
    public bool RefuseTooMany(int items, string what)
    {
        if (items <= ItemsMax)
        {
            return false;
        }

        RefuseWhole(RefusalReason.TooLarge, $"{what} has {items} entries; one push may have {ItemsMax}. Send less at once.");
        return true;
    }

    /// <summary>Keeps the fields nobody declared, in one refusal that names them: they can be released once they are declared.</summary>
    public void RefuseUnknown(IReadOnlyList<(int Index, string Name)> fields, string hint, Action<Utf8JsonWriter> body)
    {
        if (fields.Count > 0)
        {
            UnknownCount += fields.Count;
            var names = string.Join(", ", fields.Take(20).Select(f => Quote(f.Name)));
            Refuse(fields[0].Index, RefusalReason.UnknownQuantity, $"Not known: {names}{(fields.Count > 20 ? ", ..." : "")}. {hint}", body);
        }
    }

    /// <summary>Notes a field that is known and left out on purpose.</summary>
    public void Ignore(string field)
    {
        IgnoredCount++;
        if (_ignored.Count < IgnoredMax)
        {
            _ignored.Add(field.Length <= 64 ? field : field[..64]);
        }
    }

    /// <summary>What a sender wrote, short and harmless, for a sentence.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(44).Append('\'');
        foreach (var rune in text.EnumerateRunes().Take(40))
        {
            quoted.Append(Rune.IsControl(rune) ? "?" : rune.ToString());
        }

        return quoted.Append(text.Length > 40 ? "...'" : "'").ToString();
    }

    /// <summary>The kind of a JSON value, for a sentence.</summary>
    public static string Quote(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => Quote(element.GetString()!),
        JsonValueKind.Undefined => "missing",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => Quote(element.GetRawText()),
    };

    /// <summary>The parser lets bytes pass that are no UTF-8, and halves of characters that are escaped; no text can hold them. Found before anything asks for a text.</summary>
    private static void CheckTexts(ReadOnlySpan<byte> body)
    {
        if (!System.Text.Unicode.Utf8.IsValid(body))
        {
            throw new JsonException("The bytes are no UTF-8.");
        }

        var reader = new Utf8JsonReader(body);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String && reader.ValueIsEscaped)
            {
                try
                {
                    reader.GetString();
                }
                catch (InvalidOperationException exception)
                {
                    throw new JsonException("A text is no Unicode.", null, null, reader.TokenStartIndex, exception);
                }
            }
        }
    }
}
