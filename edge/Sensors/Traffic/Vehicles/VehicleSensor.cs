using System.Runtime.CompilerServices;
using Hub.Edge.Sensors.Devices;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Traffic.Vehicles;

/// <summary>
/// Watches a detector and gives the figures of intervals. Single vehicles go no further than this class. Seconds in which the detector was not seen to work are not covered;
/// after too many in a row it is closed and opened again, and the interval goes on.
/// </summary>
internal sealed class VehicleSensor(
    string name, VehicleTraits traits, TrafficOptions options, TimeSpan period, Func<IVehicleDetector> open, TimeProvider time, SensorsInstruments instruments, ILogger logger) : ISensor
{
    // A look lasts about a second. One that seems to have lasted longer was a clock that was set, or a machine that slept.
    private static readonly TimeSpan LookMax = TimeSpan.FromSeconds(10);

    private readonly VehicleIntervals intervals = new(traits, options, period);
    private readonly VehicleLook look = new();

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public TimeSpan Cadence => period;

    /// <inheritdoc/>
    public async IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (intervals.Take(Now) is { } left)
        {
            yield return new MeasurementBatch(left);
        }

        while (true)
        {
            await using IVehicleDetector detector = open();
            await StartAsync(detector, cancellationToken).ConfigureAwait(false);
            DateTime began = Now;
            int empty = 0;

            // A detector lives on one clock: where that was set, or stood still, its half-seen vehicles are worth nothing and it begins anew.
            for (DateTime now = began; now >= began && now - began <= LookMax;)
            {
                began = now;
                look.Clear();
                bool worked = false;
                try
                {
                    await detector.LookAsync(look, cancellationToken).ConfigureAwait(false);
                    worked = true;
                    empty = 0;
                }
                catch (NoSampleException exception)
                {
                    instruments.Empty(name, exception.Reason);
                    if (++empty >= DeviceSensor.EmptyLooksMax)
                    {
                        throw new SensorException($"{name} was not seen to work in {empty} looks; the last time: {exception.Message}", exception);
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

                now = Now;
                if (worked && now > began && now - began <= LookMax)
                {
                    intervals.Worked(began, now);
                    Keep();
                }

                while (intervals.Take(now) is { } figures)
                {
                    yield return new MeasurementBatch(figures);
                }
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private void Keep()
    {
        foreach ((DateTime from, DateTime to) in look.Covered)
        {
            intervals.Covered(from, to);
        }

        long late = intervals.Late;
        foreach (VehiclePassage passage in look.Passages)
        {
            intervals.Passed(passage);
        }

        instruments.PassagesLate(name, intervals.Late - late);
    }

    private async ValueTask StartAsync(IVehicleDetector detector, CancellationToken cancellationToken)
    {
        try
        {
            await detector.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or NoSampleException)
        {
            throw new SensorException($"{name} cannot be started: {exception.Message}", exception);
        }
    }
}
