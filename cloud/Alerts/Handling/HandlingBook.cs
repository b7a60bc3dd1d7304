using System.Collections.Immutable;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Cloud.Stations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts.Handling;

/// <summary>
/// What people do with alarms: each change is stored together with the event that says who did it, and only then seen. Suppressions are changed while evaluation stands still, so that
/// nothing is decided by what no longer holds. Safe for concurrent callers.
/// </summary>
internal sealed class HandlingBook : IAlarmHandling, IDisposable
{
    /// <summary>Threads kept in memory, those changed last; what was handled before them is read when it is asked for.</summary>
    public const int ThreadsMax = 20_000;

    /// <summary>How the key of a message ends that says an alarm is acknowledged.</summary>
    public const string AcknowledgedKey = ":acknowledged";

    private readonly IDbContextFactory<AlertsContext> contexts;
    private readonly AlarmBook book;
    private readonly IStations stations;
    private readonly TimeProvider time;
    private readonly AlertsOptions options;
    private readonly AlertsInstruments instruments;
    private readonly SemaphoreSlim turn = new(1, 1);
    private ImmutableDictionary<string, ThreadRow> threads = ImmutableDictionary.Create<string, ThreadRow>(StringComparer.Ordinal);
    private Suppression[] suppressions = [];
    private bool complete = true;
    private int version;

    public HandlingBook(
        IDbContextFactory<AlertsContext> contexts, AlarmBook book, IStations stations, TimeProvider time, IOptions<AlertsOptions> options, AlertsInstruments instruments)
    {
        (this.contexts, this.book, this.stations, this.time, this.options, this.instruments) = (contexts, book, stations, time, options.Value, instruments);
        instruments.ObserveSuppressed(() => All.Length);
    }

    /// <inheritdoc/>
    public TimeSpan ShelveMax => options.ShelveMax;

    /// <summary>Changes whenever what is shelved or out of service has changed.</summary>
    public int Version => Volatile.Read(ref version);

    /// <summary>UTC instant at which the next shelving ends; null when none is in force.</summary>
    public DateTime? NextEndAt => All.Min(one => one.Until);

    private Suppression[] All => Volatile.Read(ref suppressions);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    public void Dispose() => turn.Dispose();

    /// <summary>Reads what is in force, and the threads handled last, into memory.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        // What somebody does meanwhile must not be overwritten by what was read before.
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var rows = await db.Threads.AsNoTracking().OrderByDescending(row => row.ChangedAt).Take(ThreadsMax).ToListAsync(cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref complete, rows.Count < ThreadsMax);
            Volatile.Write(ref threads, rows.ToImmutableDictionary(row => row.Thread, StringComparer.Ordinal));
            await ReadSuppressionsAsync(db, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The time in which nothing new may be told of a rule at a station; null when it may.</summary>
    public Silence? SilenceOf(string municipality, string rule, string station, DateTime now)
    {
        Silence? silence = null;
        foreach (var one in All)
        {
            if (AlarmStates.Holds(one, municipality, rule, station, now))
            {
                var until = one.Until ?? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);
                silence = silence is { } known
                    ? new Silence(known.From < one.Since ? known.From : one.Since, known.Until > until ? known.Until : until)
                    : new Silence(one.Since, until);
            }
        }

        return silence;
    }

    public IReadOnlyList<Suppression> Suppressions(string? municipality)
    {
        var now = Now;
        return [.. All.Where(one => (municipality is null || one.Municipality == municipality) && !(one.Until <= now))];
    }

    public async ValueTask<IReadOnlyList<AlarmHandling>> OfAsync(IReadOnlyList<Alarm> alarms, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(alarms);
        var known = Volatile.Read(ref threads);
        var old = new Dictionary<string, ThreadRow>(StringComparer.Ordinal);
        if (!Volatile.Read(ref complete))
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            foreach (var some in alarms.Select(alarm => alarm.Thread).Where(thread => !known.ContainsKey(thread)).Distinct().Chunk(500))
            {
                foreach (var row in await db.Threads.AsNoTracking().Where(row => some.Contains(row.Thread)).ToListAsync(cancellationToken).ConfigureAwait(false))
                {
                    old[row.Thread] = row;
                }
            }
        }

