using System.Collections.Immutable;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Alerts.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts;

/// <summary>The front door: rules and active alarms from memory, history from the database. Safe for concurrent callers.</summary>
internal sealed class AlarmBook(IDbContextFactory<AlertsContext> contexts, RuleRehearsal rehearsal, TimeProvider time, IOptions<AlertsOptions> options) : IAlerts, IDisposable
{
    /// <summary>Largest answer of <see cref="HistoryAsync"/>.</summary>
    public const int HistoryCountMax = 10_000;

    private readonly List<Waiter> waiters = [];
    private int messageStored;
    private ImmutableDictionary<string, Alarm> active = ImmutableDictionary.Create<string, Alarm>(StringComparer.Ordinal);
    private IReadOnlyList<RuleRow> rules = [];

    /// <inheritdoc/>
    public event Action<IReadOnlyList<Alarm>>? Changed;

    /// <inheritdoc/>
    public event Action? RulesChanged;

    /// <summary>Raised when the evaluator has something to do besides new commits.</summary>
    public event Action? Woken;

    /// <summary>Held while rules or alarms are being changed in the database.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>The rules as stored; a change replaces the list.</summary>
    public IReadOnlyList<RuleRow> RuleRows => Volatile.Read(ref rules);

    /// <summary>Number of active alarms.</summary>
    public int ActiveCount => Volatile.Read(ref active).Count;

    public void Dispose() => Gate.Dispose();

