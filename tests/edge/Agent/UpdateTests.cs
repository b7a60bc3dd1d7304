using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Hub.Edge.Agent.Tests;

/// <summary>The real launcher and the real program in its slots.</summary>
public sealed class UpdateTests : IDisposable
{
    private static readonly Dictionary<string, string> Plain = [];
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Folder of the program as it was built beside the tests.</summary>
    private static string Program { get; } = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')) is var built ? Path.Combine(Repository.Root, $"edge/Agent/bin/{built.Parent!.Name}/{built.Name}") : "";

    private string Root => _folder.File("root");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_agent_on_trial_that_does_not_reach_the_hub_exits_with_its_code_and_the_one_before_runs_again()
    {
        await InstallAsync("a", "0.0.1");
        await InstallAsync("b", "0.0.2");
        File.CreateSymbolicLink(Path.Combine(Root, "current"), "b");

        // Begun before a reboot: the launcher counts the five seconds from its own start.
        await File.WriteAllTextAsync(
            Path.Combine(Root, "trial"), $"hub-agent trial 1\nfrom=a\nto=b\nversion=0.0.2\nsha256={new string('5', 64)}\nseconds=5\nboot=before\nuntil=1\nstarts=0\nalive=\nend\n", Cancel);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await StationAsync(key, $"port: {FreePort.Next()}");

        using (var trial = Launch())
        {
            Assert.Equal(4, await trial.ExitAsync());
            Assert.Contains("hub-agent 0.0.2", trial.Said, StringComparison.Ordinal);
            Assert.Contains("0.0.2 has failed its trial: It did not reach the hub within 00:00:05.", trial.Said, StringComparison.Ordinal);
        }

        using var old = Launch();
        await Eventually.TrueAsync(() => old.Said.Contains("0.0.2 was taken back: It did not reach the hub within 00:00:05. 0.0.1 runs again.", StringComparison.Ordinal) || old.HasExited, "the old agent runs");
        Assert.Contains("hub-agent 0.0.1", old.Said, StringComparison.Ordinal);
        Assert.Equal("a", new FileInfo(Path.Combine(Root, "current")).LinkTarget);
        Assert.False(File.Exists(Path.Combine(Root, "trial")));
        Assert.Contains("\"step\":\"rolled-back\"", await File.ReadAllTextAsync(Path.Combine(Root, "update.json"), Cancel), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => old.Said.Contains("Uplink:", StringComparison.Ordinal), "it goes on trying");
        Assert.Equal(0, await old.TerminateAsync());
    }