        var (all, now) = (All, Now);
        return [.. alarms.Select(alarm => AlarmStates.Of(alarm, known.GetValueOrDefault(alarm.Thread) ?? old.GetValueOrDefault(alarm.Thread), all, now) with { SuppressedBy = book.ParentOf(alarm)?.Id })];
    }

    public async ValueTask<AlarmStory?> FindAsync(string alarm, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        if (await db.Alarms.AsNoTracking().SingleOrDefaultAsync(row => row.Id == alarm, cancellationToken).ConfigureAwait(false) is not { } row)
        {
            return null;
        }

        var living = await LivingAsync(db, row, cancellationToken).ConfigureAwait(false);
        var found = book.AsItIs(row);
        var handling = (await OfAsync([found], cancellationToken).ConfigureAwait(false))[0];
        var events = await HandlingHistory.ReadAsync(db, row, living, Now, cancellationToken).ConfigureAwait(false);
        return new AlarmStory(found, living.Id == row.Id ? null : living.Id, handling, events);
    }

    public ValueTask<bool> AcknowledgeAsync(string alarm, HandledBy by, string? comment, CancellationToken cancellationToken)
    {
        var said = HandlingText.Optional(comment);
        return ChangeThreadAsync(alarm, by, said, (living, thread, now) =>
        {
            if (thread.AcknowledgedAt is not null)
            {
                // Known already; what is said beside it is kept all the same.
                return said is null ? null : new HandlingRow { Kind = AlarmEventKind.Commented };
            }

            if (living.Withdrawn)
            {
                throw new HandlingRefusedException($"The alarm {living.Id} was withdrawn: later data showed that it never was. There is nothing to acknowledge.");
            }

            if (AlarmStates.WasOverWhenKnown(living))
            {
                throw new HandlingRefusedException($"The alarm {living.Id} was over when it became known, out of data that came late. There is nothing to acknowledge; a comment can be left.");
            }

            (thread.AcknowledgedAt, thread.AcknowledgedBy) = (now, by.Person);
            return new HandlingRow { Kind = AlarmEventKind.Acknowledged };
        }, cancellationToken);
    }

    public ValueTask<bool> CommentAsync(string alarm, HandledBy by, string comment, CancellationToken cancellationToken)
    {
        var said = HandlingText.Optional(comment) ?? throw new ArgumentException("The comment is empty; expected are 1 to 1000 characters.", nameof(comment));
        return ChangeThreadAsync(alarm, by, said, (_, _, _) => new HandlingRow { Kind = AlarmEventKind.Commented }, cancellationToken);
    }

    public ValueTask<bool> AssignAsync(string alarm, HandledBy by, string? person, string? comment, CancellationToken cancellationToken)
    {
        var said = HandlingText.Optional(comment);
        if (person is not null)
        {
            HandlingText.DemandPerson(person, nameof(person));
        }

        return ChangeThreadAsync(alarm, by, said, (living, thread, _) =>
        {
            if (thread.AssignedTo == person)
            {
                return said is null ? null : new HandlingRow { Kind = AlarmEventKind.Commented };
            }

            if (living.Withdrawn && person is not null)
            {
                throw new HandlingRefusedException($"The alarm {living.Id} was withdrawn: later data showed that it never was. Nobody has to look after it.");
            }

            thread.AssignedTo = person;
            return new HandlingRow { Kind = AlarmEventKind.Assigned, AssignedTo = person };
        }, cancellationToken);
    }

    public ValueTask<bool> ShelveAsync(string municipality, string rule, string station, DateTime until, HandledBy by, string? comment, CancellationToken cancellationToken)
    {
        Demand(municipality, station, rule);
        var said = HandlingText.Optional(comment);
        return SuppressAsync(municipality, station, rule, by, said, (row, now) =>
        {
            if (until <= now)
            {
                throw new HandlingRefusedException($"Shelving must end, and later than now: until is {until:u}, and it is {now:u}.");
            }

            if (until > now + options.ShelveMax)
            {
                throw new HandlingRefusedException(
                    $"Shelving may last at most {options.ShelveMax:c} (Hub:Alerts:ShelveMax), until {now + options.ShelveMax:u}; asked for is {until:u}. For longer, take it out of service or change the rule.");
            }

            if (row?.Until == until)
            {
                return null;
            }

            return (new HandlingRow { Kind = AlarmEventKind.Shelved, Until = until }, new SuppressionRow { Kind = SuppressionKind.Shelved, Since = row?.Since ?? now, Until = until });
        }, SuppressionKind.Shelved, cancellationToken);
    }

    public ValueTask<bool> UnshelveAsync(string municipality, string rule, string station, HandledBy by, string? comment, CancellationToken cancellationToken) => SuppressAsync(
        municipality, station, rule, by, HandlingText.Optional(comment), (row, _) => row is null ? null : (new HandlingRow { Kind = AlarmEventKind.Unshelved }, null), SuppressionKind.Shelved, cancellationToken);

    public ValueTask<bool> TakeOutOfServiceAsync(string municipality, string station, string? rule, HandledBy by, string? comment, CancellationToken cancellationToken)
    {
        Demand(municipality, station, rule);
        return SuppressAsync(
            municipality, station, rule, by, HandlingText.Optional(comment),
            (row, now) => row is not null ? null : (new HandlingRow { Kind = AlarmEventKind.OutOfService }, new SuppressionRow { Kind = SuppressionKind.OutOfService, Since = now }),
            SuppressionKind.OutOfService, cancellationToken);
    }

    public ValueTask<bool> ReturnToServiceAsync(string municipality, string station, string? rule, HandledBy by, string? comment, CancellationToken cancellationToken) => SuppressAsync(
        municipality, station, rule, by, HandlingText.Optional(comment), (row, _) => row is null ? null : (new HandlingRow { Kind = AlarmEventKind.Returned }, null), SuppressionKind.OutOfService, cancellationToken);

    /// <summary>Ends the shelvings whose time is over. Called by the evaluator, which holds the gate.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        var now = Now;
        if (!All.Any(one => one.Until <= now))
        {
            return;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var ended = await EndAsync(db, now, cancellationToken).ConfigureAwait(false);
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await ReadSuppressionsAsync(db, cancellationToken).ConfigureAwait(false);
        foreach (var one in ended)
        {
            instruments.Handled(AlarmEventKind.Unshelved, AlarmEventCause.TimeOver);
            Announce(one.Municipality, one.Station, one.Rule);
        }
    }

    private static async Task<List<SuppressionRow>> EndAsync(AlertsContext db, DateTime now, CancellationToken cancellationToken)
    {
        var over = await db.Suppressions.Where(row => row.Until <= now).ToListAsync(cancellationToken).ConfigureAwait(false);
        db.Suppressions.RemoveRange(over);
        db.Handling.AddRange(over.Select(row => new HandlingRow
        {
            Municipality = row.Municipality,
            Station = row.Station,
            Rule = row.Rule,
            Kind = AlarmEventKind.Unshelved,
            Cause = AlarmEventCause.TimeOver,
            EventAt = row.Until!.Value,
            ProcessedAt = now,
        }));
        return over;
    }

    /// <summary>The alarm that lives in the thread of a row: the row itself, or the one that goes on in its place.</summary>
    private static async Task<AlarmRow> LivingAsync(AlertsContext db, AlarmRow row, CancellationToken cancellationToken) => row.Withdrawn
        ? await db.Alarms.AsNoTracking().Where(other => other.Thread == row.Thread && !other.Withdrawn).OrderByDescending(other => other.StartedAt).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false) ?? row
        : row;

    /// <summary>Changes how people stand to a thread, and stores the event that <paramref name="decide"/> makes of it; null: nothing has changed.</summary>
    private async ValueTask<bool> ChangeThreadAsync(string alarm, HandledBy by, string? comment, Func<Alarm, ThreadRow, DateTime, HandlingRow?> decide, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(by);
        HandlingText.DemandPerson(by.Person, nameof(by));
        Alarm living;
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var row = await db.Alarms.AsNoTracking().SingleOrDefaultAsync(row => row.Id == alarm, cancellationToken).ConfigureAwait(false)
                ?? throw new KeyNotFoundException($"There is no alarm {alarm}.");
            living = book.AsItIs(await LivingAsync(db, row, cancellationToken).ConfigureAwait(false));
            var known = await db.Threads.SingleOrDefaultAsync(thread => thread.Thread == row.Thread, cancellationToken).ConfigureAwait(false);
            var thread = known ?? new ThreadRow { Thread = row.Thread };
            var now = Now;
            var entry = decide(living, thread, now);
            if (entry is null || (entry.Kind == AlarmEventKind.Commented && await IsRepeatedAsync(db, row.Thread, by.Person, comment, cancellationToken).ConfigureAwait(false)))
            {
                return false;
            }

            thread.ChangedAt = now;
            (entry.Municipality, entry.Station, entry.Rule, entry.Thread) = (row.Municipality, row.Station, row.Rule, row.Thread);
            (entry.By, entry.Cause, entry.Comment, entry.EventAt, entry.ProcessedAt) = (by.Person, by.Cause, comment, now, now);
            if (known is null)
            {
                db.Threads.Add(thread);
            }

            db.Handling.Add(entry);
            var told = entry.Kind == AlarmEventKind.Acknowledged && await TellAsync(db, living, by.Person, now, cancellationToken).ConfigureAwait(false);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            Remember(thread.Copy());
            instruments.Handled(entry.Kind, entry.Cause);
            if (told)
            {
                book.NoteMessage();
            }
        }
        finally
        {
            turn.Release();
        }

        book.Announce([living]);
        return true;
    }

    /// <summary>
    /// Stores the message that an alarm which was told as active is acknowledged: it ends the calls of the roster, and who was called hears of it. Handed over as those about the alarm are, so that no crash loses it.
    /// </summary>
    private static async Task<bool> TellAsync(AlertsContext db, Alarm living, string person, DateTime now, CancellationToken cancellationToken)
    {
        if (living.EndedAt is not null || living.Withdrawn)
        {
            return false;
        }

        // What was said last of it has all that is to be said, but for who.
        var last = await db.Transitions.AsNoTracking().Where(row => row.Alarm == living.Id && row.Message != null).OrderByDescending(row => row.Id).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false);
        if (last is null)
        {
            return false;
        }

        var key = living.Id + AcknowledgedKey;
        db.Transitions.Add(new TransitionRow
        {
            Alarm = living.Id,
            Kind = TransitionKind.Told,
            Cause = last.Cause,
            EventAt = now,
            ProcessedAt = now,
            Key = key,
            Message = AlarmMessages.ToJson(AlarmMessages.FromJson(last.Message!) with { Key = key, Kind = NotificationKind.Acknowledged, By = person, Peak = living.Peak }),
        });
        return true;
    }

    /// <summary>Whether the last thing said of a thread is the same by the same person: a request sent twice.</summary>
    private static async Task<bool> IsRepeatedAsync(AlertsContext db, string thread, string person, string? comment, CancellationToken cancellationToken)
    {
        var last = await db.Handling.AsNoTracking().Where(row => row.Thread == thread && row.Comment != null).OrderByDescending(row => row.Id).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false);
        return last is not null && last.By == person && last.Comment == comment;
    }

    /// <summary>Changes what is in force for a rule at a station (or a station), and stores the event that <paramref name="decide"/> makes of it; null: nothing has changed.</summary>
    private async ValueTask<bool> SuppressAsync(
        string municipality, string station, string? rule, HandledBy by, string? comment, Func<SuppressionRow?, DateTime, (HandlingRow Event, SuppressionRow? After)?> decide, SuppressionKind kind, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(by);
        HandlingText.DemandPerson(by.Person, nameof(by));
        await book.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var now = Now;

            // The evaluator may not have come to it yet.
            if ((await EndAsync(db, now, cancellationToken).ConfigureAwait(false)).Count > 0)
            {
                await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
                await ReadSuppressionsAsync(db, cancellationToken).ConfigureAwait(false);
            }

            var place = rule ?? "";
            var row = await db.Suppressions.SingleOrDefaultAsync(
                known => known.Municipality == municipality && known.Station == station && known.Rule == place && known.Kind == kind, cancellationToken).ConfigureAwait(false);
            if (decide(row, now) is not var (entry, after))
            {
                return false;
            }

            (entry.Municipality, entry.Station, entry.Rule) = (municipality, station, rule);
            (entry.By, entry.Cause, entry.Comment, entry.EventAt, entry.ProcessedAt) = (by.Person, by.Cause, comment, now, now);
            db.Handling.Add(entry);
            if (row is not null && after is not null)
            {
                (row.Until, row.By, row.Comment) = (after.Until, by.Person, comment);
            }
            else if (row is not null)
            {
                db.Suppressions.Remove(row);
            }
            else if (after is not null)
            {
                (after.Municipality, after.Station, after.Rule, after.By, after.Comment) = (municipality, station, place, by.Person, comment);
                db.Suppressions.Add(after);
            }

            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            await ReadSuppressionsAsync(db, cancellationToken).ConfigureAwait(false);
            instruments.Handled(entry.Kind, entry.Cause);
        }
        finally
        {
            book.Gate.Release();
        }

        book.WakeUp();
        Announce(municipality, station, rule);
        return true;
    }

    private void Demand(string municipality, string station, string? rule)
    {
        if (!stations.TryGet(municipality, station, out _))
        {
            throw new KeyNotFoundException($"There is no station {station} in {municipality}.");
        }

        if (rule is not null && !book.RuleRows.Any(row => !row.Removed && row.Municipality == municipality && row.Slug == rule && (row.Station is null || row.Station == station)))
        {
            throw new KeyNotFoundException($"There is no rule {rule} at the station {station} of {municipality}.");
        }
    }

    private async Task ReadSuppressionsAsync(AlertsContext db, CancellationToken cancellationToken)
    {
        var rows = await db.Suppressions.AsNoTracking()
            .OrderBy(row => row.Municipality).ThenBy(row => row.Station).ThenBy(row => row.Rule).ThenBy(row => row.Kind).ToListAsync(cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref suppressions, [.. rows.Select(row => row.ToSuppression())]);
        Interlocked.Increment(ref version);
    }

    private void Remember(ThreadRow thread)
    {
        var changed = threads.SetItem(thread.Thread, thread);
        if (changed.Count > ThreadsMax + (ThreadsMax / 10))
        {
            changed = changed.Values.OrderByDescending(row => row.ChangedAt).Take(ThreadsMax).ToImmutableDictionary(row => row.Thread, StringComparer.Ordinal);
            Volatile.Write(ref complete, false);
        }

        Volatile.Write(ref threads, changed);
    }

    private void Announce(string municipality, string station, string? rule) =>
        book.Announce([.. book.Active(municipality).Where(alarm => alarm.Station == station && (string.IsNullOrEmpty(rule) || alarm.Rule == rule))]);
}
