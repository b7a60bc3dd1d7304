using System.Threading.Channels;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Sampling;
using Hub.Edge.Sensors.Buses;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Thresholds;

/// <summary>Watches readings, keeps outputs as their rules want them, and writes down which alarms are on.</summary>
internal sealed partial class ThresholdsService : BackgroundService, IThresholds, IReadingWatch
{
    private readonly ThresholdBook book;
    private readonly AlarmFile file;
    private readonly IReadOnlyList<EdgeRule> ofStationFile;
    private readonly ActionRunner[] runners;
    private readonly ThresholdsInstruments instruments;
    private readonly ThresholdsOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private HashSet<ActiveAlarm> written = [];

    public ThresholdsService(
        ThresholdsOptions options, AlarmFile file, IReadOnlySet<string>? fitted, IBuses buses, IHubLink? link, ThresholdsInstruments instruments, TimeProvider time, ILogger<ThresholdsService> logger)
        : this(options, file, fitted, (action, index) => Output(action, index, options, buses), link, instruments, time, logger)
    {
    }

    internal ThresholdsService(
        ThresholdsOptions options, AlarmFile file, IReadOnlySet<string>? fitted, Func<ThresholdActionOptions, int, IOutput> outputs, IHubLink? link, ThresholdsInstruments instruments, TimeProvider time,
        ILogger<ThresholdsService> logger)
    {
        (this.options, this.file, this.instruments, this.time, this.logger) = (options, file, instruments, time, logger);
        book = new ThresholdBook(options.PendingGapMax);
        ofStationFile = [.. options.Rules.Select(rule => rule.ToRule())];
        var reach = new HubReach(link, options.WithoutHubAfter, time);
        runners =
        [
            .. options.Actions.Select((action, index) => new ActionRunner(action.Rule, action.OnlyWithoutHub, outputs(action, index), book, reach, options, instruments, time, logger)),
        ];
        Restore(fitted);
        book.Set(ofStationFile, complete: false);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ThresholdState> States => book.States();

    /// <inheritdoc/>
    public void Set(IReadOnlyList<EdgeRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        List<EdgeRule> good = [];
        foreach (EdgeRule rule in rules)
        {
            string? mistake = rule.Mistake()
                ?? (good.Count == DesiredState.RulesMax ? $"there are more than {DesiredState.RulesMax} rules." : null)
                ?? (good.Exists(other => other.Slug == rule.Slug) ? "there is another one of that name before it." : null);
            if (mistake is null)
            {
                good.Add(rule);
            }
            else
            {
                instruments.RuleRefused();
                LogRuleRefused(logger, rule.Slug, mistake);
            }
        }

        IReadOnlyList<EdgeRule> inForce = ThresholdsDecisions.InForce(ofStationFile, good);
        if (book.Set(inForce, complete: true))
        {
            LogSet(logger, good.Count, inForce.Count);
        }

        Changed();
    }

    /// <inheritdoc/>
    public void Taken(in Reading reading)
    {
        BookStep step = book.Take(reading);
        if (step != default)
        {
            instruments.Took(step);
            if (step.Changed)
            {
                Changed();
            }
        }
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        // On the pool: opening a line or a file must not hold up the start of the others.
        Task.WhenAll([.. runners.Select(runner => Task.Run(() => runner.RunAsync(stoppingToken), CancellationToken.None)), Task.Run(() => WriteAsync(stoppingToken), CancellationToken.None)]);

    private static IOutput Output(ThresholdActionOptions action, int index, ThresholdsOptions options, IBuses buses) => action.Mqtt is { } mqtt
        ? new MqttOutput(mqtt, action.Rule, $"hub-agent-{options.Municipality}-{options.Station}-{index}", options)
        : new PinOutput(action.Pin!.Value, action.ActiveLow, buses);

    private void Changed()
    {
        changes.Writer.TryWrite(true);
        foreach (ActionRunner runner in runners)
        {
            runner.Wake();
        }
    }

    /// <param name="fitted">Names that readings of this station can bear; null when not known. An alarm of a sensor that is gone could never end.</param>
    private void Restore(IReadOnlySet<string>? fitted)
    {
        try
        {
            IReadOnlyList<ActiveAlarm>? alarms = file.Read(out string? problem);
            if (alarms is null)
            {
                LogFileDamaged(logger, problem!);
            }
            else
            {
                written = Keys(alarms);
                alarms = [.. alarms.Where(alarm => fitted is null || fitted.Contains(alarm.Sensor))];
                book.Restore(alarms);
                if (alarms.Count > 0)
                {
                    LogRestored(logger, alarms.Count);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogFileFailed(logger, exception);
        }
    }

    /// <summary>Writes which alarms are on, after a change, and once more at the end if the last change is not written yet.</summary>
    private async Task WriteAsync(CancellationToken stoppingToken)
    {
        // The first look is for what was restored and is not on any more.
        changes.Writer.TryWrite(true);
        int failures = 0;
        try
        {
            while (await changes.Reader.WaitToReadAsync(stoppingToken).ConfigureAwait(false))
            {
                changes.Reader.TryRead(out _);
                Write();
                if (failures > 0)
                {
                    changes.Writer.TryWrite(true);
                    await Task.Delay(ThresholdsDecisions.RetryPause(failures, options), time, stoppingToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            Write();
        }

        void Write()
        {
            IReadOnlyList<ActiveAlarm> now = book.Active();
            if (failures == 0 && Keys(now).SetEquals(written))
            {
                return;
            }

            try
            {
                file.Write(now);
                written = Keys(now);
                failures = 0;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                instruments.FileFailed();
                if (failures++ == 0)
                {
                    LogFileFailed(logger, exception);
                }
            }
        }
    }

    // Which alarms are on, not what their values are now: the card is not written for every reading.
    private static HashSet<ActiveAlarm> Keys(IEnumerable<ActiveAlarm> alarms) => [.. alarms.Select(alarm => alarm with { Value = 0 })];

    [LoggerMessage(Level = LogLevel.Information, Message = "Thresholds: {Hub} rules of the hub, {InForce} in force with those of the station file.")]
    private static partial void LogSet(ILogger logger, int hub, int inForce);

    [LoggerMessage(Level = LogLevel.Error, Message = "Threshold {Rule} is left out: {Mistake}")]
    private static partial void LogRuleRefused(ILogger logger, string? rule, string mistake);

    [LoggerMessage(Level = LogLevel.Information, Message = "Thresholds: {Count} alarms were on when the agent last ran, and are on until a reading ends them.")]
    private static partial void LogRestored(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Thresholds: the file of alarms that were on is not used, all begin off: {Problem}")]
    private static partial void LogFileDamaged(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "Thresholds: the file of alarms that are on could not be read or written.")]
    private static partial void LogFileFailed(ILogger logger, Exception exception);
}
