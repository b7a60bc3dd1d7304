using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hub.Edge.Sensors.Buses;

/// <summary>
/// A serial port straight on termios. The one of System.IO.Ports wakes a thousand times a second and does not notice when an adapter is unplugged; this one sleeps in
/// <c>poll</c> on a thread of its own until a byte or the end of the port comes.
/// </summary>
internal sealed class TermiosPort : ISerialPort
{
    private const int BufferBytes = 4096;
    private static readonly TimeSpan WritePatience = TimeSpan.FromSeconds(1);

    private readonly string path;
    private readonly int descriptor;
    private readonly int wake;
    private readonly TimeProvider time;
    private readonly Thread reader;
    private readonly Lock gate = new();
    private readonly byte[] ring = new byte[BufferBytes];
    private int start;
    private int count;
    private long dropped;
    private string? failure;
    private bool disposed;
    private readonly ArrivalWait arrival;

    private TermiosPort(string path, int descriptor, int wake, TimeProvider time)
    {
        this.path = path;
        this.descriptor = descriptor;
        this.wake = wake;
        this.time = time;
        arrival = new ArrivalWait(gate, time);
        reader = new Thread(Pump, 64 * 1024) { IsBackground = true, Name = $"serial {path}" };
        reader.Start();
    }

    /// <summary>Opens a port; see <see cref="IBuses.OpenSerial"/>.</summary>
    public static TermiosPort Open(string path, int baudRate, TimeProvider time)
    {
        if (!Termios.TrySpeed(baudRate, out uint speed))
        {
            throw new SensorException($"Cannot open {path}: {baudRate} is no serial rate this machine knows; give one of {string.Join(", ", Termios.Rates)}.");
        }

        int descriptor = Termios.Open(path, Termios.ReadWrite | Termios.NoControllingTerminal | Termios.NonBlocking | Termios.CloseOnExec);
        if (descriptor < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new SensorException($"Cannot open {path}: {Mend(error)}");
        }

        int wake = -1;
        try
        {
            // Another program on the same port would take half of every frame. Root may open it all the same, so a lock is asked for too.
            if (Termios.Control(descriptor, Termios.Exclusive) < 0 || Termios.Lock(descriptor, Termios.LockExclusive | Termios.LockNonBlocking) < 0)
            {
                throw new SensorException($"Cannot open {path}: {Mend(Marshal.GetLastPInvokeError())}");
            }

            Span<byte> settings = stackalloc byte[Termios.SettingsBytes];
            if (Termios.GetSettings(descriptor, settings) < 0)
            {
                throw new SensorException($"Cannot open {path}: {Mend(Marshal.GetLastPInvokeError())}");
            }

            Termios.MakeRaw(settings);
            if (Termios.SetSpeed(settings, speed) < 0 || Termios.SetSettings(descriptor, Termios.Now, settings) < 0)
            {
                throw new SensorException($"Cannot set {path} to {baudRate} baud: {Marshal.GetLastPInvokeErrorMessage()}.");
            }

            // What came before is half a frame at best.
            _ = Termios.Flush(descriptor, Termios.FlushBoth);
            wake = Termios.EventDescriptor(0, Termios.CloseOnExec | Termios.NonBlocking);
            return wake >= 0 ? new TermiosPort(path, descriptor, wake, time) : throw new SensorException($"Cannot open {path}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
        catch
        {
            _ = Termios.Close(descriptor);
            if (wake >= 0)
            {
                _ = Termios.Close(wake);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public long Dropped
    {
        get
        {
            lock (gate)
            {
                return dropped;
            }
        }
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan patience, CancellationToken cancellationToken)
    {
        ValueTask waiting;
        lock (gate)
        {
            if (count > 0)
            {
                return Take(buffer.Span);
            }

            ThrowIfBroken();
            waiting = arrival.BeginAsync(patience, cancellationToken);
        }

        await waiting.ConfigureAwait(false);
        lock (gate)
        {
            // What came in the last moment is still taken.
            if (count == 0)
            {
                ThrowIfBroken();
            }

            return Take(buffer.Span);
        }
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        long started = time.GetTimestamp();
        while (bytes.Length > 0)
        {
            nint written;
            int error;
            lock (gate)
            {
                // Under the lock, so that the descriptor is not closed meanwhile; it does not block.
                ThrowIfBroken();
                written = Termios.Write(descriptor, bytes, (nuint)bytes.Length);
                error = Marshal.GetLastPInvokeError();
            }

            if (written > 0)
            {
                bytes = bytes[(int)written..];
                continue;
            }

            if (error is not (Termios.TryAgain or Termios.Interrupted))
            {
                throw new IOException($"{path} cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
            }

            if (time.GetElapsedTime(started) >= WritePatience)
            {
                throw new IOException($"{path} takes nothing: the instrument or its adapter does not answer.");
            }

            Termios.Waited room = new() { Descriptor = descriptor, Events = Termios.CanWrite };
            _ = Termios.Poll(ref room, 1, 100);
        }
    }

    /// <inheritdoc/>
    public void DiscardInput()
    {
        lock (gate)
        {
            start = 0;
            count = 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            // The reader closes the descriptors: closed here, their numbers might be somebody else's by the time it looks.
            disposed = true;
            Span<byte> one = stackalloc byte[8];
            BitConverter.TryWriteBytes(one, 1UL);
            _ = Termios.Write(wake, one, 8);
        }
    }

    private void Pump()
    {
        Span<byte> chunk = stackalloc byte[1024];
        Span<Termios.Waited> waited = stackalloc Termios.Waited[2];
        while (true)
        {
            waited[0] = new() { Descriptor = descriptor, Events = Termios.CanRead };
            waited[1] = new() { Descriptor = wake, Events = Termios.CanRead };
            int ready = Termios.Poll(ref waited[0], 2, -1);
            if (ready < 0 && Marshal.GetLastPInvokeError() == Termios.Interrupted)
            {
                continue;
            }

            if (ready < 0 || waited[1].Returned != 0)
            {
                break;
            }

            nint read = Termios.Read(descriptor, chunk, (nuint)chunk.Length);
            if (read > 0)
            {
                Arrived(chunk[..(int)read]);
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            if (read < 0 && error is Termios.TryAgain or Termios.Interrupted && (waited[0].Returned & Termios.HungUpOrFailed) == 0)
            {
                continue;
            }

            Break(read == 0 ? $"{path} was unplugged." : $"{path} was unplugged or failed: {Marshal.GetPInvokeErrorMessage(error)}.");
            break;
        }

        Break($"{path} is closed.");
        lock (gate)
        {
            _ = Termios.Close(descriptor);
        }

        // After a hang-up Dispose still writes to the wake descriptor: it is waited for.
        while (!IsDisposed())
        {
            waited[1] = new() { Descriptor = wake, Events = Termios.CanRead };
            _ = Termios.Poll(ref waited[1], 1, -1);
        }

        _ = Termios.Close(wake);
        arrival.Dispose();
    }

    private bool IsDisposed()
    {
        lock (gate)
        {
            return disposed;
        }
    }

    private void Arrived(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            foreach (byte value in bytes)
            {
                ring[(start + count) % BufferBytes] = value;
                if (count == BufferBytes)
                {
                    start = (start + 1) % BufferBytes;
                    dropped++;
                }
                else
                {
                    count++;
                }
            }

            arrival.End();
        }
    }

    private void Break(string why)
    {
        lock (gate)
        {
            failure ??= why;
            arrival.End();
        }
    }

    private int Take(Span<byte> buffer)
    {
        int taken = Math.Min(buffer.Length, count);
        for (int index = 0; index < taken; index++)
        {
            buffer[index] = ring[(start + index) % BufferBytes];
        }

        start = (start + taken) % BufferBytes;
        count -= taken;
        return taken;
    }

    private void ThrowIfBroken()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (failure is not null)
        {
            throw new IOException(failure);
        }
    }

    private static string Mend(int error) => error switch
    {
        Termios.NoSuchFile or Termios.NoSuchDevice => "there is no such port. Is the adapter plugged in? hub-agent sensors lists the ports there are.",
        Termios.PermissionDenied => "this user may not use it. Let the agent's user into the group dialout.",
        Termios.NoTerminal => "it is no serial port.",
        Termios.Busy or Termios.TryAgain => "another program uses it. Stop that one (a login console on the port? see raspi-config), or name another port.",
        _ => $"{Marshal.GetPInvokeErrorMessage(error)}.",
    };
}
