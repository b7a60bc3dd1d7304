namespace Hub.Edge.Contract.Readings;

/// <summary>What is known against a value. No bit set means good. Part of the wire contract: never renumber.</summary>
[Flags]
public enum Quality
{
    /// <summary>Nothing is known against the value.</summary>
    Good = 0,

    /// <summary>The instrument was still warming up.</summary>
    WarmingUp = 1 << 0,

    /// <summary>Outside the plausible range of its quantity or of its instrument.</summary>
    OutOfRange = 1 << 1,

    /// <summary>The instrument has repeated the same value for longer than is plausible.</summary>
    Stuck = 1 << 2,

    /// <summary>The instrument was at the end of its range (overload).</summary>
    Saturated = 1 << 3,

    /// <summary>Optical particle value taken in humidity that makes particles swell.</summary>
    SuspectHumidity = 1 << 4,

    /// <summary>The instrument's calibration has passed its date.</summary>
    CalibrationDue = 1 << 5,

    /// <summary>The station's clock was not yet trustworthy.</summary>
    ClockUncertain = 1 << 6,

    /// <summary>The instrument covered only part of the averaging period (see <see cref="Reading.Coverage"/>).</summary>
    Incomplete = 1 << 7,

    /// <summary>Below what the instrument can resolve (under-range).</summary>
    UnderRange = 1 << 8,

    /// <summary>Changed faster since the values before it than is plausible; found by the hub.</summary>
    Step = 1 << 9,

    /// <summary>A spike that neither the neighbouring stations nor the values before and after it share; found by the hub.</summary>
    Spike = 1 << 10,

    /// <summary>The instrument has moved away from its reference station; found by the hub.</summary>
    Drift = 1 << 11,
}
