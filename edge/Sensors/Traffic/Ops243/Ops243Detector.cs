using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Ops243;

/// <summary>
/// OmniPreSense OPS243-A or -C: 24.125 GHz Doppler radar on a serial line (application note AN-010, API interface). Set up at every start (metres a second, JSON, both
/// directions, two objects a report, 20 000 samples a second in blocks of 512) and asked whether it is; a radar that was reset meanwhile is noticed and set up again.
/// </summary>
/// <param name="open">Opens the port.</param>
/// <param name="where">Port for messages.</param>
/// <param name="options">The rule for vehicles.</param>
/// <param name="time">Clock of reports and waits.</param>
internal sealed class Ops243Detector(Func<ISerialPort> open, string where, RadarOptions options, TimeProvider time) : IVehicleDetector
{
    private const int SamplesPerSecond = 20_000;
    private const int SamplesPerReport = 512;
    private const int AttemptsMax = 3;
    private const int LineBytesMax = 512;

    // More bad lines than good ones in a look: wrong rate, or another instrument.
    private const int GarbageMax = 20;

    // Json, metres a second with the unit in each report, no magnitude or time, rate and block, both directions, zeros while nothing moves, two objects.
    private static readonly string[] SetUp = ["OJ", "UM", "OU", "Om", "Ot", "OS", "S2", "S<\r", "R|", "BZ", "O2", "OJ", "U?", "??"];

    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly VehicleTracker tracker = new(options);
    private readonly Ops243Line line = new();
    private readonly byte[] chunk = new byte[512];
    private readonly byte[] pending = new byte[LineBytesMax];
    private ISerialPort? port;
    private int pendingCount;
    private bool overlong;
    private bool unitInReports;
    private bool settled;

    /// <summary>How long the radar may take to confirm its settings, at each of three attempts.</summary>
    internal TimeSpan AnswerTime { get; init; } = TimeSpan.FromSeconds(1);

    // What a look, or the wait for an answer, has seen.
    private int good;
    private int garbage;
    private string? product;
    private int? rate;
    private int? size;
    private bool metres;
    private string? otherUnit;

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        port = open();
        for (int attempt = 1; attempt <= AttemptsMax; attempt++)
        {
            port.DiscardInput();
            (product, rate, size, metres, otherUnit, pendingCount, good, garbage) = (null, null, null, false, null, 0, 0, 0);
            foreach (string command in SetUp)
            {
                port.Write(Encoding.ASCII.GetBytes(command));
            }

            long asked = time.GetTimestamp();
            while (!Confirmed && time.GetElapsedTime(asked) < AnswerTime)
            {
                await TakeAsync(null, cancellationToken).ConfigureAwait(false);
            }

            if (Confirmed)
            {
                settled = true;
                return;
            }
        }

        throw new SensorException(Doubt());
    }

    /// <inheritdoc/>
    public async ValueTask LookAsync(VehicleLook look, CancellationToken cancellationToken)
    {
        (good, garbage, product) = (0, 0, null);
        long began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < LookTime)
        {
            await TakeAsync(look.Passages, cancellationToken).ConfigureAwait(false);
        }

        tracker.Advance(time.GetUtcNow().UtcDateTime, look.Passages);
        if (garbage > GarbageMax && garbage > good)
        {
            throw new NoSampleException("garbage", $"{garbage} lines of the radar at {where} cannot be read: check the serial rate (19200 unless it was changed), cable and ground");
        }

        if (good == 0)
        {
            // Firmware that says nothing while nothing moves answers this; the next look sees it.
            port!.Write("??"u8);
            throw new NoSampleException("silent", $"the radar at {where} says nothing: check its supply and cable");
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        port?.Dispose();
        return ValueTask.CompletedTask;
    }

    private bool Confirmed => product?.StartsWith("OPS24", StringComparison.Ordinal) == true && rate == SamplesPerSecond && size == SamplesPerReport && metres && otherUnit is null;

    private string Doubt() => product is null
        ? good + garbage == 0
            ? $"Nothing answers at {where}: check cable, supply and the serial rate (an OPS243 has 19200 unless it was changed)."
            : $"What answers at {where} is no OPS243, or the serial rate is wrong ({garbage} lines cannot be read)."
        : !product.StartsWith("OPS24", StringComparison.Ordinal) ? $"At {where} is a {product}, no OPS243."
        : rate != SamplesPerSecond || size != SamplesPerReport
            ? string.Create(CultureInfo.InvariantCulture, $"The {product} at {where} does not take its settings: {rate} samples a second in blocks of {size}, not {SamplesPerSecond} in {SamplesPerReport}.")
            : $"The {product} at {where} does not confirm metres a second ({otherUnit ?? "it names no unit"}).";

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask TakeAsync(List<VehiclePassage>? passages, CancellationToken cancellationToken)
    {
        int count = await port!.ReadAsync(chunk, Patience, cancellationToken).ConfigureAwait(false);
        DateTime now = time.GetUtcNow().UtcDateTime;
        for (int index = 0; index < count; index++)
        {
            byte value = chunk[index];
            if (value is (byte)'\n' or (byte)'\r')
            {
                if (overlong)
                {
                    garbage++;
                }
                else if (pendingCount > 0)
                {
                    Take(pending.AsSpan(0, pendingCount), now, passages);
                }

                (pendingCount, overlong) = (0, false);
            }
            else if (pendingCount < LineBytesMax)
            {
                pending[pendingCount++] = value;
            }
            else
            {
                overlong = true;
            }
        }
    }

    private void Take(ReadOnlySpan<byte> text, DateTime now, List<VehiclePassage>? passages)
    {
        if (!line.TryParse(text))
        {
            garbage++;
            return;
        }

        if (settled && line.Count > 0 && (!line.IsJson || (unitInReports && line.Unit is null) || (line.Unit is not null && !line.IsMetresPerSecond)))
        {
            throw new SensorException($"The radar at {where} has lost its settings: it was reset. Check its supply if this comes again.");
        }

        good++;
        product = line.Product ?? product;
        rate = line.SamplingRate ?? rate;
        size = line.SampleSize ?? size;
        if (!settled && line.Unit is { } unit)
        {
            // Reports from before the command may come after it: the last word counts.
            metres = line.IsMetresPerSecond;
            otherUnit = metres ? null : unit;
            unitInReports |= metres && line.Count > 0;
        }

        if (passages is not null)
        {
            foreach (double speed in line.Speeds)
            {
                tracker.Report(now, speed, passages);
            }
        }
    }
}
