using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts;

/// <summary>On which side of the level the condition holds.</summary>
public enum Crossing
{
    /// <summary>At or above the set level; clears at or below the clear level.</summary>
    Above = 1,

    /// <summary>At or below the set level; clears at or above the clear level.</summary>
    Below = 2,
}

/// <summary>What of a datastream a rule compares with its levels. Stored: never renumber.</summary>
public enum Measure
{
    /// <summary>Each observation.</summary>
    Value = 0,

    /// <summary>Mean of the window as the quantity combines: of sound levels the mean of the energies (Leq), otherwise arithmetic.</summary>
    Mean = 1,

    /// <summary>Sum of the window (vehicles, rain).</summary>
    Sum = 2,

    /// <summary>Largest value of the window.</summary>
    Max = 3,

    /// <summary>Smallest value of the window.</summary>
    Min = 4,

    /// <summary>A percentile of the window: linear interpolation between the closest ranks.</summary>
    Percentile = 5,

    /// <summary>Number of observations in the window.</summary>
    Count = 6,

    /// <summary>Latest value of the window less its first: how fast it rises or falls. The two must lie at least the coverage asked for apart.</summary>
    Change = 7,

    /// <summary>Silence: minutes since the last observation. Levels are not used.</summary>
    NoData = 8,

    /// <summary>Largest value of the window less its smallest: near 0 for a sensor that is stuck.</summary>
    Spread = 9,

    /// <summary>Share of the window's observations against which nothing is known that rules pass over (<c>Hub:Alerts:IgnoreQuality</c>), percent; levels are 0 to 100.</summary>
    GoodShare = 10,

    /// <summary>
    /// Day-evening-night level of one noise day, 07:00 to 07:00 by the local clock, dB(A): a figure of that day; the law speaks of the year's. Needs <see cref="Rule.OnClock"/> with a window of 1 day, and
    /// the coverage asked for in each of its three periods.
    /// </summary>
    Lden = 11,

    /// <summary>Equivalent level of one night, 23:00 to 07:00, dB(A), known at the end of its noise day; otherwise as <see cref="Lden"/>.</summary>
    Ln = 12,

    /// <summary>
    /// How many windows of the clock (hours or local days) of the local calendar year had a mean above <see cref="Rule.Limit"/>. Levels are the counts allowed, whole numbers: the condition holds when the count is
    /// above the set level. The alarm ends at the first window of the next year.
    /// </summary>
    Exceedances = 13,

    // From 20 on those that need several datastreams.

    /// <summary>Silence of a station as a whole: minutes since the latest period of any of its datastreams ended. Levels are not used, the property is empty; one alarm for each station.</summary>
    Offline = 20,

    /// <summary>Mean of a window of the clock less the median of the same window's means at the other stations of the municipality, of which at least three must say something.</summary>
    DifferenceToMunicipality = 21,

    /// <summary>
    /// Mean of a window of the clock less the median of the same window's means at the nearest other stations: the 5 nearest that say something, within 3 km of where the station stood then; at least one.
    /// </summary>
    DifferenceToNeighbours = 22,

    /// <summary>
    /// European Air Quality Index of the station by the hour of the clock, 1 (good) to 6 (extremely poor): the worst class of those of its pollutants (O3, NO2, SO2, PM10, PM2.5) that are known, of which one is
    /// enough. The property is empty; one alarm for each station.
    /// </summary>
    AirIndex = 23,
}

/// <summary>What measures have in common.</summary>
public static class MeasureKinds
{
    /// <summary>Whether it is silence, so that levels are not used.</summary>
    public static bool IsSilence(this Measure measure) => measure is Measure.NoData or Measure.Offline;

    /// <summary>Whether it is of the station as a whole, so that a rule has no property.</summary>
    public static bool IsOfStation(this Measure measure) => measure is Measure.Offline or Measure.AirIndex;

    /// <summary>Whether it is a difference to other stations.</summary>
    public static bool IsDifference(this Measure measure) => measure is Measure.DifferenceToMunicipality or Measure.DifferenceToNeighbours;

    /// <summary>Whether it is made of several datastreams.</summary>
    public static bool IsOfSeveral(this Measure measure) => measure.IsOfStation() || measure.IsDifference();
}

