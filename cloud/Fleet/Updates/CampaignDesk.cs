using System.Data;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Fleet.Twin;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Twin;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Fleet.Updates;

/// <summary>
/// Campaigns, from being started to being settled. Anybody, in any process, changes a campaign's state; only the keeper of the running hub decides (<see cref="CampaignDecisions"/>), offers, and writes
/// the stations' places.
/// </summary>
internal sealed class CampaignDesk(
    IDbContextFactory<FleetContext> contexts, IStations stations, AgentBook agents, WantedBook wanted, BundleStore bundles, IOptions<FleetOptions> options, FleetInstruments instruments, TimeProvider time,
    ILogger<CampaignDesk> logger)
{
    /// <summary>Campaigns kept that have nothing left to do.</summary>
    public const int HistoryMax = 200;

    /// <summary>Most campaigns under way.</summary>
    public const int UnderWayMax = 50;

    /// <summary>Events kept of each campaign.</summary>
    public const int EventsMax = 200;

    /// <summary>Longest name, characters.</summary>
    public const int NameMax = 100;

    /// <summary>Largest wave, and largest limit of failures.</summary>
    public const int CountMax = 1_000;

    /// <summary>Raised when there is something to decide; handlers return at once.</summary>
    public event Action? Changed;

    public async ValueTask<Campaign> StartAsync(CampaignRequest request, string by, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request);
        var chosen = (request.Stations ?? [.. stations.All.Where(s => request.Municipality is null || s.Municipality == request.Municipality)]).DistinctBy(s => s.Id).OrderBy(s => s.Id).ToList();
        if (chosen.Find(s => request.Municipality is not null && s.Municipality != request.Municipality) is { } other)
        {
            throw new ArgumentException($"The station {other.Municipality}/{other.Slug} is not of {request.Municipality}.");
        }

        if (chosen.Count == 0)
        {
            throw new CampaignRefusedException("There is no station to bring the agent to.");
        }

        if ((await bundles.NewestAsync(request.Version, cancellationToken).ConfigureAwait(false)).Count == 0)
        {
            throw new CampaignRefusedException($"There is no bundle of {request.Version}. Publish one first: hub agent publish FILE, or POST /api/v1/agent-bundles.");
        }

        var now = time.GetUtcNow().UtcDateTime;
        var row = new CampaignRow
        {
            Name = request.Name.Trim(),
            Version = request.Version,
            Municipality = request.Municipality,
            WaveSize = request.WaveSize,
            FailureLimit = request.FailureLimit,
            Force = request.Force,
            State = CampaignState.Running,
            StartedBy = by,
            StartedAt = now,
            ChangedBy = by,
            ChangedAt = now,
        };
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false))
        {
            // Serializable: two that start at the same moment must see each other.
            await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken).ConfigureAwait(false);
            await DemandFreeAsync(db, chosen, cancellationToken).ConfigureAwait(false);
            db.Campaigns.Add(row);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            db.CampaignPlaces.AddRange(chosen.Select(s => new CampaignPlaceRow { CampaignId = row.Id, StationId = s.Id, Municipality = s.Municipality, Slug = s.Slug, Status = UpdateStatus.Pending, At = now }));
            db.CampaignEvents.Add(new CampaignEventRow { CampaignId = row.Id, At = now, By = by, State = CampaignState.Running });
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            await ForgetOldAsync(db, cancellationToken).ConfigureAwait(false);
        }

        Tell(row, CampaignState.Running, by, $"{chosen.Count} stations, {request.WaveSize} at a time.");
        Changed?.Invoke();
        return await FindAsync(row.Id, cancellationToken).ConfigureAwait(false) ?? throw new KeyNotFoundException($"Campaign {row.Id} is gone.");
    }

    public async ValueTask<IReadOnlyList<Campaign>> ListAsync(string? municipality, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Campaigns.AsNoTracking().Where(c => municipality == null || c.Municipality == municipality).OrderByDescending(c => c.Id).Take(countMax)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        var ids = rows.ConvertAll(row => row.Id);
        var counts = await db.CampaignPlaces.Where(p => ids.Contains(p.CampaignId)).GroupBy(p => new { p.CampaignId, p.Status }).Select(g => new { g.Key.CampaignId, g.Key.Status, Count = g.Count() })
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(row => Read(row, counts.Where(c => c.CampaignId == row.Id).ToDictionary(c => c.Status, c => c.Count)));
    }

    public async ValueTask<Campaign?> FindAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        if (await db.Campaigns.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id, cancellationToken).ConfigureAwait(false) is not { } row)
        {
            return null;
        }

        var counts = await db.CampaignPlaces.Where(p => p.CampaignId == id).GroupBy(p => p.Status).Select(g => new { g.Key, Count = g.Count() }).ToListAsync(cancellationToken).ConfigureAwait(false);
        return Read(row, counts.ToDictionary(c => c.Key, c => c.Count));
    }

    public async ValueTask<IReadOnlyList<CampaignStation>> StationsAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.CampaignPlaces.AsNoTracking().Where(p => p.CampaignId == id).OrderBy(p => p.Municipality).ThenBy(p => p.Slug).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(p => new CampaignStation(p.StationId, p.Municipality, p.Slug, p.Status, p.At, p.Problem));
    }

    public async ValueTask<IReadOnlyList<CampaignEvent>> EventsAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.CampaignEvents.AsNoTracking().Where(e => e.CampaignId == id).OrderBy(e => e.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(e => new CampaignEvent(e.At, e.By, e.State, e.Reason));
    }

    /// <summary>Brings a campaign from one of some states into another.</summary>
    public async ValueTask<Campaign> ChangeAsync(long id, IReadOnlyList<CampaignState> from, CampaignState to, string by, CancellationToken cancellationToken)
    {
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false))
        {
            var row = await db.Campaigns.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id, cancellationToken).ConfigureAwait(false) ?? throw new KeyNotFoundException($"There is no campaign {id}.");
            var failures = await db.CampaignPlaces.CountAsync(p => p.CampaignId == id && (p.Status == UpdateStatus.Refused || p.Status == UpdateStatus.RolledBack), cancellationToken).ConfigureAwait(false);
            if (!await TryChangeAsync(db, row, from, to, null, to == CampaignState.Running ? failures : null, false, by, cancellationToken).ConfigureAwait(false))
            {
                var now = await db.Campaigns.Where(c => c.Id == id).Select(c => c.State).SingleOrDefaultAsync(cancellationToken).ConfigureAwait(false);
                throw new CampaignRefusedException($"Campaign {id} is {now.ToString().ToLowerInvariant()}; it cannot become {to.ToString().ToLowerInvariant()}.");
            }
        }

        Changed?.Invoke();
        return await FindAsync(id, cancellationToken).ConfigureAwait(false) ?? throw new KeyNotFoundException($"There is no campaign {id}.");
    }

    /// <summary>Decides on every campaign that has something left to do, and does it. Called by the keeper, one round after the other.</summary>
    public async Task RoundAsync(CancellationToken cancellationToken)
    {
        List<CampaignRow> rows;
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false))
        {
            rows = await db.Campaigns.AsNoTracking().Where(c => !c.Settled).OrderBy(c => c.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        }

        if (rows.Count == 0)
        {
            return;
        }

        var known = stations.All.ToDictionary(s => s.Id);
        foreach (var row in rows)
        {
            await DecideAsync(row, known, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DecideAsync(CampaignRow row, Dictionary<int, Station> known, CancellationToken cancellationToken)
    {
        var newest = await bundles.NewestAsync(row.Version, cancellationToken).ConfigureAwait(false);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var places = await db.CampaignPlaces.Where(p => p.CampaignId == row.Id).OrderBy(p => p.StationId).ToListAsync(cancellationToken).ConfigureAwait(false);
        var plan = new CampaignPlan(row.State, row.Version, row.WaveSize, row.FailureLimit, row.FailuresForgiven, row.Force, row.Reason);
        var verdict = CampaignDecisions.Decide(
            plan, [.. places.Select(p => new CampaignPlace(p.StationId, p.Status, p.At, p.Problem, p.OfferVersion, p.Before))], FactsOf, newest.Keys.ToHashSet(StringComparer.Ordinal),
            Uri.TryCreate(options.Value.PublicUrl, UriKind.Absolute, out _), time.GetUtcNow().UtcDateTime);

        foreach (var id in verdict.Withdrawals.Where(known.ContainsKey))
        {
            await WithdrawAsync(known[id], row, cancellationToken).ConfigureAwait(false);
        }

        foreach (var (place, next) in places.Zip(verdict.Places))
        {
            var moved = place.Status != next.Status;
            (place.Status, place.At, place.Problem, place.OfferVersion) = (next.Status, next.At, next.Problem, next.OfferVersion);
            if (moved)
            {
                instruments.UpdateBecame(place.Status);
                logger.UpdateBecame(row.Id, place.Municipality, place.Slug, place.Status, place.Problem ?? "");
            }
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        if (verdict.State != row.State || verdict.IsSettled)
        {
            if (await TryChangeAsync(db, row, [row.State], verdict.State, verdict.Reason, null, verdict.IsSettled, WantedBook.Hub, cancellationToken).ConfigureAwait(false))
            {
                row.State = verdict.State;
            }
        }

        foreach (var place in places.Where(p => verdict.Offers.Contains(p.StationId) && known.ContainsKey(p.StationId)))
        {
            await OfferAsync(db, row, place, known[place.StationId], newest, cancellationToken).ConfigureAwait(false);
        }

        StationFacts? FactsOf(int stationId) =>
            known.ContainsKey(stationId) && agents.Of(stationId) is var view ? new StationFacts(view.Presence == Presence.Online, view.Reported, view.ReportedAt) : null;
    }

    private async Task OfferAsync(FleetContext db, CampaignRow row, CampaignPlaceRow place, Station station, IReadOnlyDictionary<string, StoredBundle> newest, CancellationToken cancellationToken)
    {
        var reported = agents.Of(station.Id).Reported?.Agent;
        if (reported is null || !newest.TryGetValue(reported.Runtime, out var bundle))
        {
            return;
        }

        if (place.Status == UpdateStatus.Pending)
        {
            // Noted before it is made, and only while the campaign runs: whoever paused it a moment ago gets no further offer.
            var now = time.GetUtcNow().UtcDateTime;
            var before = CampaignDecisions.MarkOf(reported.Update);
            var noted = await db.CampaignPlaces
                .Where(p => p.CampaignId == row.Id && p.StationId == place.StationId && p.Status == UpdateStatus.Pending && db.Campaigns.Any(c => c.Id == row.Id && c.State == CampaignState.Running))
                .ExecuteUpdateAsync(set => set.SetProperty(p => p.Status, UpdateStatus.Offered).SetProperty(p => p.At, now).SetProperty(p => p.Problem, (string?)null).SetProperty(p => p.Before, before), cancellationToken)
                .ConfigureAwait(false);
            if (noted == 0)
            {
                return;
            }

            instruments.UpdateBecame(UpdateStatus.Offered);
            logger.UpdateBecame(row.Id, place.Municipality, place.Slug, UpdateStatus.Offered, "");
        }

        var address = $"{options.Value.PublicUrl.TrimEnd('/')}{BundleEndpoint.Root}/{bundle.Sha256}";
        var target = new AgentTarget(row.Version, [new AgentBundle(bundle.Runtime, address, bundle.Bytes, bundle.Sha256)], row.Force);
        try
        {
            var version = (await wanted.WantAgentAsync(station, target, By(row), cancellationToken).ConfigureAwait(false)).Version;
            await db.CampaignPlaces.Where(p => p.CampaignId == row.Id && p.StationId == place.StationId).ExecuteUpdateAsync(set => set.SetProperty(p => p.OfferVersion, version), cancellationToken).ConfigureAwait(false);
        }
        catch (WantedChangedException)
        {
            // Somebody changed its settings in the same moment; it is offered in the next round.
        }
        catch (SettingsRefusedException refused)
        {
            var problem = $"The offer does not fit beside its settings: {refused.Message}";
            problem = problem.Length > CampaignDecisions.ProblemMax ? problem[..CampaignDecisions.ProblemMax] : problem;
            await db.CampaignPlaces.Where(p => p.CampaignId == row.Id && p.StationId == place.StationId)
                .ExecuteUpdateAsync(set => set.SetProperty(p => p.Status, UpdateStatus.Refused).SetProperty(p => p.Problem, problem), cancellationToken).ConfigureAwait(false);
            instruments.UpdateBecame(UpdateStatus.Refused);
            logger.UpdateBecame(row.Id, place.Municipality, place.Slug, UpdateStatus.Refused, problem);
        }
    }

    private async Task WithdrawAsync(Station station, CampaignRow row, CancellationToken cancellationToken)
    {
        var now = await wanted.WantedAsync(station.Id, cancellationToken).ConfigureAwait(false);
        if (now?.Agent?.Version == row.Version)
        {
            await wanted.WantAgentAsync(station, null, By(row), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryChangeAsync(
        FleetContext db, CampaignRow row, IReadOnlyList<CampaignState> from, CampaignState to, string? reason, int? forgiven, bool settled, string by, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var changed = row.State != to;
        await using (var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false))
        {
            var rows = db.Campaigns.Where(c => c.Id == row.Id && from.Contains(c.State));
            var done = changed
                ? await rows.ExecuteUpdateAsync(
                    set => set.SetProperty(c => c.State, to).SetProperty(c => c.Reason, reason).SetProperty(c => c.FailuresForgiven, c => forgiven ?? c.FailuresForgiven).SetProperty(c => c.Settled, settled)
                        .SetProperty(c => c.ChangedBy, by).SetProperty(c => c.ChangedAt, now),
                    cancellationToken).ConfigureAwait(false)
                : await rows.ExecuteUpdateAsync(set => set.SetProperty(c => c.Settled, settled), cancellationToken).ConfigureAwait(false);
            if (done == 0)
            {
                return false;
            }

            if (changed)
            {
                var old = await db.CampaignEvents.Where(e => e.CampaignId == row.Id).OrderByDescending(e => e.Id).Skip(EventsMax - 1).Select(e => e.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
                await db.CampaignEvents.Where(e => old.Contains(e.Id)).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
                db.CampaignEvents.Add(new CampaignEventRow { CampaignId = row.Id, At = now, By = by, State = to, Reason = reason });
                await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (changed)
        {
            Tell(row, to, by, reason ?? "");
        }

        return true;
    }

    private static async Task DemandFreeAsync(FleetContext db, List<Station> chosen, CancellationToken cancellationToken)
    {
        if (await db.Campaigns.CountAsync(c => !c.Settled, cancellationToken).ConfigureAwait(false) >= UnderWayMax)
        {
            throw new CampaignRefusedException($"There are {UnderWayMax} campaigns under way, as many as there may be: cancel one first.");
        }

        var ids = chosen.ConvertAll(s => s.Id).ToHashSet();
        var taken = await db.CampaignPlaces.Where(p => db.Campaigns.Any(c => c.Id == p.CampaignId && !c.Settled)).Select(p => new { p.CampaignId, p.StationId, p.Municipality, p.Slug, p.Status })
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        if (taken.Find(p => p.Status < UpdateStatus.Installed && ids.Contains(p.StationId)) is { } busy)
        {
            throw new CampaignRefusedException($"{busy.Municipality}/{busy.Slug} is still in campaign {busy.CampaignId}: let that end, or cancel it.");
        }
    }

    private static async Task ForgetOldAsync(FleetContext db, CancellationToken cancellationToken)
    {
        var old = await db.Campaigns.Where(c => c.Settled).OrderByDescending(c => c.Id).Skip(HistoryMax).Select(c => c.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        if (old.Count > 0)
        {
            await db.CampaignPlaces.Where(p => old.Contains(p.CampaignId)).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            await db.CampaignEvents.Where(e => old.Contains(e.CampaignId)).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            await db.Campaigns.Where(c => old.Contains(c.Id)).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static void Check(CampaignRequest request)
    {
        if (request.Name.Trim() is not { Length: > 0 and <= NameMax } name || name.Any(char.IsControl))
        {
            throw new ArgumentException($"name: give 1 to {NameMax} characters.");
        }

        if (!AgentVersion.TryParse(request.Version, out _))
        {
            throw new ArgumentException("version: give one such as 1.4.0.");
        }

        if (request.WaveSize is < 1 or > CountMax)
        {
            throw new ArgumentException($"waveSize: give 1 to {CountMax}.");
        }

        if (request.FailureLimit is < 1 or > CountMax)
        {
            throw new ArgumentException($"failureLimit: give 1 to {CountMax}.");
        }
    }

    private void Tell(CampaignRow row, CampaignState state, string by, string reason)
    {
        instruments.CampaignBecame(state);
        logger.CampaignBecame(row.Id, row.Name, row.Version, state, by, reason);
    }

    private static string By(CampaignRow row) => FormattableString.Invariant($"campaign {row.Id}");

    private static Campaign Read(CampaignRow c, Dictionary<UpdateStatus, int> counts) => new(
        c.Id, c.Name, c.Version, c.Municipality, c.WaveSize, c.FailureLimit, c.Force, c.State, c.Reason, c.StartedBy, c.StartedAt, c.ChangedBy, c.ChangedAt, counts);
}
