using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Noise.Levels;

namespace Hub.Edge.Calibrations;

/// <summary>How measuring one point ended.</summary>
public enum PointOutcome
{
    /// <summary>It has settled.</summary>
    Stable = 0,

    /// <summary>The sensor never gave the quantity.</summary>
    NotGiven = 1,

    /// <summary>All values were flagged by the instrument itself (warming up, saturated, out of its range).</summary>
    Flagged = 2,

    /// <summary>Fewer good values than needed.</summary>
    TooShort = 3,

    /// <summary>It never settled.</summary>
    Unstable = 4,
}

/// <summary>What one point gave.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Raw">Statistics of the last values; null where there are none.</param>
/// <param name="Drift">How far the halves of the last values are apart, canonical unit.</param>
/// <param name="DriftMax">How far they may be.</param>
/// <param name="Flags">All flags met.</param>
public sealed record PointResult(PointOutcome Outcome, RawStatistics? Raw, double Drift, double DriftMax, Quality Flags);

/// <summary>What a sound calibrator gave.</summary>
/// <param name="Result">Whether to use it.</param>
/// <param name="Raw">Statistics of the levels used; null where there are too few.</param>
/// <param name="Flags">All flags met.</param>
public sealed record LevelResult(CalibrationResult Result, RawStatistics? Raw, Quality Flags);

/// <summary>How far measuring a point has come, after each value.</summary>
/// <param name="Value">The value, raw.</param>
/// <param name="Flags">Its flags.</param>
/// <param name="Count">Good values so far, up to those needed.</param>
/// <param name="Needed">Values needed.</param>
/// <param name="Drift">How far the halves are apart; for sound the spread. NaN when too few.</param>
/// <param name="DriftMax">How far they may be.</param>
public readonly record struct ProbeProgress(double Value, Quality Flags, int Count, int Needed, double Drift, double DriftMax);

