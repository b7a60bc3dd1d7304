using System.Device.I2c;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.Scd41;

/// <summary>
/// Sensirion SCD41 (and SCD40, SCD43): carbon dioxide, a new value every 5 s. Its temperature and humidity are those inside a part that warms itself; they tell whether it
/// is within its range and are not given as the air's. Settings are made at each start and not stored in the part, whose memory bears 2000 writings only.
/// </summary>
/// <param name="open">Opens the part.</param>
/// <param name="where">Bus and address for messages.</param>
/// <param name="options">Its settings.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Scd41Device(Func<I2cDevice> open, string where, Scd41Options options, TimeProvider time) : IDevice
{
    private const ushort StartMeasuring = 0x21B1;
    private const ushort StopMeasuring = 0x3F86;
    private const ushort ReadMeasurement = 0xEC05;
    private const ushort DataReady = 0xE4B8;
    private const ushort GetAutomaticCalibration = 0x2313;
    private const ushort SetAutomaticCalibration = 0x2416;
    private const ushort SetAltitude = 0x2427;
    private const ushort SerialNumber = 0x3682;
    private const ushort Variant = 0x202F;
    private const ushort WakeUp = 0x36F6;

    private const int ReadyMask = 0x07FF;
    private const int PpmMin = 400;
    private const int Scd40PpmMax = 2000;
    private const int Scd41PpmMax = 5000;

    private static readonly TimeSpan ReadTime = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan WakeTime = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan StopTime = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(500);

    // A measurement every 5 s, and a little for its clock.
    private const int PollsMax = 12;

    private I2cDevice? part;
    private int ppmMax = Scd41PpmMax;

    /// <summary>Response time (63 %) of the data sheet.</summary>
    public TimeSpan WarmUp => TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        part = open();

        // Nothing but a few commands works while it measures, as it does where another program, or this one before, left it; asleep it does not acknowledge its waking.
        try
        {
            part.Send(WakeUp);
        }
        catch (IOException)
        {
        }

        await Task.Delay(WakeTime, time, cancellationToken).ConfigureAwait(false);
        part.Send(StopMeasuring);
        await Task.Delay(StopTime, time, cancellationToken).ConfigureAwait(false);
        try
        {
            await AskAsync(SerialNumber, 6, cancellationToken).ConfigureAwait(false);
            ppmMax = await VariantAsync(cancellationToken).ConfigureAwait(false) switch
            {
                0x0000 => Scd40PpmMax,
                0x1000 or 0x5000 => Scd41PpmMax,
                int other => throw new SensorException($"The part at {where} is no SCD40, SCD41 or SCD43: its variant is 0x{other:x4}."),
            };
            await SetAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (NoSampleException exception)
        {
            throw new SensorException($"The part at {where} answers, but not as an SCD41 does ({exception.Message}): another part has this address, or the wiring is too long.", exception);
        }

        part.Send(StartMeasuring);
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        for (int poll = 0; (SensirionWords.Word(await AskAsync(DataReady, 2, cancellationToken).ConfigureAwait(false), 0) & ReadyMask) == 0; poll++)
        {
            if (poll == PollsMax)
            {
                throw new NoSampleException("nothing new", $"the SCD41 at {where} has not measured for 6 s");
            }

            await Task.Delay(PollTime, time, cancellationToken).ConfigureAwait(false);
        }

        var measurement = Scd41Measurement.Parse(await AskAsync(ReadMeasurement, Scd41Measurement.Bytes, cancellationToken).ConfigureAwait(false));
        if (measurement.Ppm == 0)
        {
            throw new NoSampleException("not measured", $"the SCD41 at {where} gives no concentration");
        }

        // Operating range of the data sheet: accuracy is specified inside it only.
        bool inRange = measurement.Ppm >= PpmMin && measurement.Ppm <= ppmMax && measurement is { Celsius: >= -10 and <= 60, RelativeHumidity: <= 95 };
        samples.Add(new Sample("co2", measurement.Ppm, inRange ? Quality.Good : Quality.OutOfRange));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        try
        {
            part?.Send(StopMeasuring);
        }
        catch (IOException)
        {
            // It is gone.
        }

        part?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<int> VariantAsync(CancellationToken cancellationToken)
    {
        try
        {
            return SensirionWords.Word(await AskAsync(Variant, 2, cancellationToken).ConfigureAwait(false), 0) & 0xF000;
        }
        catch (IOException)
        {
            // The first firmware does not know the question.
            return 0x1000;
        }
    }

    private async ValueTask SetAsync(CancellationToken cancellationToken)
    {
        ushort wanted = options.AutomaticCalibration ? (ushort)1 : (ushort)0;
        if (SensirionWords.Word(await AskAsync(GetAutomaticCalibration, 2, cancellationToken).ConfigureAwait(false), 0) != wanted)
        {
            part!.Send(SetAutomaticCalibration, wanted);
            await Task.Delay(ReadTime, time, cancellationToken).ConfigureAwait(false);
        }

        part!.Send(SetAltitude, (ushort)options.Altitude);
        await Task.Delay(ReadTime, time, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<byte[]> AskAsync(ushort command, int bytes, CancellationToken cancellationToken)
    {
        part!.Send(command);
        await Task.Delay(ReadTime, time, cancellationToken).ConfigureAwait(false);
        var data = new byte[bytes];
        return part!.TryTake(data) ? data : throw new NoSampleException("checksum", "a word came with a wrong CRC");
    }
}
