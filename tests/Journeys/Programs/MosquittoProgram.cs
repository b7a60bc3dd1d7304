using System.Globalization;
using System.Net.Sockets;
using Hub.Tests.Kit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>Debian's mosquitto on a free port of 127.0.0.1, with the passwords and rights that the hub wrote for it.</summary>
public sealed class MosquittoProgram : IAsyncDisposable
{
    private readonly RunningProgram _running;

    private MosquittoProgram(RunningProgram running, int port) => (_running, Port) = (running, port);

    public int Port { get; }

    public static async Task<MosquittoProgram> StartAsync(string folder, string passwordFile, string aclFile)
    {
        var port = FreePort.Next();
        var persistence = Directory.CreateDirectory(Path.Combine(folder, "persistence")).FullName;
        var configuration = Path.Combine(folder, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $"""
            listener {port} 127.0.0.1
            allow_anonymous false
            password_file {passwordFile}
            acl_file {aclFile}
            persistence true
            persistence_location {persistence}/
            max_queued_messages 0
            max_inflight_messages 100
            user root

            """));
        var running = new RunningProgram("/usr/sbin/mosquitto", ["-c", configuration]);
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
                    await client.ConnectAsync("127.0.0.1", port);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "mosquitto listens");
        return new MosquittoProgram(running, port);
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();
}
