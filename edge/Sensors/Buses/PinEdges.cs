using System.Device.Gpio;

namespace Hub.Edge.Sensors.Buses;

/// <summary>A change of a line together with its exact time, where the driver knows it. The one of Linux does not: its changes are stamped on arrival.</summary>
internal sealed class TimedPinEventArgs(PinEventTypes changeType, int pinNumber, DateTime at) : PinValueChangedEventArgs(changeType, pinNumber)
{
    /// <summary>UTC instant of the change.</summary>
    public DateTime At => at;
}

/// <summary>A change of one line.</summary>
/// <param name="Line">Index of the line among those asked for.</param>
/// <param name="High">Level after the change.</param>
/// <param name="At">UTC instant.</param>
internal readonly record struct PinEdge(int Line, bool High, DateTime At);

/// <summary>
/// The changes of GPIO lines, taken in the kernel's callback, stamped first thing, kept until they are asked for. Holds 4096; beyond that new ones are dropped and counted, and
/// the levels have to be read again. Callbacks come on a thread of their own; everything else is for one caller at a time.
/// </summary>
internal sealed class PinEdges : IDisposable
{
    /// <summary>Changes kept until they are asked for.</summary>
    public const int EdgesMax = 4096;

    private readonly GpioController controller;
    private readonly int[] pins;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly List<PinEdge> edges = [];
    private long dropped;

    /// <summary>Opens lines as inputs and begins to listen.</summary>
    /// <param name="controller">The GPIO chip; disposed of with this.</param>
    /// <param name="pins">BCM numbers.</param>
    /// <param name="mode">Input, with a pull-up or pull-down where wanted.</param>
    /// <param name="time">Clock of the stamps.</param>
    /// <exception cref="SensorException">A line is in use, or cannot be what is asked.</exception>
    public PinEdges(GpioController controller, IReadOnlyList<int> pins, PinMode mode, TimeProvider time)
    {
        this.controller = controller;
        this.pins = [.. pins];
        this.time = time;
        int at = -1;
        try
        {
            foreach (int pin in this.pins)
            {
                at = pin;
                controller.OpenPin(pin, mode);
                controller.RegisterCallbackForPinValueChangedEvent(pin, PinEventTypes.Rising | PinEventTypes.Falling, Changed);
            }
        }
#pragma warning disable CA1031 // The package throws many things, by version and chip.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            controller.Dispose();
            throw new SensorException($"GPIO line {at} cannot be listened to: {exception.GetBaseException().Message.TrimEnd('.')}. Is it used by another program or sensor, or by a boot overlay?", exception);
        }
    }

    /// <summary>Level of a line now.</summary>
    public bool IsHigh(int line) => controller.Read(pins[line]) == PinValue.High;

    /// <summary>Takes the changes since it was last asked, in the order they came.</summary>
    /// <param name="into">Where they go.</param>
    /// <returns>How many were dropped since then.</returns>
    public long Take(List<PinEdge> into)
    {
        lock (gate)
        {
            into.AddRange(edges);
            edges.Clear();
            long lost = dropped;
            dropped = 0;
            return lost;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (int pin in pins)
        {
            try
            {
                controller.UnregisterCallbackForPinValueChangedEvent(pin, Changed);
            }
            catch (Exception exception) when (exception is InvalidOperationException or IOException)
            {
                // Going away all the same.
            }
        }

        controller.Dispose();
    }

    private void Changed(object sender, PinValueChangedEventArgs change)
    {
        DateTime at = change is TimedPinEventArgs timed ? timed.At : time.GetUtcNow().UtcDateTime;
        int line = Array.IndexOf(pins, change.PinNumber);
        lock (gate)
        {
            if (edges.Count < EdgesMax)
            {
                edges.Add(new PinEdge(line, change.ChangeType == PinEventTypes.Rising, at));
            }
            else
            {
                dropped++;
            }
        }
    }
}
