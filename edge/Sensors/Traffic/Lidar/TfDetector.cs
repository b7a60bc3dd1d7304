using System.Globalization;
using System.Runtime.CompilerServices;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Lidar;

/// <summary>
/// Benewake TF-Luna or TFmini-S on a serial line, looking across a lane, at its factory setting of 100 frames a second.
/// </summary>
/// <param name="open">Opens the port.</param>
/// <param name="where">Port for messages.</param>
/// <param name="options">The rule for vehicles.</param>
/// <param name="time">Clock of frames and waits.</param>
internal sealed class TfDetector(Func<ISerialPort> open, string where, RangingOptions options, TimeProvider time) : IVehicleDetector
{
    // Of 100 a second; fewer, and a fast vehicle may pass between two.
    private const int FramesMin = 50;
    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(10);

    private readonly LanePassages lane = new(options);
    private readonly TfStream stream = new();
    private readonly byte[] chunk = new byte[512];
    private readonly List<TfFrame> frames = [];
    private ISerialPort? port;
    private DateTime lastFrame = DateTime.MinValue;

    /// <summary>How long the first frame may take.</summary>
    internal TimeSpan StartTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        port = open();
        long began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < StartTime)
        {
            await TakeAsync(cancellationToken).ConfigureAwait(false);
            if (frames.Count > 0)
            {
                return;
            }
        }

        throw new SensorException(stream.Garbage == 0
            ? $"Nothing comes from {where}: check cable and supply of the lidar, and that its pin 5 is not tied low (I2C)."
            : $"What comes from {where} is no TF-Luna or TFmini-S, or the serial rate is wrong (115200 unless it was changed).");
    }

    /// <inheritdoc/>
    public async ValueTask LookAsync(VehicleLook look, CancellationToken cancellationToken)
    {
        long garbage = stream.Garbage;
        int seen = 0;
        int told = 0;
        long began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < LookTime)
        {
            await TakeAsync(cancellationToken).ConfigureAwait(false);
            DateTime now = time.GetUtcNow().UtcDateTime;
            for (int index = 0; index < frames.Count; index++)
            {
                // Frames that came in one piece were measured one after the other.
                DateTime at = now - (FrameTime * (frames.Count - 1 - index));
                lastFrame = at > lastFrame || now < lastFrame ? at : lastFrame;
                told += lane.Measured(lastFrame, frames[index].Metres, look) ? 1 : 0;
            }

            seen += frames.Count;
        }

        lane.Cover(time.GetUtcNow().UtcDateTime, look);
        Check(seen, told, stream.Garbage - garbage);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        port?.Dispose();
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask TakeAsync(CancellationToken cancellationToken)
    {
        frames.Clear();
        int count = await port!.ReadAsync(chunk, Patience, cancellationToken).ConfigureAwait(false);
        stream.Take(chunk.AsSpan(0, count), frames);
    }

    private void Check(int seen, int told, long garbage)
    {
        if (seen < FramesMin)
        {
            throw garbage > seen * TfFrame.Bytes
                ? new NoSampleException("checksum", string.Create(CultureInfo.InvariantCulture, $"{garbage} bytes of the lidar at {where} belong to no frame: check cable and ground"))
                : new NoSampleException("silent", string.Create(CultureInfo.InvariantCulture, $"the lidar at {where} gave {seen} frames in a second, not 100: check its supply and frame rate"));
        }

        if (!lane.Ready)
        {
            throw new NoSampleException("learning", $"the lidar at {where} is learning the background");
        }

        if (told < seen / 2)
        {
            throw new NoSampleException("weak echo", string.Create(CultureInfo.InvariantCulture, $"the lidar at {where} gets no good echo from the background ({lane.Background:0.00} m): clean its window, or set ranging.background to 0 if there is none"));
        }

        if (lane.Blocked)
        {
            throw new NoSampleException("blocked", $"something has stood before the lidar at {where} for longer than {options.BlockedAfter}");
        }
    }
}
