using Hub.Edge.Sensors;

namespace Hub.Edge.Calibrations;

/// <summary>The calibrations of the station file alone.</summary>
internal sealed class StationFileCalibrations(SensorsOptions sensors) : ICalibrations
{
    private volatile CalibrationBook book = Of(sensors);

    /// <inheritdoc/>
    public bool TryGet(string sensor, string quantity, out AppliedCalibration calibration) => book.TryGet(sensor, quantity, out calibration);

    /// <inheritdoc/>
    public void Use(SensorsOptions sensors) => book = Of(sensors);

    private static CalibrationBook Of(SensorsOptions sensors) => CalibrationBook.Of(sensors, new CalibrationsOptions(), CalibrationEntries.None);
}
