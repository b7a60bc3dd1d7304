using System.Threading.Channels;
using Hub.Cloud.Fleet.Claims;
using Hub.Cloud.Fleet.Commands;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Fleet.Twin;
using Hub.Cloud.Fleet.Updates;
using Hub.Cloud.Ingest;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Topics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Fleet;

/// <summary>
/// Keeps the broker as the database is: what is wanted of stations, commands, campaigns, stations that are gone. One round follows another, when something changed in this process or after a short
/// while (another process may have changed something). The first round publishes everything, so that a crash between the database and the broker is made good.
/// </summary>
internal sealed class FleetKeeper(
    IDbContextFactory<FleetContext> contexts,
    IStations stations,
    IStationMessages messages,
    IHubPublisher publisher,
    IHubBroker broker,
    WantedBook wanted,
    AgentBook agents,
    CommandDesk commands,
    ClaimDesk claims,
    CampaignDesk campaigns,
    IEnumerable<IEdgeRules> edgeRules,
    FleetInstruments instruments,
    TimeProvider time,
    ILogger<FleetKeeper> logger) : BackgroundService, IStationListener
{
    /// <summary>How soon a change of another process, or what failed, is looked at.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly IEdgeRules? rules = edgeRules.LastOrDefault();
    private readonly Channel<bool> woken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task<bool>? word;
    private IDisposable? subscription;
    private long seen;
    private int rulesChanged = 1;
    private int stationsChanged = 1;
    private bool rulesWait;
    private long rulesTriedWith;

    /// <summary>Subscribes before the broker starts, so that what it has kept is heard.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        subscription = messages.Subscribe(this);
        wanted.Changed += Wake;
        commands.Asked += Wake;
        campaigns.Changed += Wake;
        stations.Changed += OnStationsChanged;
        if (rules is not null)
        {
            rules.Changed += OnRulesChanged;
        }

        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        subscription?.Dispose();
        wanted.Changed -= Wake;
        commands.Asked -= Wake;
        campaigns.Changed -= Wake;
        stations.Changed -= OnStationsChanged;
        if (rules is not null)
        {
            rules.Changed -= OnRulesChanged;
        }
    }

    /// <inheritdoc/>
    public async ValueTask OnMessageAsync(StationMessage message, CancellationToken cancellationToken)
    {
        if (message.Kind == StationMessageKind.Reply)
        {
            await commands.OnReplyAsync(message, cancellationToken).ConfigureAwait(false);
            return;
        }

        await agents.OnMessageAsync(message, cancellationToken).ConfigureAwait(false);
        if (message.Kind != StationMessageKind.Status)
        {
            // A campaign may have waited for it.
            Wake();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RoundAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (BrokerUnavailableException)
            {
                // It says so itself, and what waits is counted; the next round tries again.
                instruments.Published("unavailable");
            }
#pragma warning disable CA1031 // Whatever it is (database busy, somebody else faster with a version): what was not done is still to be done, and the hub must not end over it.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                logger.RoundFailed(exception);
            }

            await PauseAsync(stoppingToken).ConfigureAwait(false);
        }
    }

    private async Task PauseAsync(CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);

        // A wait that was not answered is taken up again: to cancel one costs an exception.
        word ??= woken.Reader.WaitToReadAsync(stop).AsTask();
        await Task.WhenAny(word, Task.Delay(Interval, time, limit.Token)).ConfigureAwait(false);
        await limit.CancelAsync().ConfigureAwait(false);
        if (word.IsCompleted)
        {
            word = null;
            woken.Reader.TryRead(out _);
        }
    }

    private async Task RoundAsync(CancellationToken stop)
    {
        if (Interlocked.Exchange(ref stationsChanged, 0) != 0)
        {
            Volatile.Write(ref rulesChanged, 1);
            await OrMarkAsync(() => ForgetRemovedAsync(stop), () => Volatile.Write(ref stationsChanged, 1)).ConfigureAwait(false);
        }

        if (rules is not null && Interlocked.Exchange(ref rulesChanged, 0) != 0)
        {
            await OrMarkAsync(() => TakeRulesAsync(rules, stop), () => Volatile.Write(ref rulesChanged, 1)).ConfigureAwait(false);
        }

        // Before what is wanted goes out: an offer made now is on its way in the same round.
        await campaigns.RoundAsync(stop).ConfigureAwait(false);
        BrokerUnavailableException? away = null;
        try
        {
            await PublishAsync(stop).ConfigureAwait(false);
        }
        catch (BrokerUnavailableException exception)
        {
            away = exception;
        }

        // Also without a broker: a command expires when its time is over, whoever is away.
        await commands.RoundAsync(publisher, broker, away, stop).ConfigureAwait(false);
    }

    private static async Task OrMarkAsync(Func<Task> action, Action mark)
    {
        try
        {
            await action().ConfigureAwait(false);
        }
        catch
        {
            mark();
            throw;
        }
    }

    /// <summary>Publishes the newest version of each station that has one which this process has not published.</summary>
    private async Task PublishAsync(CancellationToken stop)
    {
        List<WantedRow> rows;
        await using (var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false))
        {
            rows = await db.Wanted.AsNoTracking()
                .Where(w => w.Id > seen && !db.Wanted.Any(later => later.StationId == w.StationId && later.Version > w.Version))
                .OrderBy(w => w.Id)
                .ToListAsync(stop).ConfigureAwait(false);
        }

        if (rows.Count == 0)
        {
            return;
        }

        if (rulesWait && rows[^1].Id > rulesTriedWith)
        {
            // Rules had no room beside the settings; these may be others now, whoever changed them.
            (rulesWait, rulesTriedWith) = (false, rows[^1].Id);
            OnRulesChanged();
        }

        var byId = stations.All.ToDictionary(s => s.Id);
        foreach (var row in rows)
        {
            if (byId.TryGetValue(row.StationId, out var station))
            {
                if (WantedDocument.TryCompose(row.Version, WantedParts.Of(row), out var utf8) is { } problem)
                {
                    // Written by a newer hub, or by hand.
                    instruments.Published("refused");
                    logger.DocumentRefused(station.Municipality, station.Slug, row.Version, problem);
                }
                else
                {
                    await publisher.PublishAsync(new HubMessage(HubTopic.ConfigDesired(station.Municipality, station.Slug), utf8, "application/json", Retain: true), stop).ConfigureAwait(false);
                    instruments.Published("published");
                }
            }

            seen = row.Id;
        }
    }

    private async Task TakeRulesAsync(IEdgeRules source, CancellationToken stop)
    {
        var inForce = await wanted.RulesInForceAsync(stop).ConfigureAwait(false);
        foreach (var station in stations.All)
        {
            var now = source.For(station);
            if (WantedDocument.RulesText(now) != inForce.GetValueOrDefault(station.Id, "[]"))
            {
                if (await wanted.WantRulesAsync(station, now, stop).ConfigureAwait(false) is null)
                {
                    rulesWait = true;
                }
            }
        }
    }

    /// <summary>A station that is gone leaves nothing behind: whoever gets its name must not get its documents.</summary>
    private async Task ForgetRemovedAsync(CancellationToken stop)
    {
        List<AgentRow> known;
        await using (var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false))
        {
            known = await db.Agents.AsNoTracking().ToListAsync(stop).ConfigureAwait(false);
        }

        var live = stations.All.Select(s => s.Id).ToHashSet();
        foreach (var gone in known.Where(a => !live.Contains(a.StationId)))
        {
            var named = known.Exists(other => live.Contains(other.StationId) && other.Municipality == gone.Municipality && other.Slug == gone.Slug);
            if (!named)
            {
                await ClearAsync(HubTopic.ConfigDesired(gone.Municipality, gone.Slug), stop).ConfigureAwait(false);
                if (broker.ChecksSecrets)
                {
                    // Its own word, which a broker elsewhere lets nobody else take back.
                    await ClearAsync(HubTopic.Status(gone.Municipality, gone.Slug), stop).ConfigureAwait(false);
                    await ClearAsync(HubTopic.ConfigReported(gone.Municipality, gone.Slug), stop).ConfigureAwait(false);
                }
            }

            await commands.ForgetAsync(gone.StationId, stop).ConfigureAwait(false);
            await claims.ForgetAsync(gone.StationId, stop).ConfigureAwait(false);
            await using (var db = await contexts.CreateDbContextAsync(stop).ConfigureAwait(false))
            {
                await db.Wanted.Where(w => w.StationId == gone.StationId).ExecuteDeleteAsync(stop).ConfigureAwait(false);
                await db.Agents.Where(a => a.StationId == gone.StationId).ExecuteDeleteAsync(stop).ConfigureAwait(false);
            }

            agents.Forget(gone.StationId);
            logger.StationForgotten(gone.Municipality, gone.Slug);
        }
    }

    private async Task ClearAsync(string topic, CancellationToken stop)
    {
        await publisher.PublishAsync(new HubMessage(topic, ReadOnlyMemory<byte>.Empty, "application/json", Retain: true), stop).ConfigureAwait(false);
        instruments.Published("cleared");
    }

    private void OnStationsChanged()
    {
        Volatile.Write(ref stationsChanged, 1);
        Wake();
    }

    private void OnRulesChanged()
    {
        Volatile.Write(ref rulesChanged, 1);
        Wake();
    }

    private void Wake() => woken.Writer.TryWrite(true);
}
