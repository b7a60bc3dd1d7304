using System.Globalization;
using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Calibrations;

/// <summary>Whether the outcome of a zero or span may be used.</summary>
public enum LinearOutcome
{
    /// <summary>It may be used.</summary>
    Good = 0,

    /// <summary>It may be used, but the instrument was further off than one expects between two calibrations: a person should look at it first.</summary>
    Drifted = 1,

    /// <summary>It is nonsense; nothing is to be changed.</summary>
    Refused = 2,
}

/// <summary>What came of a zero, a span or both.</summary>
/// <param name="Outcome">Whether to use it.</param>
/// <param name="Gain">New factor; the one before when refused.</param>
/// <param name="Offset">New offset, canonical unit; the one before when refused.</param>
/// <param name="Deviation">How far the calibration of before was off at the worst point, canonical unit.</param>
/// <param name="Problem">Why it is refused; null otherwise. English, one line.</param>
public sealed record LinearResult(LinearOutcome Outcome, double Gain, double Offset, double Deviation, string? Problem);

/// <summary>The arithmetic of zero and span: <c>value = raw x gain + offset</c>. Pure.</summary>
public static class LinearCalibration
{
    /// <summary>Smallest factor that is believed: an instrument that sees five times too much is broken, or another one.</summary>
    public const double GainMin = 0.2;

    /// <summary>Largest factor that is believed.</summary>
    public const double GainMax = 5;

    // Points nearer to each other than this many tolerances say little about the gain.
    private const double ApartMin = 5;

    // Further off than this many tolerances, or this share of the reference, is more than drift between two calibrations.
    private const double DriftTolerances = 5;
    private const double DriftShare = 0.25;

    /// <summary>True for what a zero and a span can calibrate: quantities that are averaged arithmetically. Sound levels have a sound calibrator; counts, directions and extremes have none.</summary>
    public static bool Suits(Quantity quantity)
    {
        ArgumentNullException.ThrowIfNull(quantity);
        return quantity.Averaging == AveragingRule.Mean;
    }

    /// <summary>
    /// Zero and span: both points are met. Zero alone: the gain stays, the point is met. Span alone: the raw value that stood for zero still does, the point is met.
    /// </summary>
    /// <param name="quantity">What is calibrated.</param>
    /// <param name="before">Gain and offset in force; drift is judged where they come from a calibration of known date.</param>
    /// <param name="zero">The zero, or lower reference; null for none.</param>
    /// <param name="span">The span; null for none. One of the two is there.</param>
    public static LinearResult Solve(Quantity quantity, CalibrationTerms before, CalibrationPoint? zero, CalibrationPoint? span)
    {
        ArgumentNullException.ThrowIfNull(quantity);
        ArgumentNullException.ThrowIfNull(before);
        CalibrationPoint[] points = [.. new[] { zero, span }.OfType<CalibrationPoint>()];
        if (points.Length == 0)
        {
            throw new ArgumentException("Give a zero, a span or both.", nameof(zero));
        }

        foreach (CalibrationPoint point in points)
        {
            if (!double.IsFinite(point.Reference) || point.Reference < quantity.PlausibleMin || point.Reference > quantity.PlausibleMax)
            {
                return Refused(Text($"the reference {point.Reference} is outside what {quantity.Id} can be, {quantity.PlausibleMin} to {quantity.PlausibleMax} {quantity.SenmlUnit}"));
            }

            if (!double.IsFinite(point.Raw.Mean))
            {
                return Refused("the instrument gave no number");
            }
        }

        double gain = before.Gain;
        if (span is not null)
        {
            // Without a zero of today the raw value that stood for zero still does.
            (double rawLow, double low) = zero is null ? (-before.Offset / before.Gain, 0) : (zero.Raw.Mean, zero.Reference);
            double apart = ApartMin * Tolerances.Of(quantity, 0);
            if (Math.Abs(span.Reference - low) < apart)
            {
                return Refused(Text($"the span {span.Reference} is too near to the zero {low}: give one at least {apart:g4} {quantity.SenmlUnit} away"));
            }

            double noise = Math.Max(zero?.Raw.Deviation ?? 0, span.Raw.Deviation);
            double rise = span.Raw.Mean - rawLow;
            if (rise == 0 || Math.Abs(rise) < ApartMin * noise)
            {
                return Refused(Text($"the instrument hardly tells span from zero: it says {span.Raw.Mean:g6} and {rawLow:g6}, and its values vary by {noise:g3}"));
            }

            gain = (span.Reference - low) / rise;
        }

        CalibrationPoint anchor = zero ?? span!;
        double offset = zero is null ? before.Offset / before.Gain * gain : anchor.Reference - (gain * anchor.Raw.Mean);
        if (!(gain is >= GainMin and <= GainMax))
        {
            return Refused(Text($"the gain would be {gain:g4}, and only {GainMin} to {GainMax} is believed: check the reference, the instrument and the station file"));
        }

        double offsetMax = (quantity.PlausibleMax - quantity.PlausibleMin) / 2;
        if (!(Math.Abs(offset) <= offsetMax))
        {
            return Refused(Text($"the offset would be {offset:g4}, and at most {offsetMax:g4} {quantity.SenmlUnit} is believed: check the reference, the instrument and the station file"));
        }

        double deviation = 0;
        bool drifted = false;
        foreach (CalibrationPoint point in points)
        {
            double off = Math.Abs((point.Raw.Mean * before.Gain) + before.Offset - point.Reference);
            deviation = Math.Max(deviation, off);
            drifted |= before.Since is not null && off > Math.Max(DriftTolerances * Tolerances.Of(quantity, point.Reference), DriftShare * Math.Abs(point.Reference));
        }

        return new LinearResult(drifted ? LinearOutcome.Drifted : LinearOutcome.Good, gain, offset, deviation, null);

        LinearResult Refused(string problem) => new(LinearOutcome.Refused, before.Gain, before.Offset, double.NaN, problem);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
