using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>What a check found at one instant.</summary>
/// <param name="Time">Phenomenon time of the observation, microseconds since 1970 UTC.</param>
/// <param name="Value">What was measured against the limit: a value, a change, a length in seconds, a deviation, a relative humidity.</param>
/// <param name="Limit">The limit it broke.</param>
internal readonly record struct Verdict(long Time, double Value, double Limit);

/// <summary>What all checks share.</summary>
internal static class Flags
{
    /// <summary>Observations that say nothing about the air or the street: they are neither judged nor compared with.</summary>
    public const Quality Unfit = Quality.WarmingUp | Quality.OutOfRange | Quality.ClockUncertain;

    /// <summary>As good witnesses against another station they must not be doubtful themselves.</summary>
    public const Quality UnfitWitness =
        Unfit | Quality.Stuck | Quality.Saturated | Quality.UnderRange | Quality.SuspectHumidity | Quality.Incomplete | Quality.Step | Quality.Spike | Quality.Drift;

    /// <summary>The flag that a check's findings lay over observations.</summary>
    public static Quality Of(QualityCheck check) => check switch
    {
        QualityCheck.Range => Quality.OutOfRange,
        QualityCheck.Step => Quality.Step,
        QualityCheck.FlatLine => Quality.Stuck,
        QualityCheck.Spike => Quality.Spike,
        QualityCheck.Humidity => Quality.SuspectHumidity,
        QualityCheck.Drift => Quality.Drift,
        _ => throw new ArgumentOutOfRangeException(nameof(check), check, "There is no such check."),
    };
}