/// <summary>A further level of a rule: the same condition, more serious.</summary>
/// <param name="Severity">How serious: more than the level before it.</param>
/// <param name="SetLevel">Level at which it begins to hold, canonical unit; at or beyond that of the level before it.</param>
/// <param name="ClearLevel">Level at which it ends; on the other side of the set level or equal to it.</param>
/// <param name="For">How long, in event time, it must hold before its alarm starts; 0 to 7 days.</param>
/// <param name="OffFor">How long, in event time, the measure must stay at or beyond the clear level before its alarm ends; 0 to 7 days.</param>
public sealed record RuleLevel(Severity Severity, double SetLevel, double ClearLevel, TimeSpan For = default, TimeSpan OffFor = default);

/// <summary>A corner of an area.</summary>
/// <param name="Longitude">WGS 84, degrees, -180 to 180.</param>
/// <param name="Latitude">WGS 84, degrees, -90 to 90.</param>
public readonly record struct AreaPoint(double Longitude, double Latitude);

/// <summary>A condition on every datastream of a municipality with an observed property (optionally of one station, one sensor, one period), or on every station.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="Slug">Slug within the municipality.</param>
/// <param name="NamePt">Name in Portuguese.</param>
/// <param name="NameEn">Name in English.</param>
/// <param name="Severity">How serious; of a rule with several levels, the first and least serious of them.</param>
/// <param name="Property">Identifier of the observed property; empty for a measure of the station as a whole (<see cref="MeasureKinds.IsOfStation"/>), and only then.</param>
/// <param name="Station">Only this station, or null for all.</param>
/// <param name="Sensor">Only this sensor, or null for all.</param>
/// <param name="PeriodSeconds">Only datastreams with this averaging period, or null for all.</param>
/// <param name="Crossing">Above or below.</param>
/// <param name="SetLevel">Level at which the condition begins to hold, canonical unit.</param>
/// <param name="ClearLevel">Level at which it ends; on the other side of the set level or equal to it (hysteresis).</param>
/// <param name="For">How long, in event time, the condition must hold before the alarm starts; zero or more.</param>
/// <param name="Enabled">A rule that is off neither starts nor ends alarms.</param>
/// <param name="Edge">Whether the stations it concerns watch it themselves too, so that something happens on the spot while the hub is out of reach. Of a rule with several levels they watch the first.</param>
public sealed record Rule(
    string Municipality,
    string Slug,
    string NamePt,
    string NameEn,
    Severity Severity,
    string Property,
    string? Station,
    string? Sensor,
    int? PeriodSeconds,
    Crossing Crossing,
    double SetLevel,
    double ClearLevel,
    TimeSpan For,
    bool Enabled = true,
    bool Edge = false)
{
    private readonly ValueList<RuleLevel> levels = ValueList<RuleLevel>.None;

    /// <summary>
    /// Further levels, each more serious than the one before it, the first of them than the rule itself; none for a rule about silence. Each has alarms of its own. While an alarm of a more serious level is
    /// active, nothing new is told of the lower ones on the same datastream.
    /// </summary>
    public IReadOnlyList<RuleLevel> Levels
    {
        get => levels;
        init => levels = ValueList<RuleLevel>.Of(value);
    }

    /// <summary>Each level as a rule that has no other: the rule's own, then the further ones.</summary>
    public IEnumerable<Rule> EachLevel() =>
        Levels.Select(level => this with { Severity = level.Severity, SetLevel = level.SetLevel, ClearLevel = level.ClearLevel, For = level.For, OffFor = level.OffFor, Levels = [] })
            .Prepend(this with { Levels = [] });

    /// <summary>The level of an alarm as a rule that has no other: the further one of its severity, otherwise the rule's own, whose severity may have changed since.</summary>
    public Rule LevelOf(Severity severity) => EachLevel().Skip(1).FirstOrDefault(level => level.Severity == severity) ?? this with { Levels = [] };

    private readonly ValueList<AreaPoint> area = ValueList<AreaPoint>.None;

    /// <summary>
    /// Only stations in this area or on its border: 3 to 200 corners of a polygon that does not cross itself, in degrees as if the earth were flat (not over the antimeridian); the first may be repeated at the
    /// end and is not kept twice. Empty for everywhere. Each observation is judged by where its station was then.
    /// </summary>
    public IReadOnlyList<AreaPoint> Area
    {
        get => area;
        init => area = ValueList<AreaPoint>.Of(value is { Count: > 1 } && value[0] == value[^1] ? [.. value.SkipLast(1)] : value);
    }

    private readonly ValueList<string> suppressedBy = ValueList<string>.None;

    /// <summary>
    /// Slugs of other rules of the municipality, its parents, at most 10: while an alarm of one of them is active at a station, nothing new is told of this rule there, as if it were shelved. One that is not there
    /// suppresses nothing. Refused when it comes round to the rule itself.
    /// </summary>
    public IReadOnlyList<string> SuppressedBy
    {
        get => suppressedBy;
        init => suppressedBy = ValueList<string>.Of(value);
    }

    /// <summary>Whether a place lies in the area of the rule.</summary>
    /// <param name="longitude">WGS 84, degrees.</param>
    /// <param name="latitude">WGS 84, degrees.</param>
    public bool IsAt(double longitude, double latitude) => RuleArea.Of(area)?.Contains(longitude, latitude) ?? true;

    /// <summary>What of a datastream is compared with the levels.</summary>
    public Measure Measure { get; init; } = Measure.Value;

    /// <summary>
    /// Event time over which a measure is made: 1 second to 7 days; zero for <see cref="Measure.Value"/>. For <see cref="Measure.NoData"/> the silence, beyond the averaging period, after which the alarm starts.
    /// </summary>
    public TimeSpan Window { get; init; }

    /// <summary>
    /// Whether windows are those of the municipality's clock (each whole hour, each local day), as limits of the law count them, instead of one that ends at each observation. Up to 1 hour a divisor of the
    /// hour, or 1 day.
    /// </summary>
    public bool OnClock { get; init; }

    /// <summary>Only stations that have this tag now, whatever tags they had when they measured; null for all.</summary>
    public string? Tag { get; init; }

    /// <summary>Of <see cref="Measure.Exceedances"/>: a mean above it is one, canonical unit of the quantity; null for every other measure.</summary>
    public double? Limit { get; init; }

    /// <summary>Of <see cref="Measure.Percentile"/>: percent of the observations at or below it, more than 0 and less than 100; 0 otherwise.</summary>
    public double Percent { get; init; }

    /// <summary>
    /// Share of the window that observations must cover for its measure to say anything, 0 to 1; default 0.75, as the law asks of averages. Judged by the datastream's averaging period; of instantaneous values,
    /// which cover no time, one is enough.
    /// </summary>
    public double CoverageMin { get; init; } = 0.75;

    /// <summary>
    /// When the rule is in force, by the municipality's clock, for instance <c>night</c> or <c>mo-fr 08:00-18:30; no holidays</c>; empty for always. Observations at other times are in no window, and the first
    /// of them ends an open alarm. At most 200 characters.
    /// </summary>
    public string Schedule { get; init; } = "";

    /// <summary>Where its levels come from: law, article, date, and what of it is not verified; shown beside the rule. At most 500 characters; empty for the municipality's own.</summary>
    public string Source { get; init; } = "";

    /// <summary>How long, in event time, the measure must stay at or beyond the clear level before the alarm ends; zero or more.</summary>
    public TimeSpan OffFor { get; init; }
}

