using System.Text.Json;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Twin;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Fleet.Twin;

/// <summary>What is wanted of stations, version by version. Only stores: the keeper carries it to the broker. Changes go one at a time; another process with the same database may come in between.</summary>
internal sealed class WantedBook(IDbContextFactory<FleetContext> contexts, IOptions<FleetOptions> options, FleetInstruments instruments, TimeProvider time, ILogger<WantedBook> logger) : IDisposable
{
    /// <summary>Name of the hub itself in the history.</summary>
    public const string Hub = "hub";

    private readonly SemaphoreSlim gate = new(1, 1);

    /// <summary>Raised after a new version is stored; handlers return at once.</summary>
    public event Action? Changed;

    public void Dispose() => gate.Dispose();

    public async ValueTask<Wanted?> WantedAsync(int stationId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await LatestAsync(db, stationId, cancellationToken).ConfigureAwait(false) is { } row ? WantedDocument.Read(row) : null;
    }

    public async ValueTask<IReadOnlyList<Wanted>> HistoryAsync(int stationId, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Wanted.AsNoTracking().Where(w => w.StationId == stationId).OrderByDescending(w => w.Version).Take(countMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(WantedDocument.Read);
    }

    public ValueTask<Wanted> WantSettingsAsync(Station station, JsonElement? settings, TimeSpan? trial, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        List<string> problems = settings is { } given ? [.. SettingsRules.Problems(given)] : [];
        if (trial is { } span && (span < DesiredState.TrialMin || span > DesiredState.TrialMax))
        {
            problems.Add($"trial: is {span:c}; give {DesiredState.TrialMin:c} to {DesiredState.TrialMax:c}.");
        }

        if (problems.Count > 0)
        {
            throw new SettingsRefusedException(problems);
        }

        var text = WantedDocument.SettingsText(settings);
        return ChangeAsync(station, WantedChange.Settings, null, parts => parts with { Settings = text, TrialSeconds = (int?)trial?.TotalSeconds }, expectedVersion, by, cancellationToken);
    }

    public async ValueTask<Wanted> RestoreSettingsAsync(Station station, long version, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        WantedParts earlier;
        await using (var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false))
        {
            var row = await db.Wanted.AsNoTracking().SingleOrDefaultAsync(w => w.StationId == station.Id && w.Version == version, cancellationToken).ConfigureAwait(false)
                ?? throw new KeyNotFoundException($"There is no version {version} of what is wanted of {station.Municipality}/{station.Slug}.");
            earlier = WantedParts.Of(row);
        }

        return await ChangeAsync(
            station, WantedChange.Undo, version, parts => parts with { Settings = earlier.Settings, TrialSeconds = earlier.TrialSeconds }, expectedVersion, by, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<Wanted> WantAgentAsync(Station station, AgentTarget? agent, string by, CancellationToken cancellationToken)
    {
        if (agent is not null && !AgentVersion.TryParse(agent.Version, out _))
        {
            throw new SettingsRefusedException([$"agent.version: is '{agent.Version}'; give one such as 1.4.0."]);
        }

        return ChangeAsync(station, WantedChange.Agent, null, parts => parts with { Agent = WantedDocument.AgentText(agent) }, null, by, cancellationToken);
    }

    /// <summary>Takes over the rules that concern a station now; null when that changes nothing, or cannot be.</summary>
    public async ValueTask<Wanted?> WantRulesAsync(Station station, IReadOnlyList<EdgeRule> rules, CancellationToken cancellationToken)
    {
        if (rules.Count > DesiredState.RulesMax)
        {
            instruments.RulesLeftOut(rules.Count - DesiredState.RulesMax);
            logger.RulesLeftOut(station.Municipality, station.Slug, rules.Count, DesiredState.RulesMax);
        }

        var text = WantedDocument.RulesText([.. rules.Take(DesiredState.RulesMax)]);
        try
        {
            return await ChangeAsync(station, WantedChange.Rules, null, parts => parts with { Rules = text }, null, Hub, cancellationToken).ConfigureAwait(false);
        }
        catch (SettingsRefusedException refused)
        {
            // The one before stays in force; the hub watches the rules itself in any case.
            instruments.Published("refused");
            logger.RulesRefused(refused, station.Municipality, station.Slug);
            return null;
        }
    }

    /// <summary>Which rules stations have in what is wanted of them, as text, by station.</summary>
    public async ValueTask<Dictionary<int, string>> RulesInForceAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Wanted.AsNoTracking()
            .Where(w => !db.Wanted.Any(later => later.StationId == w.StationId && later.Version > w.Version))
            .ToDictionaryAsync(w => w.StationId, w => w.Rules, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The newest version of every station that has one, with the version of the agent it wants.</summary>
    public async ValueTask<Dictionary<int, (long Version, string? Agent)>> LatestOfAllAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Wanted.AsNoTracking()
            .Where(w => !db.Wanted.Any(later => later.StationId == w.StationId && later.Version > w.Version))
            .Select(w => new { w.StationId, w.Version, w.Agent })
            .ToDictionaryAsync(w => w.StationId, w => (w.Version, WantedDocument.Agent(w.Agent)?.Version), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<Wanted> ChangeAsync(
        Station station, WantedChange change, long? undoneTo, Func<WantedParts, WantedParts> edit, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        WantedRow row;
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var latest = await LatestAsync(db, station.Id, cancellationToken).ConfigureAwait(false);
            var current = latest?.Version ?? 0;
            if (expectedVersion is { } expected && expected != current)
            {
                throw new WantedChangedException(current);
            }

            var before = WantedParts.Of(latest);
            var parts = edit(before);
            if (parts == before)
            {
                // Nothing new to try, so nothing for the station to do. Of a station of which nothing was ever wanted nothing is wanted now.
                return latest is null ? new Wanted(0, null, [], null, null, by, time.GetUtcNow().UtcDateTime, change, undoneTo) : WantedDocument.Read(latest);
            }

            if (WantedDocument.TryCompose(current + 1, parts, out _) is { } problem)
            {
                throw new SettingsRefusedException([problem]);
            }

            row = new WantedRow
            {
                StationId = station.Id,
                Version = current + 1,
                Settings = parts.Settings,
                Rules = parts.Rules,
                Agent = parts.Agent,
                TrialSeconds = parts.TrialSeconds,
                ChangedBy = by,
                ChangedAt = time.GetUtcNow().UtcDateTime,
                Change = change,
                UndoneTo = undoneTo,
            };
            if (!await db.Agents.AnyAsync(a => a.StationId == station.Id, cancellationToken).ConfigureAwait(false))
            {
                await db.EnsureAgentAsync(station, cancellationToken).ConfigureAwait(false);
            }

            db.Wanted.Add(row);
            try
            {
                await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (DbUpdateException) when (HasNewer(station.Id, current))
            {
                // Another process was faster with this version.
                throw new WantedChangedException(current + 1);
            }

            var oldest = row.Version - options.Value.HistoryMax;
            await db.Wanted.Where(w => w.StationId == station.Id && w.Version <= oldest).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }

        instruments.VersionWanted(change);
        logger.VersionWanted(station.Municipality, station.Slug, row.Version, by, change, undoneTo);
        Changed?.Invoke();
        return WantedDocument.Read(row);
    }

    private static Task<WantedRow?> LatestAsync(FleetContext db, int stationId, CancellationToken cancellationToken) =>
        db.Wanted.AsNoTracking().Where(w => w.StationId == stationId).OrderByDescending(w => w.Version).FirstOrDefaultAsync(cancellationToken);

    private bool HasNewer(int stationId, long version)
    {
        using var db = contexts.CreateDbContext();
        return db.Wanted.Any(w => w.StationId == stationId && w.Version > version);
    }
}
