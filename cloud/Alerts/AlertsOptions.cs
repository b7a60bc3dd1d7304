using System.Globalization;
using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts;

/// <summary>Settings of the Alerts stage, under <c>Hub:Alerts</c>. Read at start; immutable afterwards.</summary>
public sealed class AlertsOptions
{
    /// <summary>Section of the configuration.</summary>
    public const string Section = "Hub:Alerts";

    /// <summary>
    /// How far back late data is evaluated, counted in whole UTC days. 1 to 400 days; default 30. Data older than that is stored but changes no alarm. A longer horizon costs one
    /// checkpoint of about 100 bytes a day for each rule and datastream.
    /// </summary>
    public TimeSpan Horizon { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Longest time between two observations over which a pending condition is believed to have held, at least three periods of the datastream. 1 second to 1 day; default 15 minutes.
    /// </summary>
    public TimeSpan PendingGapMax { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Data whose period ended no longer ago than this (at least two periods) has reached the present. 1 second to <see cref="StaleAfter"/>; default 2 minutes. Larger: alarms out of a draining
    /// backlog may be told as active though the rest of the backlog ends them.
    /// </summary>
    public TimeSpan PresentWithin { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Data whose period ended longer ago than this (at least three periods) says nothing about now: an alarm open at its end is not told as active. Up to 1 day; default 15 minutes.</summary>
    public TimeSpan StaleAfter { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Processing time without news of a datastream after which a stretch of its past counts as known, and what it revealed is told. Up to 1 hour; default 10 seconds.</summary>
    public TimeSpan SettleFor { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Quality flags that keep an observation from being evaluated, separated by commas. Default: warming up, out of the plausible range, stuck, clock uncertain. Add
    /// <c>SuspectHumidity</c> to keep fog from raising particle alarms.
    /// </summary>
    public Quality IgnoreQuality { get; set; } = Quality.WarmingUp | Quality.OutOfRange | Quality.Stuck | Quality.ClockUncertain;

    /// <summary>Most rules of one municipality. 1 to 10,000; default 500. Past it, a new rule is refused.</summary>
    public int RuleCountMax { get; set; } = 500;

    /// <summary>Most observations that the rehearsal of a rule reads. 1,000 to 1,000,000,000; default 20 million, some ten seconds. Past it, the rehearsal is refused.</summary>
    public long RehearsalObservationsMax { get; set; } = 20_000_000;

    /// <summary>Longest a shelving may last. 1 minute to 30 days; default 3 days, a long weekend. Past it, shelving is refused.</summary>
    public TimeSpan ShelveMax { get; set; } = TimeSpan.FromDays(3);

    /// <summary>What decides the history: when it changes, the horizon is evaluated again.</summary>
    internal string HistoryKey => string.Create(CultureInfo.InvariantCulture, $"gap={PendingGapMax};ignore={(int)IgnoreQuality}");
}

/// <summary>Checks <see cref="AlertsOptions"/> before the hub starts.</summary>
internal sealed class AlertsOptionsValidator : IValidateOptions<AlertsOptions>
{
    public ValidateOptionsResult Validate(string? name, AlertsOptions options)
    {
        var failures = new List<string>();
        Check(nameof(options.Horizon), options.Horizon, TimeSpan.FromDays(1), TimeSpan.FromDays(400));
        Check(nameof(options.PendingGapMax), options.PendingGapMax, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        Check(nameof(options.StaleAfter), options.StaleAfter, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        Check(nameof(options.PresentWithin), options.PresentWithin, TimeSpan.FromSeconds(1), options.StaleAfter);
        Check(nameof(options.SettleFor), options.SettleFor, TimeSpan.Zero, TimeSpan.FromHours(1));
        Check(nameof(options.ShelveMax), options.ShelveMax, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30));
        if (options.RuleCountMax is < 1 or > 10_000)
        {
            failures.Add($"{AlertsOptions.Section}:{nameof(options.RuleCountMax)} must be 1 to 10000, but is {options.RuleCountMax.ToString(CultureInfo.InvariantCulture)}.");
        }

        if (options.RehearsalObservationsMax is < 1_000 or > 1_000_000_000)
        {
            failures.Add($"{AlertsOptions.Section}:{nameof(options.RehearsalObservationsMax)} must be 1000 to 1000000000, but is {options.RehearsalObservationsMax.ToString(CultureInfo.InvariantCulture)}.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(string key, TimeSpan value, TimeSpan min, TimeSpan max)
        {
            if (value < min || value > max)
            {
                failures.Add($"{AlertsOptions.Section}:{key} must be {min:c} to {max:c}, but is {value:c}.");
            }
        }
    }
}
