using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.Pms5003;

/// <summary>
/// Plantower PMS5003: mass of particles up to 1, 2.5 and 10 um in the atmosphere (not the words for "CF=1", which are for factory halls), and the number of those over
/// 0.3 um. It speaks by itself, every 0.2 to 2.3 s.
/// </summary>
/// <param name="open">Opens the port, 9600 baud.</param>
/// <param name="where">Name of the port.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Pms5003Device(Func<ISerialPort> open, string where, TimeProvider time) : IDevice
{
    private const byte ModeCommand = 0xE1;
    private const byte SleepCommand = 0xE4;
    private const ushort Active = 1;
    private const ushort Awake = 1;

    // Largest mass the data sheet speaks of, and the volume that the counts are for.
    private const int MassMax = 1000;
    private const double CountCubicCentimetres = 100;

    private static readonly TimeSpan FramePatience = TimeSpan.FromSeconds(4);

    private ISerialPort? port;
    private FrameStream<Pms5003Frame>? frames;

    /// <summary>The data sheet asks for 30 s after a sleep, for the fan.</summary>
    public TimeSpan WarmUp => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        port = open();
        frames = new FrameStream<Pms5003Frame>(port, Pms5003Frames.TryCut, time);

        // After power-on it is awake and active anyway: these are for a part that another program has left otherwise, and need not be heard.
        port.Write(Pms5003Frames.Command(SleepCommand, Awake));
        port.Write(Pms5003Frames.Command(ModeCommand, Active));
        try
        {
            Known(await frames.OneAsync(FramePatience, _ => true, cancellationToken).ConfigureAwait(false));
        }
        catch (NoSampleException exception)
        {
            throw new SensorException(
                $"No PMS5003 speaks at {where} ({exception.Message}): check its 5 V, that its TX goes to the port's RX and SET is not to ground, and that no other part is on this port.", exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        Pms5003Frame frame = Known(await frames!.NewestAsync(FramePatience, _ => true, cancellationToken).ConfigureAwait(false));
        if (frame.Error != 0)
        {
            throw new NoSampleException("error byte", $"the PMS5003 at {where} says error 0x{frame.Error:x2}");
        }

        samples.Add(Mass("pm1", frame.Pm1));
        samples.Add(Mass("pm2_5", frame.Pm25));
        samples.Add(Mass("pm10", frame.Pm10));
        samples.Add(new Sample("particle_number", frame.Count / CountCubicCentimetres, frame.Count == ushort.MaxValue ? Quality.Saturated : Quality.Good));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        port?.Dispose();
        return ValueTask.CompletedTask;
    }

    private Pms5003Frame Known(Pms5003Frame frame) => frame.IsKnown ? frame : throw new SensorException(
        $"The part at {where} sends frames of length {frame.Length}, whose layout is not known; a PMS5003 or 5003T has {Pms5003Frames.LengthUsual}, a 5003ST {Pms5003Frames.LengthLong}.");

    private static Sample Mass(string property, int value) => new(property, value, value > MassMax ? Quality.OutOfRange : Quality.Good);
}
