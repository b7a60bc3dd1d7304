using System.Buffers.Binary;
using System.Device.I2c;
using System.Text;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Noise.Dnms;

/// <summary>
/// DNMS, the sound level meter of Helmut Bitter (Teensy with an ICS-43434) on I2C: LAeq, and the largest and smallest A-weighted level of its short intervals, since the look
/// before. It has one time weighting of its own, close to F (125 ms); no class of IEC 61672-1 is claimed for it.
/// </summary>
/// <param name="open">Opens the part.</param>
/// <param name="where">Bus and address for messages.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class DnmsDevice(Func<I2cDevice> open, string where, TimeProvider time) : IDevice
{
    private const ushort ReadVersion = 0x0002;
    private const ushort Calculate = 0x0003;
    private const ushort DataReady = 0x0004;
    private const ushort ReadLevels = 0x0005;
    private const int VersionBytes = 18;
    private const int LevelsBytes = 12;
    private const double LevelMax = 140;

    private static readonly TimeSpan ReadTime = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(5);
    private const int PollsMax = 40;

    private I2cDevice? part;

    /// <inheritdoc/>
    public TimeSpan WarmUp => TimeSpan.Zero;

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        part = open();
        string version;
        try
        {
            version = Encoding.ASCII.GetString(await AskAsync(ReadVersion, VersionBytes, cancellationToken).ConfigureAwait(false));
        }
        catch (NoSampleException exception)
        {
            throw new SensorException($"The part at {where} answers, but not as a DNMS does ({exception.Message}): another part has this address, or the wiring is too long.", exception);
        }

        if (!version.StartsWith("DNMS", StringComparison.Ordinal))
        {
            throw new SensorException($"The part at {where} is no DNMS: it calls itself '{Printable(version)}'.");
        }

        // What it has gathered until now is of a time that nobody asked for.
        await LevelsAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        byte[] data = await LevelsAsync(cancellationToken).ConfigureAwait(false);
        (double equivalent, double min, double max) = (Level(data, 0), Level(data, 1), Level(data, 2));
        if (!(min > 0 && max <= LevelMax && min <= equivalent && equivalent <= max))
        {
            throw new NoSampleException("not measured", $"the DNMS at {where} gave levels that cannot be (LAeq {equivalent}, from {min} to {max} dB)");
        }

        samples.Add(new Sample("laeq", equivalent));
        samples.Add(new Sample("lafmax", max));
        samples.Add(new Sample("lafmin", min));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        part?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends the present interval, begins the next one, and reads what the ended one had.</summary>
    private async ValueTask<byte[]> LevelsAsync(CancellationToken cancellationToken)
    {
        part!.Send(Calculate);
        for (int poll = 0; SensirionWords.Word(await AskAsync(DataReady, 2, cancellationToken).ConfigureAwait(false), 0) == 0; poll++)
        {
            if (poll == PollsMax)
            {
                throw new NoSampleException("not ready", $"the DNMS at {where} has not finished its calculation in 200 ms");
            }

            await Task.Delay(PollTime, time, cancellationToken).ConfigureAwait(false);
        }

        return await AskAsync(ReadLevels, LevelsBytes, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<byte[]> AskAsync(ushort command, int bytes, CancellationToken cancellationToken)
    {
        part!.Send(command);
        await Task.Delay(ReadTime, time, cancellationToken).ConfigureAwait(false);
        var data = new byte[bytes];
        return part!.TryTake(data) ? data : throw new NoSampleException("checksum", "a word came with a wrong CRC");
    }

    private static double Level(byte[] data, int index) => BinaryPrimitives.ReadSingleBigEndian(data.AsSpan(4 * index));

    private static string Printable(string text) => new([.. text.Select(character => character is >= ' ' and <= '~' ? character : '?')]);
}
