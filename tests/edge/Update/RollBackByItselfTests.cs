using System.Text;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update.Tests;

/// <summary>From version to version as a station lives it: the real launcher in systemd's place, the real update inside each agent that runs, real files and a real download.</summary>
[Collection(typeof(ProgramStarts))]
public sealed class RollBackByItselfTests : IAsyncDisposable
{
    private readonly Slots _slots = new Slots().Put("a", "0.0.1").Current("a");
    private readonly TestBundle _bundle = new();
    private readonly RawServer _server = new();
    private readonly List<string> _ran = [];
    private readonly Dictionary<string, byte[]> _bundles = [];

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _bundle.Dispose();
        _slots.Dispose();
    }

    [Fact]
    public async Task A_good_agent_stays_and_one_that_exits_at_once_is_taken_back()
    {
        _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _bundles[request.Split(' ')[1][1..]]);
        var good = Make("0.0.2", Slots.Script("0.0.2"));
        var broken = Make("0.0.3", Slots.Script("0.0.3", "exit 1"));

        Assert.Equal(UpdateStep.Ready, await LiveAsync(good));
        Assert.Equal(UpdateStep.Installed, await LiveAsync(good));
        Assert.Equal(UpdateStep.Ready, await LiveAsync(broken));
        Assert.Equal(UpdateStep.RolledBack, await LiveAsync(broken));
        Assert.Equal(UpdateStep.RolledBack, await LiveAsync(broken));
        Assert.Equal(["0.0.1 a", "0.0.2 b", "0.0.2 b", "0.0.3 a", "0.0.3 a", "0.0.3 a", "0.0.2 b", "0.0.2 b"], _ran);

        // A repaired one comes through.
        var repaired = Make("0.0.4", Slots.Script("0.0.4"));
        Assert.Equal(UpdateStep.Ready, await LiveAsync(repaired));
        Assert.Equal(UpdateStep.Installed, await LiveAsync(repaired));
        Assert.Equal("0.0.4 a", _ran[^1]);
        Assert.Equal("a", _slots.Folders.Current);
        Assert.Equal(3, _server.Requests.Count);
    }

    /// <summary>Starts until an agent lives; it wants what the hub wants and reaches the hub. Ends with its stop, or when it has nothing more to do.</summary>
    private async Task<UpdateStep> LiveAsync(AgentTarget target)
    {
        int code;
        string version, slot;
        do
        {
            (code, var output, var error) = await _slots.LaunchAsync();
            Assert.True(output.Length > 0, error);
            (version, slot) = (output.Split(' ')[0], output.Split(' ')[1]);
            _ran.Add($"{version} {slot}");
        }
        while (code != 0);

        await using var agent = await UpdateFixture.StartAsync(new UpdateFixture(_slots, _bundle, slot, version, Slots.Uptime, Slots.Boot));
        await agent.Service.WantAsync(target, TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        agent.Service.HubReached();
        await agent.UntilAsync(
            () => agent.Life.IsStopping || agent.Service.State is { Step: UpdateStep.Installed or UpdateStep.RolledBack or UpdateStep.Refused }, "something comes of it", TimeSpan.FromMilliseconds(100));
        return agent.Service.State!.Step;
    }

    private AgentTarget Make(string version, string script)
    {
        _bundle.Version = version;
        _bundle.Files["hub-agent"] = Encoding.UTF8.GetBytes(script);
        _bundles[version] = _bundle.ToBytes();
        return new AgentTarget(version, [TestBundle.Announce(_bundles[version], $"{_server.Address}{version}")]);
    }
}
