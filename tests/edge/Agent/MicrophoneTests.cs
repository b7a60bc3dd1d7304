using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

/// <summary>
/// No audio ever leaves memory. The real agent hears a known sound through the real ALSA library; then everything it wrote is searched for that sound: files, what
/// it printed, what it published.
/// </summary>
public sealed partial class MicrophoneTests : IAsyncDisposable
{
    private const int Rate = 48_000;
    private readonly TempFolder _folder = new();
    private readonly TestBroker _broker = new(FreePort.Next());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Levels_leave_the_agent_and_sound_does_not(bool native)
    {
        var program = native ? await NativeAgent.GetAsync("linux-x64", Cancel) : AgentProcess.Managed;
        var sound = new Sound();
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
        await _broker.StartAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var player = Task.Run(() => WidePipe.PlayAsync(pipe, sound.Piece, stop.Token), Cancel);
        var environment = new Dictionary<string, string> { ["ALSA_CONFIG_PATH"] = _folder.File("asound.conf"), ["HUB_AGENT_LOG_LEVEL"] = "trace", ["HUB_AGENT_SECRET"] = "s3cret" };
        using (var agent = new AgentProcess(program, environment, "run", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data"), "--hub", $"127.0.0.1:{_broker.Port}"))
        {
            await Eventually.TrueAsync(() => _broker.Taken.Count(r => r.Property == "laeq") >= 3 || agent.HasExited, "three seconds of levels arrived");
            Assert.False(agent.HasExited, agent.Said);
            Assert.All(agent.FilesOpenForWriting(), path => Assert.StartsWith(_folder.File("data"), path, StringComparison.Ordinal));
            Assert.Equal(0, await agent.TerminateAsync());

            var said = agent.Said;
            Assert.Contains("microphone open", said, StringComparison.Ordinal);
            Assert.False(sound.IsIn(System.Text.Encoding.UTF8.GetBytes(said)), "The sound is in what the agent printed.");
            Assert.Empty(sound.NumbersIn(said));
        }

        await stop.CancelAsync();
        await player;

        // What arrived are levels: a handful of numbers a second, not forty-eight thousand.
        var levels = _broker.Taken.Where(r => r.Sensor == "mic").ToArray();
        Assert.All(levels.Where(r => r.Property == "laeq"), r => Assert.InRange(r.Value, 90, 110));
        Assert.InRange(levels.Length, 3, 200);
        var files = Directory.GetFiles(_folder.File("data"), "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, path => Assert.False(sound.IsIn(File.ReadAllBytes(path)), $"The sound is in {path}."));
        Assert.All(_broker.Packs, pack => Assert.False(sound.IsIn(pack.Payload), "The sound is in a message."));
        Assert.All(_broker.Others, other => Assert.Empty(sound.NumbersIn(other.Payload)));
    }

    [Fact]
    public void The_search_finds_what_it_is_for()
    {
        var sound = new Sound();
        foreach (var written in sound.WaysToWriteIt())
        {
            byte[] file = [1, 2, 3, .. written.AsSpan(written.Length / 2, 400), 4];
            Assert.True(sound.IsIn(file));
        }

        Assert.False(sound.IsIn(new byte[5000]));
        Assert.NotEmpty(sound.NumbersIn($"sample {sound.Samples[77]}!"));
        Assert.Empty(sound.NumbersIn("2026-11-26T10:00:00Z 48000 samples"));
    }

    /// <summary>A tenth of a second of noise, the same again and again, and every way in which a program would write it down.</summary>
    private sealed partial class Sound
    {
        private readonly HashSet<ulong> keys = [];
        private readonly HashSet<string> numbers = [];

        public Sound()
        {
            var random = new Random(1961);
            Samples = [.. Enumerable.Range(0, Rate / 10).Select(_ => random.Next(-400_000_000, 400_000_000) & ~0xFF)];
            Piece = Bytes(4, (span, sample) => BinaryPrimitives.WriteInt32LittleEndian(span, sample));
            foreach (var written in WaysToWriteIt())
            {
                for (var place = 0; place + 8 <= written.Length; place++)
                {
                    keys.Add(BinaryPrimitives.ReadUInt64LittleEndian(written.AsSpan(place)));
                }
            }

            numbers.UnionWith(Samples.Where(sample => Math.Abs(sample) > 10_000_000).SelectMany(sample => new[] { sample, sample >> 8 }).Select(number => Math.Abs(number).ToString(CultureInfo.InvariantCulture)).Where(text => text.Length >= 6));
        }

        public int[] Samples { get; }

        public byte[] Piece { get; }

        public IEnumerable<byte[]> WaysToWriteIt() =>
        [
            Piece,
            Bytes(2, (span, sample) => BinaryPrimitives.WriteInt16LittleEndian(span, (short)(sample >> 16))),
            Bytes(4, (span, sample) => BinaryPrimitives.WriteInt32LittleEndian(span, sample >> 8)),
            Bytes(4, (span, sample) => BinaryPrimitives.WriteSingleLittleEndian(span, sample / 2_147_483_648f)),
            Bytes(8, (span, sample) => BinaryPrimitives.WriteDoubleLittleEndian(span, sample / 2_147_483_648.0)),
            Bytes(4, (span, sample) => BinaryPrimitives.WriteInt32BigEndian(span, sample)),
            System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(Piece)),
            System.Text.Encoding.ASCII.GetBytes(Convert.ToHexString(Piece)),
        ];

        /// <summary>True if eight bytes of it, in any of the ways, stand anywhere.</summary>
        public bool IsIn(ReadOnlySpan<byte> bytes)
        {
            for (var place = 0; place + 8 <= bytes.Length; place++)
            {
                if (keys.Contains(BinaryPrimitives.ReadUInt64LittleEndian(bytes[place..])))
                {
                    return true;
                }
            }

            return false;
        }

        public IEnumerable<string> NumbersIn(string text) => Digits().Matches(text).Select(match => match.Value).Where(numbers.Contains);

        private byte[] Bytes(int size, Write write)
        {
            var bytes = new byte[Samples.Length * size];
            for (var n = 0; n < Samples.Length; n++)
            {
                write(bytes.AsSpan(n * size, size), Samples[n]);
            }

            return bytes;
        }

        private delegate void Write(Span<byte> to, int sample);

        [GeneratedRegex(@"\d{6,}")]
        private static partial Regex Digits();
    }
}
