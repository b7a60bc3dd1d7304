using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using CsCheck;
using Hub.Edge.Sampling;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Agent.Tests;

/// <summary>Signs of life for systemd, only while something moves: the decision, the service, and the real program under a service manager's eyes.</summary>
public sealed class WatchdogTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Only_what_hangs_in_this_process_is_stuck()
    {
        SensorState gives = State(SensorCondition.Running), starts = State(SensorCondition.Starting, given: false), fails = State(SensorCondition.Failing, failure: "unplugged");
        SensorState hangs = State(SensorCondition.Dead), never = State(SensorCondition.Dead, given: false), broken = State(SensorCondition.Dead, failure: "unplugged");
        Assert.Null(Stuck([gives]));
        Assert.Null(Stuck([starts]));
        Assert.Null(Stuck([fails]));

        // A new start would not mend these.
        Assert.Null(Stuck([never]));
        Assert.Null(Stuck([broken]));
        Assert.Null(Stuck([]));
        Assert.Null(Stuck([hangs, broken]));

        // Neighbours go on.
        Assert.Null(Stuck([hangs, gives]));
        Assert.Null(Stuck([hangs, starts]));
        Assert.NotNull(Stuck([hangs]));
        Assert.NotNull(Stuck([hangs, hangs]));

        // An append that does not come back is, whatever the sensors say.
        Assert.Null(WatchdogDecisions.Stuck([gives], Patience - TimeSpan.FromTicks(1), Patience));
        Assert.Contains("30 s", WatchdogDecisions.Stuck([gives], Patience, Patience), StringComparison.Ordinal);
        Assert.NotNull(WatchdogDecisions.Stuck([], Patience * 2, Patience));
    }

    [Fact]
    public void Sensors_alone_never_stop_the_signs_while_any_of_them_lives_or_fails() => Gen.Select(
        Gen.Enum<SensorCondition>(), Gen.Bool, Gen.Bool, (condition, fails, given) => State(condition, given, fails ? "no answer" : null)).Array[0, 6].Sample(
        sensors => Stuck(sensors) is null || sensors.All(sensor => sensor is { Condition: SensorCondition.Dead, Failure: null, TakenAt: not null }));

    [Theory]
    [InlineData("30000000", null, 15.0)]
    [InlineData("30000000", "42", 15.0)]
    [InlineData("30000000", "", 15.0)]
    [InlineData("30000000", "43", null)]
    [InlineData("2000", "42", 0.001)]
    [InlineData("1999", "42", null)]
    [InlineData(null, "42", null)]
    [InlineData("", null, null)]
    [InlineData("0", null, null)]
    [InlineData("-5", null, null)]
    [InlineData("soon", null, null)]
    [InlineData("99999999999999999999", null, null)]
    public void The_interval_is_half_of_what_systemd_says_to_this_process(string? microseconds, string? processId, double? seconds) =>
        Assert.Equal(seconds, WatchdogDecisions.Interval(microseconds, processId, 42)?.TotalSeconds);

    [Fact]
    public async Task Signs_come_while_it_moves_end_when_it_hangs_and_come_again()
    {
        var time = new FakeTimeProvider();
        var sampling = new FakeSampling { Sensors = [State(SensorCondition.Running)] };
        var manager = new Manager();
        using var watchdog = new Watchdog(manager, sampling, Patience / 2, time, NullLogger<Watchdog>.Instance);
        await watchdog.StartAsync(Cancel);
        await Eventually.TrueAsync(() => manager.Signs == 1, "the first sign comes at once");
        time.Advance(Patience / 2);
        await Eventually.TrueAsync(() => manager.Signs == 2, "the second after half of the watchdog time");

        // A full outbox that drops and accepts, and a disk that refuses and is asked again, are not busy with one append for long.
        sampling.Appending = Patience / 3;
        time.Advance(Patience / 2);
        await Eventually.TrueAsync(() => manager.Signs == 3, "busy is not stuck");

        sampling.Appending = Patience;
        for (var looks = sampling.Looks + 4; sampling.Looks < looks;)
        {
            var before = sampling.Looks;
            time.Advance(Patience / 2);
            await Eventually.TrueAsync(() => sampling.Looks > before, "it looks");
        }

        Assert.Equal(3, manager.Signs);
        sampling.Appending = TimeSpan.Zero;
        time.Advance(Patience / 2);
        await Eventually.TrueAsync(() => manager.Signs == 4, "it moves again");

        manager.IsGone = true;
        time.Advance(Patience / 2);
        await Eventually.TrueAsync(() => manager.Tries == 5, "nobody listens");
        manager.IsGone = false;
        time.Advance(Patience / 2);
        await Eventually.TrueAsync(() => manager.Signs == 5, "that was no reason to end");
        await watchdog.StopAsync(Cancel);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_program_tells_its_service_manager_when_it_is_ready_that_it_lives_and_that_it_stops(bool native)
    {
        await using var broker = new TestBroker(FreePort.Next());
        await broker.StartAsync();
        await File.WriteAllTextAsync(_folder.File("station.yaml"), """
            municipality: braga
            station: avenida
            sensors:
              - { name: air, kind: simulated, simulated: { quantities: [pm10], interval: 00:00:01 } }
            """, Cancel);
        using var listening = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        listening.Bind(new UnixDomainSocketEndPoint(_folder.File("notify")));

        // The agent looks whether its parent is called systemd: a shell that is, and stays its parent.
        File.CreateSymbolicLink(_folder.File("systemd"), "/bin/sh");
        var environment = new Dictionary<string, string>
        {
            ["HUB_AGENT_SECRET"] = "s3cret", ["NOTIFY_SOCKET"] = _folder.File("notify"), ["WATCHDOG_USEC"] = "400000",
        };
        using var manager = new AgentProcess(
            _folder.File("systemd"), environment, "-c", "\"$@\" & child=$!; trap 'kill -TERM $child' TERM; wait $child; wait $child; exit $?", "systemd",
            native ? await NativeAgent.GetAsync("linux-x64", Cancel) : AgentProcess.Managed,
            "run", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data"), "--hub", $"127.0.0.1:{broker.Port}");

        // A service manager listens all the time: few words have room in the socket, and who says one more waits, also with the word that it stops.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var heard = new ConcurrentQueue<string>();
        var hearing = Task.Run(() => HearAsync(listening, heard, over.Token), Cancel);
        await Eventually.TrueAsync(() => (heard.Count(word => word == "WATCHDOG=1") >= 4 && heard.Contains("READY=1")) || manager.HasExited, "it is ready and lives");
        Assert.False(manager.HasExited, manager.Said);
        await Eventually.TrueAsync(() => broker.Taken.Any(reading => reading.Sensor == "air") || manager.HasExited, "readings arrived");
        Assert.Equal(0, await manager.TerminateAsync());
        await Eventually.TrueAsync(() => heard.Contains("STOPPING=1"), "it said that it stops");
        await over.CancelAsync();
        await hearing;

        // A last sign of life may cross the word of the end.
        Assert.Equal(["READY=1", "STOPPING=1"], heard.Where(word => word != "WATCHDOG=1"));
        Assert.Subset(new HashSet<string> { "READY=1", "WATCHDOG=1", "STOPPING=1" }, heard.ToHashSet());

        // For the journal: a level in front, no time of its own, one line each.
        Assert.All(manager.Output.Where(line => line.Length > 0), line => Assert.Matches(@"^<[0-7]>Hub\.Edge\.", line));
        Assert.Contains(manager.Output, line => line.StartsWith("<6>Hub.Edge.Agent", StringComparison.Ordinal) && line.Contains("hub.secret = (hidden)", StringComparison.Ordinal));
    }

    private static async Task HearAsync(Socket socket, ConcurrentQueue<string> heard, CancellationToken cancellationToken)
    {
        var buffer = new byte[256];
        try
        {
            while (true)
            {
                heard.Enqueue(Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, cancellationToken)));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static string? Stuck(SensorState[] sensors) => WatchdogDecisions.Stuck(sensors, TimeSpan.Zero, Patience);

    private static SensorState State(SensorCondition condition, bool given = true, string? failure = null) =>
        new("air", condition, given ? 5 : 0, 0, failure is null ? 0 : 1, given ? Noon : null, failure);

    private sealed class FakeSampling : ISampling
    {
        private int _looks;

        public required IReadOnlyList<SensorState> Sensors { get; init; }

        public TimeSpan Appending
        {
            get
            {
                Interlocked.Increment(ref _looks);
                return field;
            }

            set;
        }

        public int Looks => Volatile.Read(ref _looks);

        public IReadOnlyList<Contract.Readings.Reading> Newest(string? sensor) => throw new NotSupportedException();

        public IReadOnlyList<string> Ask(string? sensor) => throw new NotSupportedException();

        public Task<SamplingChange> ApplyAsync(Microsoft.Extensions.Configuration.IConfiguration configuration, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    private sealed class Manager : ISystemdNotifier
    {
        private int _signs;
        private int _tries;

        public bool IsEnabled => true;

        public volatile bool IsGone;

        public int Signs => Volatile.Read(ref _signs);

        public int Tries => Volatile.Read(ref _tries);

        public void Notify(ServiceState state)
        {
            Interlocked.Increment(ref _tries);
            if (IsGone)
            {
                throw new SocketException((int)SocketError.ConnectionRefused);
            }

            Assert.Equal("WATCHDOG=1", state.ToString());
            Interlocked.Increment(ref _signs);
        }
    }
}
