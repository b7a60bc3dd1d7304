using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Hub.Tests.Kit;
using YamlDotNet.RepresentationModel;

namespace Hub.Edge.Agent.Tests;

/// <summary>firmware-config/provisioning, run for real: the card is a folder, the machine another root, and the agent a script that does what a claim does.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ProvisioningTests : IDisposable
{
    private const string Code = "7K3M-Q9XT-2HWB";
    private static readonly string Folder = Path.Combine(Repository.Root, "firmware-config", "provisioning");
    private static readonly string Runtime = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    // Claims as the agent does: the pending secret first, the station file last; a second claim without --force is refused.
    private const string Agent =
        """
        #!/bin/sh
        set -eu
        echo "$*" >>"${0%/opt/*}/claims"
        file='' force=''
        while [ $# -gt 0 ]; do
          case $1 in --station-file) file=$2; shift ;; --force) force=1 ;; esac
          shift
        done
        folder=${file%/*}
        [ -n "$force" ] || [ ! -f "$file" ] || { echo "hub-agent: there already" >&2; exit 2; }
        [ -f "$folder/secret.claim" ] || echo pending >"$folder/secret.claim"
        echo secret >"$folder/secret"
        echo 'municipality: "braga"' >"$file"
        rm "$folder/secret.claim"
        echo "This machine is the station braga/rotunda (Rotunda) now."
        """;

    private readonly TempFolder _folder = new();

    private string Boot => _folder.File("boot");

    private string Root => _folder.File("root");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_cloud_init_file_calls_the_first_boot_script()
    {
        var text = File.ReadAllText(Path.Combine(Folder, "user-data"));
        Assert.StartsWith("#cloud-config\n", text, StringComparison.Ordinal);
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        var root = (YamlMappingNode)Assert.Single(stream.Documents).RootNode;

        // Keys of cloud-init's modules; one it does not know it would pass over.
        string[] known = ["hostname", "timezone", "ssh_pwauth", "users", "package_update", "packages", "runcmd"];
        Assert.Empty(root.Children.Keys.Select(key => ((YamlScalarNode)key).Value!).Except(known));
        Assert.Equal(["sh", "/boot/firmware/hub/first-boot"], ((YamlSequenceNode)((YamlSequenceNode)root["runcmd"])[0]).Select(node => ((YamlScalarNode)node).Value));
    }

    [Fact]
    public async Task The_scripts_are_plain_sh()
    {
        foreach (var script in new[] { "prepare-card", "hub/first-boot" })
        {
            var (code, output) = await RunAsync("sh", [], "-n", Path.Combine(Folder, script));
            Assert.True(code == 0, output);
            Assert.StartsWith("#!/bin/sh\n", await File.ReadAllTextAsync(Path.Combine(Folder, script), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_rules_and_overlays_are_well_formed()
    {
        Assert.All(Lines("hub/99-hub-agent.rules"), line => Assert.Matches("""^([A-Z]+(\{[A-Za-z./_]+\})?(==|!=|=|\+=)"[^"]+"(, |$))+$""", line));
        Assert.All(Lines("hub/config.txt"), line => Assert.Matches("""^(\[(all|pi4|pi5)\]|dtparam=[a-z0-9_]+=[a-z0-9]+(,[a-z0-9_]+=[a-z0-9]+)*|dtoverlay=[a-z0-9-]+|enable_uart=1)$""", line));

        static IEnumerable<string> Lines(string file) => File.ReadAllLines(Path.Combine(Folder, file)).Where(line => line.Length > 0 && line[0] != '#');
    }

    [Fact]
    public async Task A_card_becomes_a_station_and_stays_it()
    {
        await PrepareAsync();
        Assert.Equal(1, File.ReadAllText(Path.Combine(Boot, "config.txt")).Split("include hub/config.txt").Length - 1);
        await PrepareAsync();
        Assert.Equal(1, File.ReadAllText(Path.Combine(Boot, "config.txt")).Split("include hub/config.txt").Length - 1);

        var (code, output) = await FirstBootAsync();
        Assert.True(code == 0, output);
        Assert.Contains("braga/rotunda", output, StringComparison.Ordinal);
        Complete();

        // A second start leaves everything as it is.
        (code, output) = await FirstBootAsync();
        Assert.True(code == 0, output);
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(Root, "claims"), TestContext.Current.CancellationToken));
        Complete();
    }

    [Fact]
    public async Task Cut_off_at_any_command_the_next_start_goes_on()
    {
        string[] commands = ["mkdir", "rm", "cp", "find", "chmod", "sync", "mv", "ln", "install", "cat", "sed", "head", "tail", "tee", "date", "tr"];
        var shims = Directory.CreateDirectory(_folder.File("shims")).FullName;
        foreach (var command in commands)
        {
            // Counts, and at its turn pulls the plug: the script that called it is gone before the command was done.
            var shim = Path.Combine(shims, command);
            await Programs.WriteAsync(
                shim, $"#!/bin/sh\nPATH=$REAL_PATH\necho >>\"$COUNT\"\nn=$(wc -l <\"$COUNT\")\n[ $n != \"$CUT\" ] || {{ kill -9 $PPID; exit 1; }}\nexec {command} \"$@\"\n");
        }

        var path = Environment.GetEnvironmentVariable("PATH")!;
        var (cuts, step) = (0, Repeats.Of(8, 1));
        for (var cut = 1; ; cut += step)
        {
            foreach (var old in new[] { Boot, Root }.Where(Directory.Exists))
            {
                Directory.Delete(old, recursive: true);
            }

            await PrepareAsync();
            var count = _folder.File("count");
            await File.WriteAllTextAsync(count, "", TestContext.Current.CancellationToken);
            var (first, _) = await FirstBootAsync(
                new() { ["PATH"] = $"{shims}:{path}", ["REAL_PATH"] = path, ["COUNT"] = count, ["CUT"] = cut.ToString(CultureInfo.InvariantCulture) });
            var (code, output) = await FirstBootAsync();
            Assert.True(code == 0, $"cut at {cut}: {output}");
            Complete();
            if (File.ReadLines(count).Count() < cut)
            {
                Assert.Equal(0, first);
                break;
            }

            cuts++;
        }

        Assert.True(cuts * step > 20, $"{cuts} cuts");
    }

    [Theory]
    [InlineData("")]
    [InlineData("XXXX-XXXX-XXXX")]
    public async Task Without_a_code_it_says_what_to_do(string code)
    {
        await PrepareAsync();
        await File.WriteAllTextAsync(Path.Combine(Boot, "hub", "claim.conf"), $"hub=https://hub.example.pt\r\ncode={code}\r\n", TestContext.Current.CancellationToken);
        var (exit, output) = await FirstBootAsync();
        Assert.NotEqual(0, exit);
        Assert.Contains("claim.conf has no code yet", output, StringComparison.Ordinal);
        Assert.Contains("claim.conf has no code yet", await File.ReadAllTextAsync(Path.Combine(Boot, "hub", "first-boot.log"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--hub")]
    [InlineData("--code", "a;b")]
    [InlineData("--hub", "http://hub.example.pt")]
    [InlineData("--agent", "/no/such/folder")]
    [InlineData("--colour", "red")]
    public async Task A_wrong_preparation_is_said_and_writes_nothing(params string[] wrong)
    {
        Directory.CreateDirectory(Boot);
        var (code, output) = await RunAsync(
            "sh", [], [Path.Combine(Folder, "prepare-card"), Boot, "--hub", "https://hub.example.pt", "--code", Code, "--agent", AgentFolder(), .. wrong]);
        Assert.Equal(2, code);
        Assert.Contains("prepare-card: ", output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Boot));
    }

    /// <summary>What must stand where after the first boot.</summary>
    private void Complete()
    {
        Assert.Equal("a", new FileInfo(Path.Combine(Root, "opt/hub-agent/current")).LinkTarget);
        Assert.Equal(Agent, File.ReadAllText(Path.Combine(Root, "opt/hub-agent/current/hub-agent")));
        Assert.True(File.GetUnixFileMode(Path.Combine(Root, "opt/hub-agent/current/hub-agent")).HasFlag(UnixFileMode.OtherExecute));
        foreach (var file in new[]
        {
            "etc/hub-agent/station.yaml", "etc/hub-agent/secret", "etc/systemd/system/hub-agent.service", "etc/udev/rules.d/99-hub-agent.rules", "etc/systemd/system/hub-agent.service.d/serial.conf", "etc/systemd/system/hub-agent.service.d/update.conf", "etc/hub-agent/update-key.pem", "usr/lib/hub-agent/hub-agent-launch", "usr/lib/sysusers.d/hub-agent.conf", "usr/share/hub-agent/stations/air-basic.yaml",
        })
        {
            Assert.True(new FileInfo(Path.Combine(Root, file)).Length > 0, file);
        }

        Assert.False(File.Exists(Path.Combine(Root, "etc/hub-agent/secret.claim")));
        Assert.DoesNotContain(Code, File.ReadAllText(Path.Combine(Boot, "hub/claim.conf")), StringComparison.Ordinal);
        Assert.Equal(["a", "current"], Directory.GetFileSystemEntries(Path.Combine(Root, "opt/hub-agent")).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal));
    }

    private string AgentFolder()
    {
        var folder = Directory.CreateDirectory(_folder.File("agent")).FullName;
        File.WriteAllText(Path.Combine(folder, "hub-agent"), Agent);
        return folder;
    }

    private async Task PrepareAsync()
    {
        Directory.CreateDirectory(Boot);
        if (!File.Exists(Path.Combine(Boot, "config.txt")))
        {
            await File.WriteAllTextAsync(Path.Combine(Boot, "config.txt"), "# theirs\n", TestContext.Current.CancellationToken);
        }

        var key = _folder.File("key.pub");
        await File.WriteAllTextAsync(key, "ssh-ed25519 AAAA/b|c&d me@here\n", TestContext.Current.CancellationToken);
        var (code, output) = await RunAsync(
            "sh", [], Path.Combine(Folder, "prepare-card"), Boot, "--hub", "https://hub.example.pt", "--code", Code, "--agent", AgentFolder(), "--runtime", Runtime, "--key", key, "--update-key", key);
        Assert.True(code == 0, output);
        Assert.Contains("\"ssh-ed25519 AAAA/b|c&d me@here\"", await File.ReadAllTextAsync(Path.Combine(Boot, "user-data"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private Task<(int Code, string Output)> FirstBootAsync(Dictionary<string, string>? environment = null) =>
        RunAsync("sh", new(environment ?? []) { ["HUB_ROOT"] = Root }, Path.Combine(Boot, "hub", "first-boot"));

    private static async Task<(int Code, string Output)> RunAsync(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/" + program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }
}
