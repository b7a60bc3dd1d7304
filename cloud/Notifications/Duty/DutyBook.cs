using System.Globalization;
using Hub.Cloud.Notifications.Storage;
using Hub.Edge.Contract.Topics;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.Duty;

/// <summary>The rosters, in the database.</summary>
internal sealed class DutyBook(IDbContextFactory<NotificationsContext> contexts, IEnumerable<IDutyHours> hours) : IDuty
{
    private const int StepsMax = 10;
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
        Check(roster);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var ids = roster.Steps.SelectMany(step => step.Entries).Select(entry => entry.Subscriber).Distinct().ToList();
        var known = await db.Subscribers.AsNoTracking().Where(row => ids.Contains(row.Id) && row.Municipality == roster.Municipality && row.Stamp == null)
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
            }));
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return roster;
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
                [.. rows.GroupBy(row => row.Step).Select(step => new DutyStep(TimeSpan.FromSeconds(step.First().AfterSeconds), [.. step.Select(row => new DutyEntry(row.SubscriberId, row.Schedule))]))]);
    }

    private void Check(DutyRoster roster)
    {
        ArgumentNullException.ThrowIfNull(roster);
        Require(HubTopic.IsSlug(roster.Municipality), nameof(roster.Municipality), "must be the slug of a municipality");
        Require(Enum.IsDefined(roster.SeverityMin), nameof(roster.SeverityMin), "must be Information, Warning or Alert");
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
