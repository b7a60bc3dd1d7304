using CsCheck;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Tests.Buses;

/// <summary>The promise that every kind of frame must keep: whatever a line says, only whole frames are values, in order, each once.</summary>
internal static class FrameChecks
{
    private static readonly Gen<(int Kind, int Where, byte[] Garbage)> Fates = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 100_000], Gen.Byte.Array[0, 12], (kind, where, garbage) => (kind, where, garbage));

    // The head of a cut frame waits for as many bytes as it promises, and they come: a line is never silent for good.
    private static readonly byte[] Quiet = new byte[600];

    /// <summary>Whole frames, cut ones, ones with a flipped bit, and garbage, joined at random and arriving in random pieces.</summary>
    public static void OnlyWholeFramesInOrderOnce<TFrame>(FrameCutter<TFrame> cutter, Gen<byte[]> frames, Func<TFrame, string> meaning)
    {
        int samples = 0;
        int chance = 0;
        Gen.Select(Gen.Select(frames, Fates).Array[0, 12], Gen.Int[1, 40]).Sample((pieces, chunk) =>
        {
            var line = new List<byte>();
            var whole = new Dictionary<int, string>();
            foreach ((byte[] frame, (int kind, int where, byte[] garbage)) in pieces)
            {
                switch (kind)
                {
                    case 0:
                        Assert.Equal(Cut.Frame, cutter(frame, out TFrame read, out int used));

                        // The flag at the end of a frame may be the one at the beginning of the next.
                        Assert.InRange(used, frame.Length - 1, frame.Length);
                        whole.Add(line.Count, meaning(read));
                        line.AddRange(frame);
                        break;
                    case 1:
                        line.AddRange(frame[..(where % (frame.Length - 1))]);
                        break;
                    case 2:
                        byte[] flipped = [.. frame];
                        flipped[where % flipped.Length] ^= (byte)(1 << (where / 100 % 8));
                        line.AddRange(flipped);
                        break;
                    default:
                        line.AddRange(garbage);
                        break;
                }
            }

            // A sum is no proof: now and then the pieces make a frame by chance, which nobody could tell.
            byte[] bytes = [.. line, .. Quiet];
            Interlocked.Increment(ref samples);
            for (int at = 0; at < bytes.Length; at++)
            {
                if (!whole.ContainsKey(at) && cutter(bytes.AsSpan(at), out _, out _) == Cut.Frame)
                {
                    Interlocked.Increment(ref chance);
                    return;
                }
            }

            Assert.Equal(whole.OrderBy(entry => entry.Key).Select(entry => entry.Value), Read(cutter, bytes, chunk, meaning));
        }, iter: 2000);

        Assert.True(chance * 50 < samples, $"{chance} of {samples} lines had a frame by chance");
    }

    private static List<string> Read<TFrame>(FrameCutter<TFrame> cutter, byte[] bytes, int chunk, Func<TFrame, string> meaning)
    {
        var stream = new FrameStream<TFrame>(new PiecesPort(bytes, chunk), cutter, TimeProvider.System);
        var found = new List<string>();
        while (true)
        {
            try
            {
                Task<TFrame> next = stream.OneAsync(TimeSpan.Zero, _ => true, CancellationToken.None).AsTask();
                Assert.True(next.IsCompleted);
                found.Add(meaning(next.GetAwaiter().GetResult()));
            }
            catch (NoSampleException)
            {
                Assert.Equal(bytes.Length, stream.Heard);
                return found;
            }
        }
    }

    /// <summary>A port that has it all, and gives it piece by piece.</summary>
    private sealed class PiecesPort(byte[] bytes, int chunk) : ISerialPort
    {
        private int given;

        public long Dropped => 0;

        public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan patience, CancellationToken cancellationToken)
        {
            int count = Math.Min(Math.Min(chunk, buffer.Length), bytes.Length - given);
            bytes.AsSpan(given, count).CopyTo(buffer.Span);
            given += count;
            return ValueTask.FromResult(count);
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
        }

        public void DiscardInput() => given = bytes.Length;

        public void Dispose()
        {
        }
    }
}
