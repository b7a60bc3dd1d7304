using System.Diagnostics;
using System.Text.RegularExpressions;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>The service's unit, its drop-ins and its user: what they name exists, and systemd itself has nothing against them.</summary>
public sealed partial class ServiceUnitTests : IDisposable
{
    private const string Analyze = "/usr/bin/systemd-analyze";
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string Folder => Path.Combine(Repository.Root, "firmware-config/systemd");

    private static string[] DropIns => [.. Directory.GetFiles(Path.Combine(Folder, "hub-agent.service.d"), "*.conf").Order(StringComparer.Ordinal)];

    private static string[] Unit => File.ReadAllLines(Path.Combine(Folder, "hub-agent.service"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Paths_and_names_fit_together()
    {
        var command = Value(Unit, "ExecStart").Split(' ');
        Assert.Equal(("/usr/lib/hub-agent/hub-agent-launch", Value(Unit, "ReadWritePaths")), (command[0], command[1]));
        Assert.Equal($"/etc/{Value(Unit, "ConfigurationDirectory")}/station.yaml", command[Array.IndexOf(command, "--station-file") + 1]);
        Assert.Equal($"/var/lib/{Value(Unit, "StateDirectory")}", command[Array.IndexOf(command, "--data") + 1]);
        var users = File.ReadAllLines(Path.Combine(Folder, "hub-agent.sysusers.conf"));
        Assert.Contains(users, line => line.StartsWith($"u {Value(Unit, "User")} ", StringComparison.Ordinal));
        Assert.Equal(["gpio.conf", "i2c.conf", "serial.conf", "sound.conf", "spi.conf"], DropIns.Select(Path.GetFileName));
        Assert.All(DropIns, dropIn =>
        {
            var lines = File.ReadAllLines(dropIn);
            Assert.Contains(users, line => line == $"g {Value(lines, "SupplementaryGroups")} -");
            Assert.Contains(lines, line => line.StartsWith("DeviceAllow=char-", StringComparison.Ordinal));
            Assert.Contains(Path.GetFileName(dropIn), File.ReadAllText(Path.Combine(Folder, "README.md")), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_command_of_the_unit_is_one_the_agent_takes()
    {
        await using var broker = new TestBroker(FreePort.Next());
        await broker.StartAsync();
        await File.WriteAllTextAsync(_folder.File("station.yaml"), "municipality: braga\nstation: avenida\nsensors:\n  - { name: air, kind: simulated, simulated: { interval: 00:00:01 } }\n", Cancel);
        Directory.CreateDirectory(_folder.File("slots/a"));
        await Programs.CopyAsync(await NativeAgent.GetAsync("linux-x64", Cancel), _folder.File("slots/a/hub-agent"));
        File.CreateSymbolicLink(_folder.File("slots/current"), "a");
        string[] arguments = [.. Value(Unit, "ExecStart").Split(' ').Skip(1).Select(word => word switch
        {
            "/opt/hub-agent" => _folder.File("slots"),
            "/etc/hub-agent/station.yaml" => _folder.File("station.yaml"),
            "/var/lib/hub-agent" => _folder.File("data"),
            _ => word,
        })];
        using var agent = new AgentProcess(
            Path.Combine(Folder, "hub-agent-launch"), new Dictionary<string, string> { ["HUB_AGENT_SECRET"] = "s3cret", ["HUB_AGENT_HUB"] = $"127.0.0.1:{broker.Port}" }, arguments);
        await Eventually.TrueAsync(() => broker.Taken.Any(reading => reading.Sensor == "air") || agent.HasExited, "a reading arrived");
        Assert.Equal(0, await agent.TerminateAsync());
    }

    [Fact]
    public void What_waits_in_memory_outlives_every_end_of_the_service()
    {
        // systemd clears /dev/shm of a service's files at its end, and its runtime directory too unless told otherwise.
        Assert.Contains($"Environment=HUB_AGENT_outbox__journalFolder=/run/{Value(Unit, "RuntimeDirectory")}", Unit);
        Assert.Equal(("yes", "0700"), (Value(Unit, "RuntimeDirectoryPreserve"), Value(Unit, "RuntimeDirectoryMode")));
    }

    [Fact]
    public void Stopping_and_signs_of_life_leave_the_agent_time()
    {
        // It stops within 10 s: 8 s for its services, and the outbox's last writing.
        Assert.True(Seconds("TimeoutStopSec") >= 15);
        Assert.Equal(TimeSpan.FromSeconds(Seconds("WatchdogSec") / 2), WatchdogDecisions.Interval($"{Seconds("WatchdogSec") * 1_000_000}", null, 1));
        Assert.Equal("notify", Value(Unit, "Type"));
        Assert.Equal("main", Value(Unit, "NotifyAccess"));
        Assert.Equal("always", Value(Unit, "Restart"));

        static int Seconds(string key) => int.Parse(Digits().Match(Value(Unit, key)).Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Systemd_has_nothing_against_it()
    {
        Assert.SkipUnless(File.Exists(Analyze), "systemd is not installed.");
        var program = await NativeAgent.GetAsync("linux-x64", Cancel);
        var unit = _folder.File("hub-agent.service");
        await File.WriteAllLinesAsync(unit, Unit.Select(line => line.Replace("/usr/lib/hub-agent/hub-agent-launch", program, StringComparison.Ordinal)), Cancel);
        Directory.CreateDirectory(unit + ".d");
        foreach (var dropIn in DropIns)
        {
            File.Copy(dropIn, Path.Combine(unit + ".d", Path.GetFileName(dropIn)));
        }

        Assert.Equal((0, ""), await RunAsync("verify", "--man=no", unit));

        // And finds the sandbox tight: its own measure, from 0 (shut) to 100; the threshold is what it calls good.
        var (code, said) = await RunAsync("security", "--offline=true", "--threshold=25", "--no-pager", unit);
        Assert.True(code == 0, said);

        // The watch sees what it is for.
        await File.WriteAllTextAsync(_folder.File("wrong.service"), $"[Service]\nExecStart={program} run\nProtectSistem=strict\n", Cancel);
        Assert.Contains("ProtectSistem", (await RunAsync("verify", "--man=no", _folder.File("wrong.service"))).Said, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said)> RunAsync(params string[] arguments)
    {
        using var analyze = Process.Start(new ProcessStartInfo(Analyze, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = analyze.StandardOutput.ReadToEndAsync(Cancel);
        var error = await analyze.StandardError.ReadToEndAsync(Cancel);
        await analyze.WaitForExitAsync(Cancel);
        return (analyze.ExitCode, arguments[0] == "verify" ? await output + error : await output);
    }

    private static string Value(IEnumerable<string> lines, string key) => lines.Single(line => line.StartsWith(key + "=", StringComparison.Ordinal))[(key.Length + 1)..];

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
