using System.Diagnostics;
using System.Runtime.CompilerServices;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>A real Mosquitto on a free loopback port, with the configuration of firmware-config/broker; only port and paths are changed.</summary>
internal sealed class Mosquitto : IAsyncDisposable
{
    private const string Program = "/usr/sbin/mosquitto";

    private readonly TempFolder _folder;
    private Process? _process;

    private Mosquitto(TempFolder folder, int port)
    {
        _folder = folder;
        Port = port;
    }

    public int Port { get; }

    public string HubSecretFile => _folder.File("hub.secret");

    public static string RepositoryFile(string path, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../..", path));

    public static Task<Mosquitto> StartAsync(params (string User, string Secret)[] users) => StartAsync(null, null, users);

    /// <summary>With an authority that issues its certificate it speaks TLS; a change is made to the shipped configuration.</summary>
    public static async Task<Mosquitto> StartAsync(TestAuthority? authority, (string Line, string By)? change, params (string User, string Secret)[] users)
    {
        Assert.SkipUnless(File.Exists(Program), "Mosquitto is not installed (apt install mosquitto mosquitto-clients).");
        var broker = new Mosquitto(new TempFolder(), FreePort.Next());
        await broker.ConfigureAsync([("hub", "hub-secret-0123456789"), .. users], authority, change);
        await broker.RunAsync();
        return broker;
    }

    public async Task RunAsync()
    {
        _process = Process.Start(new ProcessStartInfo(Program, ["-c", _folder.File("mosquitto.conf")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += (_, e) => Log(e.Data);
        _process.OutputDataReceived += (_, e) => Log(e.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Eventually.TrueAsync(IsUpAsync, $"mosquitto listens on {Port}: {string.Join('\n', Lines)}");
    }

    public List<string> Lines { get; } = [];

    /// <summary>Stops it in order: its sessions are written to disk.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            // Again and again: one that listens forgets a request to end that comes before its loop has begun.
            await Eventually.TrueAsync(
                async () =>
                {
                    if (process.HasExited)
                    {
                        return true;
                    }

                    using var kill = Process.Start("/bin/kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
                    await kill.WaitForExitAsync();
                    return process.HasExited;
                },
                "mosquitto ends");

            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    public Dictionary<string, string?> HubSettings() => new()
    {
        ["Hub:Mqtt:Mode"] = "External",
        ["Hub:Mqtt:External:Address"] = $"127.0.0.1:{Port}",
        ["Hub:Mqtt:External:User"] = "hub",
        ["Hub:Mqtt:External:SecretFile"] = HubSecretFile,
        ["Hub:Mqtt:External:RetryMin"] = "00:00:00.100",
        ["Hub:Mqtt:External:RetryMax"] = "00:00:00.500",
    };

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private static void OnlyOurs(string file)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private void Log(string? line)
    {
        if (line is not null)
        {
            lock (Lines)
            {
                Lines.Add(line);
            }
        }
    }

    private async Task<bool> IsUpAsync()
    {
        if (_process!.HasExited)
        {
            throw new InvalidOperationException($"mosquitto ended: {string.Join('\n', Lines)}");
        }

        using var client = new System.Net.Sockets.TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    /// <summary>Gives it another certificate, for its next start.</summary>
    public void Certify(TestAuthority authority, string name)
    {
        authority.IssueFiles(_folder.File("hub.pem"), _folder.File("hub.key"), name);
        OnlyOurs(_folder.File("hub.key"));
    }

    private async Task ConfigureAsync((string User, string Secret)[] users, TestAuthority? authority, (string Line, string By)? change)
    {
        await File.WriteAllTextAsync(HubSecretFile, users[0].Secret + "\n");
        var passwords = _folder.File("passwd");
        await File.WriteAllTextAsync(passwords, "");
        OnlyOurs(passwords);
        foreach (var (user, secret) in users)
        {
            using var passwd = Process.Start(new ProcessStartInfo("/usr/bin/mosquitto_passwd", ["-b", passwords, user, secret]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            await passwd.WaitForExitAsync();
            Assert.Equal(0, passwd.ExitCode);
        }

        File.Copy(RepositoryFile("firmware-config/broker/acl"), _folder.File("acl"));
        OnlyOurs(_folder.File("acl"));
        var shipped = await File.ReadAllTextAsync(RepositoryFile("firmware-config/broker/mosquitto.conf"));
        var ours = shipped
            .Replace("listener 1883 127.0.0.1", $"listener {Port} 127.0.0.1", StringComparison.Ordinal)
            .Replace("/etc/mosquitto/hub.passwd", passwords, StringComparison.Ordinal)
            .Replace("/etc/mosquitto/hub.acl", _folder.File("acl"), StringComparison.Ordinal)
            .Replace("/var/lib/mosquitto/", _folder.Path + "/", StringComparison.Ordinal);
        if (authority is not null)
        {
            // As the comment in the file says: the three lines take the place of the one.
            ours = Swap(ours, $"listener {Port} 127.0.0.1", "");
            ours = Swap(ours, "# listener 8883 0.0.0.0", $"listener {Port} 127.0.0.1");
            ours = Swap(ours, "# certfile /etc/mosquitto/certs/hub.pem", $"certfile {_folder.File("hub.pem")}");
            ours = Swap(ours, "# keyfile /etc/mosquitto/certs/hub.key", $"keyfile {_folder.File("hub.key")}");
            Certify(authority, "127.0.0.1");
        }

        if (change is var (line, by))
        {
            ours = Swap(ours, line, by);
        }

        var me = Environment.UserName;
        await File.WriteAllTextAsync(_folder.File("mosquitto.conf"), $"{ours}\nuser {me}\n");
    }

    private static string Swap(string text, string line, string by)
    {
        Assert.Contains($"\n{line}\n", text, StringComparison.Ordinal);
        return text.Replace($"\n{line}\n", $"\n{by}\n", StringComparison.Ordinal);
    }
}

/// <summary>Runs a command and gives back how it ended.</summary>
internal static class Command
{
    /// <summary>Twenty thousand packs one by one are seconds on an idle machine and minutes on a busy one.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists(program), $"{program} is not installed.");
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{program} did not end: {string.Join(' ', arguments)}");
        }

        return (process.ExitCode, await output + await error);
    }
}
