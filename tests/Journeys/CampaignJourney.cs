using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Hub.Edge.Contract.Bundles;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// A new agent from the press to the pole: packed, published and offered by the real hub, fetched, tried and kept by the real launcher and agent; and a broken one that is taken back, at which the campaign pauses.
/// </summary>
public sealed class CampaignJourney(ITestOutputHelper output)
{
    private static readonly string Runtime = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    [Fact]
    public async Task A_good_agent_is_installed_and_a_broken_one_is_taken_back_while_readings_go_on()
    {
        using var folder = new TempFolder();
        await using var hub = new HubProgram(folder.File("hub"));
        var secret = await hub.AddStationAsync("braga", "rotunda");
        await hub.ToolAsync("agent", "keygen", "--key", folder.File("key.pem"));

        // For the hub and for the tools beside it.
        await File.WriteAllTextAsync(Path.Combine(hub.Data, "hub.json"), JsonSerializer.Serialize(new { Hub = new { Fleet = new { UpdateKeys = new[] { folder.File("key.pub.pem") } } } }));
        await hub.StartAsync();

        // The station as an installer leaves it, with version 0.0.1 in slot a.
        var root = folder.File("root");
        var program = Path.GetDirectoryName(HubProgram.AgentExecutable)!;
        await InstallAsync(program, Path.Combine(root, "a"), "0.0.1");
        File.CreateSymbolicLink(Path.Combine(root, "current"), "a");
        await File.WriteAllTextAsync(folder.File("secret"), secret);
        var station = string.Create(CultureInfo.InvariantCulture, $$"""
            municipality: braga
            station: rotunda
            hub: { port: {{hub.MqttPort}}, pages: '{{hub.Client.BaseAddress}}', secretFile: secret }
            update: { keyFiles: [key.pub.pem], root: root }
            sensors:
              - name: air
                kind: simulated
                simulated: { interval: "00:00:01" }
            """);
        await File.WriteAllTextAsync(folder.File("station.yaml"), station);

        // In systemd's place: what ends is started again.
        var isOver = false;
        var ends = new ConcurrentQueue<string>();
        RunningProgram? running = null;
        var supervising = Task.Run(async () =>
        {
            while (!Volatile.Read(ref isOver))
            {
                await using var agent = new RunningProgram("/bin/sh", [Path.Combine(Repository.Root, "firmware-config", "systemd", "hub-agent-launch"), root, "run", "--station-file", folder.File("station.yaml")]);
                Volatile.Write(ref running, agent);
                var code = await agent.ExitAsync(Timeout.InfiniteTimeSpan);
                ends.Enqueue(string.Create(CultureInfo.InvariantCulture, $"exit {code}\n{agent.Output}"));
            }
        });
        try
        {
            var reader = new HubReader(hub.Client);
            HubReader.Stream? stream = null;
            await WaitAsync(async () => (stream = (await reader.DatastreamsAsync("municipality=braga&station=rotunda")).FirstOrDefault(one => one.Sensor == "air")) is not null && await reader.CountAsync(stream.Id) > 0, "the first reading is stored");

            // 0.0.2 is the same build under another version.
            await PublishAsync(program, "0.0.2");
            var first = await StartAsync("spring", "0.0.2");
            await WaitAsync(async () => (await ShowAsync(first)).Contains("\tinstalled\t", StringComparison.Ordinal), "the station has installed 0.0.2");
            await WaitAsync(async () => (await ShowAsync(first)).Contains("state     finished", StringComparison.Ordinal), "the campaign is finished");
            Assert.Equal("b", new FileInfo(Path.Combine(root, "current")).LinkTarget);
            Assert.True(BundleManifest.TryRead(await File.ReadAllBytesAsync(Path.Combine(root, "current", BundleManifest.ManifestName)), out var manifest, out _));
            Assert.Equal("0.0.2", manifest.Version);
            var before = await reader.CountAsync(stream!.Id);

            // 0.0.3 ends as soon as it is started.
            var broken = Directory.CreateDirectory(folder.File("broken")).FullName;
            await File.WriteAllTextAsync(Path.Combine(broken, "hub-agent"), "#!/bin/sh\nexit 1\n");
#pragma warning disable CA1416 // The launcher is a shell script: this journey is for Linux.
            File.SetUnixFileMode(Path.Combine(broken, "hub-agent"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
#pragma warning restore CA1416
            await PublishAsync(broken, "0.0.3");
            var second = await StartAsync("summer", "0.0.3");
            await WaitAsync(async () => (await ShowAsync(second)).Contains("state     paused", StringComparison.Ordinal), "the campaign has paused by itself");
            Assert.Contains("braga/rotunda\trolled-back\t", await ShowAsync(second), StringComparison.Ordinal);
            Assert.Equal("b", new FileInfo(Path.Combine(root, "current")).LinkTarget);
            await WaitAsync(async () => await reader.CountAsync(stream.Id) > before + 3, "readings go on");

            // The hub's people see it; a stranger does not, and gets no bundle either.
            using var stranger = await hub.Client.GetAsync("api/v1/agent-campaigns");
            Assert.Equal(System.Net.HttpStatusCode.Unauthorized, stranger.StatusCode);
            using var bundle = await hub.Client.GetAsync("agents/v1/bundles/" + new string('0', 64));
            Assert.Equal(System.Net.HttpStatusCode.Unauthorized, bundle.StatusCode);
            Assert.Equal(["exit 0", "exit 0", "exit 1", "exit 1", "exit 1"], ends.Select(end => end.Split('\n')[0]).Take(5));
            Assert.DoesNotContain(secret, hub.Output + string.Concat(ends) + running!.Output, StringComparison.Ordinal);
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            await running!.SignalAsync("TERM");
            await supervising;
        }

        async Task PublishAsync(string content, string version)
        {
            var file = folder.File(version + ".bundle");
            await hub.ToolAsync("agent", "pack", "--folder", content, "--version", version, "--runtime", Runtime, "--key", folder.File("key.pem"), "--out", file);
            Assert.Contains("signature  checked", await hub.ToolAsync("agent", "publish", file), StringComparison.Ordinal);
        }

        async Task<string> StartAsync(string name, string version) =>
            (await hub.ToolAsync("agent", "campaign", "start", name, "--version", version, "--municipality", "braga")).Split('\n').Single(line => line.StartsWith("campaign", StringComparison.Ordinal)).Split(' ')[^1].Trim();

        Task<string> ShowAsync(string campaign) => hub.ToolAsync("agent", "campaign", "show", campaign);

        async Task WaitAsync(Func<Task<bool>> state, string what)
        {
            try
            {
                await Eventually.TrueAsync(state, what, TimeSpan.FromMinutes(5));
            }
            catch (TimeoutException)
            {
                output.WriteLine($"The agent said:\n{string.Join('\n', ends)}\n{running?.Output}\nThe hub said:\n{hub.Output}");
                throw;
            }
        }
    }

    /// <summary>The program as it was built, with the manifest that an installed bundle leaves.</summary>
    private static async Task InstallAsync(string program, string slot, string version)
    {
        foreach (var file in Directory.GetFiles(program, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(slot, Path.GetRelativePath(program, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        var bytes = await File.ReadAllBytesAsync(Path.Combine(slot, "hub-agent"));
        var manifest = new BundleManifest(1, version, Runtime, [new BundleFile("hub-agent", bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)), true)]);
        await File.WriteAllBytesAsync(Path.Combine(slot, BundleManifest.ManifestName), manifest.ToUtf8());
    }
}
