using System.Device.Gpio;
using System.Globalization;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Traffic.Lidar;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.HcSr04;

/// <summary>
/// HC-SR04 ultrasonic ranger on two GPIO lines (trigger, echo), looking across a narrow lane. The last resort: 4 m at most, 16 shots a second, and the echo is timed by a program
/// that the kernel may hold up; so each distance is the median of three shots. Fast vehicles pass between the shots.
/// </summary>
internal sealed class HcSr04Detector(Func<GpioController> open, int trigger, int echo, RangingOptions options, TimeProvider time) : IVehicleDetector
{
    /// <summary>Shots of one distance: the median of the last three.</summary>
    public const int Shots = 3;

    // Data sheet: at least 60 ms from shot to shot, 2 cm to 4 m; without an echo the line stays high for 38 ms.
    private static readonly TimeSpan ShotTime = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TriggerTime = TimeSpan.FromMicroseconds(10);
    private const double MetresMin = 0.02;
    private const double MetresMax = 4;

    // At 15 Cel; a road between -5 and 35 Cel is off by 4 %, well within any threshold.
    private const double SoundMetresPerSecond = 340.4;

    private readonly LanePassages lane = new(options);
    private readonly List<PinEdge> edges = [];
    private readonly Queue<double> recent = new();
    private GpioController? controller;
    private PinEdges? echoes;

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        controller = open();
        try
        {
            controller.OpenPin(trigger, PinMode.Output, PinValue.Low);
        }
#pragma warning disable CA1031 // The package throws many things, by version and chip.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            controller.Dispose();
            throw new SensorException($"GPIO line {trigger} cannot be used as trigger: {exception.GetBaseException().Message.TrimEnd('.')}. Is it used by another program or sensor?", exception);
        }

        echoes = new PinEdges(controller, [echo], PinMode.Input, time);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask LookAsync(VehicleLook look, CancellationToken cancellationToken)
    {
        int answered = 0;
        int told = 0;
        int shots = 0;
        long began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < LookTime)
        {
            // What an echo that came late has left behind belongs to no shot.
            edges.Clear();
            _ = echoes!.Take(edges);
            edges.Clear();
            Shoot();
            await Task.Delay(ShotTime, time, cancellationToken).ConfigureAwait(false);
            _ = echoes.Take(edges);
            shots++;
            if (!TryEcho(out double? metres))
            {
                continue;
            }

            answered++;
            told += lane.Measured(time.GetUtcNow().UtcDateTime, Median(metres), look) ? 1 : 0;
        }

        lane.Cover(time.GetUtcNow().UtcDateTime, look);
        if (answered < shots / 2)
        {
            throw new NoSampleException("silent", string.Create(CultureInfo.InvariantCulture, $"the HC-SR04 on GPIO {trigger} and {echo} answered {answered} of {shots} shots: check its 5 V supply and the divider of the echo line"));
        }

        if (!lane.Ready)
        {
            throw new NoSampleException("learning", string.Create(CultureInfo.InvariantCulture, $"the HC-SR04 on GPIO {trigger} and {echo} is learning the background"));
        }

        if (told < shots / 2)
        {
            throw new NoSampleException("weak echo", string.Create(CultureInfo.InvariantCulture, $"the HC-SR04 on GPIO {trigger} and {echo} gets no echo from the background ({lane.Background:0.00} m): set ranging.background to 0 if there is none"));
        }

        if (lane.Blocked)
        {
            throw new NoSampleException("blocked", string.Create(CultureInfo.InvariantCulture, $"something has stood before the HC-SR04 on GPIO {trigger} and {echo} for longer than {options.BlockedAfter}"));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        echoes?.Dispose();
        controller?.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Shoot()
    {
        controller!.Write(trigger, PinValue.High);

        // Ten microseconds is less than any timer can wait for. By the machine's own counter: a clock that stands still in a test would never end it.
        long began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < TriggerTime)
        {
        }

        controller.Write(trigger, PinValue.Low);
    }

    /// <summary>Whether the part answered, and from how far; null for "nothing within reach".</summary>
    private bool TryEcho(out double? metres)
    {
        metres = null;
        int rise = edges.FindIndex(static edge => edge.High);
        if (rise < 0)
        {
            return false;
        }

        int fall = edges.FindIndex(rise, static edge => !edge.High);
        if (fall >= 0)
        {
            double distance = (edges[fall].At - edges[rise].At).TotalSeconds / 2 * SoundMetresPerSecond;
            metres = distance is >= MetresMin and <= MetresMax ? distance : null;
        }

        return true;
    }

    // An outlier has to come twice in three to be believed.
    private double? Median(double? metres)
    {
        if (recent.Count == Shots)
        {
            recent.Dequeue();
        }

        recent.Enqueue(metres ?? double.MaxValue);
        double median = VehicleFigures.Percentile([.. recent], 50);
        return median == double.MaxValue ? null : median;
    }
}
