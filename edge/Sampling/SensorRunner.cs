using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Edge.Sensors;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sampling;

/// <summary>Runs one sensor for as long as the agent lives: reads it, hands its readings to the outbox, starts it again when it fails.</summary>
internal sealed partial class SensorRunner
{
    private readonly ISensor sensor;
    private readonly SamplingOptions options;
    private readonly TimeSpan deadAfter;
    private readonly ReadingMaker maker;
    private readonly HumidityWatch humidity;
    private readonly OutboxDoor outbox;
    private readonly TimeProvider time;
    private readonly SamplingInstruments instruments;
    private readonly ILogger logger;
    private readonly HashSet<(string, RefusedReason)> refusedKinds = [];
    private readonly Lock gate = new();
    private readonly StationClock? clock;
    private long lastAt;
    private DateTime? takenAt;
    private long taken;
    private long refused;
    private long failures;
    private string? failure;
    private bool dead;

    public SensorRunner(
        ISensor sensor, SensorOptions sensorOptions, SamplingOptions options, HumidityWatch humidity, OutboxDoor outbox, TimeProvider time, SamplingInstruments instruments, ILogger logger)
    {
        this.sensor = sensor;
        this.options = options;
        this.humidity = humidity;
        this.outbox = outbox;
        this.time = time;
        this.instruments = instruments;
        this.logger = logger;
        deadAfter = SamplingDecisions.DeadAfter(sensorOptions.DeadAfter, sensor.Cadence, options);
        maker = new ReadingMaker(sensorOptions, options);
        clock = time as StationClock;
        lastAt = time.GetTimestamp();
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
                return new SensorState(sensor.Name, condition, taken, refused, failures, takenAt, failure);
            }
        }
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

    private async Task TakeAsync(MeasurementBatch batch, CancellationToken cancellationToken)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        var readings = new Reading[batch.Measurements.Length];
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
                Flagged(reading.Quality & ~measurement.Quality);
            }
            else
            {
                Refused(measurement, reason.Value);
            }
        }

        // A position without readings is kept too: what was refused is not offered for ever.
        if (count > 0 || !batch.Cursor.IsEmpty)
        {
            SourceCursor? cursor = batch.Cursor.IsEmpty ? null : new SourceCursor(sensor.Name, batch.Cursor);
            await outbox.AppendAsync(readings.AsMemory(0, count), cursor, cancellationToken).ConfigureAwait(false);
        }

        if (count > 0)
        {
            Taken(count);
        }
    }

    private void Taken(int count)
    {
        instruments.Taken(sensor.Name, count);
        bool revived;
        lock (gate)
        {
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