/// <summary>
/// Reads one sensor, raw, point after point, from one run of it: a cell that has warmed up once need not do so again for the span. Values measured before a point was asked for are passed over.
/// One caller at a time.
/// </summary>
/// <param name="sensor">The sensor, as the factory makes it: nothing is calibrated yet.</param>
/// <param name="time">Clock.</param>
public sealed class CalibrationProbe(ISensor sensor, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Levels kept of a calibrator: ten minutes.</summary>
    private const int LevelsMax = 600;

    // What the instrument itself says against a value: no calibration is made of such.
    private const Quality Bad = Quality.WarmingUp | Quality.OutOfRange | Quality.Saturated | Quality.Stuck | Quality.Incomplete;

    private readonly CancellationTokenSource end = new();
    private IAsyncEnumerator<MeasurementBatch>? batches;
    private Task<bool>? pending;

    /// <summary>Fewest values a point may be made of.</summary>
    public static int NeededMin => StableReading.NeededMin;

    /// <summary>Most values a point may be made of.</summary>
    public static int NeededMax => StableReading.NeededMax;

    /// <summary>Values a point is made of unless said otherwise.</summary>
    public static int NeededDefault => StableReading.NeededDefault;

    /// <summary>The quantities the sensor gives, by one look.</summary>
    /// <param name="patience">How long to wait for it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SensorException">The sensor failed.</exception>
    public async Task<IReadOnlyList<string>> QuantitiesAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        return await NextAsync(started, patience, cancellationToken).ConfigureAwait(false) is { } batch
            ? [.. batch.Measurements.ToArray().Select(measurement => measurement.Property).Distinct()]
            : [];
    }

    /// <summary>Measures one point until it has settled.</summary>
    /// <param name="quantity">What to look at.</param>
    /// <param name="needed">Values that must agree, <see cref="NeededMin"/> to <see cref="NeededMax"/>.</param>
    /// <param name="patience">How long to wait for that.</param>
    /// <param name="begins">Values before the first for which this is true are passed over: the gas before. Null to begin at once.</param>
    /// <param name="progress">Hears of each value.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SensorException">The sensor failed.</exception>
    public async Task<PointResult> PointAsync(Quantity quantity, int needed, TimeSpan patience, Func<double, bool>? begins, Action<ProbeProgress> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(quantity);
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentOutOfRangeException.ThrowIfLessThan(needed, NeededMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(needed, NeededMax);
        var stable = new StableReading(quantity, needed);
        var flags = Quality.Good;
        bool given = false;
        bool begun = begins is null;
        await foreach (Measurement measurement in ValuesAsync(quantity.Id, null, patience, cancellationToken).ConfigureAwait(false))
        {
            given = true;
            flags |= measurement.Quality;
            if ((measurement.Quality & Bad) != 0)
            {
                stable.Clear();
            }
            else if (begun || begins!(measurement.Value))
            {
                begun = true;
                stable.Add(measurement.Value, At(measurement));
            }

            progress(new ProbeProgress(measurement.Value, measurement.Quality & Bad, stable.Count, needed, stable.Drift, stable.DriftMax));
            if (stable.IsStable)
            {
                return new PointResult(PointOutcome.Stable, stable.Statistics(), stable.Drift, stable.DriftMax, flags);
            }
        }

        PointOutcome outcome = !given ? PointOutcome.NotGiven
            : stable.Count == 0 && (flags & Bad) != 0 ? PointOutcome.Flagged
            : stable.Count < needed ? PointOutcome.TooShort : PointOutcome.Unstable;
        return new PointResult(outcome, stable.Count > 0 ? stable.Statistics() : null, stable.Drift, stable.DriftMax, flags);
    }

    /// <summary>Measures the levels of seconds under a sound calibrator until they agree or cannot be right.</summary>
    /// <param name="calibrator">Level of the calibrator, dB.</param>
    /// <param name="sensitivity">Sensitivity in force for raw levels, dBFS at 94 dB SPL; 0 for a meter that has none.</param>
    /// <param name="last">Sensitivity that the last calibration found; null if there was none.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="progress">Hears of each second.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SensorException">The sensor failed.</exception>
    public async Task<LevelResult> LevelAsync(double calibrator, double sensitivity, double? last, TimeSpan patience, Action<ProbeProgress> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(progress);
        List<(double Value, DateTime At)> levels = [];
        var flags = Quality.Good;
        CalibrationResult result = AcousticCalibration.Evaluate([], calibrator, sensitivity, last);
        await foreach (Measurement measurement in ValuesAsync(CalibrationBook.SoundLevel, TimeSpan.FromSeconds(1), patience, cancellationToken).ConfigureAwait(false))
        {
            flags |= measurement.Quality;
            if ((measurement.Quality & Bad) != 0)
            {
                levels.Clear();
            }
            else
            {
                if (levels.Count == LevelsMax)
                {
                    levels.RemoveAt(0);
                }

                levels.Add((measurement.Value, At(measurement)));
            }

            result = AcousticCalibration.Evaluate([.. levels.Select(level => level.Value)], calibrator, sensitivity, last);
            progress(new ProbeProgress(
                measurement.Value, measurement.Quality & Bad, Math.Min(levels.Count, AcousticCalibration.LevelsMin), AcousticCalibration.LevelsMin, result.Spread, AcousticCalibration.SpreadMax));
            if (result.Outcome is not (CalibrationOutcome.TooShort or CalibrationOutcome.Unstable))
            {
                break;
            }
        }

        return new LevelResult(result, levels.Count < AcousticCalibration.LevelsMin ? null : StableReading.Of(levels[^AcousticCalibration.LevelsMin..], energy: true), flags);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync().ConfigureAwait(false);
        if (pending is not null)
        {
            try
            {
                await pending.ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SensorException or IOException)
            {
                // Nobody waits for it any more.
            }
        }

        if (batches is not null)
        {
            await batches.DisposeAsync().ConfigureAwait(false);
        }

        end.Dispose();
    }

    private async IAsyncEnumerable<Measurement> ValuesAsync(
        string quantity, TimeSpan? period, TimeSpan patience, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        DateTime from = time.GetUtcNow().UtcDateTime;
        long started = time.GetTimestamp();
        while (await NextAsync(started, patience, cancellationToken).ConfigureAwait(false) is { } batch)
        {
            for (int index = 0; index < batch.Measurements.Length; index++)
            {
                Measurement measurement = batch.Measurements.Span[index];
                if (measurement.Property == quantity && (period is null || measurement.Period == period) && At(measurement) >= from)
                {
                    yield return measurement;
                }
            }
        }
    }

    /// <summary>The next batch; null when patience is over. The run goes on: what was asked for and has not come is waited for the next time.</summary>
    private async Task<MeasurementBatch?> NextAsync(long started, TimeSpan patience, CancellationToken cancellationToken)
    {
        batches ??= sensor.MeasureAsync(default, end.Token).GetAsyncEnumerator(end.Token);
        pending ??= batches.MoveNextAsync().AsTask();
        TimeSpan left = patience - time.GetElapsedTime(started);
        if (!pending.IsCompleted)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(pending, Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, stop.Token)).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (left <= TimeSpan.Zero || !pending.IsCompleted)
        {
            return null;
        }

        Task<bool> done = pending;
        pending = null;
        return await done.ConfigureAwait(false) ? batches.Current : throw new SensorException("The sensor stopped measuring.");
    }

    // A value without a time of its own is of now.
    private DateTime At(in Measurement measurement) => measurement.ObservedAt ?? time.GetUtcNow().UtcDateTime;
}
