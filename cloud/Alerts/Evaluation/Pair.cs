using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>One level of a rule on one datastream: what evaluation keeps of it in memory. Touched by the evaluator's worker only.</summary>
internal class Pair
{
    /// <summary>Makes one.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="key">Which level: see <see cref="RuleRow.AllLevels"/>.</param>
    /// <param name="level">Its terms.</param>
    /// <param name="above">The next more serious level of the rule on the datastream; null for the most serious.</param>
    /// <param name="datastream">The datastream.</param>
    /// <param name="presence">When its station was where the rule concerns it; null for always.</param>
    /// <param name="options">Settings.</param>
    /// <param name="zone">Time zone of the municipality.</param>
    public Pair(RuleRow rule, byte key, RuleLevel level, Pair? above, Datastream datastream, Presence? presence, AlertsOptions options, TimeZoneInfo zone)
    {
        Rule = rule;
        Level = key;
        Above = above;
        Datastream = datastream;
        var period = datastream.Period;
        var window = TimeSpan.FromTicks(rule.WindowTicks);
        Signal = above is not null ? above.Signal
            : rule.Measure == Measure.Value && rule.Schedule.Length == 0 && presence is null ? Signal.Plain
            : new Signal(rule.Measure, window, rule.OnClock, rule.Percent, rule.CoverageMin, period, datastream.Quantity.Averaging, zone) { Schedule = RuleSchedule.Parse(rule.Schedule), Presence = presence, Faults = options.IgnoreQuality, Limit = rule.Limit ?? 0 };

        // Windows of the clock are consecutive or they are not.
        var gap = Signal is { IsPlain: false, OnClock: true } ? Signal.Reach : rule.Measure.IsOfSeveral() && rule.OnClock ? ClockWindows.LongestOf(window) : Larger(options.PendingGapMax, 3 * period);
        Machine = new AlarmMachine(rule.Crossing, level.SetLevel, level.ClearLevel, level.For, gap, options.IgnoreQuality)
        {
            OffFor = level.OffFor,
            TakesAll = rule.Measure == Measure.GoodShare || rule.Measure.IsOfSeveral(),
            IsStrict = rule.Measure == Measure.Exceedances,
            Silence = rule.Measure == Measure.NoData ? window + period : rule.Measure == Measure.Offline ? window : TimeSpan.Zero,
            CountsFromPeriods = rule.Measure == Measure.Offline,
        };
        Terms = new TellingTerms(Larger(options.PresentWithin, 2 * period), Larger(options.StaleAfter, 3 * period), options.SettleFor);
    }

    /// <summary>The rule; replaced when only its names or its severity change.</summary>
    public RuleRow Rule { get; set; }

    /// <summary>Which level of the rule: see <see cref="RuleRow.AllLevels"/>.</summary>
    public byte Level { get; }

    /// <summary>The next more serious level of the rule on the datastream; null for the most serious.</summary>
    public Pair? Above { get; }

    /// <summary>Whether the rule has more levels than this one.</summary>
    public bool IsOneOfSeveral => Above is not null || Rule.Levels.Length > 0;

    public Datastream Datastream { get; }

    public AlarmOrigin Origin => new(Rule.Municipality, Rule.Slug, Datastream.Station.Slug, Datastream.Id, Level == 0 ? Rule.Severity : (Severity)Level, Level);

    public AlarmMachine Machine { get; }

    /// <summary>What the machine is given.</summary>
    public Signal Signal { get; }

    /// <summary>When something may be told; the silence in it is that of the latest evaluation.</summary>
    public TellingTerms Terms { get; set; }

    /// <summary>Whether <see cref="State"/> and <see cref="Rows"/> are known; false after a start and after the rule changed.</summary>
    public bool Loaded { get; set; }

    /// <summary>State after the latest observation.</summary>
    public MachineState State { get; set; }

    /// <summary>Of exceedances: how far they are counted; default when they are not.</summary>
    public CountedTo Counted { get; set; }

    /// <summary>Time of the latest observation taken: of a measure over a window, <see cref="State"/> may know it without having moved.</summary>
    public DateTime SeenTo { get; set; }

    /// <summary>Latest checkpoint.</summary>
    public DateTime CheckpointAt { get; set; }

    /// <summary>Processing time at which the datastream was last heard of.</summary>
    public DateTime HeardAt { get; set; }

    /// <summary>Processing time at which something may have to be told without new data; null when nothing waits.</summary>
    public DateTime? DueAt { get; set; }

    /// <summary>Alarms that are open or not settled, by identifier. Rows are never changed in place: a changed copy replaces them once it is stored.</summary>
    public IReadOnlyDictionary<string, AlarmRow> Rows { get; set; } = NoRows;

    /// <summary>No rows.</summary>
    public static IReadOnlyDictionary<string, AlarmRow> NoRows { get; } = new Dictionary<string, AlarmRow>();

    /// <summary>Whether a rule concerns a datastream, wherever its station is.</summary>
    public static bool Matches(RuleRow rule, Datastream datastream) =>
        rule.Municipality == datastream.Station.Municipality
        && rule.Property == datastream.Quantity.Id
        && (rule.Station is null || rule.Station == datastream.Station.Slug)
        && (rule.Tag is null || datastream.Station.HasTag(rule.Tag))
        && (rule.Sensor is null || rule.Sensor == datastream.Sensor)
        && (rule.PeriodSeconds is null || TimeSpan.FromSeconds(rule.PeriodSeconds.Value) == datastream.Period);

    private static TimeSpan Larger(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
