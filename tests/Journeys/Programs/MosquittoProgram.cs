using System.Globalization;
using System.Net.Sockets;
using Hub.Tests.Kit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>Debian's mosquitto on a free port of 127.0.0.1, with firmware-config's configuration (port and paths changed) and the passwords and rights that the hub wrote for it.</summary>
public sealed class MosquittoProgram : IAsyncDisposable
{
    private readonly string _configuration;
    private RunningProgram? _running;

    private MosquittoProgram(string configuration, int port) => (_configuration, Port) = (configuration, port);

    public int Port { get; }

    public static async Task<MosquittoProgram> StartAsync(string folder, string passwordFile, string aclFile)
    {
        var port = FreePort.Next();
        var persistence = Directory.CreateDirectory(Path.Combine(folder, "persistence")).FullName;
        var configuration = Path.Combine(folder, "mosquitto.conf");
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "firmware-config", "broker", "mosquitto.conf"));
        foreach (var (theirs, ours) in new (string, string)[]
        {
            ("listener 1883 127.0.0.1", string.Create(CultureInfo.InvariantCulture, $"listener {port} 127.0.0.1")),
            ("/etc/mosquitto/hub.passwd", passwordFile),
            ("/etc/mosquitto/hub.acl", aclFile),
            ("/var/lib/mosquitto/", persistence + "/"),
        })
        {
            text = text.Contains(theirs, StringComparison.Ordinal)
                ? text.Replace(theirs, ours, StringComparison.Ordinal)
                : throw new InvalidOperationException($"firmware-config/broker/mosquitto.conf no longer has '{theirs}'.");
        }

        await File.WriteAllTextAsync(configuration, $"{text}\nuser {Environment.UserName}\n");
        var mosquitto = new MosquittoProgram(configuration, port);
        await mosquitto.RunAsync();
        return mosquitto;
    }

    /// <summary>Stops it in order, as its package does at an update, and starts it again: it keeps what it has acknowledged.</summary>
    public async Task RestartAsync()
    {
        await _running!.SignalAsync("TERM");
        await _running.DisposeAsync();
        await RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
        {
            await _running.DisposeAsync();
        }
    }

    private async Task RunAsync()
    {
        var running = _running = new RunningProgram("/usr/sbin/mosquitto", ["-c", _configuration]);
        await Eventually.TrueAsync(
            async () =>
            {
                if (running.HasExited)
                {
                    throw new InvalidOperationException($"mosquitto ended:\n{running.Output}");
                }

                try
                {
                    using var client = new TcpClient();
                    await client.ConnectAsync("127.0.0.1", Port);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "mosquitto listens");
    }
}
