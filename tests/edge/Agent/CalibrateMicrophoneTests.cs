using System.Buffers.Binary;
using System.Diagnostics;
using Hub.Edge.Calibrations;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>The real program, the real ALSA library, and a 1 kHz tone as a sound calibrator makes it; then the real agent, whose levels are right from then on.</summary>
public sealed class CalibrateMicrophoneTests : IAsyncDisposable
{
    private const int Rate = 48_000;

    /// <summary>What the microphone really gives at 94 dB, dBFS; the station file says -26.</summary>
    private const double Sensitivity = -24.3;

    /// <summary>For a level that is steady: on a busy machine that takes its time, and the command itself gives it a quarter of an hour.</summary>
    private static readonly TimeSpan Patience = Eventually.Limit * 4;

    private readonly TempFolder _folder = new();
    private readonly TestBroker _broker = new(FreePort.Next());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_calibrator_makes_the_agent_say_its_level()
    {
        var pipe = _folder.File("pipe");
        using (var make = Process.Start("mkfifo", [pipe]))
        {
            await make.WaitForExitAsync(Cancel);
        }

        await File.WriteAllTextAsync(_folder.File("asound.conf"), $"pcm.ear {{ type file slave.pcm {{ type null }} file \"/dev/null\" infile \"{pipe}\" format \"raw\" }}\n", Cancel);
        await File.WriteAllTextAsync(_folder.File("station.yaml"), """
            municipality: braga
            station: avenida
            sensors:
              - name: mic
                kind: microphone
                microphone: { device: ear, channels: 1, everySecond: true, settle: 00:00:00.25, period: 00:00:10 }
            """, Cancel);
        var environment = new Dictionary<string, string> { ["ALSA_CONFIG_PATH"] = _folder.File("asound.conf"), ["HUB_AGENT_SECRET"] = "s3cret" };
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            var player = Task.Run(() => WidePipe.PlayAsync(pipe, Tone(94), stop.Token), Cancel);
            using (var wrong = new AgentProcess(environment, "calibrate", "--level", "114", "--yes", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data")))
            {
                Assert.Equal(1, await wrong.ExitAsync(Patience));
                Assert.Contains("wrong level: the microphone hears 95.7 dB, not 114.0", string.Join('\n', wrong.Error), StringComparison.Ordinal);
            }

            await stop.CancelAsync();
            await player;
        }

        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            var player = Task.Run(() => WidePipe.PlayAsync(pipe, Tone(94), stop.Token), Cancel);
            using (var calibrate = new AgentProcess(
                environment, "calibrate", "--level", "94", "--reference", "calibrator 4231", "--by", "A. Silva", "--yes", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data")))
            {
                Assert.Equal(0, await calibrate.ExitAsync(Patience));
                Assert.Contains("Recorded calibration 1 of mic/laeq", calibrate.Said, StringComparison.Ordinal);
            }

            await stop.CancelAsync();
            await player;
        }

        CalibrationRecord record = Assert.Single(new CalibrationJournal(_folder.File("data/calibrations")).Read().Records);
        Assert.Equal((CalibrationAct.Acoustic, "laeq", "calibrator 4231"), (record.Act, record.Quantity, record.Reference));
        Assert.Equal(Sensitivity, record.SensitivityAfter!.Value, 0.02);
        Assert.Equal(-1.7, record.After.Offset, 0.02);

        await _broker.StartAsync();
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            var player = Task.Run(() => WidePipe.PlayAsync(pipe, Tone(74), stop.Token), Cancel);
            using (var agent = new AgentProcess(environment, "run", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data"), "--hub", $"127.0.0.1:{_broker.Port}"))
            {
                await Eventually.TrueAsync(() => _broker.Taken.Count(reading => reading is { Property: "laeq", Value: > 73.9 and < 74.1 }) >= 2 || agent.HasExited, "two seconds of the true level arrived");
                Assert.False(agent.HasExited, agent.Said);
                Assert.Equal(0, await agent.TerminateAsync());
            }

            await stop.CancelAsync();
            await player;
        }
    }

    /// <summary>A tenth of a second at 1 kHz: whole waves, so that pieces join.</summary>
    private static byte[] Tone(double level)
    {
        var peak = Math.Pow(10, (Sensitivity + level - 94) / 20);
        var piece = new byte[Rate / 10 * 4];
        for (var n = 0; n < Rate / 10; n++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(piece.AsSpan(n * 4), (int)Math.Round(int.MaxValue * peak * Math.Sin(2 * Math.PI * 1000 * n / Rate)));
        }

        return piece;
    }
}
