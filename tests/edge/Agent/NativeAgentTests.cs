using System.Text.RegularExpressions;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>The agent as it is shipped says and does what the one does that all other tests look at: every verb, every exit code.</summary>
public sealed partial class NativeAgentTests : IAsyncDisposable
{
    private const string Station = """
        municipality: braga
        station: avenida
        location: { latitude: 41.5503, longitude: -8.4229 }
        sensors:
          - { name: air, kind: simulated, simulated: { quantities: [pm10, temperature], interval: 00:00:01 } }
          - { name: rain, kind: raingauge, bus: { pins: [17] } }
          - { name: weather, kind: bme280, bus: { i2c: 77, address: "0x76" } }
          - { name: pressure, kind: bme280, bus: { spi: 7 } }
          - { name: dust, kind: sds011, bus: { serial: /dev/no-such-port } }
          - { name: sound, kind: microphone, microphone: { device: no-such-card } }

        """;

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(0, "--help")]
    [InlineData(0, "test --help")]
    [InlineData(0, "schema")]
    [InlineData(0, "check --station-file station.yaml --secret-file secret")]
    [InlineData(0, "check --station-file station.yaml --secret-file secret --set uplink.window=4 --log-level debug")]
    [InlineData(0, "sensors")]
    [InlineData(2, "check --station-file wrong.yaml --secret-file secret")]
    [InlineData(2, "check --station-file no-such.yaml")]
    [InlineData(2, "run --station-file station.yaml")]
    [InlineData(2, "run --no-such-option")]
    [InlineData(2, "status --data none")]
    [InlineData(2, "test --station-file station.yaml --sensor nobody")]
    [InlineData(1, "test --station-file station.yaml --sensor rain")]
    [InlineData(1, "test --station-file station.yaml --sensor weather")]
    [InlineData(1, "test --station-file station.yaml --sensor pressure")]
    [InlineData(1, "test --station-file station.yaml --sensor dust")]
    [InlineData(1, "test --station-file station.yaml --sensor sound")]
    [InlineData(0, "test --station-file station.yaml --sensor air --count 1")]
    public async Task Every_verb_ends_and_speaks_the_same(int expected, string arguments)
    {
        var managed = await SayAsync(AgentProcess.Managed, arguments);
        var native = await SayAsync(await NativeAgent.GetAsync("linux-x64", Cancel), arguments);
        Assert.Equal(expected, managed.Code);
        Assert.Equal(managed, native);
        Assert.NotEqual("", native.Output + native.Error);
    }

    [Theory]
    [InlineData("linux-x64", 20)]
    [InlineData("linux-arm64", 20)]
    public async Task It_is_one_file(string runtime, int megabytesMax)
    {
        var program = new FileInfo(await NativeAgent.GetAsync(runtime, Cancel));
        Assert.Equal([program.FullName], Directory.GetFileSystemEntries(program.DirectoryName!));
        Assert.InRange(program.Length, 1_000_000, megabytesMax * 1_000_000L);
        Assert.True(program.UnixFileMode.HasFlag(UnixFileMode.UserExecute));
        var head = new byte[20];
        await using var file = program.OpenRead();
        await file.ReadExactlyAsync(head, Cancel);

        // An ELF file; the machine stands at byte 18: 0x3E for x64, 0xB7 for arm64.
        Assert.Equal("\u007fELF"u8.ToArray(), head[..4]);
        Assert.Equal(runtime == "linux-x64" ? 0x3E : 0xB7, head[18]);
    }

    [Fact]
    public async Task It_delivers_over_tls_and_tells_its_status()
    {
        using var authority = new TestAuthority();
        await using var broker = new TestBroker(FreePort.Next()) { Certificate = authority.Issue("127.0.0.1") };
        await broker.StartAsync();
        await File.WriteAllTextAsync(_folder.File("ca.pem"), authority.Pem, Cancel);
        await File.WriteAllTextAsync(_folder.File("station.yaml"), """
            municipality: braga
            station: avenida
            hub: { tls: true, caFile: ca.pem }
            sensors:
              - { name: air, kind: simulated, simulated: { quantities: [pm10, temperature], interval: 00:00:01, history: 00:05:00 } }
              - { name: board, kind: board }
            """, Cancel);
        var program = await NativeAgent.GetAsync("linux-x64", Cancel);
        using var agent = new AgentProcess(
            program, new Dictionary<string, string> { ["HUB_AGENT_SECRET"] = "s3cret" }, "run", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data"), "--hub",
            $"127.0.0.1:{broker.Port}");
        await Eventually.TrueAsync(() => broker.Taken.Count(reading => reading.Sensor == "air") >= 600 || agent.HasExited, "the backlog arrived");
        Assert.False(agent.HasExited, agent.Said);
        var told = await SayAsync(program, $"status --data {_folder.File("data")}");
        Assert.Equal((0, ""), (told.Code, told.Error));
        Assert.Contains("connected since", told.Output, StringComparison.Ordinal);
        Assert.Equal(0, await agent.TerminateAsync());
        Assert.Contains("stopped, started", (await SayAsync(program, $"status --data {_folder.File("data")}")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", agent.Said, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> SayAsync(string program, string arguments)
    {
        await File.WriteAllTextAsync(_folder.File("secret"), "s3cret\n", Cancel);
        if (!File.Exists(_folder.File("station.yaml")))
        {
            await File.WriteAllTextAsync(_folder.File("station.yaml"), Station, Cancel);
            await File.WriteAllTextAsync(_folder.File("wrong.yaml"), Station.Replace("bus: { pins", "bus: { pin", StringComparison.Ordinal), Cancel);
        }

        string[] places = [.. arguments.Split(' ').Select(word => word is "station.yaml" or "wrong.yaml" or "no-such.yaml" or "secret" or "none" ? _folder.File(word) : word)];
        using var said = new AgentProcess(program, new Dictionary<string, string>(), places);
        var code = await said.ExitAsync();
        return (code, Timeless(said.Output), Timeless(said.Error));
    }

    /// <summary>Without what differs from second to second: times, and values that were measured.</summary>
    private static string Timeless(IEnumerable<string> lines) => string.Join('\n', lines.Select(line => Moment().Replace(line, "then  $1 value")));

    [GeneratedRegex(@"^\d\d:\d\d:\d\dZ  (\S+)  -?[\d.]+")]
    private static partial Regex Moment();
}
