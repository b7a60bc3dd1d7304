namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>What came of an acoustic calibration.</summary>
public enum CalibrationOutcome
{
    /// <summary>The new sensitivity may be used.</summary>
    Good,

    /// <summary>Fewer levels than <see cref="AcousticCalibration.LevelsMin"/>, or some that are no numbers: go on measuring.</summary>
    TooShort,

    /// <summary>The last levels are further apart than <see cref="AcousticCalibration.SpreadMax"/>: noise from outside, or the calibrator does not sit tight.</summary>
    Unstable,

    /// <summary>The level is nearer to that of the other common calibrator setting: 94 and 114 dB were mixed up.</summary>
    OtherLevel,

    /// <summary>The level is further than <see cref="AcousticCalibration.CorrectionMax"/> from the calibrator's: it is off, or the sensitivity in the station file is another microphone's.</summary>
    TooFar,

    /// <summary>Good, but further than <see cref="AcousticCalibration.DriftMax"/> from the last calibration: have the microphone looked at.</summary>
    Drifted,
}

/// <summary>Result of an acoustic calibration; everything in dB.</summary>
/// <param name="Outcome">Whether to use it.</param>
/// <param name="Level">What was measured with the sensitivity of before; NaN if too short.</param>
/// <param name="Spread">Largest less smallest of the levels used.</param>
/// <param name="Sensitivity">New sensitivity, dBFS at 94 dB SPL; the one of before unless <see cref="CalibrationOutcome.Good"/> or <see cref="CalibrationOutcome.Drifted"/>.</param>
/// <param name="Deviation">New sensitivity less that of the last calibration; null if there is none.</param>
public readonly record struct CalibrationResult(CalibrationOutcome Outcome, double Level, double Spread, double Sensitivity, double? Deviation);

/// <summary>The arithmetic of a calibration with a sound calibrator (IEC 60942) at 1 kHz, where A, C and Z are the same. Pure.</summary>
public static class AcousticCalibration
{
    /// <summary>One-second levels that must agree.</summary>
    public const int LevelsMin = 10;

    /// <summary>How far apart they may be, dB.</summary>
    public const double SpreadMax = 0.2;

    /// <summary>Largest correction that is believed, dB: a MEMS microphone is within 3, a wrong preamplifier step is 6 or more.</summary>
    public const double CorrectionMax = 8;

    /// <summary>Change since the last calibration from which on it is a fault of the instrument, dB.</summary>
    public const double DriftMax = 1.5;

    /// <summary>Looks at a series of levels taken under a calibrator.</summary>
    /// <param name="levels">LAeq of successive seconds, dB, oldest first, measured with <paramref name="sensitivity"/>; the last <see cref="LevelsMin"/> count.</param>
    /// <param name="calibrator">Level of the calibrator, dB SPL: 94 or 114, or what its certificate says.</param>
    /// <param name="sensitivity">Sensitivity of the microphone now in force, dBFS at 94 dB SPL.</param>
    /// <param name="last">Sensitivity found by the last calibration; null if there was none.</param>
    public static CalibrationResult Evaluate(ReadOnlySpan<double> levels, double calibrator, double sensitivity, double? last)
    {
        ReadOnlySpan<double> used = levels.Length < LevelsMin ? [] : levels[^LevelsMin..];
        double smallest = double.PositiveInfinity;
        double largest = double.NegativeInfinity;
        foreach (double level in used)
        {
            if (!double.IsFinite(level))
            {
                return new CalibrationResult(CalibrationOutcome.TooShort, double.NaN, double.NaN, sensitivity, null);
            }

            smallest = Math.Min(smallest, level);
            largest = Math.Max(largest, level);
        }

        if (used.IsEmpty)
        {
            return new CalibrationResult(CalibrationOutcome.TooShort, double.NaN, double.NaN, sensitivity, null);
        }

        double mean = SoundLevels.EnergyMean(used);
        double spread = largest - smallest;
        double correction = mean - calibrator;
        CalibrationOutcome outcome = CalibrationOutcome.Good;
        if (spread > SpreadMax)
        {
            outcome = CalibrationOutcome.Unstable;
        }
        else if (Math.Abs(correction) > CorrectionMax)
        {
            outcome = Math.Abs(Math.Abs(correction) - 20) <= CorrectionMax ? CalibrationOutcome.OtherLevel : CalibrationOutcome.TooFar;
        }

        if (outcome != CalibrationOutcome.Good)
        {
            return new CalibrationResult(outcome, mean, spread, sensitivity, null);
        }

        // Too high a level means that the microphone gives more than was thought.
        double found = sensitivity + correction;
        double? deviation = found - last;
        return new CalibrationResult(Math.Abs(deviation ?? 0) > DriftMax ? CalibrationOutcome.Drifted : CalibrationOutcome.Good, mean, spread, found, deviation);
    }
}
