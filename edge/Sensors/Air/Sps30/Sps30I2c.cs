using System.Buffers.Binary;
using System.Device.I2c;
using System.Text;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.Sps30;

/// <summary>An SPS30 on I2C (SEL to ground, which is read at power-on), address 0x69 (data sheet, section 6).</summary>
/// <param name="device">The part; this link's from here on.</param>
/// <param name="where">Bus and address, for messages.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Sps30I2c(I2cDevice device, string where, TimeProvider time) : ISps30Link
{
    private const ushort StartMeasuring = 0x0010;
    private const ushort StopMeasuring = 0x0104;
    private const ushort DataReady = 0x0202;
    private const ushort ReadMeasurement = 0x0300;
    private const ushort WakeUp = 0x1103;
    private const ushort CleaningInterval = 0x8004;
    private const ushort SerialNumber = 0xD033;
    private const ushort Version = 0xD100;
    private const ushort DeviceStatus = 0xD206;
    private const ushort ClearStatus = 0xD210;
    private const ushort Floats = 0x0300;

    private static readonly TimeSpan CommandTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ReadTime = TimeSpan.FromMilliseconds(5);

    /// <summary>There is no state byte on I2C: the register is read with every look.</summary>
    public bool StatusDue => true;

    /// <inheritdoc/>
    public async ValueTask<(string Serial, int Major, int Minor)> IdentifyAsync(CancellationToken cancellationToken)
    {
        // Asleep it does not acknowledge the first wake-up, awake it refuses both, idle it may refuse the stop: the questions after tell who is there.
        foreach (ushort command in (ReadOnlySpan<ushort>)[WakeUp, WakeUp, StopMeasuring])
        {
            try
            {
                device.Send(command);
            }
            catch (IOException)
            {
            }
        }

        await Task.Delay(CommandTime, time, cancellationToken).ConfigureAwait(false);
        try
        {
            byte[] serial = await AskAsync(SerialNumber, 32, cancellationToken).ConfigureAwait(false);
            byte[] version = await AskAsync(Version, 2, cancellationToken).ConfigureAwait(false);
            return (Encoding.ASCII.GetString(serial).TrimEnd('\0'), version[0], version[1]);
        }
        catch (NoSampleException exception)
        {
            throw new SensorException($"The part at {where} answers, but not as an SPS30 does ({exception.Message}): another part has this address, or the wiring is too long.", exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        device.Send(StartMeasuring, Floats);
        await Task.Delay(CommandTime, time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> MeasurementAsync(CancellationToken cancellationToken)
    {
        byte[] ready = await AskAsync(DataReady, 2, cancellationToken).ConfigureAwait(false);
        return ready[1] == 1 ? await AskAsync(ReadMeasurement, ISps30Link.MeasurementBytes, cancellationToken).ConfigureAwait(false) : null;
    }

    /// <inheritdoc/>
    public async ValueTask<uint> StatusAsync(CancellationToken cancellationToken) => BinaryPrimitives.ReadUInt32BigEndian(await AskAsync(DeviceStatus, 4, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async ValueTask ClearStatusAsync(CancellationToken cancellationToken)
    {
        device.Send(ClearStatus);
        await Task.Delay(ReadTime, time, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<uint> CleaningSecondsAsync(CancellationToken cancellationToken) =>
        BinaryPrimitives.ReadUInt32BigEndian(await AskAsync(CleaningInterval, 4, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public void Stop() => device.Send(StopMeasuring);

    /// <inheritdoc/>
    public void Dispose() => device.Dispose();

    private async ValueTask<byte[]> AskAsync(ushort command, int bytes, CancellationToken cancellationToken)
    {
        device.Send(command);
        await Task.Delay(ReadTime, time, cancellationToken).ConfigureAwait(false);
        var data = new byte[bytes];
        return device.TryTake(data) ? data : throw new NoSampleException("checksum", "a word came with a wrong CRC");
    }
}
