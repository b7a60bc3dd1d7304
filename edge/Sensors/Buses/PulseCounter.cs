using System.Device.Gpio;

namespace Hub.Edge.Sensors.Buses;

/// <summary>
/// Counts the pulses of one line, in the callback itself, so that none is lost between looks. A pulse begins where a contact closes to ground (the line falls); what comes
/// sooner than the dead time after it is bounce. Callbacks come on a thread of their own; everything else is for one caller at a time.
/// </summary>
internal sealed class PulseCounter : IDisposable
{
    private readonly GpioController controller;
    private readonly int pin;
    private readonly TimeSpan deadTime;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private long pulses;
    private long bounces;
    private DateTime last = DateTime.MinValue;

    /// <summary>Opens the line, with a pull-up, and begins to count.</summary>
    /// <param name="controller">The GPIO chip; disposed of with this.</param>
    /// <param name="pin">BCM number.</param>
    /// <param name="deadTime">Time after a pulse in which another is bounce.</param>
    /// <param name="time">Clock of the stamps.</param>
    /// <exception cref="SensorException">The line is in use, or cannot be an input.</exception>
    public PulseCounter(GpioController controller, int pin, TimeSpan deadTime, TimeProvider time)
    {
        this.controller = controller;
        this.pin = pin;
        this.deadTime = deadTime;
        this.time = time;
        try
        {
            controller.OpenPin(pin, controller.IsPinModeSupported(pin, PinMode.InputPullUp) ? PinMode.InputPullUp : PinMode.Input);
            controller.RegisterCallbackForPinValueChangedEvent(pin, PinEventTypes.Falling, Fell);
        }
#pragma warning disable CA1031 // The package throws many things, by version and chip.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            controller.Dispose();
            throw new SensorException($"GPIO line {pin} cannot be listened to: {exception.GetBaseException().Message.TrimEnd('.')}. Is it used by another program or sensor, or by a boot overlay?", exception);
        }
    }

    /// <summary>Takes the pulses since it was last asked, and how many changes were bounce.</summary>
    public (long Pulses, long Bounces) Take()
    {
        lock (gate)
        {
            (long, long) taken = (pulses, bounces);
            (pulses, bounces) = (0, 0);
            return taken;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            controller.UnregisterCallbackForPinValueChangedEvent(pin, Fell);
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // Going away all the same.
        }

        controller.Dispose();
    }

    private void Fell(object sender, PinValueChangedEventArgs change)
    {
        if ((change.ChangeType & PinEventTypes.Falling) == 0)
        {
            return;
        }

        DateTime at = change is TimedPinEventArgs timed ? timed.At : time.GetUtcNow().UtcDateTime;
        lock (gate)
        {
            // A clock that was set back does not silence it.
            if (at - last < deadTime && at >= last)
            {
                bounces++;
                return;
            }

            last = at;
            pulses++;
        }
    }
}
