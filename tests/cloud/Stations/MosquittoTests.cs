using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Hub.Tests.Kit;

namespace Hub.Cloud.Stations.Tests;

/// <summary>The exported files in front of the real broker: Debian's mosquitto 2 and its command line clients.</summary>
public sealed class MosquittoTests : IAsyncLifetime
{
    private const string Broker = "/usr/sbin/mosquitto";

    private readonly TempFolder folder = new();
    private readonly int port = FreePort.Next();
    private readonly string hubSecret = StationSecret.Generate();
    private readonly Dictionary<string, string> secrets = [];
    private Process? broker;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists(Broker), "mosquitto is not installed");
        await using (var host = await StationsHost.StartAsync(folder))
        {
            secrets["braga/centro"] = (await host.RegisterAsync()).Secret;
            secrets["aveiro/centro"] = (await host.RegisterAsync("aveiro")).Secret;
            secrets["hub"] = hubSecret;
            var files = MosquittoFiles.Write(host.Credentials.Current, "hub", hubSecret);
            await File.WriteAllTextAsync(folder.File("passwords"), files.Passwords, Cancel);
            await File.WriteAllTextAsync(folder.File("acl"), files.Acl, Cancel);
        }

        // Started by root it would become another user, who may not read the folder.
        await File.WriteAllTextAsync(
            folder.File("mosquitto.conf"),
            string.Create(CultureInfo.InvariantCulture, $"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder.File("passwords")}\nacl_file {folder.File("acl")}\nuser {Environment.UserName}\n"),
            Cancel);
        broker = Start(Broker, "-c", folder.File("mosquitto.conf"));
        await Eventually.TrueAsync(
            async () => broker.HasExited ? throw new InvalidOperationException(await broker.StandardError.ReadToEndAsync(Cancel)) : await Listens(), "mosquitto listens");
    }

    public async ValueTask DisposeAsync()
    {
        if (broker is not null)
        {
            broker.Kill();
            await broker.WaitForExitAsync(CancellationToken.None);
            broker.Dispose();
        }

        folder.Dispose();
    }

    [Fact]
    public async Task A_station_publishes_under_its_own_topics_only()
    {
        using var hub = await SubscribeAsync("hub", "$share/hub/hub/v1/+/+/readings");
        Assert.Equal(0, await PublishAsync("braga/centro", "hub/v1/aveiro/centro/readings", "forged"));
        Assert.Equal(0, await PublishAsync("braga/centro", "hub/v1/braga/centro/config/desired", "forged"));
        Assert.Equal(0, await PublishAsync("braga/centro", "hub/v1/braga/centro/readings", "own"));
        Assert.Equal(0, await PublishAsync("aveiro/centro", "hub/v1/aveiro/centro/readings", "own too"));

        // MQTT 3.1.1 has no way to refuse a publish: the broker drops it. What arrives tells.
        Assert.Equal("hub/v1/braga/centro/readings own", await NextAsync(hub));
        Assert.Equal("hub/v1/aveiro/centro/readings own too", await NextAsync(hub));
        hub.Kill();
    }

    [Fact]
    public async Task A_station_hears_its_own_twin_and_commands_only()
    {
        using var station = await SubscribeAsync("braga/centro", "hub/v1/#");
        Assert.Equal(0, await PublishAsync("hub", "hub/v1/aveiro/centro/command/reboot", "not yours"));
        Assert.Equal(0, await PublishAsync("aveiro/centro", "hub/v1/aveiro/centro/readings", "not yours"));
        Assert.Equal(0, await PublishAsync("hub", "hub/v1/braga/centro/command/reboot", "yours"));
        Assert.Equal(0, await PublishAsync("hub", "hub/v1/braga/centro/config/desired", "yours too"));
        Assert.Equal("hub/v1/braga/centro/command/reboot yours", await NextAsync(station));
        Assert.Equal("hub/v1/braga/centro/config/desired yours too", await NextAsync(station));
        station.Kill();
    }

    [Fact]
    public async Task Nobody_enters_without_the_right_secret()
    {
        Assert.NotEqual(0, await RunAsync("mosquitto_pub", "-p", Port, "-h", "127.0.0.1", "-t", "hub/v1/braga/centro/readings", "-m", "x"));
        Assert.NotEqual(0, await RunAsync("mosquitto_pub", "-p", Port, "-h", "127.0.0.1", "-u", "braga/centro", "-P", secrets["aveiro/centro"], "-t", "hub/v1/braga/centro/readings", "-m", "x"));
    }

    [Fact]
    public void The_hubs_own_user_must_not_look_like_a_station_nor_have_a_weak_secret()
    {
        Assert.Throws<ArgumentException>(() => MosquittoFiles.Write([], "braga/centro", hubSecret));
        Assert.Throws<ArgumentException>(() => MosquittoFiles.Write([], "hub\nuser x", hubSecret));
        Assert.Throws<ArgumentException>(() => MosquittoFiles.Write([], "hub", "short"));
    }

    private string Port => port.ToString(CultureInfo.InvariantCulture);

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        await process.WaitForExitAsync(Cancel);
        return process.ExitCode;
    }

    private Task<int> PublishAsync(string user, string topic, string message) =>
        RunAsync("mosquitto_pub", "-h", "127.0.0.1", "-p", Port, "-u", user, "-P", secrets[user], "-q", "1", "-t", topic, "-m", message);

    /// <summary>Subscribes and waits until the broker has said so, which the client reports in its debug output.</summary>
    private async Task<Process> SubscribeAsync(string user, string filter)
    {
        var process = Start("stdbuf", "-oL", "mosquitto_sub", "-d", "-h", "127.0.0.1", "-p", Port, "-u", user, "-P", secrets[user], "-q", "1", "-t", filter, "-F", "%t %p");
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            if (line.StartsWith("Subscribed", StringComparison.Ordinal))
            {
                break;
            }
        }

        return process;
    }

    /// <summary>The next message; the lines of the debug output begin with the word Client.</summary>
    private static async Task<string?> NextAsync(Process subscriber)
    {
        string? line;
        do
        {
            line = await subscriber.StandardOutput.ReadLineAsync(Cancel);
        }
        while (line?.StartsWith("Client ", StringComparison.Ordinal) == true);
        return line;
    }

    private async Task<bool> Listens()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port, Cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
