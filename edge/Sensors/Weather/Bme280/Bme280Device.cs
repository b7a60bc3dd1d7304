using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Weather.Bme280;

/// <summary>
/// Bosch BME280: air temperature, pressure and relative humidity, in forced mode (one measurement for each look, asleep between: the part warms itself less).
/// Data sheet BST-BME280-DS002, chapters 3 to 5.
/// </summary>
/// <param name="registers">The part's registers, over I2C or SPI.</param>
/// <param name="where">Bus and address for messages.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Bme280Device(Func<IBme280Registers> registers, string where, TimeProvider time) : IDevice
{
    private const byte Id = 0xD0;
    private const byte Reset = 0xE0;
    private const byte ControlHumidity = 0xF2;
    private const byte Status = 0xF3;
    private const byte ControlMeasure = 0xF4;
    private const byte Config = 0xF5;
    private const byte Data = 0xF7;
    private const byte ChipBme280 = 0x60;
    private const byte ChipBmp280 = 0x58;
    private const byte OversamplingOnce = 1;
    private const byte Forced = 1;
    private const byte Measuring = 1 << 3;
    private const byte CopyingTrim = 1 << 0;

    // What a channel says that was skipped or not yet measured (section 5.4, reset state of the data registers).
    private const int Skipped20 = 0x80000;
    private const int Skipped16 = 0x8000;

    // 1.25 + 2.3 + (2.3 + 0.575) + (2.3 + 0.575) ms at oversampling 1 (section 9.1, longest), rounded up.
    private static readonly TimeSpan MeasureTime = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan StartTime = TimeSpan.FromMilliseconds(3);
    private const int PollsMax = 10;

    private IBme280Registers? part;
    private Bme280Calibration? calibration;

    /// <inheritdoc/>
    public TimeSpan WarmUp => TimeSpan.Zero;

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        part = registers();
        byte chip = Read(Id);
        if (chip != ChipBme280)
        {
            throw new SensorException(chip == ChipBmp280
                ? $"The part at {where} is a BMP280, which measures no humidity (chip id 0x58): fit a BME280."
                : $"The part at {where} is no BME280: its chip id is 0x{chip:x2}, not 0x60. Check address and wiring.");
        }

        part.Write(Reset, 0xB6);
        await Task.Delay(StartTime, time, cancellationToken).ConfigureAwait(false);
        await WaitAsync(CopyingTrim, "does not finish its reset", cancellationToken).ConfigureAwait(false);

        var first = new byte[Bme280Calibration.FirstBytes];
        var second = new byte[Bme280Calibration.SecondBytes];
        part.Read(0x88, first);
        part.Read(0xE1, second);
        calibration = Bme280Calibration.Parse(first, second);
        if (calibration is { T1: 0 or ushort.MaxValue } or { P1: 0 })
        {
            throw new SensorException($"The BME280 at {where} has no trimming values: it, or its wiring, is broken.");
        }

        part.Write(Config, 0);
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        // Humidity's register takes effect with the next write to the other one (section 5.4.3).
        part!.Write(ControlHumidity, OversamplingOnce);
        part.Write(ControlMeasure, (OversamplingOnce << 5) | (OversamplingOnce << 2) | Forced);
        await Task.Delay(MeasureTime, time, cancellationToken).ConfigureAwait(false);
        await WaitAsync(Measuring, "does not finish a measurement", cancellationToken).ConfigureAwait(false);

        var data = new byte[8];
        part.Read(Data, data);
        int pressure = (data[0] << 12) | (data[1] << 4) | (data[2] >> 4);
        int temperature = (data[3] << 12) | (data[4] << 4) | (data[5] >> 4);
        int humidity = (data[6] << 8) | data[7];
        if (temperature == Skipped20 || pressure == Skipped20 || humidity == Skipped16 || data.AsSpan().IndexOfAnyExcept((byte)0xFF) < 0)
        {
            throw new NoSampleException("not measured", $"the BME280 at {where} has not measured (it was reset, or its supply fails)");
        }

        double celsius = calibration!.Celsius(temperature, out double fine);
        if (calibration.Pascals(pressure, fine) is not { } pascals)
        {
            throw new NoSampleException("not measured", $"the BME280 at {where} gives no pressure");
        }

        samples.Add(new Sample("temperature", celsius));
        samples.Add(new Sample("pressure", pascals / 100));
        samples.Add(new Sample("relative_humidity", calibration.RelativeHumidity(humidity, fine)));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        part?.Dispose();
        return ValueTask.CompletedTask;
    }

    private byte Read(byte register)
    {
        Span<byte> one = stackalloc byte[1];
        part!.Read(register, one);
        return one[0];
    }

    private async ValueTask WaitAsync(byte busy, string what, CancellationToken cancellationToken)
    {
        for (int poll = 0; (Read(Status) & busy) != 0; poll++)
        {
            if (poll == PollsMax)
            {
                throw new SensorException($"The BME280 at {where} {what}.");
            }

            await Task.Delay(StartTime, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
