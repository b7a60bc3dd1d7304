using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Encoding;

internal enum NamePart
{
    /// <summary>The base name stays.</summary>
    None,

    /// <summary>The base name becomes <c>{sensor}/</c>.</summary>
    Sensor,

    /// <summary>The base name becomes <c>{sensor}/{observed property}</c>: a run of one series needs no names at all.</summary>
    Whole,
}

/// <summary>Which fields one record is written with.</summary>
internal readonly record struct RecordPlan(
    CatalogueEntry Entry, bool First, NamePart BaseName, bool Name, long? BaseMicros, long Micros, bool BaseUnit, bool Unit);

/// <summary>
/// Decides record by record what becomes a base field, looking two records ahead: a base field is changed where the next ones share it.
/// Greedy and in order, so that it needs no memory and the same readings always give the same bytes.
/// </summary>
internal ref struct RecordPlanner(ReadOnlySpan<Reading> readings)
{
    private readonly ReadOnlySpan<Reading> _readings = readings;
    private string? _sensor;
    private string? _property;
    private SenmlUnit? _unit;
    private long _micros;

    public RecordPlan Next(int i)
    {
        Reading reading = _readings[i];
        CatalogueEntry entry = Entry(in reading);
        bool first = i == 0;

        NamePart baseName = NamePart.None;
        bool sameSensor = string.Equals(_sensor, reading.Sensor, StringComparison.Ordinal);
        if (!sameSensor || !string.Equals(_property, reading.Property, StringComparison.Ordinal))
        {
            bool run = SameName(i, i + 1) && SameName(i, i + 2);
            if (run || !sameSensor || _property is not null)
            {
                baseName = run ? NamePart.Whole : NamePart.Sensor;
                _sensor = reading.Sensor;
                _property = run ? reading.Property : null;
            }
        }

        long micros = SenmlTime.Micros(reading.PhenomenonTime);
        long? baseMicros = null;
        if (first || (micros != _micros && SameTime(i, i + 1) && SameTime(i, i + 2)))
        {
            // The first base time is a whole second unless others share the very instant, so that differences to it are short.
            baseMicros = first && !SameTime(i, i + 1) ? micros - (micros % 1_000_000) : micros;
            _micros = baseMicros.Value;
        }

        bool baseUnit = false;
        bool unit = false;
        if (!ReferenceEquals(_unit, entry.Unit))
        {
            baseUnit = i + 1 < _readings.Length && ReferenceEquals(Entry(in _readings[i + 1]).Unit, entry.Unit);
            unit = !baseUnit;
            _unit = baseUnit ? entry.Unit : _unit;
        }

        return new RecordPlan(entry, first, baseName, _property is null, baseMicros, micros - _micros, baseUnit, unit);
    }

    private readonly bool SameName(int i, int other) => other < _readings.Length
        && string.Equals(_readings[i].Sensor, _readings[other].Sensor, StringComparison.Ordinal)
        && string.Equals(_readings[i].Property, _readings[other].Property, StringComparison.Ordinal);

    private readonly bool SameTime(int i, int other) =>
        other < _readings.Length && SenmlTime.Micros(_readings[i].PhenomenonTime) == SenmlTime.Micros(_readings[other].PhenomenonTime);

    // Checked before: every reading is one the catalogue knows.
    private static CatalogueEntry Entry(in Reading reading) => QuantityCatalogue.TryGetEntry(reading.Property, out CatalogueEntry? entry)
        ? entry
        : throw new InvalidOperationException("Unknown observed property " + reading.Property + ".");
}
