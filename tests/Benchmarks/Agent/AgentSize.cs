using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Hub.Edge.Sensors.Tests.Traffic;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Tests.Benchmarks.Agent;

/// <summary>
/// What the shipped agent needs of a small machine: memory, processor time, time to the first reading. The native program runs with the station file of a full pole at its default
/// cadence and delivers over TLS. Its microphone is a real ALSA device fed in real time, its serial instruments hang on real pseudo-terminals; what hangs on I2C and GPIO cannot be had
/// without the hardware, and a simulated sensor gives the same quantities in its place.
/// </summary>
internal static class AgentSize
{
    private const int Rate = 48_000;
    private const double MemoryGoal = 36;
    private const double StartGoal = 1;
    private const double ProcessorGoal = 4;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    /// <summary>Runs it and prints the figures; 1 when a goal is missed.</summary>
    /// <param name="seconds">How long it is watched after the warm-up.</param>
    /// <param name="program">Another agent to measure; null for the native one.</param>
    /// <param name="output">Where the figures go.</param>
    public static async Task<int> RunAsync(int seconds, string? program, TextWriter output)
    {
        program ??= await NativeAgent.GetAsync("linux-x64", CancellationToken.None);
        using var folder = new TempFolder();
        using var authority = new TestAuthority();
        await using var broker = new TestBroker(FreePort.Next()) { Certificate = authority.Issue("127.0.0.1") };
        await broker.StartAsync();
        await using var sds011 = new Sds011();
        await using var pms5003 = new Pms5003();
        await using var sps30 = new Sps30();
        await using var lidar = new TfLuna();
        using var radar = new SimulatedOps243();
        radar.Mode = RadarMode.Answering;
        await WriteAsync(folder, authority, sds011.Path, pms5003.Path, sps30.Path, lidar.Path, radar.Path);
        using var stop = new CancellationTokenSource();
        var player = Task.Run(() => PlayAsync(folder.File("pipe"), stop.Token));
        var driver = Task.Run(() => DriveAsync(radar, stop.Token));
        var first = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Before = (_, _) =>
        {
            first.TrySetResult(TimeProvider.System.GetTimestamp());
            return Task.CompletedTask;
        };

        var start = new ProcessStartInfo(
            program, ["run", "--station-file", folder.File("station.yaml"), "--data", folder.File("data"), "--hub", $"127.0.0.1:{broker.Port}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HUB_AGENT_SECRET"] = "s3cret";
        start.Environment["ALSA_CONFIG_PATH"] = folder.File("asound.conf");
        var started = TimeProvider.System.GetTimestamp();
        using var agent = Process.Start(start)!;
        var said = agent.StandardOutput.ReadToEndAsync();
        var complaints = agent.StandardError.ReadToEndAsync();
        try
        {
            await Task.WhenAny(first.Task, agent.WaitForExitAsync());
            if (agent.HasExited)
            {
                output.WriteLine($"The agent ended:\n{await said}{await complaints}");
                return 1;
            }

            var toFirst = TimeProvider.System.GetElapsedTime(started, await first.Task);
            await Task.Delay(WarmUp);
            var before = Process.GetProcessById(agent.Id).TotalProcessorTime;
            var from = TimeProvider.System.GetTimestamp();
            var (most, last) = (0.0, new Memory());
            while (TimeProvider.System.GetElapsedTime(from) < TimeSpan.FromSeconds(seconds))
            {
                await Task.Delay(TimeSpan.FromSeconds(1));
                last = Memory.Of(agent.Id);
                most = Math.Max(most, last.Resident);
            }

            var processor = (Process.GetProcessById(agent.Id).TotalProcessorTime - before) / TimeProvider.System.GetElapsedTime(from) * 100;
            var taken = broker.Taken;
            Say(output, "resident memory, the most seen", most, "MiB", MemoryGoal);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  of it its own {last.Own:0.0} MiB, program and library files {last.Resident - last.Own:0.0} MiB; {last.Threads} threads"));
            Say(output, "start to the first reading at the broker", toFirst.TotalSeconds, "s", StartGoal);
            Say(output, string.Create(CultureInfo.InvariantCulture, $"processor, over {seconds} s"), processor, "% of one core", ProcessorGoal);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{taken.Count} readings arrived in {broker.Packs.Count} packs, of sensors: {string.Join(", ", taken.GroupBy(reading => reading.Sensor).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Key} {group.Count()}"))}"));
            return most <= MemoryGoal && toFirst.TotalSeconds <= StartGoal && processor <= ProcessorGoal ? 0 : 1;
        }
        finally
        {
            if (!agent.HasExited)
            {
                using var kill = Process.Start("kill", ["-TERM", agent.Id.ToString(CultureInfo.InvariantCulture)]);
                await agent.WaitForExitAsync();
            }

            await stop.CancelAsync();
            await Task.WhenAll(player, driver);
            await File.WriteAllTextAsync(Path.Combine(Path.GetTempPath(), "hub-agent-size.log"), await said);
        }
    }

