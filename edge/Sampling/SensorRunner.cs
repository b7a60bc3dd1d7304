using System.Runtime.CompilerServices;
using Hub.Edge.Calibrations;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Edge.Sensors;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sampling;

/// <summary>Runs one sensor for as long as the agent lives: reads it, hands its readings to the outbox, starts it again when it fails.</summary>
internal sealed partial class SensorRunner
{
    private readonly ISensor sensor;
    private readonly Dictionary<(string Sensor, string Property, TimeSpan Period), Reading> newest = [];
    private volatile SamplingOptions options;
    private readonly ReadingMaker maker;
    private readonly HumidityWatch humidity;
    private readonly IReadingWatch[] watches;
    private bool watchFailed;
    private readonly OutboxDoor outbox;
    private readonly TimeProvider time;
    private readonly SamplingInstruments instruments;
    private readonly ILogger logger;
    private readonly HashSet<(string, RefusedReason)> refusedKinds = [];
    private readonly Lock gate = new();
    private readonly StationClock? clock;
    private TimeSpan deadAfter;

    /// <summary>The readings of the batch at hand; the outbox keeps a copy of its own.</summary>
    private Reading[] readings = [];
    private long lastAt;
    private DateTime? takenAt;
    private long taken;
    private long refused;
    private long failures;
    private string? failure;
    private bool dead;

    public SensorRunner(
        ISensor sensor, SensorOptions sensorOptions, SamplingOptions options, ICalibrations calibrations, HumidityWatch humidity, IReadingWatch[] watches, OutboxDoor outbox, TimeProvider time,
        SamplingInstruments instruments, ILogger logger)
    {
        this.sensor = sensor;
        this.options = options;
        this.humidity = humidity;
        this.watches = watches;
        this.outbox = outbox;
        this.time = time;
        this.instruments = instruments;
        this.logger = logger;
        deadAfter = SamplingDecisions.DeadAfter(sensorOptions.DeadAfter, sensor.Cadence, options);
        maker = new ReadingMaker(sensorOptions, options, calibrations);
        clock = time as StationClock;
        lastAt = time.GetTimestamp();
    }

    /// <summary>Name at the station.</summary>
    public string Name => sensor.Name;

    /// <summary>How often it gives values when all is well; zero when it cannot say.</summary>
    public TimeSpan Cadence => sensor.Cadence;

    /// <summary>Asks the sensor for a value now; false when it cannot be asked.</summary>
    public bool Ask() => sensor.Ask();

    /// <summary>The newest reading of each of its series.</summary>
    public IReadOnlyList<Reading> Newest
    {
        get
        {
            lock (gate)
            {
                return [.. newest.Values];
            }
        }
    }

    /// <summary>The sensor now.</summary>
    public SensorState State
    {
        get
        {
            lock (gate)
            {
                SensorCondition condition = dead ? SensorCondition.Dead
                    : failure is not null ? SensorCondition.Failing
                    : takenAt is null ? SensorCondition.Starting : SensorCondition.Running;
                return new SensorState(sensor.Name, condition, taken, refused, failures, takenAt, failure, sensor.Cadence);
            }
        }
    }

    /// <summary>Other settings of Sampling itself from now on; the sensor goes on undisturbed.</summary>
    public void Use(SamplingOptions other, SensorOptions sensorOptions)
    {
        options = other;
        maker.Use(sensorOptions, other);
        lock (gate)
        {
            deadAfter = SamplingDecisions.DeadAfter(sensorOptions.DeadAfter, sensor.Cadence, other);
        }
    }

    /// <summary>It has been stopped for good: a dead one is no longer counted.</summary>
    public void Retire()
    {
        lock (gate)
        {
            if (!dead)
            {
                return;
            }

            dead = false;
        }

        instruments.Revived();
    }

    /// <summary>Runs until cancelled; no failure of the sensor escapes.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int failuresInARow = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (MeasurementBatch batch in sensor.MeasureAsync(outbox.Cursor(sensor.Name), cancellationToken).ConfigureAwait(false))
                {
                    await TakeAsync(batch, cancellationToken).ConfigureAwait(false);
                    failuresInARow = 0;
                }

