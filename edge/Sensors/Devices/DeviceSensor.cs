using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Devices;

/// <summary>
/// Looks at a device every so often and gives the averages of intervals that begin at whole multiples of their length in UTC. Looks that give nothing lower the
/// interval's coverage; after too many in a row the device is closed and opened again. An interval without any value gives nothing: a gap is a gap.
/// </summary>
internal sealed class DeviceSensor(string name, DeviceTiming timing, Func<IDevice> open, TimeProvider time, SensorsInstruments instruments, ILogger logger) : ISensor
{
    /// <summary>Looks in a row without a value after which the device is opened again.</summary>
    public const int EmptyLooksMax = 10;

    private readonly IntervalAverager averager = new();
    private readonly List<Sample> samples = [];
    private DateTime? interval;
    private volatile CancellationTokenSource? rest;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public TimeSpan Cadence => timing.Period;

    /// <inheritdoc/>
    public bool IsOptical { get; init; }

    /// <inheritdoc/>
    public bool Ask()
    {
        if (rest is not { IsCancellationRequested: false } resting)
        {
            return false;
        }

        try
        {
            // Not on this thread: the look would be taken on it.
            _ = resting.CancelAsync();
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // What an interval had before the device failed is not lost: it goes on when the device is back, or is given when the interval is over.
        if (Finished() is { } left)
        {
            yield return left;
        }

        await using IDevice device = open();
        using var attention = new Attention(this);
        await StartAsync(device, cancellationToken).ConfigureAwait(false);
        long started = time.GetTimestamp();
        int empty = 0;
        while (true)
        {
            if (Finished() is { } batch)
            {
                yield return batch;
            }

            samples.Clear();
            try
            {
                await device.ReadAsync(samples, cancellationToken).ConfigureAwait(false);
                empty = 0;
            }
            catch (NoSampleException exception)
            {
                instruments.Empty(name, exception.Reason);
                if (++empty >= EmptyLooksMax)
                {
                    throw new SensorException($"{name} gave no value in {empty} looks; the last time: {exception.Message}", exception);
                }

                if (empty == 1)
                {
                    logger.Empty(name, exception.Message);
                }
            }
            catch (IOException exception)
            {
                throw new SensorException($"{name}: {exception.Message}", exception);
            }

            // A look belongs to the interval in which it ended.
            if (Finished() is { } ended)
            {
                yield return ended;
            }

            bool warmingUp = time.GetElapsedTime(started) < device.WarmUp;
            foreach (Sample sample in samples)
            {
                averager.Add(sample, warmingUp);
            }

            while (await RestAsync(cancellationToken).ConfigureAwait(false))
            {
                samples.Clear();
                bool given = await LookAsync(device, cancellationToken).ConfigureAwait(false);
                if (Finished() is { } over)
                {
                    yield return over;
                }

                if (given && Asked(warmingUp) is { Length: > 0 } seen)
                {
                    yield return new MeasurementBatch(seen);
                }
            }
        }
    }

    /// <summary>Waits for the next look; true when one is asked for before.</summary>
    private async ValueTask<bool> RestAsync(CancellationToken cancellationToken)
    {
        if (rest is null || rest.IsCancellationRequested)
        {
            rest?.Dispose();
            rest = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        }

        DateTime now = Now;
        try
        {
            await Task.Delay(Floor(now, timing.Every) + timing.Every - now, time, rest.Token).ConfigureAwait(false);
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return true;
        }
    }

    /// <summary>Takes a look that was asked for; false when it gave nothing, which is counted and held against nobody.</summary>
    private async ValueTask<bool> LookAsync(IDevice device, CancellationToken cancellationToken)
    {
        try
        {
            await device.ReadAsync(samples, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (NoSampleException exception)
        {
            instruments.Empty(name, exception.Reason);
            return false;
        }
        catch (IOException exception)
        {
            throw new SensorException($"{name}: {exception.Message}", exception);
        }
    }

    /// <summary>What a look that was asked for saw. It counts for its interval as any other; only means are also given by themselves: a sum or an extreme of one look says nothing.</summary>
    private Measurement[] Asked(bool warmingUp)
    {
        DateTime now = Now;
        var seen = new List<Measurement>(samples.Count);
        foreach (Sample sample in samples)
        {
            averager.Add(sample, warmingUp);
            if (double.IsFinite(sample.Value) && QuantityCatalogue.TryGet(sample.Property, out Quantity? quantity) && quantity!.Averaging is AveragingRule.Mean or AveragingRule.CircularMean)
            {
                seen.Add(new Measurement(sample.Property, sample.Value, now) { Quality = sample.Quality | (warmingUp ? Quality.WarmingUp : Quality.Good) });
            }
        }

        return [.. seen];
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The measurements of the interval behind us, if it is over and has any; begins the present one.</summary>
    private MeasurementBatch? Finished()
    {
        DateTime present = Floor(Now, timing.Period);
        if (interval is not { } past || past == present)
        {
            interval = present;
            return null;
        }

        interval = present;
        Measurement[] measurements = averager.Take(past, timing.Period, (int)(timing.Period.Ticks / timing.Every.Ticks));
        return measurements.Length == 0 ? null : new MeasurementBatch(measurements);
    }

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private async ValueTask StartAsync(IDevice device, CancellationToken cancellationToken)
    {
        try
        {
            await device.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or NoSampleException)
        {
            throw new SensorException($"{name} cannot be started: {exception.Message}", exception);
        }
    }

    private static DateTime Floor(DateTime at, TimeSpan step) => new(at.Ticks - (at.Ticks % step.Ticks), DateTimeKind.Utc);

    /// <summary>Lasts while the device is being read; after it nobody can ask.</summary>
    private sealed class Attention(DeviceSensor sensor) : IDisposable
    {
        public void Dispose()
        {
            CancellationTokenSource? last = sensor.rest;
            sensor.rest = null;
            last?.Dispose();
        }
    }
}
