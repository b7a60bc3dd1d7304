using System.Buffers.Binary;
using System.Device.I2c;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Station.Ina219;

/// <summary>
/// Texas Instruments INA219: voltage, current and power of a battery, a solar panel or a supply (data sheet SBOS448). Each look triggers one conversion of 128 samples; the part
/// rests between. Current is positive when it flows from IN+ to IN-.
/// </summary>
/// <param name="open">Opens the part.</param>
/// <param name="where">Bus and address for messages.</param>
/// <param name="calibration">Its set-up.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Ina219Device(Func<I2cDevice> open, string where, Ina219Calibration calibration, TimeProvider time) : IDevice
{
    private const byte Configuration = 0;
    private const byte Shunt = 1;
    private const byte Bus = 2;
    private const byte Power = 3;
    private const byte Current = 4;
    private const byte Calibration = 5;

    private const ushort Reset = 0x8000;
    private const ushort ConfigurationAfterReset = 0x399F;
    private const ushort Range32Volts = 1 << 13;
    private const ushort BusAdc128Samples = 0xF << 7;
    private const ushort ShuntAdc128Samples = 0xF << 3;
    private const ushort ShuntAndBusTriggered = 3;
    private const ushort ConversionReady = 1 << 1;
    private const ushort Overflow = 1 << 0;
    private const int PollsMax = 10;

    // Twice 68.1 ms, the typical time of 128 samples; and what the slowest part may need more.
    private static readonly TimeSpan ConversionTime = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(10);

    private I2cDevice? part;

    private ushort Command => (ushort)(Range32Volts | (calibration.Gain << 11) | BusAdc128Samples | ShuntAdc128Samples | ShuntAndBusTriggered);

    /// <inheritdoc/>
    public TimeSpan WarmUp => TimeSpan.Zero;

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        part = open();
        Write(Configuration, Reset);
        await Task.Delay(PollTime, time, cancellationToken).ConfigureAwait(false);
        ushort found = Read(Configuration);
        if (found != ConfigurationAfterReset)
        {
            throw new SensorException($"The part at {where} is no INA219: after its reset it says 0x{found:x4}, not 0x{ConfigurationAfterReset:x4}. Check address and wiring.");
        }

        Write(Calibration, calibration.Register);
        if (Read(Calibration) != calibration.Register)
        {
            throw new SensorException($"The INA219 at {where} does not take its calibration: it, or its wiring, is broken.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        // A part that lost its supply for a moment has forgotten it, and would say zero amperes.
        if (Read(Calibration) != calibration.Register)
        {
            throw new SensorException($"The INA219 at {where} has lost its calibration: it was reset.");
        }

        Write(Configuration, Command);
        await Task.Delay(ConversionTime, time, cancellationToken).ConfigureAwait(false);
        ushort bus = Read(Bus);
        for (int poll = 0; (bus & ConversionReady) == 0; poll++)
        {
            if (poll == PollsMax)
            {
                throw new NoSampleException("not measured", $"the INA219 at {where} does not finish a conversion");
            }

            await Task.Delay(PollTime, time, cancellationToken).ConfigureAwait(false);
            bus = Read(Bus);
        }

        // At the end of the shunt range the part's own current is cut off too.
        Quality quality = (bus & Overflow) != 0 || Math.Abs(Ina219Calibration.ShuntVolts(Read(Shunt))) >= ShuntVoltsFull ? Quality.Saturated : Quality.Good;
        double amperes = calibration.Amperes(Read(Current));
        double watts = calibration.Watts(Read(Power));
        samples.Add(new Sample("battery", Ina219Calibration.BusVolts(bus)));
        samples.Add(new Sample("supply_current", amperes, quality));
        samples.Add(new Sample("supply_power", amperes < 0 ? -watts : watts, quality));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        part?.Dispose();
        return ValueTask.CompletedTask;
    }

    private double ShuntVoltsFull => 0.04 * (1 << calibration.Gain);

    private void Write(byte register, ushort value) => part!.Write([register, (byte)(value >> 8), (byte)value]);

    private ushort Read(byte register)
    {
        Span<byte> value = stackalloc byte[2];
        part!.WriteRead([register], value);
        return BinaryPrimitives.ReadUInt16BigEndian(value);
    }
}
