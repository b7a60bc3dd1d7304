using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Notifications.Storage;
using Hub.Edge.Contract.Topics;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.Duty;

/// <summary>The rosters, in the database.</summary>
internal sealed class DutyBook(IDbContextFactory<NotificationsContext> contexts, IEnumerable<IDutyHours> hours) : IDuty
{
    private const int StepsMax = 10;
    private const int CallsMax = 200;
    private const int EntriesMax = 50;
    private const int ScheduleLengthMax = 200;
    private static readonly TimeSpan AfterMax = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public async ValueTask<DutyRoster?> FindAsync(string municipality, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await ReadAsync(db, municipality, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<DutyRoster> SaveAsync(DutyRoster roster, CancellationToken cancellationToken)
    {
        await SaveAsync(roster, null, cancellationToken).ConfigureAwait(false);
        return roster;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> SaveOverAsync(DutyRoster roster, string version, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        return await SaveAsync(roster, version, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<bool> SaveAsync(DutyRoster roster, string? version, CancellationToken cancellationToken)
    {
        Check(roster);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);

        // Behind the write lock: of two who save at once the second finds the first one's.
        if (version is not null && DutyRoster.VersionOf(await ReadAsync(db, roster.Municipality, cancellationToken).ConfigureAwait(false)) != version)
        {
            return false;
        }

        var ids = roster.Steps.SelectMany(step => step.Entries).Select(entry => entry.Subscriber).Distinct().ToList();
        var known = await db.Subscribers.AsNoTracking().Where(row => ids.Contains(row.Id) && row.Municipality == roster.Municipality && row.Stamp == null && row.MemberOf == null)
            .ToDictionaryAsync(row => row.Id, row => row.Channel, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < roster.Steps.Count; i++)
        {
            for (var j = 0; j < roster.Steps[i].Entries.Count; j++)
            {
                var subscriber = roster.Steps[i].Entries[j].Subscriber;
                var field = Field(i, j, nameof(DutyEntry.Subscriber));
                Require(known.TryGetValue(subscriber, out var channel), field, $"{subscriber} is no subscriber of {roster.Municipality} that an operator entered");
                Require(channel is not (ChannelKind.Mqtt or ChannelKind.Off), field, $"{subscriber} is on channel {channel}, which reaches no person");
            }
        }

        await db.Duty.Where(row => row.Municipality == roster.Municipality).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (step, index) in roster.Steps.Select((step, index) => (step, index)))
        {
            db.Duty.AddRange(step.Entries.Select(entry => new DutyRow
            {
                Municipality = roster.Municipality,
                SeverityMin = roster.SeverityMin,
                Step = index,
                AfterSeconds = (int)step.After.TotalSeconds,
                SubscriberId = entry.Subscriber,
                Schedule = entry.Schedule,
                RepeatCount = roster.RepeatCount,
            }));
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<DutyCall>> CallsAsync(string municipality, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(countMax, CallsMax);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var running = await db.Calls.AsNoTracking().Where(row => row.Municipality == municipality).OrderBy(row => row.DueAt).ThenBy(row => row.Id).Take(countMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        var past = await db.PastCalls.AsNoTracking().Where(row => row.Municipality == municipality).OrderByDescending(row => row.Id).Take(countMax).ToListAsync(cancellationToken).ConfigureAwait(false);

        // One that was over between the two questions is in both.
        past.RemoveAll(row => running.Exists(call => call.Key == row.Key));
        List<DutyCall> calls = [];
        foreach (var row in running)
        {
            // A call waits for the round of its next step; the one it is in ended with the step before.
            await AddAsync(row.Key, row.BeganAt, row.Step == 0 && row.Round > 0 ? row.Round - 1 : row.Round, row.DueAt, null, null, "", row.Step).ConfigureAwait(false);
        }

        foreach (var row in past)
        {
            await AddAsync(row.Key, row.BeganAt, row.Round, null, row.EndedAt, row.End, row.By, 0).ConfigureAwait(false);
        }

        return calls;

        async Task AddAsync(string key, DateTime beganAt, int round, DateTime? nextAt, DateTime? endedAt, DutyCallEnd? end, string by, int nextStep)
        {
            var json = await db.Messages.Where(row => row.Key == key).Select(row => row.Json).SingleOrDefaultAsync(cancellationToken).ConfigureAwait(false);
            if (json is null)
            {
                // Forgotten with the log.
                return;
            }

            string[] keys = [.. Enumerable.Range(0, DutyRoster.RepeatCountMax + 1).Select(one => DutyCalls.KeyOf(key, one))];
            var told = await db.Deliveries.AsNoTracking().Where(row => keys.Contains(row.Key) && row.Rank == DeliveryRow.CallRank).OrderBy(row => row.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
            calls.Add(new(
                JsonSerializer.Deserialize<AlarmMessage>(json)!, beganAt, round, nextAt, endedAt, end, by, told.ConvertAll(row => new DutyTold(row.SubscriberId, row.Channel, row.TargetMasked, row.CreatedAt, row.ToDelivery().State)))
            {
                NextStep = nextStep,
            });
        }
    }

    /// <inheritdoc/>
    public async ValueTask RemoveAsync(string municipality, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await db.Duty.Where(row => row.Municipality == municipality).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The roster as it stands; a step all of whose people were removed is not in it.</summary>
    public static async Task<DutyRoster?> ReadAsync(NotificationsContext db, string municipality, CancellationToken cancellationToken)
    {
        var rows = await db.Duty.AsNoTracking().Where(row => row.Municipality == municipality).OrderBy(row => row.Step).ThenBy(row => row.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.Count == 0
            ? null
            : new DutyRoster(
                municipality, rows[0].SeverityMin,
                [.. rows.GroupBy(row => row.Step).Select(step => new DutyStep(TimeSpan.FromSeconds(step.First().AfterSeconds), [.. step.Select(row => new DutyEntry(row.SubscriberId, row.Schedule))]))])
            {
                RepeatCount = rows[0].RepeatCount,
            };
    }

    private void Check(DutyRoster roster)
    {
        ArgumentNullException.ThrowIfNull(roster);
        Require(HubTopic.IsSlug(roster.Municipality), nameof(roster.Municipality), "must be the slug of a municipality");
        Require(Enum.IsDefined(roster.SeverityMin), nameof(roster.SeverityMin), "must be Information, Warning or Alert");
        Require(roster.RepeatCount is >= 0 and <= DutyRoster.RepeatCountMax, nameof(roster.RepeatCount), $"must be 0 to {DutyRoster.RepeatCountMax}, but is {roster.RepeatCount}");
        Require(roster.Steps is { Count: >= 1 and <= StepsMax }, nameof(roster.Steps), $"must be 1 to {StepsMax} steps");
        for (var i = 0; i < roster.Steps.Count; i++)
        {
            var step = roster.Steps[i];
            var after = Field(i, null, nameof(step.After));
            Require(step.After.Ticks % TimeSpan.TicksPerSecond == 0 && step.After <= AfterMax, after, $"must be whole seconds up to {AfterMax:c}, but is {step.After:c}");
            Require(i > 0 || step.After == TimeSpan.Zero, after, $"must be zero for the first step, but is {step.After:c}");
            Require(i == 0 || step.After > roster.Steps[i - 1].After, after, $"must be longer than that of the step before, but is {step.After:c}");
            Require(step.Entries is { Count: >= 1 and <= EntriesMax }, Field(i, null, nameof(step.Entries)), $"must be 1 to {EntriesMax} people");
            for (var j = 0; j < step.Entries.Count; j++)
            {
                var (field, schedule) = (Field(i, j, nameof(DutyEntry.Schedule)), step.Entries[j].Schedule);
                Require(schedule is { Length: <= ScheduleLengthMax }, field, $"must be at most {ScheduleLengthMax} characters; an empty one for always");
                if (schedule.Length > 0)
                {
                    try
                    {
                        (hours.LastOrDefault() ?? throw new FormatException("cannot be read by this hub; only the empty one for always")).Check(schedule);
                    }
                    catch (FormatException e)
                    {
                        Require(false, field, e.Message.TrimEnd('.'));
                    }
                }
            }
        }
    }

    /// <summary>Path of a field.</summary>
    private static string Field(int step, int? entry, string name) => string.Create(
        CultureInfo.InvariantCulture, $"{nameof(DutyRoster.Steps)}[{step}].{(entry is { } at ? string.Create(CultureInfo.InvariantCulture, $"{nameof(DutyStep.Entries)}[{at}].") : "")}{name}");

    private static void Require(bool holds, string field, string reason)
    {
        if (!holds)
        {
            throw new ArgumentException($"{field} {reason}.", field);
        }
    }
}
