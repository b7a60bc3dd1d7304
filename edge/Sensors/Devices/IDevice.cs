using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sensors.Devices;

/// <summary>One look at one quantity.</summary>
/// <param name="Property">Identifier of the observed property.</param>
/// <param name="Value">Result in its canonical unit.</param>
/// <param name="Quality">What the instrument itself knows against it.</param>
internal readonly record struct Sample(string Property, double Value, Quality Quality = Quality.Good);

/// <summary>
/// An instrument at the end of a bus: bytes in, physical values out. Knows its data sheet and nothing of averaging, clocks of the wall or the rest of the station.
/// One caller at a time. After any exception but <see cref="NoSampleException"/> the caller disposes of it and makes another.
/// </summary>
internal interface IDevice : IAsyncDisposable
{
    /// <summary>Time after the start during which values are not yet to be trusted (data sheet); they are given and flagged.</summary>
    TimeSpan WarmUp { get; }

    /// <summary>Opens the bus, makes sure that it is this instrument that answers, and starts measuring.</summary>
    /// <exception cref="SensorException">It does not answer, or something else does; the message names bus and address and says what to check.</exception>
    /// <exception cref="IOException">The bus failed.</exception>
    ValueTask StartAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Takes one look: adds one sample for each quantity. Waits for the instrument where the data sheet says so, never longer than a few seconds (half a minute and more
    /// only for an instrument that the station file lets sleep between looks). A value that was given before is never given again.
    /// </summary>
    /// <param name="samples">Where the samples go, in the order in which the instrument lists them.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NoSampleException">This look gave nothing (checksum, nothing new, no echo); the next one may. Nothing was added.</exception>
    /// <exception cref="SensorException">The instrument failed.</exception>
    /// <exception cref="IOException">The bus failed.</exception>
    ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken);
}

/// <summary>One look gave nothing: a bad checksum, nothing new, no echo. Counted by reason; the next look may succeed.</summary>
/// <param name="reason">One or two words for the counter, e.g. <c>checksum</c>, <c>silent</c>.</param>
/// <param name="message">What was wrong, for the log.</param>
internal sealed class NoSampleException(string reason, string message) : Exception(message)
{
    /// <summary>One or two words for the counter.</summary>
    public string Reason { get; } = reason;
}
