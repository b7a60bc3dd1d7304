using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>Durable position of one source, stored with the readings taken from it and never before them.</summary>
/// <param name="Source">Name of the source (the sensor).</param>
/// <param name="Value">Opaque position, at most 256 bytes.</param>
public readonly record struct SourceCursor(string Source, ReadOnlyMemory<byte> Value);

/// <summary>Consecutive readings of the outbox, oldest first.</summary>
/// <param name="From">Sequence number of the first reading.</param>
/// <param name="Until">Sequence number behind the last reading: with <paramref name="From"/> what <see cref="IOutbox.ReleaseAsync"/> takes.</param>
/// <param name="Readings">The readings, in the order they were taken.</param>
public sealed record OutboxBatch(long From, long Until, IReadOnlyList<Reading> Readings)
{
    private BatchLists? _lists;

    /// <summary>A batch whose list can be used again.</summary>
    internal OutboxBatch(long from, long until, List<Reading> readings, BatchLists lists)
        : this(from, until, readings) => _lists = lists;

    /// <summary>
    /// Says that nobody looks at the readings any more: the outbox uses their memory for a later batch, and the list is empty from now on. A batch that is never given back is garbage like any other;
    /// once is enough, and more does no harm. Any thread.
    /// </summary>
    public void GiveBack() => Interlocked.Exchange(ref _lists, null)?.GiveBack((List<Reading>)Readings);
}

/// <summary>
/// Counters since the outbox was created. Always <c>Taken = Released + Held + DroppedFull + DroppedAge + DroppedDamaged + DroppedExpired</c>. They survive restarts and, with a
/// journal, kills; after a power cut they are those of the last write, so that what was lost in memory counts neither as taken nor as held.
/// </summary>
/// <param name="Taken">Readings appended.</param>
/// <param name="Released">Readings released after the hub's acknowledgement.</param>
/// <param name="Held">Readings waiting now.</param>
/// <param name="DroppedFull">Oldest readings dropped because the byte limit was reached.</param>
/// <param name="DroppedAge">Readings dropped because they were older than the age limit.</param>
/// <param name="DroppedDamaged">Readings lost in damaged parts of the files (counted by sequence gap).</param>
/// <param name="Refused">Of the released ones: readings the hub refused for good (PUBACK 0x80 or more).</param>
public readonly record struct OutboxCounters(long Taken, long Released, long Held, long DroppedFull, long DroppedAge, long DroppedDamaged, long Refused)
{
    /// <summary>Of the held ones: not on disk yet, so what a power cut now would lose.</summary>
    public long Unwritten { get; init; }

    /// <summary>Readings of live interest only that had waited longer than they are of any (see <see cref="Contract.Quantities.Quantity.LiveFor"/>) and were not sent.</summary>
    public long DroppedExpired { get; init; }
}

/// <summary>
/// Bounded, durable queue between Sampling and Uplink; survives kill -9 and power loss at any byte. Any number of writers, and one reader at a time for each of
/// <see cref="ReadAsync"/> and <see cref="TryReadAsync"/>, may call concurrently.
/// </summary>
public interface IOutbox : IAsyncDisposable
{
    /// <summary>
    /// Takes readings and the cursor of their source. They can be read at once, stand in the journal where there is one, so that a kill does not take them, and are on disk within
    /// <see cref="OutboxOptions.WriteDelay"/>, the cursor never before the readings; with a delay of zero they are on disk when the task completes. The outbox has copied them then: the caller may
    /// use the memory of both again.
    /// </summary>
    /// <exception cref="IOException">The disk refuses and memory is full (with a delay of zero: the disk refuses); nothing of this call was kept, the caller may try again.</exception>
    ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken);

    /// <summary>Writes what is not on disk yet: when the task completes everything appended and released before is. For what must not wait, as an alarm or a shutdown.</summary>
    /// <exception cref="IOException">The disk refused; what was appended stays in memory and is tried again.</exception>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>A copy of the last cursor of a source; empty when there is none.</summary>
    ReadOnlyMemory<byte> Cursor(string source);

    /// <summary>Waits for readings at or behind a position and returns up to <paramref name="countMax"/> of them; they stay in the outbox until released. The batch is the caller's: see <see cref="OutboxBatch.GiveBack"/>.</summary>
    /// <param name="from">Sequence number to read from; positions already released or dropped are skipped.</param>
    /// <param name="countMax">Most readings to return, 1 or more.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<OutboxBatch> ReadAsync(long from, int countMax, CancellationToken cancellationToken);

    /// <summary>Returns up to <paramref name="countMax"/> readings held between two positions, or null when there are none; never waits for more.</summary>
    /// <param name="from">Sequence number to read from.</param>
    /// <param name="until">Sequence number to stop before.</param>
    /// <param name="countMax">Most readings to return, 1 or more.</param>
    /// <param name="cancellationToken">Ends the wait for the disk.</param>
    ValueTask<OutboxBatch?> TryReadAsync(long from, long until, int countMax, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets the readings of a range: called only after the hub's acknowledgement. Ranges may come in any order; those ahead of <see cref="Head"/> are remembered one by one,
    /// so a caller releases in order from <see cref="Head"/> and from <see cref="Live"/>.
    /// </summary>
    /// <param name="from">Sequence number of the first reading to forget.</param>
    /// <param name="until">Sequence number behind the last reading to forget.</param>
    /// <param name="refused">How many of them the hub refused for good.</param>
    /// <param name="expired">How many of them were not sent, because they are of no interest any more: they count as dropped, not as released.</param>
    /// <param name="cancellationToken">Ends the wait for the disk.</param>
    ValueTask ReleaseAsync(long from, long until, int refused, int expired, CancellationToken cancellationToken);

    /// <summary>Sequence number of the oldest reading held, or of the next one to be taken.</summary>
    long Head { get; }

    /// <summary>
    /// Where a reader that wants the newest first begins: at the next reading to be taken, or, when so many separate ranges have been released ahead of <see cref="Head"/> that
    /// no further one is remembered, behind the last of them.
    /// </summary>
    long Live { get; }

    /// <summary>The counters now.</summary>
    OutboxCounters Counters { get; }
}

/// <summary>Shorter ways to say it.</summary>
public static class OutboxReleases
{
    /// <summary><see cref="IOutbox.ReleaseAsync"/> of readings that were all sent.</summary>
    public static ValueTask ReleaseAsync(this IOutbox outbox, long from, long until, int refused, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(outbox);
        return outbox.ReleaseAsync(from, until, refused, 0, cancellationToken);
    }
}
