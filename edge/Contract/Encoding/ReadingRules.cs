using System.Buffers;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Encoding;

/// <summary>What a reading may be, checked where readings are made (Sampling) and where they are written (<see cref="ReadingPack.Encode"/>).</summary>
public static class ReadingRules
{
    /// <summary>Most characters of a sensor name.</summary>
    public const int SensorCharactersMax = 64;

    /// <summary>Earliest phenomenon time; what is earlier comes from a clock that was never set.</summary>
    public static readonly DateTime TimeMin = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>End of the phenomenon times this contract can write to the microsecond, exclusive.</summary>
    public static readonly DateTime TimeEnd = new(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>How far ahead of the arrival a phenomenon time may be: beyond it a clock or a time zone is wrong.</summary>
    public static readonly TimeSpan FutureMax = TimeSpan.FromHours(24);

    /// <summary>Longest period.</summary>
    public static readonly TimeSpan PeriodMax = TimeSpan.FromSeconds(FieldIntake.PeriodSecondsMax);

    private static readonly SearchValues<byte> SensorBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-"u8);
    private static readonly SearchValues<char> SensorCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>True for 1 to 64 of <c>a-z 0-9 -</c>, the first one alphanumeric.</summary>
    public static bool IsSensor(ReadOnlySpan<char> name) =>
        name.Length is >= 1 and <= SensorCharactersMax && name[0] != '-' && !name.ContainsAnyExcept(SensorCharacters);

    /// <inheritdoc cref="IsSensor(ReadOnlySpan{char})"/>
    public static bool IsSensor(ReadOnlySpan<byte> utf8Name) =>
        utf8Name.Length is >= 1 and <= SensorCharactersMax && utf8Name[0] != (byte)'-' && !utf8Name.ContainsAnyExcept(SensorBytes);

    /// <summary>Says what the contract does not allow about a reading; null when it can be sent. Allocates only for a mistake.</summary>
    public static string? Problem(in Reading reading) => Problem(in reading, out _);

    internal static string? Problem(in Reading reading, out CatalogueEntry? entry)
    {
        entry = null;
        if (!IsSensor(reading.Sensor))
        {
            return $"Sensor name '{reading.Sensor}' must be 1 to 64 of a-z 0-9 -, the first one a letter or digit.";
        }

        if (!QuantityCatalogue.TryGetEntry(reading.Property, out entry))
        {
            return $"Observed property '{reading.Property}' is not in the quantity catalogue.";
        }

        if (!double.IsFinite(reading.Value) || (reading.Raw is { } raw && !double.IsFinite(raw)))
        {
            return "Value and raw value must be finite.";
        }

        if (reading.PhenomenonTime.Kind != DateTimeKind.Utc || reading.PhenomenonTime < TimeMin || reading.PhenomenonTime >= TimeEnd)
        {
            return "The phenomenon time must be UTC, from 2000 to 2099.";
        }

        if (reading.Period < TimeSpan.Zero || reading.Period > PeriodMax || reading.Period.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            return "The period must be whole seconds, from 0 to 366 days.";
        }

        if (reading.Coverage is { } coverage && !(coverage is >= 0 and <= 1))
        {
            return "The coverage must be from 0 to 1.";
        }

        return reading.Quality < 0 || reading.Calibration < 0 || reading.Revision < 0
            ? "Quality, calibration and revision must not be negative."
            : null;
    }
}
