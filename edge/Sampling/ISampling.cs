using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Configuration;

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
/// <param name="Cadence">Time from one value to the next; zero where the driver does not know.</param>
public sealed record SensorState(string Name, SensorCondition Condition, long Taken, long Refused, long Failures, DateTime? TakenAt, string? Failure, TimeSpan Cadence = default);

/// <summary>What other settings changed.</summary>
/// <param name="Stopped">Sensors that were stopped; one whose settings changed is stopped and started.</param>
/// <param name="Started">Sensors that were started.</param>
/// <param name="Kept">Sensors that went on undisturbed.</param>
public sealed record SamplingChange(IReadOnlyList<string> Stopped, IReadOnlyList<string> Started, IReadOnlyList<string> Kept);

/// <summary>Runs the station's sensors and turns what they measure into readings. Safe for concurrent callers.</summary>
public interface ISampling
{
    /// <summary>The sensors now, in the order of the station file.</summary>
    IReadOnlyList<SensorState> Sensors { get; }

    /// <summary>The newest reading of each series since the agent started, as it went to the outbox; a series by its sensor, observed property and averaging period.</summary>
    /// <param name="sensor">Only those of this sensor of the station file; null for all.</param>
    IReadOnlyList<Reading> Newest(string? sensor);

    /// <summary>Asks sensors for a value now; those that can be asked give one soon, which goes the way of all readings.</summary>
    /// <param name="sensor">Only this sensor of the station file; null for all.</param>
    /// <returns>Those that were asked.</returns>
    IReadOnlyList<string> Ask(string? sensor);

    /// <summary>
    /// Puts other settings in force. Only the sensors whose own settings changed are stopped and started; a replay also when what all replays have in common changed. All others go
    /// on undisturbed, with the new settings of Sampling itself. One call at a time is acted on, further ones wait.
    /// </summary>
    /// <param name="configuration">The settings, checked before: <c>Agent:Sensors</c>, <c>Agent:Replay</c>, <c>Agent:Sampling</c>.</param>
    /// <param name="cancellationToken">Ends the wait for sensors to stop; the next call puts right what is left.</param>
    /// <exception cref="Exception">A sensor could not be made; the others run, and the next call puts right what is left.</exception>
    Task<SamplingChange> ApplyAsync(IConfiguration configuration, CancellationToken cancellationToken);

    /// <summary>
    /// How long the outbox has been busy with the append handed to it last; zero when there is none. A disk that refuses answers and is asked again later, a full outbox drops and
    /// accepts: neither is busy for long. Only what hangs is.
    /// </summary>
    TimeSpan Appending { get; }
}
