using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Fleet.Twin;
using Hub.Cloud.Ingest;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Topics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Fleet.Commands;

/// <summary>
/// Commands, from being asked to being answered. Each is a row, so that it is known after a restart, another process (the command line) can ask, and the answer can be fetched later. Only the
/// keeper of the running hub sends.
/// </summary>
internal sealed class CommandDesk(
    IDbContextFactory<FleetContext> contexts, IStations stations, IStationSecrets secrets, AgentBook agents, IOptions<FleetOptions> options, FleetInstruments instruments, TimeProvider time,
    ILogger<CommandDesk> logger) : IDisposable
{
    /// <summary>Commands kept of each station.</summary>
    public const int HistoryMax = 20;

    /// <summary>How often somebody who waits looks into the database: an answer may have come to another process.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    private static readonly CommandStep[] Open = [CommandStep.Waiting, CommandStep.Sent];

    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly ConcurrentDictionary<long, TaskCompletionSource> waiters = new();

    /// <summary>Raised when there is something to send; handlers return at once.</summary>
    public event Action? Asked;

    public void Dispose() => gate.Dispose();

    public async ValueTask<AgentCommand> CommandAsync(Station station, string name, JsonElement? arguments, TimeSpan patience, string by, CancellationToken cancellationToken)
    {
        var text = CommandRules.Arguments(name, arguments);
        switch (agents.PresenceOf(station.Id))
        {
            case Presence.Unknown:
                throw new StationAwayException($"{station.Municipality}/{station.Slug} has never said that it is there: no agent that takes commands has connected yet.");
            case Presence.Offline:
                throw new StationAwayException($"{station.Municipality}/{station.Slug} is not connected; nothing was sent.");
        }

        var row = await InsertAsync(station, name, text, by, cancellationToken).ConfigureAwait(false);
        logger.CommandAsked(station.Municipality, station.Slug, name, row.Id, by);
        Asked?.Invoke();
        return await WaitAsync(station.Id, row.Id, patience, cancellationToken).ConfigureAwait(false) ?? Read(row);
    }

    public async ValueTask<AgentCommand?> FindAsync(int stationId, long id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Commands.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id && c.StationId == stationId, cancellationToken).ConfigureAwait(false) is { } row ? Read(row) : null;
    }

    public async ValueTask<IReadOnlyList<AgentCommand>> ListAsync(int stationId, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Commands.AsNoTracking().Where(c => c.StationId == stationId).OrderByDescending(c => c.Id).Take(countMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(Read);
    }

    /// <summary>The newest command of every station that was ever given one, without its result: results are long.</summary>
    public async ValueTask<Dictionary<int, AgentCommand>> LatestOfAllAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Commands.AsNoTracking()
            .Where(c => !db.Commands.Any(later => later.StationId == c.StationId && later.Id > c.Id))
            .Select(c => new { c.StationId, c.Id, c.Name, c.AskedBy, c.AskedAt, c.ExpiresAt, c.Step, c.AnsweredAt, c.Problem })
            .ToDictionaryAsync(c => c.StationId, c => new AgentCommand(c.Id, c.Name, c.AskedBy, c.AskedAt, c.ExpiresAt, c.Step, c.AnsweredAt, c.Problem, null), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends what waits, ends what has waited too long, and settles rotations. Called by the keeper, one round after the other.</summary>
    /// <param name="publisher">What sends.</param>
    /// <param name="broker">The broker's ways.</param>
    /// <param name="away">How it was found out in this round that there is no broker now, so that nothing is tried; null when it was not.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BrokerUnavailableException">There is no broker now; what could not be sent still waits, or has expired.</exception>
    public async Task RoundAsync(IHubPublisher publisher, IHubBroker broker, BrokerUnavailableException? away, CancellationToken cancellationToken)
    {
        List<long> ids;
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false))
        {
            ids = await db.Commands.Where(c => Open.Contains(c.Step) || c.Unsettled).OrderBy(c => c.Id).Select(c => c.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        }

        var byId = stations.All.ToDictionary(s => s.Id);
        foreach (var id in ids)
        {
            // Marked as sent before it is: an answer may be quicker than we are. What is lost by a crash in between expires, which is better than a restart done twice.
            var message = await WithRowAsync(id, row => StepAsync(row, byId.GetValueOrDefault(row.StationId), away is null ? broker : null, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (message is null)
            {
                continue;
            }

            try
            {
                await publisher.PublishAsync(message, cancellationToken).ConfigureAwait(false);
            }
            catch (BrokerUnavailableException exception)
            {
                away = exception;
                await WithRowAsync(id, row => UnsendAsync(row, cancellationToken), cancellationToken).ConfigureAwait(false);
            }
        }

        if (away is not null)
        {
            ExceptionDispatchInfo.Throw(away);
        }
    }

    /// <summary>Takes in an answer. The first one counts; a late one is better than none.</summary>
    public async ValueTask OnReplyAsync(StationMessage message, CancellationToken cancellationToken)
    {
        var correlation = Convert.ToHexStringLower(message.Correlation.Span);
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var row = await db.Commands.SingleOrDefaultAsync(c => c.Correlation == correlation, cancellationToken).ConfigureAwait(false);
            if (row is null || !stations.TryGet(message.Municipality, message.Station, out var station) || station.Id != row.StationId)
            {
                // Of another hub, or of a station that answers for another: it knows nothing that was asked of it.
                instruments.Heard("reply", "unknown");
                return;
            }

            if (row.AnsweredAt is not null)
            {
                instruments.Heard("reply", "repeated");
                return;
            }

            if (CommandReply.TryRead(message.Payload.Span, out var reply, out var problem))
            {
                End(row, reply.Outcome switch { CommandOutcome.Done => CommandStep.Done, CommandOutcome.Refused => CommandStep.Refused, _ => CommandStep.Failed }, Line(reply.Problem));

                // A station has no reason to repeat the secret it was given, and nothing of that answer is worth keeping.
                row.Result = row.Name == CommandNames.RotateCredentials ? null : reply.Result?.GetRawText();
                instruments.Heard("reply", "taken");
            }
            else
            {
                End(row, CommandStep.Failed, $"The station's answer cannot be read: {Line(problem)}");
                instruments.Heard("reply", "unreadable");
            }

            row.AnsweredAt = message.ReceivedAt;
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            logger.CommandAnswered(station.Municipality, station.Slug, row.Name, row.Id, row.Step);
            Tell(row);
            if (row.Unsettled)
            {
                Asked?.Invoke();
            }
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Forgets the commands of a station that is gone.</summary>
    public async Task ForgetAsync(int stationId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await db.Commands.Where(c => c.StationId == stationId).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<CommandRow> InsertAsync(Station station, string name, string? arguments, string by, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            if (await db.Commands.CountAsync(c => c.StationId == station.Id && Open.Contains(c.Step), cancellationToken).ConfigureAwait(false) >= options.Value.CommandsPerStationMax)
            {
                throw new FleetBusyException($"{station.Municipality}/{station.Slug} has {options.Value.CommandsPerStationMax} commands under way already ({FleetOptions.Section}:{nameof(FleetOptions.CommandsPerStationMax)}); wait for their answers.");
            }

            if (await db.Commands.CountAsync(c => Open.Contains(c.Step), cancellationToken).ConfigureAwait(false) >= options.Value.CommandsMax)
            {
                throw new FleetBusyException($"The hub has {options.Value.CommandsMax} commands under way already ({FleetOptions.Section}:{nameof(FleetOptions.CommandsMax)}); wait a little.");
            }

            var rotates = name == CommandNames.RotateCredentials;
            if (rotates && await db.Commands.AnyAsync(c => c.StationId == station.Id && c.Name == name && (c.Unsettled || Open.Contains(c.Step)), cancellationToken).ConfigureAwait(false))
            {
                throw new FleetBusyException($"The secret of {station.Municipality}/{station.Slug} is being changed already; wait until the station has connected with the new one.");
            }

            var now = time.GetUtcNow().UtcDateTime;
            var row = new CommandRow
            {
                StationId = station.Id,
                Name = name,
                Arguments = arguments,
                Correlation = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
                AskedBy = by,
                AskedAt = now,
                ExpiresAt = now + options.Value.CommandExpiry,
                Step = CommandStep.Waiting,
            };
            db.Commands.Add(row);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            var kept = await db.Commands.Where(c => c.StationId == station.Id).OrderByDescending(c => c.Id).Select(c => c.Id).Take(HistoryMax).ToListAsync(cancellationToken).ConfigureAwait(false);
            var oldest = kept[^1];
            await db.Commands.Where(c => c.StationId == station.Id && c.Id < oldest && !c.Unsettled && !Open.Contains(c.Step)).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            return row;
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task<AgentCommand?> WaitAsync(int stationId, long id, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var waiter = waiters.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            while (true)
            {
                var found = await FindAsync(stationId, id, cancellationToken).ConfigureAwait(false);
                var left = patience - time.GetElapsedTime(started);
                if (found is null or { IsOver: true } || left <= TimeSpan.Zero)
                {
                    return found;
                }

                await Task.WhenAny(waiter.Task, Task.Delay(left < LookInterval ? left : LookInterval, time, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            waiters.TryRemove(id, out _);
        }
    }

    /// <summary>Changes a row while nobody else does; null when it is gone.</summary>
    private async Task<HubMessage?> WithRowAsync(long id, Func<CommandRow, Task<HubMessage?>> change, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            if (await db.Commands.SingleOrDefaultAsync(c => c.Id == id, cancellationToken).ConfigureAwait(false) is not { } row)
            {
                return null;
            }

            var message = await change(row).ConfigureAwait(false);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            Tell(row);
            return message;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Brings a command one step further; what is to be sent is returned. Without a broker nothing is.</summary>
    private async Task<HubMessage?> StepAsync(CommandRow row, Station? station, IHubBroker? broker, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        HubMessage? message = null;
        if (Open.Contains(row.Step) && (station is null || now >= row.ExpiresAt))
        {
            End(row, CommandStep.Expired, row.Step == CommandStep.Waiting ? "It could not be sent in time: the broker could not be reached." : "The station did not answer in time; it may have done it.");
        }
        else if (row.Step == CommandStep.Waiting && broker is not null)
        {
            message = await MessageAsync(row, station!, broker, cancellationToken).ConfigureAwait(false);
        }

        if (row.Unsettled && message is null)
        {
            await SettleAsync(row, station, now, cancellationToken).ConfigureAwait(false);
        }

        return message;
    }

    private async Task<HubMessage?> MessageAsync(CommandRow row, Station station, IHubBroker broker, CancellationToken cancellationToken)
    {
        var payload = row.Arguments is { } text ? Encoding.UTF8.GetBytes(text) : [];
        if (row.Name == CommandNames.RotateCredentials)
        {
            if (WhyNotRotate(station, broker) is { } reason)
            {
                End(row, CommandStep.Refused, reason);
                return null;
            }

            if (secrets.LastUse(station.Id) == SecretUse.Previous && secrets.MarkOf(station.Id) is { } unused)
            {
                // An earlier rotation that the station did not follow: its secret is the previous one, which one more rotation would end.
                await secrets.TakeBackAsync(station.Id, unused, sent: true, cancellationToken).ConfigureAwait(false);
            }

            var secret = await stations.RotateSecretAsync(station.Id, options.Value.RotationOverlap, cancellationToken).ConfigureAwait(false);
            payload = JsonSerializer.SerializeToUtf8Bytes(new { secret });
            (row.Unsettled, row.SecretMark) = (true, secrets.MarkOf(station.Id));
        }

        var now = time.GetUtcNow().UtcDateTime;
        (row.Step, row.SentAt) = (CommandStep.Sent, now);
        return new HubMessage(HubTopic.CommandTopic(station.Municipality, station.Slug, row.Name), payload, "application/json")
        {
            ResponseTopic = HubTopic.Reply(station.Municipality, station.Slug),
            Correlation = Convert.FromHexString(row.Correlation),
            Expiry = row.ExpiresAt - now,
        };
    }

    /// <summary>The broker did not take it: as if it had not been tried.</summary>
    private async Task<HubMessage?> UnsendAsync(CommandRow row, CancellationToken cancellationToken)
    {
        if (row is { Step: CommandStep.Sent, AnsweredAt: null })
        {
            if (row is { Unsettled: true, SecretMark: { } mark })
            {
                await secrets.TakeBackAsync(row.StationId, mark, sent: false, cancellationToken).ConfigureAwait(false);
            }

            (row.Step, row.SentAt, row.Unsettled) = (CommandStep.Waiting, null, false);
        }

        return null;
    }

    private string? WhyNotRotate(Station station, IHubBroker broker) =>
        !broker.ChecksSecrets ? "The broker keeps the secrets in a file of its own and would not know the new one: change it there (hub station rotate-secret, hub station mosquitto)."
        : secrets.LastUse(station.Id) == SecretUse.None ? "The station has not logged in with a secret since the hub started, so it is not known which one it has. Try again when it has connected."
        : null;

    private async Task SettleAsync(CommandRow row, Station? station, DateTime now, CancellationToken cancellationToken)
    {
        if (station is null || row.SecretMark is not { } mark || secrets.MarkOf(station.Id) != mark)
        {
            // Gone, or somebody has given it another secret meanwhile: that one is not ours to undo.
            row.Unsettled = false;
            return;
        }

        var due = row.AnsweredAt ?? row.ExpiresAt;
        switch (Rotation.Judge(secrets.LastUse(station.Id), row.Step, row.SentAt ?? row.AskedAt, due, options.Value.RotationOverlap, now))
        {
            case RotationVerdict.Keep:
                row.Unsettled = false;
                if (row.Step != CommandStep.Done)
                {
                    End(row, CommandStep.Done, null);
                }

                break;
            case RotationVerdict.TakeBack:
                row.Unsettled = false;
                var back = await secrets.TakeBackAsync(station.Id, mark, sent: true, cancellationToken).ConfigureAwait(false);
                logger.RotationUndone(station.Municipality, station.Slug, back);
                if (row.Step is CommandStep.Done or CommandStep.Expired)
                {
                    End(row, CommandStep.Failed, "The station did not connect with its new secret; the old one is in force again.");
                }

                break;
            case RotationVerdict.Wait:
            default:
                break;
        }
    }

    private void End(CommandRow row, CommandStep step, string? problem)
    {
        (row.Step, row.Problem) = (step, problem);
        instruments.CommandEnded(row.Name, step);
    }

    private void Tell(CommandRow row)
    {
        if (!Open.Contains(row.Step) && waiters.TryRemove(row.Id, out var waiter))
        {
            waiter.TrySetResult();
        }
    }

    private static string? Line(string? text) => text is null ? null : new string([.. text.Take(500).Select(c => char.IsControl(c) ? ' ' : c)]);

    private static AgentCommand Read(CommandRow row) => new(
        row.Id, row.Name, row.AskedBy, row.AskedAt, row.ExpiresAt, row.Step, row.AnsweredAt, row.Problem, row.Result is { } text ? JsonElement.Parse(text) : null);
}
