using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>Durable position of one source, stored in the same write as the readings taken from it.</summary>
/// <param name="Source">Name of the source (the sensor).</param>
/// <param name="Value">Opaque position, at most 256 bytes.</param>
public readonly record struct SourceCursor(string Source, ReadOnlyMemory<byte> Value);

/// <summary>Consecutive readings of the outbox, oldest first.</summary>
/// <param name="From">Sequence number of the first reading.</param>
/// <param name="Until">Sequence number behind the last reading: what <see cref="IOutbox.ReleaseAsync"/> takes.</param>
/// <param name="Readings">The readings, in the order they were taken.</param>
public sealed record OutboxBatch(long From, long Until, IReadOnlyList<Reading> Readings);

/// <summary>Counters since the outbox was created; they survive restarts. Always <c>Taken = Released + Held + Dropped</c>.</summary>
/// <param name="Taken">Readings appended.</param>
/// <param name="Released">Readings released after the hub's acknowledgement.</param>
/// <param name="Held">Readings waiting now.</param>
/// <param name="DroppedFull">Oldest readings dropped because the byte limit was reached.</param>
/// <param name="DroppedAge">Readings dropped because they were older than the age limit.</param>
/// <param name="DroppedDamaged">Readings lost in damaged parts of the files (counted by sequence gap).</param>
/// <param name="Refused">Of the released ones: readings the hub refused for good (PUBACK 0x80 or more).</param>
public readonly record struct OutboxCounters(long Taken, long Released, long Held, long DroppedFull, long DroppedAge, long DroppedDamaged, long Refused);

/// <summary>
/// Bounded, durable queue between Sampling and Uplink; survives kill -9 and power loss at any byte. One writer and one reader may call concurrently.
/// </summary>
public interface IOutbox : IAsyncDisposable
{
    /// <summary>Appends readings and the cursor of their source in one atomic, durable write: when the task completes they are on disk.</summary>
    /// <exception cref="IOException">The disk refused the write; nothing of this call was kept, the caller may try again.</exception>
    ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken);

    /// <summary>The last durable cursor of a source; empty when there is none.</summary>
    ReadOnlyMemory<byte> Cursor(string source);

    /// <summary>Waits for readings at or behind a position and returns up to <paramref name="countMax"/> of them; they stay in the outbox until released.</summary>
    /// <param name="from">Sequence number to read from; positions already released or dropped are skipped.</param>
    /// <param name="countMax">Most readings to return, 1 or more.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<OutboxBatch> ReadAsync(long from, int countMax, CancellationToken cancellationToken);

    /// <summary>Forgets every reading before <paramref name="until"/>: called only after the hub's acknowledgement, in order.</summary>
    /// <param name="until">Sequence number behind the last reading to forget.</param>
    /// <param name="refused">How many of them the hub refused for good.</param>
    /// <param name="cancellationToken">Ends the wait for the disk.</param>
    ValueTask ReleaseAsync(long until, int refused, CancellationToken cancellationToken);

    /// <summary>Sequence number of the oldest reading held, or of the next one to be taken.</summary>
    long Head { get; }

    /// <summary>The counters now.</summary>
    OutboxCounters Counters { get; }
}
