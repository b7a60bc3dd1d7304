using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Hub.Edge.Calibrations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors;

namespace Hub.Edge.Sampling;

/// <summary>Why a measurement cannot become a reading.</summary>
internal enum RefusedReason
{
    /// <summary>Not a finite number.</summary>
    NotFinite,

    /// <summary>The quantity is not in the catalogue.</summary>
    UnknownQuantity,

    /// <summary>Period, coverage or time break their rules.</summary>
    Malformed,
}

/// <summary>Turns the measurements of one sensor into readings: time, calibration, plausibility. Values are flagged, never changed silently or dropped. One caller at a time.</summary>
internal sealed class ReadingMaker
{
    // At rest these say exactly zero for hours, and rightly.
    private static readonly string[] RestingAtZero = ["wind_speed", "wind_gust", "solar_radiation", "occupancy", "undervoltage", "throttled", "supply_current", "supply_power"];

    // A disk wears by steps of ten percent in years, and fills when something happens.
    private static readonly string[] Steady = ["disk_free", "disk_wear"];

    private const int PartCharactersMax = 16;
    private static readonly SearchValues<char> PartCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");

    private readonly string sensor;
    private volatile StuckLimits stuck;
    private readonly ICalibrations calibrations;
    private readonly Dictionary<(string? Part, string Property, TimeSpan Period), StuckWatch> watches = [];
    private readonly Dictionary<string, string> partNames = [];

    public ReadingMaker(SensorOptions sensor, SamplingOptions options, ICalibrations calibrations)
    {
        this.sensor = sensor.Name;
        stuck = new StuckLimits(sensor.StuckAfter ?? options.StuckAfter, options.StuckCountMin);
        this.calibrations = calibrations;
    }

    /// <summary>Other settings of Sampling itself from now on, from any thread; where those for stuck values changed, the watch for them begins anew.</summary>
    public void Use(SensorOptions sensor, SamplingOptions options)
    {
        var limits = new StuckLimits(sensor.StuckAfter ?? options.StuckAfter, options.StuckCountMin);
        if (limits != stuck)
        {
            stuck = limits;
        }
    }

    /// <summary>Makes a reading.</summary>
    /// <param name="measurement">What the sensor said.</param>
    /// <param name="now">UTC instant at which it was taken: its time (the end of its period) where the sensor gave none.</param>
    /// <param name="reading">The reading.</param>
    /// <param name="reason">Why there is none.</param>
    public bool TryMake(in Measurement measurement, DateTime now, out Reading reading, [NotNullWhen(false)] out RefusedReason? reason)
    {
        reading = default;
        reason = null;
        if (!QuantityCatalogue.TryGet(measurement.Property, out Quantity? quantity))
        {
            reason = RefusedReason.UnknownQuantity;
        }
        else if (!double.IsFinite(measurement.Value))
        {
            reason = RefusedReason.NotFinite;
        }
        else if (measurement.Period < TimeSpan.Zero || measurement.Period.Ticks % TimeSpan.TicksPerSecond != 0
            || measurement.Coverage is < 0 or > 1 or double.NaN || measurement.ObservedAt is { Kind: not DateTimeKind.Utc } || !IsPart(measurement.Part))
        {
            reason = RefusedReason.Malformed;
        }

        if (reason is not null)
        {
            return false;
        }

        DateTime at = Microseconds(measurement.ObservedAt ?? now - measurement.Period);
        double value = measurement.Value;
        double? raw = null;
        int version = 0;
        Quality quality = measurement.Quality;
        if (calibrations.TryGet(sensor, quantity!.Id, out AppliedCalibration calibration))
        {
            double corrected = calibration.Apply(value);
            if (!double.IsFinite(corrected))
            {
                reason = RefusedReason.NotFinite;
                return false;
            }

            (raw, value, version) = (value, corrected, calibration.Version);
            if (at >= calibration.DueAt)
            {
                quality |= Quality.CalibrationDue;
            }
        }

        if (value < quantity.PlausibleMin || value > quantity.PlausibleMax)
        {
            quality |= Quality.OutOfRange;
        }

        if (IsStuck(quantity, measurement, at))
        {
            quality |= Quality.Stuck;
        }

        reading = new Reading(NameOf(measurement.Part), quantity.Id, at, value)
        {
            Quality = quality,
            Period = measurement.Period,
            Raw = raw,
            Calibration = version,
            Coverage = measurement.Coverage,
        };
        return true;
    }

    private static bool IsPart(string? part) => part is null || (part.Length is >= 1 and <= PartCharactersMax && !part.AsSpan().ContainsAnyExcept(PartCharacters));

    // Made once: readings come for years, parts are two or three.
    private string NameOf(string? part)
    {
        if (part is null)
        {
            return sensor;
        }

        if (!partNames.TryGetValue(part, out string? name))
        {
            partNames.Add(part, name = $"{sensor}-{part}");
        }

        return name;
    }

    private bool IsStuck(Quantity quantity, in Measurement measurement, DateTime at)
    {
        StuckLimits limits = stuck;
        if (limits.After == TimeSpan.Zero || quantity.Averaging == AveragingRule.Sum || Steady.Contains(quantity.Id) || (measurement.Value == 0 && RestingAtZero.Contains(quantity.Id)))
        {
            return false;
        }

        (string?, string, TimeSpan) key = (measurement.Part, quantity.Id, measurement.Period);
        if (!watches.TryGetValue(key, out StuckWatch? watch) || watch.Limits != limits)
        {
            watches[key] = watch = new StuckWatch(limits);
        }

        return watch.IsStuck(at, measurement.Value);
    }

    // The wire's resolution: a time that does not survive it would be another reading after a restart.
    private static DateTime Microseconds(DateTime at) => new(at.Ticks - (at.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);
}
