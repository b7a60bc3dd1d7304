using System.Buffers.Binary;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>
/// The part that gives readings their time that were taken before it was known. They stand in the outbox with the time since the machine's start, counted from 1970, and the
/// boot id. The distance from there to the true time is decided once for each start of the machine, when it first is known, and written down before anything stamped with it
/// leaves: however often a reading is sent, and whatever the clock does later, it has one time.
/// </summary>
internal sealed partial class FileOutbox
{
    /// <summary>In front of the boot id: the source under whose name its stamp is written down. Its value: distance in ticks i64 little-endian, then 1 for uncertain.</summary>
    private const string StampSource = "\u0001boot/";

    /// <summary>Starts of the machine whose stamp is kept; older ones have nothing in the outbox any more unless the machine starts all the time.</summary>
    private const int StampsMax = 64;

    private readonly IReadOnlyList<(string Boot, TimeSpan Last)> _boots;

    private readonly SemaphoreSlim _deciding = new(1, 1);
    private volatile Dictionary<string, (TimeSpan Distance, bool Uncertain)>? _stamps;

    /// <summary>The start of the machine that readings count from; null when all have a time.</summary>
    private string? Boot(ReadOnlySpan<Reading> readings)
    {
        if (_clock is not null)
        {
            foreach (ref readonly var reading in readings)
            {
                if (reading.PhenomenonTime < StationClock.Earliest)
                {
                    return _clock.BootId;
                }
            }
        }

        return null;
    }

    /// <summary>True when the stamps can be decided and are not.</summary>
    private bool StampsAreOpen => _stamps is null && _clock is { IsTrusted: true };

    /// <summary>Decides the stamps once, as soon as that can be done.</summary>
    private async ValueTask EnsureStampsAsync(CancellationToken cancellationToken)
    {
        if (!StampsAreOpen || _clock is null)
        {
            return;
        }

        await _deciding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_stamps is null)
            {
                await DecideStampsAsync(_clock, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _deciding.Release();
        }
    }

    /// <summary>
    /// Decides the stamps that are not yet decided. This start of the machine: what the clock says. An earlier one whose time was never known: as late as can be, its last
    /// reading at the moment the next one began, and uncertain.
    /// </summary>
    private async Task DecideStampsAsync(StationClock clock, CancellationToken cancellationToken)
    {
        var stamps = new Dictionary<string, (TimeSpan Distance, bool Uncertain)>(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var (source, value) in _cursors)
            {
                if (source.StartsWith(StampSource, StringComparison.Ordinal) && value.Length == 9)
                {
                    stamps[source[StampSource.Length..]] = (TimeSpan.FromTicks(BinaryPrimitives.ReadInt64LittleEndian(value)), value[8] != 0);
                }
            }
        }

        _ = clock.TryGetStamp(out var now);
        var decided = stamps.TryAdd(clock.BootId, (now!.Value, false)) ? new List<string> { clock.BootId } : [];
        var start = stamps[clock.BootId].Distance;
        for (var i = _boots.Count - 1; i >= 0; i--)
        {
            var (boot, last) = _boots[i];
            if (stamps.TryAdd(boot, (start - last, true)))
            {
                decided.Add(boot);
            }

            start = stamps[boot].Distance;
        }

        lock (_gate)
        {
            foreach (var old in stamps.Keys.Where(boot => boot != clock.BootId && !_boots.Any(known => known.Boot == boot)).ToArray())
            {
                stamps.Remove(old);
                _cursors.Remove(StampSource + old);
                _cursorsWritten.Remove(StampSource + old);
            }
        }

        if (_boots.Count > 0 || !_startedWithTime)
        {
            foreach (var boot in decided.Take(StampsMax))
            {
                var value = new byte[9];
                BinaryPrimitives.WriteInt64LittleEndian(value, stamps[boot].Distance.Ticks);
                value[8] = stamps[boot].Uncertain ? (byte)1 : (byte)0;
                await Keep(ReadOnlyMemory<Reading>.Empty, new SourceCursor(StampSource + boot, value), cancellationToken).ConfigureAwait(false);
            }

            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        _stamps = stamps;
    }

    private Reading Stamp(Reading reading, string boot)
    {
        if (reading.PhenomenonTime >= StationClock.Earliest || _stamps is null || !_stamps.TryGetValue(boot, out var stamp))
        {
            return reading;
        }

        var at = reading.PhenomenonTime + stamp.Distance;
        return reading with
        {
            PhenomenonTime = new DateTime(at.Ticks - (at.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc),
            Quality = reading.Quality | (stamp.Uncertain ? Quality.ClockUncertain : 0),
        };
    }
}