/// <summary>One episode of one level of a rule on one datastream, in event time.</summary>
/// <param name="Id">Stable identifier, a function of rule, datastream, start and level.</param>
/// <param name="Municipality">Slug.</param>
/// <param name="Rule">Slug of the rule.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Datastream">The datastream.</param>
/// <param name="Severity">How serious: that of its level.</param>
/// <param name="ConditionAt">When the condition began to hold.</param>
/// <param name="StartedAt">When it had held for the rule's duration: the alarm's start.</param>
/// <param name="EndedAt">Phenomenon time of the observation that ended it; null while active.</param>
/// <param name="StartValue">Value at the start.</param>
/// <param name="Peak">Most extreme value during the episode.</param>
/// <param name="LastValue">Latest value evaluated in the episode.</param>
/// <param name="DetectedAt">Processing time at which the hub first knew.</param>
/// <param name="Past">True when it was known only after it had ended, or long after it began: revealed by late data.</param>
/// <param name="Withdrawn">True when later data showed that it never was.</param>
public sealed record Alarm(
    string Id,
    string Municipality,
    string Rule,
    string Station,
    int Datastream,
    Severity Severity,
    DateTime ConditionAt,
    DateTime StartedAt,
    DateTime? EndedAt,
    double StartValue,
    double Peak,
    double LastValue,
    DateTime DetectedAt,
    bool Past,
    bool Withdrawn)
{
    /// <summary>What it has in common with the alarms it came out of, or became, when late data moved its start: identifier of the first of them.</summary>
    public string Thread { get; init; } = Id;

    /// <summary>
    /// What it has in common with the alarms of the other levels of its rule on its datastream at the same time, and with theirs: the thread of the one that was known first. Its own thread when there is none.
    /// </summary>
    public string Incident { get; init; } = Id;
}

