using System.Diagnostics.Metrics;

namespace Hub.Cloud.Fleet;

/// <summary>Counts what happens in the Fleet stage; methods are named for events. Safe for concurrent callers.</summary>
internal sealed class FleetInstruments : IDisposable
{
    public const string MeterName = "Hub.Cloud.Fleet";

    private readonly Meter meter;
    private readonly Counter<long> heard;
    private readonly Counter<long> wanted;
    private readonly Counter<long> published;
    private readonly Counter<long> commands;
    private readonly Counter<long> claims;
    private readonly Counter<long> rulesLeftOut;
    private readonly Counter<long> bundles;
    private readonly Counter<long> campaigns;
    private readonly Counter<long> updates;

    public FleetInstruments(IMeterFactory meters)
    {
        meter = meters.Create(MeterName);
        heard = meter.CreateCounter<long>("hub.fleet.heard", "{message}", "What stations said, by kind (status, reported, reply) and outcome: taken, unreadable, unknown (no such station or command), repeated.");
        wanted = meter.CreateCounter<long>("hub.fleet.wanted", "{version}", "New versions of what is wanted of a station, by cause.");
        published = meter.CreateCounter<long>("hub.fleet.published", "{document}", "Documents given to the broker, by outcome: published, cleared, unavailable (tried again), refused (cannot be made; the one before stays).");
        commands = meter.CreateCounter<long>("hub.fleet.commands", "{command}", "Commands by name and how they ended.");
        claims = meter.CreateCounter<long>("hub.fleet.claims", "{claim}", "Claims by outcome: new, again, unknown, wrong, limited.");
        rulesLeftOut = meter.CreateCounter<long>("hub.fleet.rules.left_out", "{rule}", "Rules for the edge that a document had no room for.");
        bundles = meter.CreateCounter<long>("hub.fleet.bundles", "{request}", "Requests for agent bundles by outcome: sent, credentials, unknown, busy.");
        campaigns = meter.CreateCounter<long>("hub.fleet.campaigns", "{campaign}", "Campaigns that became running, paused, finished, cancelled.");
        updates = meter.CreateCounter<long>("hub.fleet.updates", "{station}", "Stations of campaigns by the status they came to.");
    }

    public void BundleAsked(string outcome) => bundles.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void CampaignBecame(CampaignState state) => campaigns.Add(1, new KeyValuePair<string, object?>("state", state.ToString().ToLowerInvariant()));

    public void UpdateBecame(UpdateStatus status) => updates.Add(1, new KeyValuePair<string, object?>("status", status.ToString().ToLowerInvariant()));

    public void Observe(Func<int> online) => meter.CreateObservableGauge("hub.fleet.online", online, "{station}", "Stations that are there now.");

    public void Heard(string kind, string outcome) => heard.Add(1, new("kind", kind), new("outcome", outcome));

    public void VersionWanted(WantedChange change) => wanted.Add(1, new KeyValuePair<string, object?>("change", change.ToString().ToLowerInvariant()));

    public void Published(string outcome) => published.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void CommandEnded(string name, CommandStep step) => commands.Add(1, new("name", name), new("outcome", step.ToString().ToLowerInvariant()));

    public void Claimed(string outcome) => claims.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void RulesLeftOut(int count) => rulesLeftOut.Add(count);

    public void Dispose() => meter.Dispose();
}