                Failed(new SensorException("The sensor stopped measuring."), ++failuresInARow);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A driver may fail in any way; its neighbours must not notice.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Failed(exception, ++failuresInARow);
            }

            try
            {
                await Task.Delay(SamplingDecisions.RestartPause(failuresInARow, options), time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Reports a sensor that has been silent for too long, once. Called every now and then, beside <see cref="RunAsync"/>.</summary>
    public void Watch()
    {
        TimeSpan silence;
        lock (gate)
        {
            // By the monotonic clock: one that steps must not kill every sensor of the station.
            silence = time.GetElapsedTime(lastAt);
            if (dead || !SamplingDecisions.IsDead(silence, deadAfter))
            {
                return;
            }

            dead = true;
        }

        instruments.Died(sensor.Name);
        LogDead(logger, sensor.Name, silence, failure ?? "it does not fail, it says nothing");
    }

    private ValueTask TakeAsync(MeasurementBatch batch, CancellationToken cancellationToken)
    {
        int count = Make(batch);

        // A position without readings is kept too: what was refused is not offered for ever.
        if (count == 0 && batch.Cursor.IsEmpty)
        {
            return default;
        }

        SourceCursor? cursor = batch.Cursor.IsEmpty ? null : new SourceCursor(sensor.Name, batch.Cursor);
        ValueTask append = outbox.AppendAsync(readings.AsMemory(0, count), cursor, cancellationToken);
        if (!append.IsCompletedSuccessfully)
        {
            return FinishAsync(append, count);
        }

        append.GetAwaiter().GetResult();
        Taken(count);
        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FinishAsync(ValueTask append, int count)
    {
        await append.ConfigureAwait(false);
        Taken(count);
    }

    /// <summary>Makes readings of a batch; how many stand in <see cref="readings"/>.</summary>
    private int Make(MeasurementBatch batch)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        if (readings.Length < batch.Measurements.Length)
        {
            readings = new Reading[batch.Measurements.Length];
        }

        int count = 0;
        for (int index = 0; index < batch.Measurements.Length; index++)
        {
            Measurement measurement = batch.Measurements.Span[index];
            if (clock is { IsUncertain: true } && measurement.ObservedAt is null)
            {
                measurement = measurement with { Quality = measurement.Quality | Quality.ClockUncertain };
            }

            if (maker.TryMake(measurement, now, out Reading reading, out RefusedReason? reason))
            {
                humidity.Note(reading);
                if (sensor.IsOptical && humidity.IsSuspect(reading))
                {
                    reading = reading with { Quality = reading.Quality | Quality.SuspectHumidity };
                }

                readings[count++] = reading;
                Show(reading);
                Flagged(reading.Quality & ~measurement.Quality);
            }
            else
            {
                Refused(measurement, reason.Value);
            }
        }

        return count;
    }

    // Before the outbox has it: what is to happen on the spot does not wait for a disk.
    private void Show(in Reading reading)
    {
        foreach (IReadingWatch watch in watches)
        {
            try
            {
                watch.Taken(reading);
            }
#pragma warning disable CA1031 // Who looks on must not hurt what is looked at.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                instruments.WatchFailed(sensor.Name);
                if (!watchFailed)
                {
                    watchFailed = true;
                    LogWatchFailed(logger, watch.GetType().Name, sensor.Name, exception);
                }
            }
        }
    }

    private void Taken(int count)
    {
        if (count == 0)
        {
            return;
        }

        instruments.Taken(sensor.Name, count);
        bool revived;
        lock (gate)
        {
            foreach (ref readonly Reading reading in readings.AsSpan(0, count))
            {
                newest[(reading.Sensor, reading.Property, reading.Period)] = reading;
            }

            taken += count;
            failure = null;
            lastAt = time.GetTimestamp();
            takenAt = time.GetUtcNow().UtcDateTime;
            revived = dead;
            dead = false;
        }

        if (revived)
        {
            instruments.Revived();
            LogRevived(logger, sensor.Name);
        }
    }

    private void Flagged(Quality flags)
    {
        if ((flags & Quality.OutOfRange) != 0)
        {
            instruments.Flagged(sensor.Name, Quality.OutOfRange);
        }

        if ((flags & Quality.Stuck) != 0)
        {
            instruments.Flagged(sensor.Name, Quality.Stuck);
        }

        if ((flags & Quality.CalibrationDue) != 0)
        {
            instruments.Flagged(sensor.Name, Quality.CalibrationDue);
        }

        if ((flags & Quality.SuspectHumidity) != 0)
        {
            instruments.Flagged(sensor.Name, Quality.SuspectHumidity);
        }
    }

    private void Refused(in Measurement measurement, RefusedReason reason)
    {
        instruments.Refused(sensor.Name, reason);
        lock (gate)
        {
            refused++;
        }

        // A driver that makes a mistake makes it all day: the first of a kind is logged, the rest counted.
        if (refusedKinds.Count < 100 && refusedKinds.Add((measurement.Property, reason)))
        {
            LogRefused(logger, sensor.Name, measurement.Property, measurement.Value, reason);
        }
    }

    private void Failed(Exception exception, int failuresInARow)
    {
        instruments.Failed(sensor.Name);
        lock (gate)
        {
            failures++;
            failure = exception.Message;
        }

        LogFailed(logger, sensor.Name, failuresInARow, SamplingDecisions.RestartPause(failuresInARow, options), exception);
    }
}
