using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Calibrations.Tests;

/// <summary>Records and points for tests.</summary>
internal static class Sample
{
    public static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    public static Quantity Quantity(string id) => QuantityCatalogue.TryGet(id, out Quantity? quantity) ? quantity : throw new ArgumentException(id);

    public static CalibrationPoint Point(CalibrationAct act, double reference, double raw, double deviation = 0) =>
        new(act, reference, new RawStatistics(12, raw, deviation, raw - deviation, raw + deviation, Noon.AddMinutes(-1), Noon));

    public static CalibrationRecord Record(int version, double gain = 1, double offset = 0, string sensor = "gas", string quantity = "no2", CalibrationTerms? before = null, string kind = "alphasenseb4", DateTime? at = null) => new(
        sensor, kind, quantity, Quantity(quantity).SenmlUnit, version, CalibrationAct.TwoPoint, at ?? Noon, "A. Silva", "cylinder 4711", 21.5, [Point(CalibrationAct.Zero, 0, 3), Point(CalibrationAct.Span, 200, 190)],
        before ?? CalibrationTerms.None, new CalibrationTerms(version, gain, offset, at ?? Noon), null, null, null, "hub-agent 0.1.0");

    /// <summary>A record of a sound calibrator on a microphone of -26 dBFS.</summary>
    public static CalibrationRecord Acoustic(int version, double offset) => Record(version, 1, offset, "mic", "laeq", kind: "microphone") with
    {
        Act = CalibrationAct.Acoustic, SensitivityBefore = -26, SensitivityAfter = -26 - offset,
    };
}
