using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Tests.Buses;

/// <summary>An instrument on a serial line.</summary>
internal abstract class SerialPart
{
    /// <summary>Where it speaks; null while nobody has the port open.</summary>
    public Action<byte[]>? Say { get; set; }

    /// <summary>The driver said something.</summary>
    public abstract void OnHeard(byte[] bytes);

    /// <summary>Time passes.</summary>
    public virtual void OnTime(DateTimeOffset now)
    {
    }
}

/// <summary>
/// A serial port with an instrument on it, over a real pseudo-terminal: each byte goes through the kernel and the driver's own port both ways. What is said is heard before
/// the saying returns, so that fake time never runs ahead of the bytes.
/// </summary>
internal sealed class SerialBench(WaitedClock clock, SerialPart part) : IBuses, IDisposable
{
    public const string Path = "/dev/serial0";
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private Pty? pty = new();
    private Line? line;

    /// <summary>Rate that the port was opened with.</summary>
    public int BaudRate { get; private set; }

    public ISerialPort OpenSerial(string path, int baudRate)
    {
        Assert.Equal(Path, path);
        BaudRate = baudRate;
        line = new Line(Open((pty ?? throw new SensorException($"Cannot open {path}: there is no such port.")).Path, baudRate), this);
        part.Say = line.Say;
        return line;
    }

    // The port that was closed a moment ago is let go by its own thread.
    private static TermiosPort Open(string path, int baudRate)
    {
        for (long started = Environment.TickCount64; ;)
        {
            try
            {
                return TermiosPort.Open(path, baudRate, TimeProvider.System);
            }
            catch (SensorException) when (Environment.TickCount64 - started < 30_000)
            {
                Thread.Yield();
            }
        }
    }

    public I2cDevice OpenI2c(int bus, int address) => throw new NotSupportedException();

    public SpiDevice OpenSpi(SpiConnectionSettings settings) => throw new NotSupportedException();

    public GpioController OpenGpio() => throw new NotSupportedException();

    /// <summary>The adapter is pulled out.</summary>
    public void Unplug()
    {
        part.Say = null;
        pty!.Unplug();
        pty = null;
        line?.Break();
    }

    /// <summary>And put in again.</summary>
    public void Plug() => pty = new Pty();

    /// <summary>Starts a device and takes one look.</summary>
    public async Task<List<Sample>> LookAsync(IDevice device, bool start = true)
    {
        var samples = new List<Sample>();
        if (start)
        {
            await PassAsync(device.StartAsync(TestContext.Current.CancellationToken).AsTask());
        }

        await PassAsync(device.ReadAsync(samples, TestContext.Current.CancellationToken).AsTask());
        return samples;
    }

    /// <summary>Lets fake time pass, for clock and instrument, until a task is done; throws what it throws.</summary>
    public async Task PassAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            await Task.WhenAny(task, clock.Waiting);
            if (!task.IsCompleted)
            {
                clock.Pass(Step);
                part.OnTime(clock.GetUtcNow());
                await Task.Yield();
            }
        }

        await task;
    }

    public void Dispose() => pty?.Dispose();

    private sealed class Line(TermiosPort port, SerialBench bench) : ISerialPort
    {
        private readonly Lock gate = new();
        private readonly Queue<byte> heard = [];
        private TaskCompletionSource? arrival;
        private IOException? failure;
        private bool disposed;

        public long Dropped => 0;

        public void Say(byte[] bytes)
        {
            lock (gate)
            {
                if (disposed)
                {
                    return;
                }
            }

            // The kernel holds a few kilobytes at least: what is said is taken away at once.
            bench.pty!.Say(bytes);
            var came = new byte[bytes.Length];
            for (int read = 0; read < came.Length;)
            {
                read += port.ReadAsync(came.AsMemory(read), TimeSpan.FromSeconds(30), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }

            Arrived(came);
        }

        public void Break()
        {
            try
            {
                while (port.ReadAsync(new byte[1], TimeSpan.FromSeconds(30), CancellationToken.None).AsTask().GetAwaiter().GetResult() >= 0)
                {
                }
            }
            catch (IOException exception)
            {
                failure = exception;
            }
            catch (ObjectDisposedException)
            {
                return;
            }

            Arrived([]);
        }

        public async ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan patience, CancellationToken cancellationToken)
        {
            Task waiting;
            lock (gate)
            {
                if (heard.Count > 0)
                {
                    return Take(buffer.Span);
                }

                if (failure is not null)
                {
                    throw failure;
                }

                arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting = arrival.Task;
            }

            try
            {
                await waiting.WaitAsync(patience, bench.Clock, cancellationToken);
            }
            catch (TimeoutException)
            {
            }

            lock (gate)
            {
                arrival = null;
                return heard.Count > 0 ? Take(buffer.Span) : failure is null ? 0 : throw failure;
            }
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
            port.Write(bytes);
            bench.Heard(bytes.Length);
        }

        public void DiscardInput()
        {
            lock (gate)
            {
                heard.Clear();
            }
        }

        public void Dispose()
        {
            lock (gate)
            {
                disposed = true;
            }

            port.Dispose();
        }

        private void Arrived(byte[] came)
        {
            lock (gate)
            {
                foreach (byte value in came)
                {
                    heard.Enqueue(value);
                }

                if (arrival is not null)
                {
                    // Its wait is over: time stands still until it waits again.
                    bench.Clock.Watch();
                    arrival.TrySetResult();
                }
            }
        }

        private int Take(Span<byte> buffer)
        {
            int count = Math.Min(buffer.Length, heard.Count);
            for (int index = 0; index < count; index++)
            {
                buffer[index] = heard.Dequeue();
            }

            return count;
        }
    }

    private WaitedClock Clock => clock;

    private void Heard(int count) => part.OnHeard(pty!.Hear(count));
}
