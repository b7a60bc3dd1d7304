using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Outbox;
using Hub.Edge.Sampling;
using Hub.Edge.Twin;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Agent;

/// <summary>What <c>hub-agent status</c> shows: told by the running agent, and written beside the outbox for when it does not run.</summary>
internal sealed record AgentStatus(
    string Agent, string Municipality, string Station, int ProcessId, DateTimeOffset Started, DateTimeOffset At, bool Stopped, OutboxCounters Outbox, UplinkState Uplink,
    IReadOnlyList<SensorState> Sensors, TwinStanding? Twin = null);

[JsonSerializable(typeof(AgentStatus))]
[JsonSourceGenerationOptions(WriteIndented = true, UseStringEnumConverter = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class AgentStatusJson : JsonSerializerContext;

/// <summary>Takes the status from the stages. Any thread.</summary>
internal sealed class AgentStatusSource(string agent, AgentOptions options, IOutbox outbox, IUplink uplink, ISampling sampling, ITwin? twin, TimeProvider time)
{
    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <summary>The status now.</summary>
    public AgentStatus Take(bool stopped) => new(
        agent, options.Municipality, options.Station, Environment.ProcessId, _started, time.GetUtcNow(), stopped, outbox.Counters, uplink.State, sampling.Sensors, twin?.Standing);
}

/// <summary>
/// Tells the status to whoever connects to the socket <c>status.sock</c>, and writes <c>status.json</c> at the start, at the end and now and then between: every writing costs
/// the card a page or two.
/// </summary>
internal sealed class StatusWriter(string data, AgentStatusSource source, TimeSpan interval, TimeProvider time, ILogger<StatusWriter> logger) : BackgroundService
{
    public const string FileName = "status.json";
    public const string SocketName = "status.sock";

    /// <summary>Longest path of a socket, what Linux allows less its end.</summary>
    private const int SocketPathBytesMax = 107;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        Write(stopped: true);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(WriteAsync(stoppingToken), TellAsync(stoppingToken));

    private async Task WriteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
            {
                Write(stopped: false);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task TellAsync(CancellationToken stoppingToken)
    {
        var path = Path.Combine(data, SocketName);
        if (Encoding.UTF8.GetByteCount(path) > SocketPathBytesMax)
        {
            return;
        }

        try
        {
            // The outbox's lock says that no other agent runs here: what is there is left from one that was killed.
            File.Delete(path);
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(4);
            while (true)
            {
                using var asking = await listener.AcceptAsync(stoppingToken).ConfigureAwait(false);
                try
                {
                    await asking.SendAsync(Json(stopped: false), stoppingToken).ConfigureAwait(false);
                }
                catch (SocketException)
                {
                    // Whoever asked has gone.
                }
            }
        }
        catch (OperationCanceledException)
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            logger.StatusFailed(e);
        }
    }

    private void Write(bool stopped)
    {
        try
        {
            var path = Path.Combine(data, FileName);
            File.WriteAllBytes(path + ".new", Json(stopped));
            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.StatusFailed(e);
        }
    }

    private byte[] Json(bool stopped) => JsonSerializer.SerializeToUtf8Bytes(source.Take(stopped), AgentStatusJson.Default.AgentStatus);
}

/// <summary>Shows the status to a person: what the running agent says, else what was last written.</summary>
internal static class StatusReader
{
    /// <summary>Prints the counters of the agent that uses a data folder; 0, or 2 when no agent has written there.</summary>
    public static int Print(string data, TextWriter output, TextWriter error)
    {
        AgentStatus? status;
        var path = Path.Combine(data, StatusWriter.FileName);
        try
        {
            status = JsonSerializer.Deserialize(Ask(Path.Combine(data, StatusWriter.SocketName)) ?? File.ReadAllBytes(path), AgentStatusJson.Default.AgentStatus);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            error.WriteLine($"hub-agent: {data}: no agent has written its status there; give the folder of a running agent with --data.");
            return 2;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            error.WriteLine($"hub-agent: {path}: cannot be read: {e.Message.ReplaceLineEndings(" ")}");
            return 2;
        }

        if (status is null)
        {
            error.WriteLine($"hub-agent: {path}: is empty.");
            return 2;
        }

        var running = !status.Stopped && IsHeld(Path.Combine(data, "outbox", "lock"));
        var outbox = status.Outbox;
        var dropped = outbox.DroppedFull + outbox.DroppedAge + outbox.DroppedDamaged + outbox.DroppedExpired;
        (string Name, string Value)[] lines =
        [
            ("station", $"{status.Municipality}/{status.Station}"),
            ("agent", $"{status.Agent}, {(running ? Invariant($"running as process {status.ProcessId}") : status.Stopped ? "stopped" : "not running")}, started {Instant(status.Started)}"),
            ("as of", Instant(status.At)),
            ("hub", status.Uplink.Connected && running ? $"connected since {Instant(status.Uplink.Since)}" : "not connected"),
            ("problem", status.Uplink.Problem ?? "none"),
            ("taken", Invariant($"{outbox.Taken}")),
            ("released", Invariant($"{outbox.Released} (of these refused by the hub {outbox.Refused})")),
            ("held", Invariant($"{outbox.Held} (of these in memory only {outbox.Unwritten})")),
            ("dropped", Invariant($"{dropped} (full {outbox.DroppedFull}, age {outbox.DroppedAge}, damaged {outbox.DroppedDamaged}, expired {outbox.DroppedExpired})")),
        ];
        foreach (var (name, value) in lines)
        {
            output.WriteLine($"{name,-9} {value}");
        }

        if (status.Twin is { } twin)
        {
            output.WriteLine($"{"twin",-9} {Describe(twin)}");
            foreach (var problem in twin.Problems)
            {
                output.WriteLine($"{"",-9} {problem.ReplaceLineEndings(" ")}");
            }
        }

        foreach (var sensor in status.Sensors)
        {
            output.WriteLine(
                $"sensor    {sensor.Name}: {sensor.Condition.ToString().ToLowerInvariant()}, {Invariant($"taken {sensor.Taken} since the start")}{(sensor.Failure is null ? "" : $", {sensor.Failure.ReplaceLineEndings(" ")}")}");
        }

        return 0;
    }

    private static string Describe(TwinStanding twin)
    {
        var inForce = twin.InForce == 0 ? "the station file alone is in force" : Invariant($"version {twin.InForce} of the hub is in force");
        return twin.Outcome switch
        {
            TwinOutcome.None => "the hub has not set anything",
            TwinOutcome.Trial => Invariant($"{inForce}, on trial since {Instant(twin.At)}"),
            TwinOutcome.Applied => Invariant($"{inForce} since {Instant(twin.At)}"),
            TwinOutcome.Refused => Invariant($"{inForce}; version {twin.Version} was refused at {Instant(twin.At)}:"),
            _ => Invariant($"{inForce}; version {twin.Version} was rolled back at {Instant(twin.At)}:"),
        };
    }

    /// <summary>What the agent says that listens on a socket; null when none does.</summary>
    private static byte[]? Ask(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 2000 };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            using var stream = new NetworkStream(socket);
            using var json = new MemoryStream();
            stream.CopyTo(json);
            return json.Length == 0 ? null : json.ToArray();
        }
        catch (Exception e) when (e is IOException or SocketException or ArgumentException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>True while another process holds the outbox's lock file.</summary>
    private static bool IsHeld(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return true;
            }

            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}
