using System.Device.Gpio;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Weather.Anemometer;

/// <summary>
/// Cup anemometer: a contact or Hall switch that pulses as the cups turn. Pulses are counted as they come; every three seconds their number over the time that really passed is
/// the wind of these seconds. The mean of an interval is of all of them, the gust is the largest (WMO-No. 8: a gust is the mean of three seconds).
/// </summary>
internal sealed class AnemometerDevice(Func<GpioController> open, int pin, AnemometerOptions options, TimeProvider time) : IDevice
{
    // Less, and one pulse more or less is a gale.
    private static readonly TimeSpan SpanMin = TimeSpan.FromSeconds(2);

    // More, and it is no gust: the machine slept, or looks came late.
    private static readonly TimeSpan SpanMax = TimeSpan.FromSeconds(4.5);

    private PulseCounter? counter;
    private long since;

    /// <inheritdoc/>
    public TimeSpan WarmUp => TimeSpan.Zero;

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        counter = new PulseCounter(open(), pin, options.Debounce, time);
        since = time.GetTimestamp();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        TimeSpan span = time.GetElapsedTime(since);
        if (span < SpanMin)
        {
            // The pulses stay where they are, for the next look.
            throw new NoSampleException("too soon", "the cups have not been watched for long enough");
        }

        since = time.GetTimestamp();
        (long pulses, _) = counter!.Take();
        double speed = pulses == 0 ? 0 : (pulses / span.TotalSeconds * options.MetresPerPulse) + options.Offset;
        samples.Add(new Sample("wind_speed", speed));
        if (span <= SpanMax)
        {
            samples.Add(new Sample("wind_gust", speed));
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        counter?.Dispose();
        return ValueTask.CompletedTask;
    }
}
