using Hub.Edge.Sensors;

namespace Hub.Edge.Calibrations;

/// <summary>How long a calibration holds. Pure.</summary>
public static class CalibrationIntervals
{
    /// <summary>A quarter: EN 14211, 14625, 14626 and 14212 want zero and span of gas analysers at least every three months; electrochemical cells drift no less.</summary>
    public static readonly TimeSpan Quarter = TimeSpan.FromDays(91);

    /// <summary>A year: ISO 1996-2 wants sound calibrators and meters verified about yearly, EN 16450 the same of automatic particle monitors; for the weather and CO2 parts it is what their stated drift per year suggests.</summary>
    public static readonly TimeSpan Year = TimeSpan.FromDays(365);

    /// <summary>The interval of a sensor; null when its calibrations are never due.</summary>
    /// <param name="sensor">The sensor in the station file.</param>
    /// <param name="options">What the station file says of all sensors.</param>
    public static TimeSpan? Of(SensorOptions sensor, CalibrationsOptions options)
    {
        ArgumentNullException.ThrowIfNull(sensor);
        ArgumentNullException.ThrowIfNull(options);
        TimeSpan? interval = sensor.CalibrationDue ?? options.DueAfter ?? OfKind(sensor.Kind);
        return interval == TimeSpan.Zero ? null : interval;
    }

    /// <summary>The default of a kind; null for never (what counts, what makes values up, the station itself).</summary>
    public static TimeSpan? OfKind(string kind) => kind switch
    {
        "alphasenseb4" => Quarter,
        "scd41" or "sps30" or "sds011" or "pms5003" or "bme280" or "microphone" or "dnms" or "raingauge" or "anemometer" => Year,
        _ => null,
    };
}