    [Fact]
    public async Task A_signed_agent_is_fetched_started_and_stays_and_a_broken_one_is_taken_back()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var broker = new TestBroker(FreePort.Next());
        await broker.StartAsync();
        using var pages = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort.Next()}/";
        pages.Prefixes.Add(address);
        pages.Start();
        var bundles = new ConcurrentDictionary<string, byte[]>();
        var asked = new ConcurrentQueue<string>();
        _ = ServeAsync(pages, bundles, asked);

        await InstallAsync("a", "0.0.1");
        File.CreateSymbolicLink(Path.Combine(Root, "current"), "a");
        await StationAsync(key, $"port: {broker.Port}, pages: '{address}'");
        var good = Announce(bundles, address, key, "0.0.2", Directory.GetFiles(Program, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(Program, file), File.ReadAllBytes));
        var broken = Announce(bundles, address, key, "0.0.3", new() { ["hub-agent"] = "#!/bin/sh\nexit 1\n"u8.ToArray() });

        // In systemd's place: what ends is started again.
        var isOver = false;
        var said = new ConcurrentQueue<string>();
        AgentProcess? running = null;
        string Said() => string.Join(Environment.NewLine, said.Append(Volatile.Read(ref running)?.Said ?? ""));
        var supervising = Task.Run(
            async () =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    using var agent = Launch();
                    Volatile.Write(ref running, agent);
                    said.Enqueue($"exit {await agent.ExitAsync(TimeSpan.FromMinutes(4))}: {agent.Said}");
                }
            },
            Cancel);
        try
        {
            await WantAsync(broker, 1, good);
            await ReportedAsync(broker, "0.0.2", "0.0.2", UpdateStep.Installed, Said);
            Assert.Equal("b", new FileInfo(Path.Combine(Root, "current")).LinkTarget);
            Assert.Contains(Reports(broker), report => report is { Agent: { Version: "0.0.2", Update.Step: UpdateStep.Trial } });

            await WantAsync(broker, 2, broken);
            await ReportedAsync(broker, "0.0.2", "0.0.3", UpdateStep.RolledBack, Said);
            Assert.Equal("started 3 times, and it did not reach the hub", Reports(broker)[^1].Agent!.Update!.Problem);
            Assert.Equal("b", new FileInfo(Path.Combine(Root, "current")).LinkTarget);
            Assert.Equal(["exit 0", "exit 0", "exit 1", "exit 1", "exit 1"], said.Select(line => line.Split(':')[0]));

            // The secret went to the hub's pages with each request; each bundle was fetched once.
            Assert.Equal(["Basic " + Convert.ToBase64String("braga/avenida:s3cret"u8), "Basic " + Convert.ToBase64String("braga/avenida:s3cret"u8)], asked);
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            await running!.TerminateAsync();
            await supervising;
        }
    }

    private static List<ReportedState> Reports(TestBroker broker) =>
        [.. broker.Others.Where(message => message.Topic.EndsWith("/config/reported", StringComparison.Ordinal))
            .Select(message => ReportedState.TryRead(Encoding.UTF8.GetBytes(message.Payload), out var report, out _) ? report : null).OfType<ReportedState>()];

    private static async Task ReportedAsync(TestBroker broker, string runs, string wanted, UpdateStep step, Func<string> said)
    {
        try
        {
            await Eventually.TrueAsync(
                () => Reports(broker) is [.., { Agent: { Update: { } update } agent }] && agent.Version == runs && update.Version == wanted && update.Step == step,
                $"{wanted} is {step} while {runs} runs", TimeSpan.FromMinutes(3));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} Reported last: {Reports(broker).LastOrDefault()}. The agents said: {said()}", e);
        }
    }

    private static Task WantAsync(TestBroker broker, long version, AgentTarget target) => broker.Server.InjectApplicationMessage(new InjectedMqttApplicationMessage(
        new MqttApplicationMessageBuilder().WithTopic("hub/v1/braga/avenida/config/desired").WithPayload(new DesiredState(version, Agent: target, Trial: TimeSpan.FromMinutes(5)).ToUtf8())
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).WithRetainFlag().Build()) { SenderClientId = "hub" });

    private static AgentTarget Announce(ConcurrentDictionary<string, byte[]> bundles, string address, ECDsa key, string version, Dictionary<string, byte[]> files)
    {
        var runtime = $"linux-{System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        var manifest = new BundleManifest(
            1, version, runtime, [.. files.Select(file => new BundleFile(file.Key, file.Value.Length, Convert.ToHexStringLower(SHA256.HashData(file.Value)), file.Key == "hub-agent"))]).ToUtf8();
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("manifest.json", manifest);
            Add("manifest.sig", key.SignData(manifest, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            foreach (var (name, content) in files)
            {
                Add(name, content);
            }

            void Add(string name, byte[] content)
            {
                using var target = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
                target.Write(content);
            }
        }

        var bytes = bundles["/" + version] = stream.ToArray();
        return new AgentTarget(version, [new AgentBundle(runtime, address + version, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)))]);
    }

    private static async Task ServeAsync(HttpListener pages, ConcurrentDictionary<string, byte[]> bundles, ConcurrentQueue<string> asked)
    {
        try
        {
            while (true)
            {
                var context = await pages.GetContextAsync();
                asked.Enqueue(context.Request.Headers["Authorization"] ?? "");
                var bytes = bundles[context.Request.Url!.AbsolutePath];
                context.Response.ContentLength64 = bytes.Length;
                await context.Response.OutputStream.WriteAsync(bytes);
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private AgentProcess Launch() => new("/bin/sh", Plain, Path.Combine(Repository.Root, "firmware-config/systemd/hub-agent-launch"), Root, "run", "--station-file", _folder.File("station.yaml"));

    /// <summary>The program as it was built, with the manifest that an installed bundle leaves.</summary>
    private async Task InstallAsync(string slot, string version)
    {
        var folder = Path.Combine(Directory.CreateDirectory(Root).FullName, slot);
        await Programs.CopyAsync(Program, folder);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(folder, "hub-agent"), Cancel);
        var manifest = new BundleManifest(1, version, "linux-x64", [new BundleFile("hub-agent", bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)), true)]);
        await File.WriteAllBytesAsync(Path.Combine(folder, BundleManifest.ManifestName), manifest.ToUtf8(), Cancel);
    }

    private async Task StationAsync(ECDsa key, string hub)
    {
        await File.WriteAllTextAsync(_folder.File("key.pub.pem"), key.ExportSubjectPublicKeyInfoPem(), Cancel);
        await File.WriteAllTextAsync(_folder.File("secret"), "s3cret", Cancel);
        await File.WriteAllTextAsync(
            _folder.File("station.yaml"),
            $$"""
            municipality: braga
            station: avenida
            hub: { {{hub}}, secretFile: secret }
            update: { keyFiles: [key.pub.pem], root: root }
            sensors:
              - name: air
                kind: simulated
                simulated: { interval: 00:00:01 }
            """,
            Cancel);
    }
}
