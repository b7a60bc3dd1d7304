using System.Security.Cryptography;
using System.Text;
using Hub.Cloud.Ingest;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;
using Hub.Tests.Kit;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>Campaigns on a real database, with stations that speak through the broker, and hubs that end in between.</summary>
public sealed class CampaignTests : IDisposable
{
    private readonly FleetHost.World world = new();
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        key.Dispose();
        world.Dispose();
    }

    [Fact]
    public async Task Waves_follow_each_other_and_a_hub_that_ends_in_between_goes_on()
    {
        Campaign campaign;
        await using (var host = await StartAsync(3))
        {
            campaign = await host.Updates.StartAsync(new CampaignRequest("spring", "1.4.0", "braga", WaveSize: 2), "ana", Cancel);
            Assert.Equal((CampaignState.Running, 3, "ana"), (campaign.State, campaign.Stations, campaign.StartedBy));
            await CountsAsync(host, campaign.Id, (UpdateStatus.Offered, 2), (UpdateStatus.Pending, 1));
            var document = Agent(host, "air-1")!;
            Assert.Equal(("1.4.0", "linux-arm64", false), (document.Version, document.Bundles.Single().Runtime, document.Force));
            var bundle = (await host.Updates.BundlesAsync(Cancel)).Single();
            Assert.Equal($"https://hub.example.pt/agents/v1/bundles/{bundle.Sha256}", document.Bundles[0].Address);
            Assert.Null(Agent(host, "air-3"));
            await SayAsync(host, "air-1", UpdateStep.Downloading);
            await SayAsync(host, "air-2", UpdateStep.Trial);
            await CountsAsync(host, campaign.Id, (UpdateStatus.Downloading, 1), (UpdateStatus.Trial, 1), (UpdateStatus.Pending, 1));
        }

        await using (var host = await AgainAsync())
        {
            await CountsAsync(host, campaign.Id, (UpdateStatus.Downloading, 1), (UpdateStatus.Trial, 1), (UpdateStatus.Pending, 1));
            Assert.Null(Agent(host, "air-3"));
            await SayAsync(host, "air-2", UpdateStep.Installed);
            await CountsAsync(host, campaign.Id, (UpdateStatus.Downloading, 1), (UpdateStatus.Installed, 1), (UpdateStatus.Offered, 1));
            Assert.NotNull(Agent(host, "air-3"));
            await SayAsync(host, "air-1", UpdateStep.Installed);
            await SayAsync(host, "air-3", UpdateStep.Installed);
            await StateAsync(host, campaign.Id, CampaignState.Finished);
            Assert.Equal([CampaignState.Running, CampaignState.Finished], (await host.Updates.EventsAsync(campaign.Id, Cancel)).Select(e => e.State));

            // What is installed stays wanted; nobody else was touched.
            Assert.NotNull(Agent(host, "air-1"));
            Assert.Null(host.Document("aveiro"));
            Assert.Equal($"campaign {campaign.Id}", (await host.Fleet.WantedAsync(host.Air.Id, Cancel))!.ChangedBy);
        }
    }

    [Fact]
    public async Task It_pauses_by_itself_goes_on_when_resumed_and_takes_its_offer_back_when_cancelled()
    {
        await using var host = await StartAsync(4);
        var campaign = await host.Updates.StartAsync(new CampaignRequest("spring", "1.4.0", "braga", WaveSize: 1), "ana", Cancel);
        await CountsAsync(host, campaign.Id, (UpdateStatus.Offered, 1), (UpdateStatus.Pending, 3));
        await SayAsync(host, "air-1", UpdateStep.RolledBack, "started 3 times");
        await StateAsync(host, campaign.Id, CampaignState.Paused);
        var paused = (await host.Updates.FindAsync(campaign.Id, Cancel))!;
        Assert.Equal(("1 of its stations refused it or went back.", "hub"), (paused.Reason, paused.ChangedBy));
        Assert.Equal((UpdateStatus.RolledBack, "started 3 times"), Of(await host.Updates.StationsAsync(campaign.Id, Cancel), "air-1"));
        Assert.Null(Agent(host, "air-2"));

        await host.Updates.ResumeAsync(campaign.Id, "rui", Cancel);
        await CountsAsync(host, campaign.Id, (UpdateStatus.RolledBack, 1), (UpdateStatus.Offered, 1), (UpdateStatus.Pending, 2));
        await SayAsync(host, "air-2", UpdateStep.Installed);
        await CountsAsync(host, campaign.Id, (UpdateStatus.RolledBack, 1), (UpdateStatus.Installed, 1), (UpdateStatus.Offered, 1), (UpdateStatus.Pending, 1));
        await host.Updates.PauseAsync(campaign.Id, "rui", Cancel);
        await Assert.ThrowsAsync<CampaignRefusedException>(async () => await host.Updates.PauseAsync(campaign.Id, "rui", Cancel));
        await host.Updates.CancelAsync(campaign.Id, "rui", Cancel);
        await CountsAsync(host, campaign.Id, (UpdateStatus.RolledBack, 1), (UpdateStatus.Installed, 1), (UpdateStatus.Withdrawn, 2));
        await Eventually.TrueAsync(() => Agent(host, "air-3") is null && Agent(host, "air-1") is null, "the offers are taken back");
        Assert.NotNull(Agent(host, "air-2"));
        await Assert.ThrowsAsync<CampaignRefusedException>(async () => await host.Updates.ResumeAsync(campaign.Id, "rui", Cancel));
        Assert.Equal(["ana", "hub", "rui", "rui", "rui"], (await host.Updates.EventsAsync(campaign.Id, Cancel)).Select(e => e.By));
    }

    [Fact]
    public async Task The_command_line_beside_the_hub_starts_and_cancels()
    {
        await using var host = await StartAsync(1);
        await using var tool = await FleetHost.StartAsync(world, serves: false, Public);
        var campaign = await tool.Updates.StartAsync(new CampaignRequest("spring", "1.4.0", "braga"), "command line", Cancel);
        await Eventually.TrueAsync(
            () =>
            {
                world.Time.Advance(TimeSpan.FromSeconds(2));
                return Agent(host, "air-1") is not null;
            },
            "the hub offers what the tool started");
        await tool.Updates.CancelAsync(campaign.Id, "command line", Cancel);
        await Eventually.TrueAsync(
            () =>
            {
                world.Time.Advance(TimeSpan.FromSeconds(2));
                return Agent(host, "air-1") is null;
            },
            "the hub takes it back");
    }

    [Fact]
    public async Task What_cannot_be_is_refused_in_words()
    {
        await using var host = await StartAsync(1);
        await RefusedAsync<ArgumentException>(new(" ", "1.4.0", "braga"), "name");
        await RefusedAsync<ArgumentException>(new("a", "1.4", "braga"), "version");
        await RefusedAsync<ArgumentException>(new("a", "1.4.0", "braga", WaveSize: 0), "waveSize");
        await RefusedAsync<ArgumentException>(new("a", "1.4.0", "braga", FailureLimit: 1_001), "failureLimit");
        await RefusedAsync<ArgumentException>(new("a", "1.4.0", "aveiro", [host.Air]), "aveiro");
        await RefusedAsync<CampaignRefusedException>(new("a", "1.4.1", "braga"), "bundle of 1.4.1");
        await RefusedAsync<CampaignRefusedException>(new("a", "1.4.0", "evora"), "no station");
        var first = await host.Updates.StartAsync(new("first", "1.4.0", null, [host.Air]), "ana", Cancel);
        await RefusedAsync<CampaignRefusedException>(new("second", "1.4.0", "braga"), $"still in campaign {first.Id}");
        await host.Updates.CancelAsync(first.Id, "ana", Cancel);
        await CountsAsync(host, first.Id, (UpdateStatus.Withdrawn, 1));
        await Eventually.TrueAsync(async () =>
        {
            await using var db = await host.ContextAsync();
            return db.Campaigns.Single(c => c.Id == first.Id).Settled;
        }, "nothing is left to do");
        Assert.Equal(2, (await host.Updates.StartAsync(new("second", "1.4.0", "braga"), "ana", Cancel)).Id);
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await host.Updates.CancelAsync(99, "ana", Cancel));

        async Task RefusedAsync<T>(CampaignRequest request, string says)
            where T : Exception => Assert.Contains(says, (await Assert.ThrowsAsync<T>(async () => await host.Updates.StartAsync(request, "ana", Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_station_that_is_removed_leaves_the_campaign()
    {
        await using var host = await StartAsync(2);
        var campaign = await host.Updates.StartAsync(new CampaignRequest("spring", "1.4.0", "braga", WaveSize: 1), "ana", Cancel);
        await CountsAsync(host, campaign.Id, (UpdateStatus.Offered, 1), (UpdateStatus.Pending, 1));
        await host.Stations.RemoveAsync(host.Air.Id, Cancel);
        await CountsAsync(host, campaign.Id, (UpdateStatus.Withdrawn, 1), (UpdateStatus.Offered, 1));
        await SayAsync(host, "air-2", UpdateStep.Installed);
        await StateAsync(host, campaign.Id, CampaignState.Finished);
    }

    private static (string, string) Public => ("Hub:PublicUrl", "https://hub.example.pt/");

    /// <summary>A hub with stations air-1 to air-n in Braga, all there, and a bundle of 1.4.0.</summary>
    private async Task<FleetHost> StartAsync(int count)
    {
        var host = await AgainAsync();
        for (var i = 2; i <= count; i++)
        {
            await host.Stations.RegisterAsync(new StationRegistration("braga", $"air-{i}", $"Air {i}", 41.55, -8.42), Cancel);
        }

        for (var i = 1; i <= count; i++)
        {
            await world.Broker.SayAsync("braga", $"air-{i}", StationMessageKind.Status, """{"state":"online","agent":"hub-agent 1.3.0"}""", host.Now);
            await SayAsync(host, $"air-{i}", null);
        }

        await host.Updates.PublishAsync(new MemoryStream(TestBundle.Make(key, "1.4.0")), "ana", Cancel);
        return host;
    }

    private Task<FleetHost> AgainAsync() => FleetHost.StartAsync(world, true, Public);

    /// <summary>A station acts on the newest document and says how far it has come.</summary>
    private async Task SayAsync(FleetHost host, string station, UpdateStep? step, string? problem = null)
    {
        var version = host.Document("braga", station)?.Version ?? 0;
        var agent = new ReportedAgent(step is UpdateStep.Trial or UpdateStep.Installed ? "1.4.0" : "1.3.0", "linux-arm64", step is { } at ? new ReportedUpdate("1.4.0", at, host.Now, problem) : null);
        await world.Broker.SayAsync("braga", station, StationMessageKind.Reported, Encoding.UTF8.GetString(new ReportedState(version, TwinOutcome.Applied, version, host.Now, null, agent).ToUtf8()), host.Now);
    }

    private static AgentTarget? Agent(FleetHost host, string station) => host.Document("braga", station)?.Agent;

    private static (UpdateStatus, string?) Of(IReadOnlyList<CampaignStation> stations, string slug) => stations.Single(s => s.Station == slug) is var found ? (found.Status, found.Problem) : default;

    private static Task StateAsync(FleetHost host, long id, CampaignState state) =>
        Eventually.TrueAsync(async () => (await host.Updates.FindAsync(id, Cancel))!.State == state, $"the campaign is {state}");

    /// <summary>Waits for the counts, and for the offers among them to be with the broker.</summary>
    private static async Task CountsAsync(FleetHost host, long id, params (UpdateStatus Status, int Count)[] counts)
    {
        var expected = counts.OrderBy(c => c.Status).ToArray();
        await Eventually.TrueAsync(
            async () => (await host.Updates.FindAsync(id, Cancel))!.Counts.Select(c => (c.Key, c.Value)).OrderBy(c => c.Key).SequenceEqual(expected)
                && (await host.Updates.StationsAsync(id, Cancel)).All(s => s.Status != UpdateStatus.Offered || Agent(host, s.Station) is not null),
            $"the campaign has {string.Join(", ", expected)}");
    }
}