/// <summary>What a rule would have done.</summary>
/// <param name="Alarms">The alarms, newest first; an open one was open at the end.</param>
/// <param name="Count">How many there are, those left out too.</param>
/// <param name="Datastreams">Datastreams that the rule concerns.</param>
/// <param name="Observations">Observations evaluated.</param>
/// <param name="ActiveShare">Share of the time, over all these datastreams, in which an alarm of whichever level was open: 0 to 1.</param>
public sealed record Rehearsal(IReadOnlyList<Alarm> Alarms, int Count, int Datastreams, long Observations, double ActiveShare);

/// <summary>A rehearsal would read more observations than one question may.</summary>
public sealed class RehearsalTooLargeException(string message) : Exception(message);

/// <summary>Rules and the alarm history, which is a function of the observations, in event time. Safe for concurrent callers.</summary>
public interface IAlerts
{
    /// <summary>The rules of a municipality, or all (null), by slug.</summary>
    IReadOnlyList<Rule> Rules(string? municipality);

    /// <summary>Adds or changes a rule and re-evaluates what it concerns from the start of its evaluation horizon.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<Rule> SaveAsync(Rule rule, CancellationToken cancellationToken);

    /// <summary>
    /// Saves and removes rules of one municipality, as <see cref="SaveAsync"/> and <see cref="RemoveAsync"/> do with one: all of it or, when one of them is refused, nothing. What the rules say of each other is judged by what
    /// they say afterwards.
    /// </summary>
    /// <param name="municipality">Slug.</param>
    /// <param name="saved">The rules as they shall be; each of the municipality, each slug once.</param>
    /// <param name="removed">Slugs; one that is not there is passed over, none may be among the saved.</param>
    /// <param name="cancellationToken">Ends the wait; then nothing is changed, or all of it.</param>
    /// <exception cref="ArgumentException">A field of one of them breaks its rule; the message names rule and field.</exception>
    ValueTask ApplyAsync(string municipality, IReadOnlyList<Rule> saved, IReadOnlyList<string> removed, CancellationToken cancellationToken);

    /// <summary>Removes a rule; its history stays, its open alarms end as withdrawn.</summary>
    ValueTask RemoveAsync(string municipality, string slug, CancellationToken cancellationToken);

    /// <summary>Alarms that are active now, newest first.</summary>
    IReadOnlyList<Alarm> Active(string? municipality);

    /// <summary>Alarms whose episode touches [from, to), newest first, at most <paramref name="countMax"/>; withdrawn ones included and marked.</summary>
    ValueTask<IReadOnlyList<Alarm>> HistoryAsync(string? municipality, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken);

    /// <summary>
    /// The alarms that a rule with all its levels, saved or not, would have raised over what is stored, newest first; nothing is stored and nobody is told. It begins at <paramref name="from"/> as if nothing had been before, so
    /// an alarm that was open by then starts with its first observation after it.
    /// </summary>
    /// <param name="rule">The rule; whether it is enabled does not matter.</param>
    /// <param name="from">Begin, event time, UTC.</param>
    /// <param name="to">End, exclusive.</param>
    /// <param name="countMax">Most alarms listed, 1 to 10,000; all are counted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArgumentException">A field of the rule breaks its rule, or the stretch is empty; the message names it.</exception>
    /// <exception cref="RehearsalTooLargeException">There is more to read than one question may ask.</exception>
    ValueTask<Rehearsal> RehearseAsync(Rule rule, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken);

    /// <summary>Completes when everything committed to the series up to a commit number has been evaluated and handed to Notifications.</summary>
    ValueTask CaughtUpAsync(long commit, CancellationToken cancellationToken);

    /// <summary>Raised after alarms changed; handlers return at once.</summary>
    event Action<IReadOnlyList<Alarm>>? Changed;

    /// <summary>Raised after a rule was saved or removed; handlers return at once.</summary>
    event Action? RulesChanged;
}
