using Hub.Cloud.Fleet;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>Campaigns in memory: two of Braga, one paused and one finished, one of Évora, and one of the whole hub.</summary>
internal sealed class FakeUpdates(DateTime now) : IAgentUpdates
{
    private readonly Dictionary<long, Campaign> campaigns = new()
    {
        [1] = new(1, "Inverno", "1.2.0", "braga", 5, 1, false, CampaignState.Finished, null, "ana", now.AddDays(-40), "hub", now.AddDays(-39), new Dictionary<UpdateStatus, int> { [UpdateStatus.Installed] = 12 }),
        [2] = new(2, "Évora primeiro", "1.3.0", "evora", 5, 1, false, CampaignState.Running, null, "rui", now.AddDays(-1), "rui", now.AddDays(-1), new Dictionary<UpdateStatus, int> { [UpdateStatus.Offered] = 3 }),
        [3] = new(3, "Todas", "1.3.1", null, 5, 1, false, CampaignState.Cancelled, null, "admin", now.AddDays(-1), "admin", now.AddDays(-1), new Dictionary<UpdateStatus, int> { [UpdateStatus.Withdrawn] = 3 }),
        [4] = new(
            4, "Primavera", "1.4.0", "braga", 2, 1, false, CampaignState.Paused, "1 of its stations refused it or went back.", "ana", now.AddHours(-2), "hub", now.AddMinutes(-5),
            new Dictionary<UpdateStatus, int> { [UpdateStatus.Pending] = 4, [UpdateStatus.Trial] = 1, [UpdateStatus.Installed] = 6, [UpdateStatus.RolledBack] = 1 }),
    };

    /// <summary>What was asked for, in order.</summary>
    public List<string> Asked { get; } = [];

    public ValueTask<StoredBundle> PublishAsync(Stream content, string by, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>What the hub holds.</summary>
    public List<StoredBundle> Bundles { get; } = [];

    public ValueTask<IReadOnlyList<StoredBundle>> BundlesAsync(CancellationToken cancellationToken) => new(Bundles);

    public ValueTask<Campaign> StartAsync(CampaignRequest request, string by, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<Campaign>> CampaignsAsync(string? municipality, int countMax, CancellationToken cancellationToken) => new([.. campaigns.Values.OrderByDescending(c => c.Id).Take(countMax)]);

    public ValueTask<Campaign?> FindAsync(long id, CancellationToken cancellationToken) => new(campaigns.GetValueOrDefault(id));

    public ValueTask<IReadOnlyList<CampaignStation>> StationsAsync(long id, CancellationToken cancellationToken) => new(id != 4
        ? []
        : [
            new CampaignStation(1, "braga", "avenida-central", UpdateStatus.RolledBack, now.AddMinutes(-5), "started 3 times, and it did not reach the hub"),
            new CampaignStation(2, "braga", "ponte", UpdateStatus.Pending, now.AddHours(-2), "It is not there now."),
            new CampaignStation(3, "braga", "parque", UpdateStatus.Trial, now.AddMinutes(-1), null),
        ]);

    public ValueTask<IReadOnlyList<CampaignEvent>> EventsAsync(long id, CancellationToken cancellationToken) => new([]);

    public ValueTask<Campaign> PauseAsync(long id, string by, CancellationToken cancellationToken) => Change(id, "pause", by, CampaignState.Running, CampaignState.Paused);

    public ValueTask<Campaign> ResumeAsync(long id, string by, CancellationToken cancellationToken) => Change(id, "resume", by, CampaignState.Paused, CampaignState.Running);

    public ValueTask<Campaign> CancelAsync(long id, string by, CancellationToken cancellationToken) => Change(id, "cancel", by, campaigns[id].State, CampaignState.Cancelled);

    private ValueTask<Campaign> Change(long id, string what, string by, CampaignState from, CampaignState to)
    {
        Asked.Add($"{what} {id} {by}");
        if (campaigns[id].State != from)
        {
            throw new CampaignRefusedException($"it is {campaigns[id].State}");
        }

        return new(campaigns[id] = campaigns[id] with { State = to, Reason = null, ChangedBy = by, ChangedAt = now });
    }
}
