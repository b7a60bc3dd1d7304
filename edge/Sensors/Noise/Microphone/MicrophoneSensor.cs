using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Noise.Levels;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>
/// A microphone as a sound level meter: levels by intervals of the UTC clock. No cursor: sound that nobody measured is gone. Values carry
/// <see cref="Quality.Saturated"/> for overload, <see cref="Quality.UnderRange"/> below the microphone's own noise, and <see cref="Quality.Incomplete"/>
/// with a coverage below 1 when any sample of the interval is missing.
/// </summary>
/// <param name="name">Name at the station.</param>
/// <param name="options">The microphone.</param>
/// <param name="open">Makes the source of sound, anew for each run.</param>
/// <param name="time">Clock.</param>
/// <param name="instruments">Counters.</param>
/// <param name="logger">Log.</param>
internal sealed class MicrophoneSensor(
    string name, MicrophoneSensorOptions options, Func<ISoundSource> open, TimeProvider time, MicrophoneInstruments instruments, ILogger<MicrophoneSensor> logger) : ISensor
{
    /// <summary>Band quantities, lowest first.</summary>
    private static readonly string[] BandProperties =
    [
        "lzeq_25", "lzeq_31_5", "lzeq_40", "lzeq_50", "lzeq_63", "lzeq_80", "lzeq_100", "lzeq_125", "lzeq_160", "lzeq_200", "lzeq_250", "lzeq_315", "lzeq_400", "lzeq_500",
        "lzeq_630", "lzeq_800", "lzeq_1000", "lzeq_1250", "lzeq_1600", "lzeq_2000", "lzeq_2500", "lzeq_3150", "lzeq_4000", "lzeq_5000", "lzeq_6300", "lzeq_8000", "lzeq_10000",
        "lzeq_12500",
    ];

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public TimeSpan Cadence => options.Period;

    /// <summary>A sensor that reads its ALSA device.</summary>
    public static MicrophoneSensor Create(string name, MicrophoneSensorOptions options, TimeProvider time, MicrophoneInstruments instruments, ILoggerFactory logs) => new(
        name,
        options,
        () => new AlsaCapture(options.Device, options.Rate, options.Format, options.Channels, options.Channel - 1),
        time,
        instruments,
        logs.CreateLogger<MicrophoneSensor>());

    /// <inheritdoc/>
    public async IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var capture = new CaptureThread(name, options, open(), time, instruments, logger);
        capture.Start();
        try
        {
            await foreach (LevelReport report in capture.Reports.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                List<Measurement> measurements = Measurements(report);
                if (measurements.Count > 0)
                {
                    yield return new MeasurementBatch(measurements.ToArray());
                }
            }
        }
        finally
        {
            await capture.StopAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private List<Measurement> Measurements(in LevelReport report)
    {
        var measurements = new List<Measurement>(options.Bands ? 7 + ThirdOctaveBank.BandCount : 7);
        SoundLevels levels = report.Levels;
        Add(measurements, report, "laeq", levels.LAeq, options.Floor);
        if (report.Length != options.Period)
        {
            return measurements;
        }

        Add(measurements, report, "lafmax", levels.LAFmax, options.Floor);
        Add(measurements, report, "lafmin", levels.LAFmin, options.Floor);
        Add(measurements, report, "la10", levels.LA10, options.Floor);
        Add(measurements, report, "la50", levels.LA50, options.Floor);
        Add(measurements, report, "la90", levels.LA90, options.Floor);
        Add(measurements, report, "lcpeak", levels.LCpeak, options.Floor);
        if (options.Bands)
        {
            // The noise of single bands is not known: only their A-weighted sum has a floor.
            for (int band = 0; band < ThirdOctaveBank.BandCount; band++)
            {
                Add(measurements, report, BandProperties[band], report.Bands[band], double.NegativeInfinity);
            }
        }

        return measurements;
    }

    private static void Add(List<Measurement> measurements, in LevelReport report, string property, double level, double floor)
    {
        // Digital silence has no level.
        if (!double.IsFinite(level))
        {
            return;
        }

        double coverage = report.Levels.Coverage;
        Quality quality = (report.Levels.Overload ? Quality.Saturated : Quality.Good)
            | (level < floor ? Quality.UnderRange : Quality.Good)
            | (coverage < 1 ? Quality.Incomplete : Quality.Good);
        measurements.Add(new Measurement(property, Math.Round(level, 2), report.Start) { Period = report.Length, Quality = quality, Coverage = coverage });
    }
}