    /// <summary>Reads rules and active alarms into memory.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await ReadRulesAsync(db, cancellationToken).ConfigureAwait(false);
        var open = await db.Alarms.AsNoTracking().Where(row => row.EndedAt == null && !row.Withdrawn).ToListAsync(cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref active, open.ToImmutableDictionary(row => row.Id, row => row.ToAlarm(), StringComparer.Ordinal));
    }

    public IReadOnlyList<Rule> Rules(string? municipality) =>
        [.. RuleRows.Where(row => !row.Removed && (municipality is null || row.Municipality == municipality)).Select(row => row.ToRule())];

    public async ValueTask<Rule> SaveAsync(Rule rule, CancellationToken cancellationToken)
    {
        RuleValidation.Check(rule);
        await StoreAsync(rule.Municipality, [rule], [], cancellationToken).ConfigureAwait(false);
        return rule;
    }

    public ValueTask RemoveAsync(string municipality, string slug, CancellationToken cancellationToken) => StoreAsync(municipality, [], [slug], cancellationToken);

    public ValueTask ApplyAsync(string municipality, IReadOnlyList<Rule> saved, IReadOnlyList<string> removed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(saved);
        ArgumentNullException.ThrowIfNull(removed);
        var slugs = new HashSet<string>(removed, StringComparer.Ordinal);
        foreach (var rule in saved)
        {
            InRule(rule.Slug, () => RuleValidation.Check(rule));
            if (rule.Municipality != municipality || !slugs.Add(rule.Slug))
            {
                throw new ArgumentException(
                    rule.Municipality != municipality ? $"Rule \"{rule.Slug}\": it is one of \"{rule.Municipality}\", not of \"{municipality}\"." : $"Rule \"{rule.Slug}\": it must be named once.", nameof(saved));
            }
        }

        return StoreAsync(municipality, saved, removed, cancellationToken);
    }

    private async ValueTask StoreAsync(string municipality, IReadOnlyList<Rule> saved, IReadOnlyList<string> removed, CancellationToken cancellationToken)
    {
        await Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var after = Rules(municipality).Where(rule => !removed.Contains(rule.Slug)).ToDictionary(rule => rule.Slug, StringComparer.Ordinal);
            foreach (var rule in saved)
            {
                after[rule.Slug] = rule;
            }

            foreach (var rule in saved)
            {
                InRule(saved.Count > 1 ? rule.Slug : null, () => RuleValidation.CheckCycle(rule, after.Values));
            }

            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var rows = await db.Rules.Where(known => known.Municipality == municipality).ToDictionaryAsync(row => row.Slug, cancellationToken).ConfigureAwait(false);
            if (after.Count > options.Value.RuleCountMax && after.Count > rows.Values.Count(row => !row.Removed))
            {
                throw new ArgumentException($"Slug: the municipality has reached its limit of {options.Value.RuleCountMax} rules (Hub:Alerts:RuleCountMax).", nameof(saved));
            }

            foreach (var row in removed.Select(slug => rows.GetValueOrDefault(slug)).OfType<RuleRow>().Where(row => !row.Removed))
            {
                // The evaluator withdraws what is open and then removes the row: durable from here on.
                row.Removed = true;
                row.Reevaluate = true;
                row.Enabled = false;
                row.Version++;
            }

            foreach (var rule in saved)
            {
                Set(db, rows, rule);
            }

            if (await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false) == 0)
            {
                return;
            }

            await ReadRulesAsync(db, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Gate.Release();
        }

        Woken?.Invoke();
        RulesChanged?.Invoke();
    }

    private void Set(AlertsContext db, Dictionary<string, RuleRow> rows, Rule rule)
    {
        if (!rows.TryGetValue(rule.Slug, out var row))
        {
            row = new RuleRow { Municipality = rule.Municipality, Slug = rule.Slug, Reevaluate = true };
            db.Rules.Add(row);
        }

        var before = row.ToRule();
        row.Set(rule);
        if (row.Removed || before with { NamePt = rule.NamePt, NameEn = rule.NameEn, Severity = rule.Severity, Edge = rule.Edge, Source = rule.Source, SuppressedBy = rule.SuppressedBy } != rule)
        {
            row.Reevaluate = true;
            row.Removed = false;
            row.Version++;
            row.SavedAt = time.GetUtcNow().UtcDateTime;
        }
    }

    /// <summary>Checks a rule and, where there are several, says of which it is that something is wrong.</summary>
    private static void InRule(string? slug, Action check)
    {
        try
        {
            check();
        }
        catch (ArgumentException refused) when (slug is not null)
        {
            throw new ArgumentException($"Rule \"{slug}\": {refused.Message.Split(" (Parameter ")[0]}", refused.ParamName, refused);
        }
    }

    public IReadOnlyList<Alarm> Active(string? municipality) =>
        [.. Volatile.Read(ref active).Values.Where(alarm => municipality is null || alarm.Municipality == municipality)
            .OrderByDescending(alarm => alarm.StartedAt).ThenBy(alarm => alarm.Id, StringComparer.Ordinal)];

    public async ValueTask<IReadOnlyList<Alarm>> HistoryAsync(string? municipality, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        var count = Math.Min(countMax, HistoryCountMax);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Alarms.AsNoTracking()
            .Where(row => (municipality == null || row.Municipality == municipality) && row.ConditionAt < to && (row.EndedAt == null || row.EndedAt >= from))
            .OrderByDescending(row => row.StartedAt).ThenBy(row => row.Id)
            .Take(count)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(AsItIs);
    }

    public ValueTask<Rehearsal> RehearseAsync(Rule rule, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken)
    {
        RuleValidation.Check(rule);
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        return rehearsal.RunAsync(rule, from, to, Math.Min(countMax, HistoryCountMax), cancellationToken);
    }

    /// <summary>The alarm of a stored row, with the peak and the latest value that an open one has in memory.</summary>
    public Alarm AsItIs(AlarmRow row) => row.IsOpen ? Volatile.Read(ref active).GetValueOrDefault(row.Id, row.ToAlarm()) : row.ToAlarm();

    /// <summary>Tells listeners of alarms whose handling has changed, after that was stored.</summary>
    public void Announce(IReadOnlyList<Alarm> handled)
    {
        if (handled.Count > 0)
        {
            Changed?.Invoke(handled);
        }
    }

    /// <summary>Says that a message was stored that is to be handed over.</summary>
    public void NoteMessage()
    {
        Volatile.Write(ref messageStored, 1);
        WakeUp();
    }

    /// <summary>Whether a message was stored since this was asked last.</summary>
    public bool TakeMessage() => Interlocked.Exchange(ref messageStored, 0) == 1;

    /// <summary>The active alarm of a parent of a rule at a station that began first; null when none is active, or the rule has no parents.</summary>
    public Alarm? ParentOf(RuleRow rule, string station)
    {
        if (rule.SuppressedBy.Length == 0)
        {
            return null;
        }

        var parents = rule.Parents();
        return Volatile.Read(ref active).Values.Where(alarm => alarm.Station == station && alarm.Municipality == rule.Municipality && parents.Contains(alarm.Rule))
            .OrderBy(alarm => alarm.StartedAt).ThenBy(alarm => alarm.Id, StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>The active alarm that suppresses an alarm by design; null for none, and for an alarm that is over.</summary>
    public Alarm? ParentOf(Alarm alarm) =>
        alarm is { EndedAt: null, Withdrawn: false } && RuleRows.FirstOrDefault(rule => rule.Municipality == alarm.Municipality && rule.Slug == alarm.Rule) is { } rule ? ParentOf(rule, alarm.Station) : null;

    /// <summary>Asks the evaluator to look at what is to be told.</summary>
    public void WakeUp() => Woken?.Invoke();

    public async ValueTask CaughtUpAsync(long commit, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(commit, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (waiters)
        {
            waiters.Add(waiter);
        }

        try
        {
            Woken?.Invoke();
            await waiter.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (waiters)
            {
                waiters.Remove(waiter);
            }
        }
    }

    /// <summary>Callers that wait for a commit up to this one.</summary>
    public IReadOnlyList<Waiter> WaitersUpTo(long commit)
    {
        lock (waiters)
        {
            return waiters.FindAll(waiter => waiter.Commit <= commit);
        }
    }

    /// <summary>Takes over changed alarms, after they were stored, and tells listeners.</summary>
    public void Publish(IReadOnlyList<AlarmRow> changed)
    {
        if (changed.Count == 0)
        {
            return;
        }

        var builder = active.ToBuilder();
        var alarms = new List<Alarm>(changed.Count);
        foreach (var row in changed)
        {
            var alarm = row.ToAlarm();
            alarms.Add(alarm);
            if (row.IsOpen)
            {
                builder[row.Id] = alarm;
            }
            else
            {
                builder.Remove(row.Id);
            }
        }

        Volatile.Write(ref active, builder.ToImmutable());
        Changed?.Invoke(alarms);
    }

    /// <summary>Reads the rules again after they were changed in the database.</summary>
    public async Task ReadRulesAsync(AlertsContext db, CancellationToken cancellationToken)
    {
        var rows = await db.Rules.AsNoTracking().OrderBy(row => row.Municipality).ThenBy(row => row.Slug).ToListAsync(cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref rules, rows);
    }

    /// <summary>A caller of <see cref="CaughtUpAsync"/>.</summary>
    public sealed record Waiter(long Commit, TaskCompletionSource Done);
}
