using System.Security.Claims;
using Hub.Cloud.Fleet;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Bundles;

namespace Hub.Cloud.Portal.Read;

/// <summary>What holds a station's clock: the numbers of the quantity <c>clock_state</c> (edge/Contract/FORMAT.md).</summary>
internal enum ClockHolder
{
    None = 0,
    Hub = 1,
    Machine = 2,
    Ntp = 3,
}

/// <summary>A station and its equipment, as an operator sees them. What is null is not known.</summary>
/// <param name="View">The station.</param>
/// <param name="Agent">Its agent.</param>
/// <param name="Line">What is wanted of it and was asked of it.</param>
/// <param name="Health">How it fares.</param>
/// <param name="Faults">What is wrong with its sensors.</param>
/// <param name="Quarantined">Entries of its in the quarantine.</param>
/// <param name="Offered">Version of a newer agent that it is to have, or that the hub has for it; null for none.</param>
internal sealed record FleetRow(StationView View, AgentView Agent, FleetLine Line, Health Health, IReadOnlyList<SensorFault> Faults, long Quarantined, string? Offered)
{
    /// <summary>Readings that wait at the station.</summary>
    public LatestValue? Outbox { get; } = Newest(View, "outbox_depth");

    /// <summary>What holds its clock.</summary>
    public LatestValue? Clock { get; } = Newest(View, "clock_state");

    /// <summary>Seconds since that confirmed it.</summary>
    public LatestValue? ClockAge { get; } = Newest(View, "clock_sync_age");

    /// <summary>Seconds by which its clock was set right last.</summary>
    public LatestValue? ClockStep { get; } = Newest(View, "clock_step");

    /// <summary>Level of its radio, dBm.</summary>
    public LatestValue? Signal { get; } = Newest(View, "link_quality");

    /// <summary>Version of the agent that runs.</summary>
    public string? Version => Agent.Reported?.Agent?.Version ?? VersionIn(Agent.Status?.Agent);

    /// <summary>Whether an agent ever spoke; stations behind an adapter or HTTP have none.</summary>
    public bool HasAgent => Agent.Presence != Presence.Unknown || Agent.Status is not null || Agent.Reported is not null;

    /// <summary>Whether other settings are in force than are wanted.</summary>
    public bool Drifts => HasAgent && Line.WantedVersion != (Agent.Reported?.InForce ?? 0);

    /// <summary>Since when readings pile up at the station, UTC; null when they do not, or it is not known.</summary>
    public DateTime? OutboxSince { get; init; }

    /// <summary>Keys in which what is wanted and what is in force differ; null when it is not known any more.</summary>
    public IReadOnlyList<string>? DriftKeys { get; init; } = [];

    /// <summary>The version at the end of <c>hub-agent 1.2.0</c>.</summary>
    private static string? VersionIn(string? agent) => agent?.Split(' ')[^1];

    private static LatestValue? Newest(StationView view, string quantity) =>
        view.Values.Where(value => value.Latest is not null && value.Datastream.Quantity.Id == quantity).MaxBy(static value => value.End);
}

/// <summary>A page of a fleet.</summary>
/// <param name="Query">What was asked for; its page is one that there is.</param>
/// <param name="Municipalities">Municipalities that can be chosen.</param>
/// <param name="Counts">Stations by health, of the chosen municipality and text.</param>
/// <param name="Rows">Stations of this page.</param>
/// <param name="Found">Stations in all.</param>
/// <param name="Pages">Pages, 1 or more.</param>
/// <param name="Quarantined">Entries in the quarantine, of the chosen municipality.</param>
internal sealed record FleetView(
    FleetQuery Query, IReadOnlyList<Municipality> Municipalities, IReadOnlyDictionary<Health, int> Counts, IReadOnlyList<FleetRow> Rows, int Found, int Pages, long Quarantined)
{
    /// <summary>Stations of the chosen municipality and text, whatever their health.</summary>
    public int All => Counts.Values.Sum();
}

