using System.Collections.Frozen;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Sensors;

namespace Hub.Edge.Calibrations;

/// <summary>Why a record is there and not used.</summary>
/// <param name="Record">The record in force.</param>
/// <param name="Why">What does not fit, English, one line.</param>
internal sealed record UnusedCalibration(CalibrationRecord Record, string Why);

/// <summary>The calibrations in force, made of the station file and the journal. Immutable.</summary>
internal sealed class CalibrationBook
{
    /// <summary>Quantity under which an acoustic calibration is recorded; it holds for all sound levels.</summary>
    public const string SoundLevel = "laeq";

    private static readonly string[] SoundLevels = [.. QuantityCatalogue.All.Where(IsSoundLevel).Select(quantity => quantity.Id)];

    private readonly FrozenDictionary<(string Sensor, string Quantity), AppliedCalibration> applied;

    private CalibrationBook(Dictionary<(string, string), AppliedCalibration> applied, IReadOnlyList<UnusedCalibration> unused) => (this.applied, Unused) = (applied.ToFrozenDictionary(), unused);

    /// <summary>Records in force that do not fit the station file.</summary>
    public IReadOnlyList<UnusedCalibration> Unused { get; }

    /// <summary>Calibrations found.</summary>
    public int Count => applied.Count;

    /// <summary>True for what a sound calibrator calibrates: levels in dB of sound.</summary>
    public static bool IsSoundLevel(Quantity quantity) => quantity.SenmlUnit == "dB";

    /// <summary>Puts the book together: what was recorded goes over the station file.</summary>
    public static CalibrationBook Of(SensorsOptions sensors, CalibrationsOptions options, CalibrationEntries entries)
    {
        Dictionary<(string, string), AppliedCalibration> applied = [];
        List<UnusedCalibration> unused = [];
        ILookup<string, CalibrationRecord> inForce = entries.Records.GroupBy(record => (record.Sensor, record.Quantity)).Select(records => CalibrationHistory.InForce(records)!).ToLookup(record => record.Sensor);
        foreach (SensorOptions sensor in sensors.Sensors)
        {
            TimeSpan? interval = CalibrationIntervals.Of(sensor, options);
            foreach (CalibrationOptions calibration in sensor.Calibrations)
            {
                applied[(sensor.Name, calibration.Quantity)] = new AppliedCalibration(calibration.Gain, calibration.Offset, calibration.Version, Due(calibration.Date?.UtcDateTime, interval));
            }

            foreach (CalibrationRecord record in inForce[sensor.Name])
            {
                if (Misfit(record, sensor) is { } why)
                {
                    unused.Add(new UnusedCalibration(record, why));
                    continue;
                }

                var calibration = new AppliedCalibration(record.After.Gain, record.After.Offset, record.Version, Due(record.After.Since, interval));
                foreach (string quantity in record.Quantity == SoundLevel ? SoundLevels : [record.Quantity])
                {
                    applied[(sensor.Name, quantity)] = calibration;
                }
            }
        }

        return new CalibrationBook(applied, unused);
    }

    /// <summary>See <see cref="ICalibrations.TryGet"/>.</summary>
    public bool TryGet(string sensor, string quantity, out AppliedCalibration calibration) => applied.TryGetValue((sensor, quantity), out calibration);

    /// <summary>What keeps a record from being used; null when it fits.</summary>
    public static string? Misfit(CalibrationRecord record, SensorOptions sensor) =>
        record.Kind != sensor.Kind ? $"it is of a {record.Kind}, and the station file says {sensor.Kind}: calibrate the new instrument"
        : record.SensitivityBefore is { } sensitivity && sensor.Microphone is { } microphone && Math.Abs(microphone.Sensitivity - sensitivity) > 1e-9
            ? FormattableString.Invariant($"it was made with a sensitivity of {sensitivity} dBFS, and the station file now says {microphone.Sensitivity}: calibrate again, or put the old one back")
            : null;

    private static DateTime? Due(DateTime? since, TimeSpan? interval) => since + interval;
}
