using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Ingest;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Fleet.Twin;

/// <summary>What stations say of themselves: in memory for readers, in the database over restarts. Messages come one at a time; readers any time.</summary>
internal sealed class AgentBook
{
    /// <summary>How much longer than said a station's word holds: for one renewal that is late.</summary>
    private static readonly TimeSpan Lateness = TimeSpan.FromMinutes(1);

    private readonly IDbContextFactory<FleetContext> contexts;
    private readonly IStations stations;
    private readonly FleetInstruments instruments;
    private readonly TimeProvider time;
    private readonly ILogger<AgentBook> logger;
    private readonly ConcurrentDictionary<int, Entry> entries = new();

    public AgentBook(IDbContextFactory<FleetContext> contexts, IStations stations, FleetInstruments instruments, TimeProvider time, ILogger<AgentBook> logger)
    {
        (this.contexts, this.stations, this.instruments, this.time, this.logger) = (contexts, stations, instruments, time, logger);
        instruments.Observe(() => entries.Keys.Count(id => PresenceOf(id) == Presence.Online));
    }

    /// <summary>Reads everything from the database.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var row in db.Agents.AsNoTracking().AsAsyncEnumerable().WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            entries[row.StationId] = Read(row);
        }
    }

    public AgentView Of(int stationId) => entries.TryGetValue(stationId, out var entry)
        ? new AgentView(Judge(entry, time.GetUtcNow().UtcDateTime), entry.Status, entry.StatusAt, entry.Reported, entry.ReportedAt)
        : new AgentView(Presence.Unknown, null, null, null, null);

    public Presence PresenceOf(int stationId) => entries.TryGetValue(stationId, out var entry) ? Judge(entry, time.GetUtcNow().UtcDateTime) : Presence.Unknown;

    /// <summary>Takes in a status or a report. What cannot be read changes nothing, and is counted.</summary>
    public async ValueTask OnMessageAsync(StationMessage message, CancellationToken cancellationToken)
    {
        var kind = message.Kind == StationMessageKind.Status ? "status" : "reported";
        if (!stations.TryGet(message.Municipality, message.Station, out var station))
        {
            instruments.Heard(kind, "unknown");
            return;
        }

        var text = message.Payload.IsEmpty ? null : Decode(message.Payload.Span);
        StationStatus? status = null;
        if (!message.Payload.IsEmpty
            && (text is null || (message.Kind == StationMessageKind.Status ? !StatusReader.TryRead(message.Payload, out status) : !ReportedState.TryRead(message.Payload.Span, out _, out _))))
        {
            instruments.Heard(kind, "unreadable");
            logger.Unreadable(kind, station.Municipality, station.Slug);
            return;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var row = await db.Agents.SingleOrDefaultAsync(a => a.StationId == station.Id, cancellationToken).ConfigureAwait(false);
        if (row is null)
        {
            await db.EnsureAgentAsync(station, cancellationToken).ConfigureAwait(false);
            row = await db.Agents.SingleAsync(a => a.StationId == station.Id, cancellationToken).ConfigureAwait(false);
        }

        if (message.Kind == StationMessageKind.Status)
        {
            if (!(message.Retained && row.Status == text))
            {
                // What was kept and is not new to us keeps the time at which we heard it, so that it cannot be renewed by our own restart.
                (row.Status, row.StatusAt, row.StatusHoldsSeconds) = (text, message.ReceivedAt, (long?)message.Expiry?.TotalSeconds);
            }

            if (status is { Online: true })
            {
                row.Sensors = JsonSerializer.Serialize(status.Sensors);
            }
        }
        else if (row.Reported != text)
        {
            (row.Reported, row.ReportedAt) = (text, message.ReceivedAt);
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        entries[station.Id] = Read(row);
        instruments.Heard(kind, "taken");
    }

    /// <summary>Forgets a station that is gone.</summary>
    public void Forget(int stationId) => entries.TryRemove(stationId, out _);

    internal static Presence Judge(Entry entry, DateTime now) => entry.Status switch
    {
        null => Presence.Unknown,
        { Online: true } when entry.Holds is null || entry.StatusAt + entry.Holds + Lateness > now => Presence.Online,
        _ => Presence.Offline,
    };

    private static Entry Read(AgentRow row)
    {
        StationStatus? status = null;
        ReportedState? reported = null;
        if (row.Status is { } said && StatusReader.TryRead(Encoding.UTF8.GetBytes(said), out status) && !status.Online && row.Sensors is { } sensors)
        {
            status = status with { Sensors = JsonSerializer.Deserialize<StatusSensor[]>(sensors) ?? [] };
        }

        if (row.Reported is { } text)
        {
            _ = ReportedState.TryRead(Encoding.UTF8.GetBytes(text), out reported, out _);
        }

        return new Entry(status, row.StatusAt, row.StatusHoldsSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, reported, row.ReportedAt);
    }

    private static string? Decode(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return new UTF8Encoding(false, true).GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    internal sealed record Entry(StationStatus? Status, DateTime? StatusAt, TimeSpan? Holds, ReportedState? Reported, DateTime? ReportedAt);
}