/// <summary>Puts together what the fleet's page shows. Whatever the number of stations: a few questions to the database, and some more for the rows of one page. Safe for concurrent callers.</summary>
internal sealed class FleetReader(
    Reader reader, ISeries series, IMunicipalities municipalities, IEnumerable<IFleet> fleets, IEnumerable<IAgentUpdates> desks, IEnumerable<IQuarantine> quarantines)
{
    /// <summary>Stations of a page.</summary>
    public const int RowsMax = 50;

    /// <summary>Readings at a station that are more than what is just being sent.</summary>
    public const int OutboxFilling = 60;

    /// <summary>How far back is looked for when readings began to pile up.</summary>
    public static readonly TimeSpan OutboxSpan = TimeSpan.FromHours(24);

    /// <summary>What a visitor asks for, of the stations that they look after.</summary>
    public async ValueTask<FleetView> ReadAsync(ClaimsPrincipal visitor, FleetQuery query, CancellationToken cancellationToken)
    {
        Municipality[] towns = [.. municipalities.All.Where(town => visitor.Holds(Role.Operator, town.Slug))];
        var chosen = towns.FirstOrDefault(town => town.Slug == query.Municipality);
        var lines = await fleets.Last().LinesAsync(cancellationToken);
        var held = await HeldAsync(visitor, chosen?.Slug, cancellationToken);
        var bundles = desks.LastOrDefault() is { } desk ? await desk.BundlesAsync(cancellationToken) : [];
        var now = reader.Now;
        FleetRow[] all =
        [
            .. reader.City(visitor, chosen).Stations
                .Where(view => visitor.Holds(Role.Operator, view.Station.Municipality) && IsMeant(view, query.Text))
                .Select(view => Row(view, lines, held, bundles, now)),
        ];
        var found = Ordered(all.Where(row => query.Health is not { } health || row.Health == health), query).ToArray();
        var pages = Math.Max(1, (found.Length + RowsMax - 1) / RowsMax);
        var page = Math.Min(query.Page, pages);
        List<FleetRow> rows = [];
        foreach (var row in found.Skip((page - 1) * RowsMax).Take(RowsMax))
        {
            rows.Add(row with { OutboxSince = await FillingSinceAsync(row, now, cancellationToken), DriftKeys = await DriftAsync(row, cancellationToken) });
        }

        return new(
            query with { Page = page, Municipality = chosen?.Slug }, towns, all.GroupBy(static row => row.Health).ToDictionary(static group => group.Key, static group => group.Count()), rows, found.Length, pages,
            held.Values.Sum());
    }

    /// <summary>Version of an agent that is newer than the one that runs: the one wanted, or else the newest one that the hub holds for that machine.</summary>
    internal static string? OfferOf(AgentView agent, string? running, string? wanted, IReadOnlyList<StoredBundle> bundles)
    {
        if (wanted is not null && wanted != running)
        {
            return wanted;
        }

        if (!AgentVersion.TryParse(running, out var runs))
        {
            return null;
        }

        var runtime = agent.Reported?.Agent?.Runtime;
        string? newest = null;
        foreach (var bundle in bundles.Where(bundle => runtime is null || bundle.Runtime == runtime))
        {
            if (AgentVersion.TryParse(bundle.Version, out var version) && runs < version)
            {
                (runs, newest) = (version, bundle.Version);
            }
        }

        return newest;
    }

    private static readonly AgentVersion NoVersion = AgentVersion.TryParse("0.0.0-0", out var none) ? none : default;

    private FleetRow Row(StationView view, IReadOnlyDictionary<int, FleetLine> lines, Dictionary<(string, string), long> held, IReadOnlyList<StoredBundle> bundles, DateTime now)
    {
        var agent = fleets.Last().AgentOf(view.Station.Id);
        var line = lines.GetValueOrDefault(view.Station.Id, FleetLine.Empty);
        var (health, faults) = FleetHealth.Of(view.Values, view.NewestEnd, view.StaleAfter, agent, now);
        var row = new FleetRow(view, agent, line, health, faults, held.GetValueOrDefault((view.Station.Municipality, view.Station.Slug)), null);
        return row with { Offered = row.HasAgent ? OfferOf(agent, row.Version, line.WantedAgent, bundles) : null };
    }

    private async ValueTask<Dictionary<(string, string), long>> HeldAsync(ClaimsPrincipal visitor, string? municipality, CancellationToken cancellationToken)
    {
        if (quarantines.LastOrDefault() is not { } quarantine)
        {
            return [];
        }

        var groups = await quarantine.SummaryAsync(municipality, cancellationToken);
        return groups.Where(group => visitor.Holds(Role.Operator, group.Municipality)).GroupBy(static group => (group.Municipality, group.Station)).ToDictionary(static one => one.Key, static one => one.Sum(static group => group.Entries));
    }

    /// <summary>Since when more than is just being sent waits at the station, as it said itself; the beginning of the span when it is longer.</summary>
    private async ValueTask<DateTime?> FillingSinceAsync(FleetRow row, DateTime now, CancellationToken cancellationToken)
    {
        if (row.Outbox is not { Latest: { Result: > OutboxFilling } latest } outbox)
        {
            return null;
        }

        DateTime? since = null;
        var from = now - OutboxSpan;
        await foreach (var observation in series.RangeAsync(outbox.Datastream.Id, from, now, cancellationToken))
        {
            since = observation.Result > OutboxFilling ? since ?? observation.PhenomenonTime : null;
        }

        return since ?? (latest.PhenomenonTime < from ? latest.PhenomenonTime : null);
    }

    private async ValueTask<IReadOnlyList<string>?> DriftAsync(FleetRow row, CancellationToken cancellationToken)
    {
        if (!row.Drifts)
        {
            return [];
        }

        var history = await fleets.Last().HistoryAsync(row.View.Station.Id, 1_000, cancellationToken);
        var force = row.Agent.Reported?.InForce ?? 0;
        var inForce = history.FirstOrDefault(wanted => wanted.Version == force);
        return history.Count == 0 || (inForce is null && force != 0) ? null : SettingsDrift.Keys(history[0], inForce);
    }

    private static bool IsMeant(StationView view, string text) =>
        text.Length == 0
        || System.Globalization.CultureInfo.InvariantCulture.CompareInfo.IndexOf(view.Station.Name, text, System.Globalization.CompareOptions.IgnoreCase | System.Globalization.CompareOptions.IgnoreNonSpace) >= 0
        || view.Id.Contains(text, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<FleetRow> Ordered(IEnumerable<FleetRow> rows, FleetQuery query)
    {
        var named = rows.OrderBy(static row => row.View.Station.Name, StringComparer.CurrentCultureIgnoreCase).ThenBy(static row => row.View.Id, StringComparer.Ordinal);
        IEnumerable<FleetRow> ordered = query.Sort switch
        {
            FleetColumn.Name => named,
            FleetColumn.Outbox => named.OrderByDescending(static row => row.Outbox?.Latest?.Result ?? -1),
            FleetColumn.Clock => named.OrderBy(static row => row.Clock?.Latest?.Result ?? double.MaxValue).ThenByDescending(static row => row.ClockAge?.Latest?.Result ?? -1),
            FleetColumn.Link => named.OrderBy(static row => row.Agent.Presence switch { Presence.Offline => 0, Presence.Unknown => 1, _ => 2 }).ThenBy(static row => row.Signal?.Latest?.Result ?? double.MaxValue),
            FleetColumn.Agent => named.OrderBy(static row => row.HasAgent ? 0 : 1).ThenBy(static row => AgentVersion.TryParse(row.Version, out var version) ? version : NoVersion),
            FleetColumn.Settings => named.OrderByDescending(static row => row.Drifts),
            FleetColumn.Command => named.OrderByDescending(static row => row.Line.LastCommand?.AskedAt),
            FleetColumn.Quarantine => named.OrderByDescending(static row => row.Quarantined),
            _ => named.OrderBy(static row => row.Health),
        };
        return query.Reversed ? ordered.Reverse() : ordered;
    }
}
