using System.Device.Gpio;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Weather.RainGauge;

/// <summary>
/// Tipping-bucket rain gauge: a contact that closes for each tip. Tips are counted as they come; a look takes what has come since the one before. That a dry gauge and a broken cable
/// look the same is in the nature of the thing.
/// </summary>
internal sealed class RainGaugeDevice(Func<GpioController> open, int pin, RainGaugeOptions options, TimeProvider time) : IDevice
{
    private PulseCounter? counter;

    /// <inheritdoc/>
    public TimeSpan WarmUp => TimeSpan.Zero;

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        counter = new PulseCounter(open(), pin, options.Debounce, time);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        (long tips, _) = counter!.Take();
        samples.Add(new Sample("rain", tips * options.MillimetresPerTip));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        counter?.Dispose();
        return ValueTask.CompletedTask;
    }
}
