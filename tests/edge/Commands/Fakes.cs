using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;
using System.Text.Json;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sampling;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Configuration;

namespace Hub.Edge.Commands.Tests;

internal sealed class FakeAgentDesk : IAgentDesk
{
    public int Restarts { get; private set; }

    public IReadOnlyList<string> Lines { get; set; } = [];

    public string Agent => "hub-agent 1.2.3";

    public IReadOnlyList<string> Settings => ["hub.secret = (hidden) (file)"];

    public JsonElement Status => JsonDocument.Parse("""{"held":5}""").RootElement;

    public IReadOnlyList<string> Log(int count) => [.. Lines.TakeLast(count)];

    public void Restart() => Restarts++;
}

internal sealed class FakeSampling : ISampling
{
    public SensorState[] States { get; } = [new("air", SensorCondition.Running, 10, 0, 0, null, null), new("noise", SensorCondition.Running, 10, 0, 0, null, null)];

    public Reading[] Readings { get; set; } = [];

    public string[] CanBeAsked { get; set; } = [];

    public List<string?> Asked { get; } = [];

    public IReadOnlyList<SensorState> Sensors => States;

    public TimeSpan Appending => TimeSpan.Zero;

    public IReadOnlyList<Reading> Newest(string? sensor) => [.. Readings.Where(reading => sensor is null || reading.Sensor == sensor)];

    public IReadOnlyList<string> Ask(string? sensor)
    {
        Asked.Add(sensor);
        return CanBeAsked;
    }

    public Task<SamplingChange> ApplyAsync(IConfiguration configuration, CancellationToken cancellationToken) => throw new NotSupportedException();
}

internal sealed class FakeUplink : IUplink
{
    public List<string> Rotated { get; } = [];

    public RotationOutcome Outcome { get; set; } = RotationOutcome.Accepted;

    public bool Fails { get; set; }

    public UplinkState State => new(true, default, null, 1, 0, 0, 0);

    public Task ApplyAsync(IConfiguration configuration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<RotationOutcome> RotateAsync(string secret, TimeSpan patience, CancellationToken cancellationToken)
    {
        Rotated.Add(secret);
        return Fails ? throw new IOException("No space left on device") : Task.FromResult(Outcome);
    }
}

internal sealed class FakeBuses(FakeGpio gpio) : IBuses
{
    public I2cDevice OpenI2c(int bus, int address) => throw new SensorException("There is no I2C bus.");

    public SpiDevice OpenSpi(SpiConnectionSettings settings) => throw new SensorException("There is no SPI bus.");

    public GpioController OpenGpio() => new(gpio);

    public ISerialPort OpenSerial(string path, int baudRate) => throw new SensorException("There is no serial port.");
}

/// <summary>A GPIO chip that remembers what was written to its lines.</summary>
internal sealed class FakeGpio : GpioDriver
{
    private readonly Lock _gate = new();
    private readonly List<bool> _written = [];
    private volatile int _closed;

    public bool Busy { get; set; }

    /// <summary>Runs in the moment a line is let go.</summary>
    public Action? Closing { get; set; }

    public int Opened { get; private set; }

    public int Closed => _closed;

    public IReadOnlyList<bool> Written
    {
        get
        {
            lock (_gate)
            {
                return [.. _written];
            }
        }
    }

    protected override int PinCount => 64;

    protected override void OpenPin(int pinNumber)
    {
        if (Busy)
        {
            throw new IOException("Device or resource busy");
        }

        Opened++;
    }

    protected override void ClosePin(int pinNumber)
    {
        Closing?.Invoke();
        _closed++;
    }

    protected override void SetPinMode(int pinNumber, PinMode mode)
    {
    }

    protected override PinMode GetPinMode(int pinNumber) => PinMode.Output;

    protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => true;

    protected override PinValue Read(int pinNumber) => PinValue.Low;

    protected override void Write(int pinNumber, PinValue value)
    {
        lock (_gate)
        {
            _written.Add(value == PinValue.High);
        }
    }

    protected override WaitForEventResult WaitForEvent(int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken) => throw new NotSupportedException();

    protected override void AddCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback) => throw new NotSupportedException();

    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) => throw new NotSupportedException();
}
