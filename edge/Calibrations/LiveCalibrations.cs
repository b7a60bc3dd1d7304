using Hub.Edge.Sensors;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Calibrations;

/// <summary>The calibrations of a running agent: read at the start, and again whenever <c>hub-agent calibrate</c> has recorded something.</summary>
internal sealed partial class LiveCalibrations : BackgroundService, ICalibrations
{
    private readonly Lock gate = new();
    private readonly CalibrationsOptions options;
    private readonly CalibrationJournal journal;
    private readonly CalibrationsInstruments instruments;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private volatile CalibrationBook book;
    private SensorsOptions sensors;
    private CalibrationEntries entries = CalibrationEntries.None;
    private (DateTime, int)? seen;

    public LiveCalibrations(
        SensorsOptions sensors, CalibrationsOptions options, CalibrationJournal journal, CalibrationsInstruments instruments, TimeProvider time, ILogger<LiveCalibrations> logger)
    {
        this.sensors = sensors;
        this.options = options;
        this.journal = journal;
        this.instruments = instruments;
        this.time = time;
        this.logger = logger;
        book = CalibrationBook.Of(sensors, options, CalibrationEntries.None);
        Look();
    }

    /// <inheritdoc/>
    public bool TryGet(string sensor, string quantity, out AppliedCalibration calibration) => book.TryGet(sensor, quantity, out calibration);

    /// <inheritdoc/>
    public void Use(SensorsOptions sensors)
    {
        lock (gate)
        {
            MicrophoneLimits.Move(sensors, entries);
            this.sensors = sensors;
            book = CalibrationBook.Of(sensors, options, entries);
        }
    }

    /// <summary>Reads the journal if it changed. Never fails: what cannot be read leaves what is known in force.</summary>
    internal void Look()
    {
        try
        {
            // Before reading: what is added meanwhile is seen at the next look.
            (DateTime, int)? mark = journal.Mark;
            if (mark == seen)
            {
                return;
            }

            CalibrationEntries read = journal.Read();
            CalibrationBook fresh;
            lock (gate)
            {
                fresh = CalibrationBook.Of(sensors, options, read);
                (book, entries, seen) = (fresh, read, mark);
            }

            instruments.Read(fresh.Count, read.Damaged.Count);
            LogRead(logger, read.Records.Count, fresh.Count);
            foreach (DamagedCalibration damaged in read.Damaged)
            {
                LogDamaged(logger, damaged.File, damaged.Problem);
            }

            foreach (UnusedCalibration unused in fresh.Unused)
            {
                LogUnused(logger, unused.Record.Sensor, unused.Record.Quantity, unused.Record.Version, unused.Why);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, exception);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.LookInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                Look();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
