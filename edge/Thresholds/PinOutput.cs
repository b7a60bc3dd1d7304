using System.Device.Gpio;
using System.Globalization;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Thresholds;

/// <summary>A GPIO line. Opened with the first word, closed at the end; after a failure the chip is opened anew.</summary>
internal sealed class PinOutput(int pin, bool activeLow, IBuses buses) : IOutput
{
    private GpioController? controller;

    /// <inheritdoc/>
    public string What { get; } = string.Create(CultureInfo.InvariantCulture, $"GPIO line {pin}");

    /// <inheritdoc/>
    public bool Holds => controller is not null;

    /// <inheritdoc/>
    public Task SetAsync(AlarmWord word, bool stopping, CancellationToken cancellationToken)
    {
        PinValue level = word.On != activeLow ? PinValue.High : PinValue.Low;
        try
        {
            if (controller is null)
            {
                controller = buses.OpenGpio();

                // With its level from the first moment: a relay must not click at every start.
                controller.OpenPin(pin, PinMode.Output, level);
            }

            controller.Write(pin, level);
            if (stopping)
            {
                Close();
            }

            return Task.CompletedTask;
        }
#pragma warning disable CA1031 // The package throws IOException, GpiodException, InvalidOperationException and more, by version and chip.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Close();
            return Task.FromException(new OutputException($"{What} cannot be switched {(word.On ? "on" : "off")}: {exception.GetBaseException().Message.TrimEnd('.')}.", exception));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private void Close()
    {
        GpioController? open = controller;
        controller = null;
        try
        {
            open?.Dispose();
        }
#pragma warning disable CA1031 // A chip that is gone cannot be closed either.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
