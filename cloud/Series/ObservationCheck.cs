namespace Hub.Cloud.Series;

/// <summary>What the store takes: anything else is a fault of the caller and must not reach a group that others share.</summary>
internal static class ObservationCheck
{
    /// <exception cref="ArgumentException">Not an observation; the message says which field.</exception>
    public static void ThrowIfNot(in Observation observation)
    {
        var fault = observation switch
        {
            { Datastream: < 1 } => "the datastream is below 1",
            { PhenomenonTime.Kind: not DateTimeKind.Utc } => "the phenomenon time is not UTC",
            _ when observation.PhenomenonTime.Ticks % TimeSpan.TicksPerMicrosecond != 0 => "the phenomenon time is not in whole microseconds",
            _ when !double.IsFinite(observation.Result) => "the result is not finite",
            _ when double.IsInfinity(observation.Raw) => "the raw value is infinite",
            { Coverage: < 0 or > 1 } => "the coverage is outside 0 to 1",
            _ => null,
        };
        if (fault is not null)
        {
            throw new ArgumentException($"Not an observation, {fault}: {observation}", nameof(observation));
        }
    }
}
