using System.Device.Gpio;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Commands;

/// <summary>There is no light that could blink; the message says why and what to do.</summary>
internal sealed class NoLightException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>A light that the station has in its hand until disposed of; it is then as it was before.</summary>
internal interface ILight : IDisposable
{
    /// <summary>Switches it.</summary>
    /// <exception cref="IOException">It is gone.</exception>
    void Set(bool on);
}

/// <summary>Finds the light to blink with.</summary>
/// <param name="options">Which.</param>
/// <param name="buses">Where GPIO lines are opened.</param>
/// <param name="folder">The kernel's lights, <c>/sys/class/leds</c>.</param>
internal sealed class Lights(IdentifyOptions options, IBuses buses, string folder)
{
    private static readonly string[] OfBoards = ["ACT", "led0", "activity"];

    /// <summary>Takes the light into its hand.</summary>
    /// <exception cref="NoLightException">There is none, or it may not be used.</exception>
    public ILight Open() => options.Pin is { } pin ? new PinLight(buses, pin, options.ActiveLow) : new BoardLight(Find());

    private string Find()
    {
        if (options.Led is { } wanted)
        {
            var path = Path.Combine(folder, wanted);
            return Directory.Exists(path) ? path : throw new NoLightException($"There is no light {path}; identify.led names one in {folder}.");
        }

        return OfBoards.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists)
            ?? throw new NoLightException("This station has no light to blink with: wire one and give its GPIO line in identify.pin, or the name of a light of the board in identify.led.");
    }

    private sealed class PinLight : ILight
    {
        private readonly GpioController _gpio;
        private readonly int _pin;
        private readonly bool _activeLow;

        public PinLight(IBuses buses, int pin, bool activeLow)
        {
            (_pin, _activeLow) = (pin, activeLow);
            try
            {
                _gpio = buses.OpenGpio();
            }
            catch (SensorException e)
            {
                throw new NoLightException(e.Message, e);
            }

            try
            {
                _gpio.OpenPin(pin, PinMode.Output);
            }
#pragma warning disable CA1031 // The package throws by version and chip; a line that another has, and one that there is not, are the same to us.
            catch (Exception e)
            {
                _gpio.Dispose();
                throw new NoLightException($"GPIO line {pin} (identify.pin) cannot be opened: {e.Message.TrimEnd('.')}. Is it used by something else?", e);
            }
#pragma warning restore CA1031
        }

        public void Set(bool on) => _gpio.Write(_pin, on != _activeLow ? PinValue.High : PinValue.Low);

        public void Dispose()
        {
            try
            {
                Set(false);
                _gpio.ClosePin(_pin);
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                // The chip is gone; so is its light.
            }

            _gpio.Dispose();
        }
    }

    /// <summary>The kernel lets what triggers a light be changed: <c>none</c> gives it to us, and the one before gets it back.</summary>
    private sealed class BoardLight : ILight
    {
        private readonly string _path;
        private readonly string? _trigger;
        private readonly string _bright;

        public BoardLight(string path)
        {
            _path = path;
            try
            {
                var triggers = File.ReadAllText(Path.Combine(path, "trigger"));
                var (from, to) = (triggers.IndexOf('[', StringComparison.Ordinal), triggers.IndexOf(']', StringComparison.Ordinal));
                _trigger = from >= 0 && to > from ? triggers[(from + 1)..to] : null;
                _bright = File.ReadAllText(Path.Combine(path, "max_brightness")).Trim();
                Write("trigger", "none");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new NoLightException(
                    $"The light {path} may not be used: {e.Message.TrimEnd('.')}. Let the agent's user write its trigger and brightness (a udev rule), or wire a light and give its GPIO line in identify.pin.", e);
            }
        }

        public void Set(bool on) => Write("brightness", on ? _bright : "0");

        public void Dispose()
        {
            try
            {
                Set(false);
                if (_trigger is not null)
                {
                    Write("trigger", _trigger);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It blinks no more, which is what is wanted.
            }
        }

        // In one write and without making it: the kernel takes a value as a whole, and a file that is not there is no light.
        private void Write(string name, string value)
        {
            using var file = new FileStream(Path.Combine(_path, name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(value));
        }
    }
}
