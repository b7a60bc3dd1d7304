using Hub.Edge.Sensors;

namespace Hub.Edge.Calibrations;

/// <summary>How a raw value becomes a value: <c>value = raw x Gain + Offset</c>, both in the canonical unit of the quantity.</summary>
/// <param name="Gain">Factor, finite, not zero.</param>
/// <param name="Offset">Added after the factor, canonical unit.</param>
/// <param name="Version">Version, 1 or more: sent with every value.</param>
/// <param name="DueAt">UTC instant from which on it should have been done again; null for never.</param>
public readonly record struct AppliedCalibration(double Gain, double Offset, int Version, DateTime? DueAt)
{
    /// <summary>The calibrated value; not finite where the raw one is too large for it.</summary>
    public double Apply(double raw) => (raw * Gain) + Offset;
}

/// <summary>The calibrations in force at this station: those recorded by <c>hub-agent calibrate</c>, and where there is none, those of the station file. Safe for concurrent callers.</summary>
public interface ICalibrations
{
    /// <summary>Finds the calibration of one quantity of one sensor. From memory, without allocating; a calibration recorded meanwhile is found some seconds later.</summary>
    /// <param name="sensor">Name in the station file (parts of a sensor share its calibration).</param>
    /// <param name="quantity">Identifier of the observed property.</param>
    /// <param name="calibration">The calibration.</param>
    bool TryGet(string sensor, string quantity, out AppliedCalibration calibration);

    /// <summary>Other settings of sensors from now on. Floor and overload of microphones, which are true levels, are moved in them by the calibration in force; do it before sensors are made of them.</summary>
    /// <param name="sensors">The settings, fresh from the station file; kept.</param>
    void Use(SensorsOptions sensors);
}
