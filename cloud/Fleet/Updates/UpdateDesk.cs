namespace Hub.Cloud.Fleet.Updates;

/// <summary>The front door of updates: each call goes to the part that owns it.</summary>
internal sealed class UpdateDesk(BundleStore bundles, CampaignDesk campaigns) : IAgentUpdates
{
    public ValueTask<StoredBundle> PublishAsync(Stream content, string by, CancellationToken cancellationToken) => bundles.PublishAsync(content, by, cancellationToken);

    public ValueTask<IReadOnlyList<StoredBundle>> BundlesAsync(CancellationToken cancellationToken) => bundles.ListAsync(cancellationToken);

    public ValueTask<Campaign> StartAsync(CampaignRequest request, string by, CancellationToken cancellationToken) => campaigns.StartAsync(request, by, cancellationToken);

    public ValueTask<IReadOnlyList<Campaign>> CampaignsAsync(string? municipality, int countMax, CancellationToken cancellationToken) => campaigns.ListAsync(municipality, countMax, cancellationToken);

    public ValueTask<Campaign?> FindAsync(long id, CancellationToken cancellationToken) => campaigns.FindAsync(id, cancellationToken);

    public ValueTask<IReadOnlyList<CampaignStation>> StationsAsync(long id, CancellationToken cancellationToken) => campaigns.StationsAsync(id, cancellationToken);

    public ValueTask<IReadOnlyList<CampaignEvent>> EventsAsync(long id, CancellationToken cancellationToken) => campaigns.EventsAsync(id, cancellationToken);

    public ValueTask<Campaign> PauseAsync(long id, string by, CancellationToken cancellationToken) => campaigns.ChangeAsync(id, [CampaignState.Running], CampaignState.Paused, by, cancellationToken);

    public ValueTask<Campaign> ResumeAsync(long id, string by, CancellationToken cancellationToken) => campaigns.ChangeAsync(id, [CampaignState.Paused], CampaignState.Running, by, cancellationToken);

    public ValueTask<Campaign> CancelAsync(long id, string by, CancellationToken cancellationToken) =>
        campaigns.ChangeAsync(id, [CampaignState.Running, CampaignState.Paused], CampaignState.Cancelled, by, cancellationToken);
}
