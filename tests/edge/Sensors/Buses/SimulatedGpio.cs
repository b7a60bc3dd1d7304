using System.Device.Gpio;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Tests.Buses;

/// <summary>A GPIO chip whose lines a test moves, at instants of its own choosing. Lines rest high, as pulled up.</summary>
internal sealed class SimulatedGpio : GpioDriver
{
    private readonly Dictionary<int, (PinEventTypes Events, PinChangeEventHandler Callback)> callbacks = [];
    private readonly Dictionary<int, PinMode> open = [];
    private readonly Dictionary<int, bool> levels = [];

    /// <summary>Lines that another program has.</summary>
    public HashSet<int> Busy { get; } = [];

    /// <summary>How often lines were opened.</summary>
    public int Opened { get; private set; }

    /// <summary>What happens when the driver writes to a line.</summary>
    public Action<int, bool>? Written { get; set; }

    protected override int PinCount => 64;

    /// <summary>A line changes.</summary>
    public void Set(int pin, bool high, DateTime at)
    {
        levels[pin] = high;
        PinEventTypes type = high ? PinEventTypes.Rising : PinEventTypes.Falling;
        if (callbacks.TryGetValue(pin, out var listener) && (listener.Events & type) != 0)
        {
            listener.Callback(this, new TimedPinEventArgs(type, pin, at));
        }
    }

    /// <summary>A line closes to ground for a while.</summary>
    public void Pulse(int pin, DateTime at, TimeSpan width) => Pulse(pin, true, at, width);

    /// <summary>A line leaves its rest for a while.</summary>
    public void Pulse(int pin, bool rest, DateTime at, TimeSpan width)
    {
        Set(pin, !rest, at);
        Set(pin, rest, at + width);
    }

    protected override void OpenPin(int pinNumber)
    {
        if (Busy.Contains(pinNumber))
        {
            throw new IOException("Device or resource busy");
        }

        open[pinNumber] = PinMode.Input;
        Opened++;
    }

    protected override void ClosePin(int pinNumber) => open.Remove(pinNumber);

    protected override void SetPinMode(int pinNumber, PinMode mode) => open[pinNumber] = mode;

    protected override PinMode GetPinMode(int pinNumber) => open[pinNumber];

    protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => true;

    protected override PinValue Read(int pinNumber) => levels.GetValueOrDefault(pinNumber, true) ? PinValue.High : PinValue.Low;

    protected override void Write(int pinNumber, PinValue value)
    {
        levels[pinNumber] = value == PinValue.High;
        Written?.Invoke(pinNumber, value == PinValue.High);
    }

    protected override WaitForEventResult WaitForEvent(int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken) => throw new NotSupportedException();

    protected override void AddCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback) => callbacks[pinNumber] = (eventTypes, callback);

    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) => callbacks.Remove(pinNumber);
}
