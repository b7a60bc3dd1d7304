using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sensors;

/// <summary>One physical value out of an instrument, in the canonical unit of its quantity.</summary>
/// <param name="Property">Identifier of the observed property.</param>
/// <param name="Value">Finite result in the canonical unit.</param>
/// <param name="ObservedAt">UTC instant (start of <see cref="Period"/>) where the source knows it, as a replay or a logger does; null means "when it is taken".</param>
public readonly record struct Measurement(string Property, double Value, DateTime? ObservedAt = null)
{
    /// <summary>Averaging or counting period; zero for an instantaneous value.</summary>
    public TimeSpan Period { get; init; }

    /// <summary>What the instrument itself knows against the value.</summary>
    public Quality Quality { get; init; }

    /// <summary>Share of the period really measured, 0 to 1; null when not stated.</summary>
    public double? Coverage { get; init; }

    /// <summary>
    /// Which part of the instrument it belongs to, where one entry of the station file watches several things (the directions of a road): 1 to 16 of <c>a-z 0-9</c>. The
    /// reading then bears the sensor name <c>{sensor}-{part}</c>. Null for the instrument as a whole. <see cref="SensorFactory.Names"/> lists the names of an entry.
    /// </summary>
    public string? Part { get; init; }
}

/// <summary>Measurements that belong together, and where the source stands after them.</summary>
/// <param name="Measurements">One or more values.</param>
/// <param name="Cursor">
/// Opaque position of the source after these values, stored durably in the same write as the readings, so that a restart goes on
/// exactly behind them; empty for a live instrument that has no position. At most 256 bytes.
/// </param>
public readonly record struct MeasurementBatch(ReadOnlyMemory<Measurement> Measurements, ReadOnlyMemory<byte> Cursor = default);

/// <summary>
/// An instrument fitted to a station. One caller at a time; <see cref="MeasureAsync"/> is read by one at a time and, after it failed, called again on the
/// same instance, which then starts afresh.
/// </summary>
public interface ISensor : IAsyncDisposable
{
    /// <summary>Name at its station, as in the station file.</summary>
    string Name { get; }

    /// <summary>How often it gives values when all is well; zero when it cannot say (a replay). Silence for three times as long means that it is dead.</summary>
    TimeSpan Cadence => TimeSpan.Zero;

    /// <summary>True when it sees particles by the light they scatter, without drying the air first: in high humidity they swell, and its values are suspect.</summary>
    bool IsOptical => false;

    /// <summary>
    /// Asks for a look now, besides its rhythm: <see cref="MeasureAsync"/> then yields what it sees, without a period, as soon as it can. From any thread; returns at once.
    /// </summary>
    /// <returns>False for an instrument that cannot be asked, or is not being read.</returns>
    bool Ask() => false;

    /// <summary>
    /// Yields measurements as they become available, for ever, until cancelled; pulls at the consumer's pace (a backlog is read only as fast as it is taken).
    /// </summary>
    /// <param name="cursor">What the last durable <see cref="MeasurementBatch.Cursor"/> was; empty at the first start.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <exception cref="SensorException">The instrument failed in a way retrying may cure; the caller restarts the stream after a pause.</exception>
    IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, CancellationToken cancellationToken);
}

/// <summary>An instrument failed: what was attempted is in the message, the cause inside.</summary>
public sealed class SensorException : Exception
{
    /// <summary>Creates the exception.</summary>
    public SensorException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}
