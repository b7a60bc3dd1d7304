using System.Buffers;
using System.Globalization;
using System.Threading.Tasks.Sources;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Edge.Sampling;
using Hub.Edge.Sensors;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Hub.Edge.Agent.Tests;

/// <summary>
/// What a reading costs in memory on its steady way: from the sensor's value through Sampling and the outbox's disk into an encoded pack, and out of the outbox again. A limit of bytes, so that
/// whoever adds an allocation to that way sees it here.
/// </summary>
[Collection(typeof(Alone))]
public sealed class SteadyPathTests(ITestOutputHelper output) : IAsyncDisposable
{
    private const int Batch = 8;
    private const int BatchesMeasured = 500;
    private const int BatchesBefore = 300;

    /// <summary>Batches whose readings the outbox writes at once.</summary>
    private const int BatchesWritten = 20;
    private readonly TempFolder _folder = new();
    private readonly ArrayBufferWriter<byte> _pack = new(64 * 1024);
    private readonly Reading[] _sent = new Reading[100];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// On disk at once, or gathered for minutes: bytes of memory that taking a reading costs, of eight taken together, and then sending it, of a hundred sent together. What is left where readings
    /// go to disk at once are the tasks of one append, shared by its readings. Gathered ones cost nothing at all from the sensor into memory and journal; the rest is one write to disk for each 160 of them, and
    /// the test's own waiting for it. The limits are those of the Debug build, whose asynchronous methods are objects.
    /// </summary>
    [Theory]
    [InlineData("00:00:00", 90, 8)]
    [InlineData("00:05:00", 16, 8)]
    public async Task A_reading_costs_no_more_than_this(string writeDelay, int takingBytesMax, int sendingBytesMax)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["Agent:Outbox:Folder"] = _folder.File("outbox"), ["Agent:Outbox:WriteDelay"] = writeDelay }).Build();
        var sensor = new SteadySensor();
        using var clock = new StationClock(new MachineTime(ClockTrust.System, TimeProvider.System), TimeProvider.System);
        var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(clock).AddSingleton<ISensor>(sensor);
        services.AddHubOutbox(configuration).AddHubSensors(configuration).AddHubSampling(configuration);
        await using var provider = services.BuildServiceProvider();
        var outbox = provider.GetRequiredService<IOutbox>();
        var sampling = provider.GetRequiredService<IHostedService>();
        await sampling.StartAsync(Cancel);
        for (var round = 0; round < 2; round++)
        {
            await TakeAsync(sensor, outbox, BatchesBefore);
            await SendAsync(outbox);
        }

        sensor.CountAnew();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await TakeAsync(sensor, outbox, BatchesMeasured);
        var taken = GC.GetTotalAllocatedBytes(precise: true);
        await SendAsync(outbox);
        var sent = GC.GetTotalAllocatedBytes(precise: true);
        await sampling.StopAsync(Cancel);
        const double Readings = BatchesMeasured * Batch;
        Assert.Equal((BatchesMeasured + (2 * BatchesBefore)) * Batch, outbox.Counters.Released);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"write delay {writeDelay}: taking {(taken - before) / Readings:0} bytes a reading, sending {(sent - taken) / Readings:0}; {sensor.StraightBytes} bytes in {sensor.Straight} batches that waited for nothing"));
        Assert.InRange((taken - before) / Readings, 0, takingBytesMax);
        Assert.InRange((sent - taken) / Readings, 0, sendingBytesMax);
        if (writeDelay != "00:00:00")
        {
            // None for a reading: an object or two where a write took long and more appends waited than ever before.
            Assert.InRange(sensor.Straight, BatchesMeasured / 2, BatchesMeasured);
            Assert.InRange(sensor.StraightBytes, 0, 1024);
        }
    }

    /// <summary>Has readings taken as a station takes them: when as many wait as the outbox writes at once, the disk gets its time.</summary>
    private static async Task TakeAsync(SteadySensor sensor, IOutbox outbox, int batches)
    {
        for (; batches > 0; batches -= BatchesWritten)
        {
            await sensor.GiveAsync(Math.Min(batches, BatchesWritten));
            await outbox.FlushAsync(Cancel);
        }
    }

    private async Task SendAsync(IOutbox outbox)
    {
        while (outbox.Counters.Held > 0)
        {
            var batch = await outbox.ReadAsync(outbox.Head, 100, Cancel);
            for (var i = 0; i < batch.Readings.Count; i++)
            {
                _sent[i] = batch.Readings[i];
            }

            _pack.ResetWrittenCount();
            ReadingPack.Encode(_pack, PackFormat.Cbor, _sent.AsSpan(0, batch.Readings.Count));
            var (from, until) = (batch.From, batch.Until);
            batch.GiveBack();
            await outbox.ReleaseAsync(from, until, 0, Cancel);
        }
    }

    /// <summary>Gives the same eight values again and again, a second further each time, and allocates nothing for it.</summary>
    private sealed class SteadySensor : ISensor, IAsyncEnumerable<MeasurementBatch>, IAsyncEnumerator<MeasurementBatch>, IValueTaskSource<bool>
    {
        private readonly Measurement[] values = new Measurement[Batch];
        private readonly Lock gate = new();
        private ManualResetValueTaskSourceCore<bool> more = new() { RunContinuationsAsynchronously = true };
        private int left;
        private bool waits;
        private TaskCompletionSource? given;
        private int thread;
        private long bytes;
        private DateTime at = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

        public string Name => "air";

        public MeasurementBatch Current => new(values);

        /// <summary>Batches that were asked for on the thread that had asked for the one before, so without anything waited for between them.</summary>
        public int Straight { get; private set; }

        /// <summary>Bytes that thread allocated between them: making readings of a batch, and the outbox's copy and journal of them.</summary>
        public long StraightBytes { get; private set; }

        public void CountAnew() => (Straight, StraightBytes) = (0, 0);

        /// <summary>Gives so many batches; completes when the outbox has the last of them.</summary>
        public async Task GiveAsync(int batches)
        {
            Task all;
            lock (gate)
            {
                given = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                all = given.Task;
                left += batches;
                if (waits)
                {
                    waits = false;
                    left--;
                    more.SetResult(true);
                }
            }

            await all.WaitAsync(Eventually.Limit);
        }

        public IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, CancellationToken cancellationToken)
        {
            cancellationToken.Register(() =>
            {
                lock (gate)
                {
                    if (waits)
                    {
                        waits = false;
                        more.SetException(new OperationCanceledException(cancellationToken));
                    }
                }
            });
            return this;
        }

        public IAsyncEnumerator<MeasurementBatch> GetAsyncEnumerator(CancellationToken cancellationToken) => this;

        public ValueTask<bool> MoveNextAsync()
        {
            var now = GC.GetAllocatedBytesForCurrentThread();
            if (thread == Environment.CurrentManagedThreadId)
            {
                Straight++;
                StraightBytes += now - bytes;
            }

            at += TimeSpan.FromSeconds(1);
            for (var i = 0; i < Batch; i++)
            {
                values[i] = new Measurement(i switch { 0 => "pm1", 1 => "pm2_5", 2 => "pm4", 3 => "pm10", 4 => "temperature", 5 => "relative_humidity", 6 => "pressure", _ => "no2" }, 20 + ((at.Ticks / TimeSpan.TicksPerSecond) % 7), at);
            }

            lock (gate)
            {
                if (left > 0)
                {
                    left--;
                    (thread, bytes) = (Environment.CurrentManagedThreadId, GC.GetAllocatedBytesForCurrentThread());
                    return ValueTask.FromResult(true);
                }

                // Asked for more: the outbox has what was given before.
                waits = true;
                thread = 0;
                given?.TrySetResult();
                more.Reset();
                return new ValueTask<bool>(this, more.Version);
            }
        }

        public bool GetResult(short token) => more.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => more.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => more.OnCompleted(continuation, state, token, flags);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Alone in the test program, so that what others allocate is not counted.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
