namespace Hub.Edge.Sampling;

/// <summary>How a sensor is doing.</summary>
public enum SensorCondition
{
    /// <summary>No value yet.</summary>
    Starting = 0,

    /// <summary>Giving values.</summary>
    Running = 1,

    /// <summary>Failed last time; it is started again after a pause.</summary>
    Failing = 2,

    /// <summary>No value for longer than it may be silent, whether it fails or just says nothing.</summary>
    Dead = 3,
}

/// <summary>One sensor now; counters since the agent started.</summary>
/// <param name="Name">Name at the station.</param>
/// <param name="Condition">How it is doing.</param>
/// <param name="Taken">Readings handed to the outbox.</param>
/// <param name="Refused">Values that are no reading (not finite, unknown quantity, ...): a driver's mistake, dropped and counted by reason.</param>
/// <param name="Failures">Times the sensor failed or its stream ended.</param>
/// <param name="TakenAt">Processing time of the last readings taken, UTC; null before the first.</param>
/// <param name="Failure">What the last failure said; null when it has worked since.</param>
public sealed record SensorState(string Name, SensorCondition Condition, long Taken, long Refused, long Failures, DateTime? TakenAt, string? Failure);

/// <summary>Runs the station's sensors and turns what they measure into readings. Safe for concurrent callers.</summary>
public interface ISampling
{
    /// <summary>The sensors now, in the order of the station file.</summary>
    IReadOnlyList<SensorState> Sensors { get; }
}
