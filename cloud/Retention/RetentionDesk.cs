using Hub.Cloud.Municipalities;
using Hub.Cloud.Retention.Storage;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Retention;

/// <summary>Keeps policies and holds, and deletes by them. One run at a time; setting a hold waits for it, so that a hold that was acknowledged holds.</summary>
internal sealed class RetentionDesk(
    IDbContextFactory<RetentionContext> contexts,
    IMunicipalities municipalities,
    IStations stations,
    ISeries series,
    RetentionInstruments instruments,
    TimeProvider time,
    ILogger<RetentionDesk> log,
    IFindingsRemoval? findings = null) : IRetention, IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    public async ValueTask<IReadOnlyList<RetentionPolicy>> PoliciesAsync(string municipality, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Policies.AsNoTracking().Where(row => row.Municipality == municipality).OrderBy(row => row.Property)
            .Select(row => new RetentionPolicy(row.Property == "" ? null : row.Property, row.Days) { RollupDays = row.RollupDays }).ToListAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask SavePoliciesAsync(string municipality, IReadOnlyList<RetentionPolicy> policies, string by, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(policies);
        RetentionCheck.ThrowIfNot(policies, series.CanCondense);
        ThrowIfUnknown(municipality);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await db.Policies.Where(row => row.Municipality == municipality).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        db.Policies.AddRange(policies.Select(policy => new PolicyRow { Municipality = municipality, Property = policy.Property ?? "", Days = policy.Days, RollupDays = policy.RollupDays, SetBy = by, SetAt = Now }));
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        log.PoliciesSaved(municipality, policies.Count, by);
    }

    public async ValueTask<IReadOnlyList<RetentionHold>> HoldsAsync(string municipality, bool released, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Holds.AsNoTracking().Where(row => row.Municipality == municipality && (released || row.ReleasedAt == null)).OrderBy(row => row.Id)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(row => row.ToHold());
    }

    public async ValueTask<RetentionHold> HoldAsync(RetentionHold hold, string by, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hold);
        RetentionCheck.ThrowIfNot(hold);
        ThrowIfUnknown(hold.Municipality);
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var row = new HoldRow
            {
                Municipality = hold.Municipality, Station = hold.Station, Property = hold.Property, From = hold.From, To = hold.To, Reason = hold.Reason.Trim(), SetBy = by, SetAt = Now,
            };
            db.Holds.Add(row);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            log.HoldSet(hold.Municipality, row.Id, by);
            return row.ToHold();
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask<bool> ReleaseAsync(string municipality, long hold, string by, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var now = Now;
        var rows = await db.Holds.Where(row => row.Municipality == municipality && row.Id == hold && row.ReleasedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.ReleasedAt, now).SetProperty(row => row.ReleasedBy, by), cancellationToken).ConfigureAwait(false);
        if (rows > 0)
        {
            log.HoldReleased(municipality, hold, by);
        }

        return rows > 0;
    }

    public async ValueTask<IReadOnlyList<RetentionForecast>> ForecastAsync(string municipality, IReadOnlyList<RetentionPolicy>? policies, CancellationToken cancellationToken)
    {
        if (policies is not null)
        {
            RetentionCheck.ThrowIfNot(policies, series.CanCondense);
        }

        var forecasts = new List<RetentionForecast>();
        foreach (var property in (await PlanAsync(municipality, policies, cancellationToken).ConfigureAwait(false)).GroupBy(deletion => (deletion.Property, deletion.Before, deletion.RollupsBefore)))
        {
            var (datastreams, observations, held, condensed, rollupDays) = (0, 0L, 0L, 0L, 0L);
            foreach (var deletion in property)
            {
                var rollups = await RollupDaysAsync(deletion, cancellationToken).ConfigureAwait(false);
                rollupDays += rollups.Values.Sum();
                foreach (var datastream in deletion.Datastreams)
                {
                    var deleted = await CountAsync(datastream, deletion.Deleted, cancellationToken).ConfigureAwait(false);
                    var kept = await CountAsync(datastream, deletion.Condensed.Select(WholeDays), cancellationToken).ConfigureAwait(false);
                    observations += deleted + kept;
                    condensed += kept;
                    datastreams += deleted + kept > 0 || rollups.ContainsKey(datastream) ? 1 : 0;
                    held += await CountAsync(datastream, deletion.Held, cancellationToken).ConfigureAwait(false);
                }
            }

            forecasts.Add(new RetentionForecast(property.Key.Property, property.Key.Before, datastreams, observations, held)
            {
                Condensed = condensed, RollupsBefore = property.Key.RollupsBefore, RollupDays = rollupDays,
            });
        }

        return forecasts;
    }

    public async ValueTask<IReadOnlyList<RetentionRun>> RunAsync(string municipality, string by, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var runs = new List<RetentionRun>();
            foreach (var deletion in await PlanAsync(municipality, null, cancellationToken).ConfigureAwait(false))
            {
                var (removed, condensed, found) = (0L, 0L, 0L);
                var rollupDays = (await RollupDaysAsync(deletion, cancellationToken).ConfigureAwait(false)).Values.Sum(static days => (long)days);
                foreach (var stretch in deletion.Deleted)
                {
                    removed += await series.DeleteAsync(deletion.Datastreams, stretch.From, stretch.To, cancellationToken).ConfigureAwait(false);
                    found += await ForgetAsync(deletion, stretch, cancellationToken).ConfigureAwait(false);
                }

                foreach (var stretch in deletion.Condensed)
                {
                    condensed += await series.CondenseAsync(deletion.Datastreams, stretch.From, stretch.To, cancellationToken).ConfigureAwait(false);
                    found += await ForgetAsync(deletion, WholeDays(stretch), cancellationToken).ConfigureAwait(false);
                }

                removed += condensed;
                if (removed == 0 && rollupDays == 0 && found == 0)
                {
                    continue;
                }

                // Noted after the fact: a hub that dies between the two has deleted what it was told to, and the log of the store says so.
                await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
                var row = new RunRow
                {
                    Municipality = municipality, Property = deletion.Property, Before = deletion.Before, Datastreams = deletion.Datastreams.Count, Observations = removed, Condensed = condensed, RollupDays = rollupDays, Findings = found,
                    At = Now, By = by,
                };
                db.Runs.Add(row);
                await db.SaveChangesAsync(CancellationToken.None).ConfigureAwait(false);
                instruments.Deleted(municipality, removed);
                log.Deleted(municipality, deletion.Property, deletion.Before, removed, condensed, rollupDays, found, by);
                runs.Add(row.ToRun());
            }

            return runs;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask<IReadOnlyList<RetentionRun>> RunsAsync(string municipality, int countMax, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Runs.AsNoTracking().Where(row => row.Municipality == municipality).OrderByDescending(row => row.Id).Take(Math.Clamp(countMax, 0, 1000))
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(row => row.ToRun());
    }

    public void Dispose() => _turn.Dispose();

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private async ValueTask<IReadOnlyList<Deletion>> PlanAsync(string municipality, IReadOnlyList<RetentionPolicy>? policies, CancellationToken cancellationToken)
    {
        var zone = ThrowIfUnknown(municipality);
        policies ??= await PoliciesAsync(municipality, cancellationToken).ConfigureAwait(false);
        var now = Now;
        var days = policies.Where(policy => policy.Days is not null).Select(policy => policy.Days!.Value).ToList();
        if (days.Count == 0)
        {
            return [];
        }

        // By what is stored, so that datastreams of stations that are gone are found as well; by what is found of it too, so that findings left behind by a run that was cut off go with the next.
        var newest = RetentionPlan.DayBefore(now, days.Min(), zone);
        var streams = new List<KeptStream>();
        var stored = (await series.DatastreamsAsync(RetentionPlan.Beginning, newest, cancellationToken).ConfigureAwait(false)).ToHashSet();
        stored.UnionWith((await series.CondensedAsync(RetentionPlan.Beginning, newest, cancellationToken).ConfigureAwait(false)).Keys);
        stored.UnionWith(findings?.DatastreamsBefore(newest) ?? []);
        foreach (var id in stored.Order())
        {
            if (stations.TryGetDatastream(id, out var datastream) && datastream.Station.Municipality == municipality)
            {
                streams.Add(new KeptStream(id, datastream.Station.Slug, datastream.Quantity.Id));
            }
        }

        return RetentionPlan.Make(streams, policies, await HoldsAsync(municipality, released: false, cancellationToken).ConfigureAwait(false), now, zone);
    }

    private async ValueTask<long> CountAsync(int datastream, IEnumerable<Stretch> stretches, CancellationToken cancellationToken)
    {
        var count = 0L;
        foreach (var stretch in stretches.Where(static stretch => stretch.From < stretch.To))
        {
            count += await series.CountAsync(datastream, stretch.From, stretch.To, cancellationToken).ConfigureAwait(false);
        }

        return count;
    }

    /// <summary>What is condensed of a stretch: its whole UTC days. The rest waits for the next day.</summary>
    private static Stretch WholeDays(Stretch stretch) => new(stretch.From == stretch.From.Date ? stretch.From : stretch.From.Date.AddDays(1), stretch.To.Date);

    /// <summary>Findings go after their observations: the rollups of condensed ones have their flags by then, and what a crash between the two leaves the next run removes.</summary>
    private async ValueTask<long> ForgetAsync(Deletion deletion, Stretch stretch, CancellationToken cancellationToken) =>
        findings is null || stretch.From >= stretch.To ? 0 : await findings.RemoveAsync(deletion.Datastreams, stretch.From, stretch.To, cancellationToken).ConfigureAwait(false);

    /// <summary>For the datastreams of a deletion the days of kept rollups that go with it.</summary>
    private async ValueTask<Dictionary<int, int>> RollupDaysAsync(Deletion deletion, CancellationToken cancellationToken)
    {
        var (named, found) = (deletion.Datastreams.ToHashSet(), new Dictionary<int, int>());
        foreach (var stretch in deletion.Deleted)
        {
            foreach (var (datastream, days) in await series.CondensedAsync(stretch.From, stretch.To, cancellationToken).ConfigureAwait(false))
            {
                if (named.Contains(datastream))
                {
                    found[datastream] = found.GetValueOrDefault(datastream) + days;
                }
            }
        }

        return found;
    }

    private TimeZoneInfo ThrowIfUnknown(string municipality)
    {
        if (!municipalities.TryGet(municipality, out var known))
        {
            throw new ArgumentException($"There is no municipality \"{municipality}\".", nameof(municipality));
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(known.Zone, out var zone) ? zone : TimeZoneInfo.Utc;
    }
}
