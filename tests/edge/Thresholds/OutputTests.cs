using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Uplink.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Thresholds.Tests;

/// <summary>A GPIO chip in memory, and a real broker.</summary>
public sealed class OutputTests : IAsyncDisposable
{
    private readonly TestBroker broker = new(FreePort.Next());
    private readonly TempFolder folder = new();
    private readonly Chip chip = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_line_has_its_level_from_the_first_moment_and_is_off_when_it_is_let_go(bool activeLow)
    {
        PinValue on = activeLow ? PinValue.Low : PinValue.High;
        await using var output = new PinOutput(17, activeLow, new Buses(chip));
        Assert.False(output.Holds);
        await output.SetAsync(AlarmWord.Off, stopping: false, Cancel);
        Assert.Equal("open 17", chip.Done[0]);
        Assert.Equal(!on, chip.Level(17));
        Assert.DoesNotContain($"write 17 {on}", chip.Done);
        await output.SetAsync(AlarmWord.Off with { On = true }, stopping: false, Cancel);
        Assert.Equal(on, chip.Level(17));
        Assert.True(output.Holds);
        await output.SetAsync(AlarmWord.Off, stopping: true, Cancel);
        Assert.Equal(!on, chip.Level(17));
        Assert.Equal("close 17", chip.Done[^1]);
    }

    [Fact]
    public async Task A_line_that_another_program_has_is_named_and_opened_when_it_is_free()
    {
        chip.Busy = true;
        await using var output = new PinOutput(17, false, new Buses(chip));
        OutputException failure = await Assert.ThrowsAsync<OutputException>(() => output.SetAsync(AlarmWord.Off with { On = true }, false, Cancel));
        Assert.Contains("GPIO line 17 cannot be switched on: Device or resource busy.", failure.Message, StringComparison.Ordinal);
        Assert.False(output.Holds);
        chip.Busy = false;
        await output.SetAsync(AlarmWord.Off with { On = true }, false, Cancel);
        Assert.Equal(PinValue.High, chip.Level(17));

        await using var nothing = new PinOutput(17, false, new Buses(null));
        await Assert.ThrowsAsync<OutputException>(() => nothing.SetAsync(AlarmWord.Off, false, Cancel));
    }

    [Fact]
    public async Task A_broker_is_told_on_and_off_retained_and_again_after_it_was_away()
    {
        await using MqttOutput output = Mqtt(new ThresholdMqttOptions { Port = broker.Port, Topic = "city/alarm" });
        OutputException failure = await Assert.ThrowsAsync<OutputException>(() => output.SetAsync(AlarmWord.Off, false, Cancel));
        Assert.Contains($"topic city/alarm at 127.0.0.1:{broker.Port} cannot be told off", failure.Message, StringComparison.Ordinal);
        await broker.StartAsync();
        await output.SetAsync(new AlarmWord(true, Sample.Noon, "air", "pm10", 61.5), false, Cancel);
        Assert.True(output.Holds);
        var said = Assert.Single(broker.Others);
        Assert.Equal(("city/alarm", true), (said.Topic, said.Retain));
        Assert.Equal(
            """{"municipality":"braga","station":"avenida","rule":"pm10-high","on":true,"at":"2026-11-26T12:00:00Z","sensor":"air","property":"pm10","value":61.5,"unit":"ug/m3","stopped":false}""",
            said.Payload);
        await broker.StopAsync();
        await Eventually.TrueAsync(() => !output.Holds, "the connection is gone");
        await broker.StartAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await output.SetAsync(AlarmWord.Off with { On = true }, false, Cancel);
                    return true;
                }
                catch (OutputException)
                {
                    // The client is still clearing away the connection it has lost; whoever wants something of an output tries again.
                    return false;
                }
            },
            "it is told on again");
        await output.SetAsync(AlarmWord.Off, stopping: true, Cancel);
        Assert.Equal(3, broker.Others.Count);
        Assert.Contains("\"stopped\":true", broker.Others[^1].Payload, StringComparison.Ordinal);
        Assert.False(output.Holds);
    }

    [Fact]
    public async Task A_password_comes_from_its_file()
    {
        string? seen = null;
        broker.Login = e =>
        {
            seen = $"{e.UserName}:{e.Password}";
            return e.Password == "s3cret" ? MQTTnet.Protocol.MqttConnectReasonCode.Success : MQTTnet.Protocol.MqttConnectReasonCode.BadUserNameOrPassword;
        };
        await broker.StartAsync();
        await File.WriteAllTextAsync(folder.File("password"), "wrong\n", Cancel);
        await using MqttOutput output = Mqtt(new ThresholdMqttOptions { Port = broker.Port, Topic = "t", UserName = "siren", PasswordFile = folder.File("password") });
        OutputException failure = await Assert.ThrowsAsync<OutputException>(() => output.SetAsync(AlarmWord.Off, false, Cancel));
        Assert.DoesNotContain("wrong", failure.ToString(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(folder.File("password"), "s3cret\n", Cancel);
        await output.SetAsync(AlarmWord.Off, false, Cancel);
        Assert.Equal("siren:s3cret", seen);
    }

    private static MqttOutput Mqtt(ThresholdMqttOptions options) => new(options, "pm10-high", "hub-agent-test", new ThresholdsOptions { Municipality = "braga", Station = "avenida" });

    private sealed class Buses(GpioDriver? driver) : IBuses
    {
        public I2cDevice OpenI2c(int bus, int address) => throw new SensorException("none");

        public SpiDevice OpenSpi(SpiConnectionSettings settings) => throw new SensorException("none");

        public GpioController OpenGpio() => driver is null ? throw new SensorException("Cannot open the GPIO chip: there is none.") : new GpioController(driver);

        public ISerialPort OpenSerial(string path, int baudRate) => throw new SensorException("none");
    }

    /// <summary>Writes down what is done to its lines.</summary>
    private sealed class Chip : GpioDriver
    {
        private readonly Dictionary<int, PinValue> levels = [];
        private readonly Dictionary<int, PinMode> modes = [];

        public bool Busy { get; set; }

        public List<string> Done { get; } = [];

        protected override int PinCount => 64;

        public PinValue Level(int pin) => levels[pin];

        protected override void OpenPin(int pinNumber)
        {
            if (Busy)
            {
                throw new IOException("Device or resource busy");
            }

            modes[pinNumber] = PinMode.Input;
            Done.Add($"open {pinNumber}");
        }

        protected override void ClosePin(int pinNumber) => Done.Add($"close {pinNumber}");

        protected override void SetPinMode(int pinNumber, PinMode mode)
        {
            modes[pinNumber] = mode;
            Done.Add($"mode {pinNumber} {mode}");
        }

        protected override PinMode GetPinMode(int pinNumber) => modes[pinNumber];

        protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => true;

        protected override PinValue Read(int pinNumber) => levels[pinNumber];

        protected override void Write(int pinNumber, PinValue value)
        {
            levels[pinNumber] = value;
            Done.Add($"write {pinNumber} {value}");
        }

        protected override WaitForEventResult WaitForEvent(int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override void AddCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback) => throw new NotSupportedException();

        protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) => throw new NotSupportedException();
    }
}
