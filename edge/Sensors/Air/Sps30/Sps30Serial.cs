using System.Buffers.Binary;
using System.Text;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.Sps30;

/// <summary>An SPS30 on a serial line (SEL left open), SHDLC (data sheet, section 5).</summary>
/// <param name="port">The port, 115200 baud; this link's from here on.</param>
/// <param name="where">Name of the port, for messages.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Sps30Serial(ISerialPort port, string where, TimeProvider time) : ISps30Link
{
    private const byte StartMeasuring = 0x00;
    private const byte StopMeasuring = 0x01;
    private const byte ReadMeasurement = 0x03;
    private const byte WakeUp = 0x11;
    private const byte CleaningInterval = 0x80;
    private const byte DeviceInformation = 0xD0;
    private const byte Version = 0xD1;
    private const byte DeviceStatus = 0xD2;
    private const byte NotInThisState = 0x43;
    private const byte ErrorFlag = 0x80;

    // The part answers within 20 ms; an adapter and a busy machine take longer.
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromMilliseconds(500);
    private readonly FrameStream<Sps30Answer> frames = new(port, Sps30Frames.TryCut, time);

    /// <inheritdoc/>
    public bool StatusDue { get; private set; }

    /// <inheritdoc/>
    public async ValueTask<(string Serial, int Major, int Minor)> IdentifyAsync(CancellationToken cancellationToken)
    {
        // Asleep it needs a falling edge first (section 5.3.3); awake it refuses, which is fine. Its first answer may be lost.
        port.Write([0xFF]);
        try
        {
            await AskAsync(WakeUp, [], cancellationToken).ConfigureAwait(false);
        }
        catch (NoSampleException)
        {
        }

        try
        {
            await AskAsync(StopMeasuring, [], cancellationToken).ConfigureAwait(false);
            byte[] serial = await AskAsync(DeviceInformation, [0x03], cancellationToken).ConfigureAwait(false);
            byte[] version = await AskAsync(Version, [], cancellationToken).ConfigureAwait(false);
            return version.Length >= 2
                ? (Encoding.ASCII.GetString(serial).TrimEnd('\0'), version[0], version[1])
                : throw new SensorException($"The part at {where} is no SPS30: it answers, but not with a version. Check which part is on this port.");
        }
        catch (NoSampleException exception)
        {
            throw new SensorException(
                $"No SPS30 answers at {where} ({exception.Message}): check its 5 V, that RX and TX are crossed and SEL is left open, and that no other part is on this port.", exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken) => await AskAsync(StartMeasuring, [0x01, 0x03], cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<byte[]?> MeasurementAsync(CancellationToken cancellationToken)
    {
        byte[] data = await AskAsync(ReadMeasurement, [], cancellationToken).ConfigureAwait(false);
        return data.Length == 0 ? null : data;
    }

    /// <inheritdoc/>
    public async ValueTask<uint> StatusAsync(CancellationToken cancellationToken) => Number(await AskAsync(DeviceStatus, [0x00], cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async ValueTask ClearStatusAsync(CancellationToken cancellationToken) => await AskAsync(DeviceStatus, [0x01], cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<uint> CleaningSecondsAsync(CancellationToken cancellationToken) => Number(await AskAsync(CleaningInterval, [0x00], cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public void Stop() => port.Write(Sps30Frames.Request(StopMeasuring));

    /// <inheritdoc/>
    public void Dispose() => port.Dispose();

    private async ValueTask<byte[]> AskAsync(byte command, byte[] data, CancellationToken cancellationToken)
    {
        // An answer that came too late for the last question must not be taken for this one's.
        frames.Discard();
        port.Write(Sps30Frames.Request(command, data));
        Sps30Answer answer = await frames.OneAsync(AnswerPatience, answer => answer.Command == command, cancellationToken).ConfigureAwait(false);
        StatusDue = (answer.State & ErrorFlag) != 0;
        int refusal = answer.State & ~ErrorFlag;
        return refusal == 0 || (refusal == NotInThisState && command is WakeUp or StopMeasuring)
            ? answer.Data
            : throw new SensorException($"The SPS30 at {where} refuses command 0x{command:x2} with code 0x{refusal:x2}.");
    }

    private static uint Number(byte[] data) =>
        data.Length >= 4 ? BinaryPrimitives.ReadUInt32BigEndian(data) : throw new NoSampleException("length", "the answer that came was too short");
}
