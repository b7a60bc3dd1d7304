using System.Runtime.CompilerServices;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Buses;

/// <summary>What stands at the beginning of some bytes.</summary>
internal enum Cut
{
    /// <summary>Perhaps the beginning of a frame: more bytes are needed.</summary>
    More = 0,

    /// <summary>Bytes that are no frame.</summary>
    Skipped = 1,

    /// <summary>What looked like a frame and is not whole: checksum, length or end are wrong.</summary>
    Damaged = 2,

    /// <summary>A whole frame.</summary>
    Frame = 3,
}

/// <summary>Looks at the beginning of some bytes. Pure. After a damaged frame only so much is used that a whole one hidden behind its head is still found.</summary>
/// <param name="bytes">One byte or more.</param>
/// <param name="frame">The frame, where there is one.</param>
/// <param name="used">Bytes that are done with; 0 only with <see cref="Cut.More"/>.</param>
internal delegate Cut FrameCutter<TFrame>(ReadOnlySpan<byte> bytes, out TFrame frame, out int used);

/// <summary>
/// Takes whole frames out of what a serial port says, past garbage and damaged ones. Gives each frame once, in order, and nothing that came before it last looked away for
/// long: an instrument that fell silent must not be heard from the port's buffer hours later. One caller at a time.
/// </summary>
/// <param name="port">The port; it stays its owner's.</param>
/// <param name="cutter">Knows the frames.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class FrameStream<TFrame>(ISerialPort port, FrameCutter<TFrame> cutter, TimeProvider time)
{
    /// <summary>What has waited in the port for longer than this is not looked at.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    private const int BufferBytes = 1024;
    private readonly byte[] buffer = new byte[BufferBytes];
    private int count;
    private long lastRead = time.GetTimestamp();

    /// <summary>Frames that were not whole.</summary>
    public long Damaged { get; private set; }

    /// <summary>Bytes that belonged to no frame.</summary>
    public long Skipped { get; private set; }

    /// <summary>Bytes heard.</summary>
    public long Heard { get; private set; }

    /// <summary>Forgets all that came so far.</summary>
    public void Discard()
    {
        port.DiscardInput();
        count = 0;
        lastRead = time.GetTimestamp();
    }

    /// <summary>The newest frame that came since the last call; waits for one when none has.</summary>
    /// <param name="patience">How long to wait.</param>
    /// <param name="wanted">Which frames are meant; others are passed over.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NoSampleException">No whole frame came: silence, garbage or damage, as the message says.</exception>
    /// <exception cref="IOException">The port is gone.</exception>
    public async ValueTask<TFrame> NewestAsync(TimeSpan patience, Predicate<TFrame> wanted, CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(lastRead) > FreshFor)
        {
            Discard();
        }

        bool found = false;
        TFrame newest = default!;
        while (await NextAsync(found ? TimeSpan.Zero : patience, wanted, cancellationToken).ConfigureAwait(false) is (true, var frame))
        {
            (found, newest) = (true, frame);
        }

        return found ? newest : throw Nothing();
    }

    /// <summary>The next frame in the order they came.</summary>
    /// <inheritdoc cref="NewestAsync"/>
    public async ValueTask<TFrame> OneAsync(TimeSpan patience, Predicate<TFrame> wanted, CancellationToken cancellationToken) =>
        await NextAsync(patience, wanted, cancellationToken).ConfigureAwait(false) is (true, var frame) ? frame : throw Nothing();

    private long damagedBefore;
    private long heardBefore;

    private NoSampleException Nothing()
    {
        NoSampleException nothing = Damaged > damagedBefore ? new NoSampleException("checksum", "the frame that came was damaged")
            : Heard > heardBefore ? new NoSampleException("garbage", "what came was no frame of it")
            : new NoSampleException("silent", "no frame came");
        (damagedBefore, heardBefore) = (Damaged, Heard);
        return nothing;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<(bool Found, TFrame Frame)> NextAsync(TimeSpan patience, Predicate<TFrame> wanted, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            while (TryCut(out TFrame frame))
            {
                if (wanted(frame))
                {
                    (damagedBefore, heardBefore) = (Damaged, Heard);
                    return (true, frame);
                }
            }

            TimeSpan left = patience - time.GetElapsedTime(started);
            int read = await port.ReadAsync(buffer.AsMemory(count), left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            lastRead = time.GetTimestamp();
            if (read == 0)
            {
                return (false, default!);
            }

            count += read;
            Heard += read;
        }
    }

    private bool TryCut(out TFrame frame)
    {
        while (count > 0)
        {
            Cut cut = cutter(buffer.AsSpan(0, count), out frame, out int used);
            if (cut == Cut.More && count < BufferBytes)
            {
                return false;
            }

            // No frame is as long as the buffer: what fills it without being one is none.
            used = cut == Cut.More ? 1 : used;
            Damaged += cut == Cut.Damaged ? 1 : 0;
            Skipped += cut == Cut.Frame ? 0 : used;
            count -= used;
            buffer.AsSpan(used, count).CopyTo(buffer);
            if (cut == Cut.Frame)
            {
                return true;
            }
        }

        frame = default!;
        return false;
    }
}