    private static void Say(TextWriter output, string what, double value, string unit, double goal) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {value:0.00} {unit} (goal: at most {goal:0.##}{(value <= goal ? "" : ", MISSED")})"));

    private static async Task WriteAsync(TempFolder folder, TestAuthority authority, string sds011, string pms5003, string sps30, string lidar, string radar)
    {
        await File.WriteAllTextAsync(folder.File("ca.pem"), authority.Pem);
        await File.WriteAllTextAsync(
            folder.File("asound.conf"), $"pcm.ear {{ type file slave.pcm {{ type null }} file \"/dev/null\" infile \"{folder.File("pipe")}\" format \"raw\" }}\n");
        using (var make = Process.Start("mkfifo", [folder.File("pipe")]))
        {
            await make.WaitForExitAsync();
        }

        await File.WriteAllTextAsync(folder.File("station.yaml"), $$"""
            municipality: braga
            station: pole
            location: { latitude: 41.5503, longitude: -8.4229 }
            hub: { tls: true, caFile: ca.pem }
            sensors:
              - { name: dust, kind: sps30, bus: { serial: {{sps30}} } }
              - { name: dust-sds, kind: sds011, bus: { serial: {{sds011}} } }
              - { name: dust-pms, kind: pms5003, bus: { serial: {{pms5003}} } }
              - { name: sound, kind: microphone, microphone: { device: ear } }
              - { name: radar, kind: ops243, bus: { serial: {{radar}} }, radar: { angle: 45 } }
              - { name: lane, kind: tfluna, bus: { serial: {{lidar}} }, ranging: { background: 6 } }
              - { name: board, kind: board }
              - { name: carbon-dioxide, kind: simulated, simulated: { quantities: [co2] } }
              - { name: gas, kind: simulated, simulated: { quantities: [no2, o3, co, so2] } }
              - { name: weather, kind: simulated, simulated: { quantities: [temperature, pressure, relative_humidity] } }
              - { name: wind, kind: simulated, simulated: { quantities: [wind_speed] } }
              - { name: loop, kind: simulated, simulated: { quantities: [vehicle_count, mean_speed, v85, occupancy] } }
              - { name: supply, kind: simulated, simulated: { quantities: [battery] } }
            """);
    }

    /// <summary>Sound in real time: a tenth of a second of stereo noise, ten times a second.</summary>
    private static async Task PlayAsync(string pipe, CancellationToken cancellationToken)
    {
        var piece = RandomNumberGenerator.GetBytes(Rate / 10 * 2 * sizeof(int));
        try
        {
            await using var stream = new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.Read, bufferSize: 0);
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            while (await pace.WaitForNextTickAsync(cancellationToken))
            {
                await stream.WriteAsync(piece, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
        }
    }

    /// <summary>A vehicle every four seconds.</summary>
    private static async Task DriveAsync(SimulatedOps243 radar, CancellationToken cancellationToken)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(4), TimeProvider.System);
        try
        {
            while (await pace.WaitForNextTickAsync(cancellationToken))
            {
                radar.Pass(11.2, 12);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>What the kernel says of a process, MiB.</summary>
    /// <param name="Resident">VmRSS.</param>
    /// <param name="Own">RssAnon: what no file holds.</param>
    /// <param name="Threads">Threads.</param>
    private readonly record struct Memory(double Resident, double Own, int Threads)
    {
        public static Memory Of(int process)
        {
            var lines = File.ReadAllLines($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/status");
            double Number(string name) => double.Parse(lines.First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            return new Memory(Number("VmRSS") / 1024, Number("RssAnon") / 1024, (int)Number("Threads"));
        }
    }
}
