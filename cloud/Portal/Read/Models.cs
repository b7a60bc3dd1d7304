using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read;

/// <summary>A datastream with its latest observation, ready to be shown.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="Latest">Latest observation; null when there is none yet.</param>
/// <param name="End">End of its averaging period, UTC.</param>
/// <param name="StaleAfter">Age past which it is stale.</param>
/// <param name="Stale">Whether it is, at the time of reading.</param>
internal sealed record LatestValue(Datastream Datastream, Observation? Latest, DateTime? End, TimeSpan StaleAfter, bool Stale);

/// <summary>A station as the pages show it.</summary>
/// <param name="Station">The station.</param>
/// <param name="Municipality">Its municipality; null when the tenant has been removed.</param>
/// <param name="Zone">Time zone of its legal day.</param>
/// <param name="Values">One per datastream, in order of sensor and quantity.</param>
/// <param name="NewestEnd">End of the newest value that is not of the equipment itself, UTC; null when there is none.</param>
/// <param name="StaleAfter">Age past which the station is late: that of its quickest datastream with values, the equipment's own left out.</param>
/// <param name="Status">How it stands.</param>
internal sealed record StationView(
    Station Station,
    Municipality? Municipality,
    TimeZoneInfo Zone,
    IReadOnlyList<LatestValue> Values,
    DateTime? NewestEnd,
    TimeSpan StaleAfter,
    Status Status)
{
    public string Id => Station.Municipality + "/" + Station.Slug;

    public string MunicipalityName => Municipality?.Name ?? Station.Municipality;

    /// <summary>The few values that stand for the station in a list.</summary>
    public IEnumerable<LatestValue> Telling(int countMax) =>
        Values.Where(static v => v.Latest is not null && !Units.IsEquipment(v.Datastream.Quantity))
            .OrderBy(static v => Units.RankOf(v.Datastream.Quantity))
            .DistinctBy(static v => v.Datastream.Quantity.Id)
            .Take(countMax);
}

/// <summary>An alarm as the pages show it.</summary>
/// <param name="Alarm">The episode.</param>
/// <param name="Rule">Its rule; null when the rule has been removed.</param>
/// <param name="Station">Its station.</param>
/// <param name="Datastream">Its datastream; null when unknown.</param>
/// <param name="Municipality">Its municipality.</param>
/// <param name="Zone">Time zone in which to write its times.</param>
/// <param name="MayKnow">Whether the visitor may know the names of people and what they said of it.</param>
/// <param name="MayHandle">Whether the visitor may acknowledge, shelve, comment and assign it.</param>
internal sealed record AlarmView(Alarm Alarm, Rule? Rule, Station Station, Datastream? Datastream, Municipality? Municipality, TimeZoneInfo Zone, bool MayKnow, bool MayHandle)
{
    /// <summary>How it stands; null where the page does not say it.</summary>
    public AlarmHandling? Handling { get; init; }
}

/// <summary>Something shelved or out of service as the pages show it.</summary>
/// <param name="Suppression">What.</param>
/// <param name="Rule">Its rule; null for the whole station, or when the rule has been removed.</param>
/// <param name="Station">Its station.</param>
/// <param name="Zone">Time zone in which to write its times.</param>
/// <param name="MayHandle">Whether the visitor may end it.</param>
internal sealed record SuppressionView(Suppression Suppression, Rule? Rule, Station Station, TimeZoneInfo Zone, bool MayHandle);

/// <summary>What the city page shows.</summary>
/// <param name="Now">UTC instant of reading.</param>
/// <param name="Municipalities">Every municipality that the visitor can choose.</param>
/// <param name="Chosen">The chosen one; null for all.</param>
/// <param name="Stations">Visible stations.</param>
/// <param name="Alarms">Open alarms of visible stations.</param>
internal sealed record CityView(DateTime Now, IReadOnlyList<Municipality> Municipalities, Municipality? Chosen, IReadOnlyList<StationView> Stations, IReadOnlyList<AlarmView> Alarms);

/// <summary>A chart's points. Lists run parallel and are in order of time; a null value breaks the line.</summary>
/// <param name="Step">Distance of one point from the next.</param>
/// <param name="Bucket">Width of the buckets the points stand for; null when they are the observations themselves.</param>
/// <param name="Statistic">Figure of the buckets.</param>
internal sealed record ChartPoints(TimeSpan Step, TimeSpan? Bucket, Statistic Statistic)
{
    private readonly List<long> _times = [];
    private readonly List<double?> _values = [];
    private readonly List<int> _qualities = [];
    private readonly List<double?> _lows = [];
    private readonly List<double?> _highs = [];
    private readonly List<int?> _percents = [];
    private readonly List<bool> _invalid = [];

    /// <summary>Seconds since the epoch.</summary>
    public IReadOnlyList<long> Times => _times;

    /// <summary>Canonical unit.</summary>
    public IReadOnlyList<double?> Values => _values;

    /// <summary>Quality flags of each point.</summary>
    public IReadOnlyList<int> Qualities => _qualities;

    /// <summary>Smallest observation each point stands for; null when it is one itself.</summary>
    public IReadOnlyList<double?> Lows => _lows;

    /// <summary>Largest observation each point stands for; null when it is one itself.</summary>
    public IReadOnlyList<double?> Highs => _highs;

    /// <summary>How much of its stretch is covered, whole percent rounded down; null when not known.</summary>
    public IReadOnlyList<int?> Percents => _percents;

    /// <summary>Whether too little is covered for the figure to be valid by law.</summary>
    public IReadOnlyList<bool> Invalid => _invalid;

    /// <summary>Adds the next point.</summary>
    public void Add(ChartPoint point)
    {
        _times.Add((long)(point.At - DateTime.UnixEpoch).TotalSeconds);
        _values.Add(Rounded(point.Value));
        _qualities.Add(point.Quality);
        _lows.Add(Rounded(point.Low));
        _highs.Add(Rounded(point.High));
        _percents.Add(PercentOf(point.Coverage));
        _invalid.Add(point.Invalid);
    }

    /// <summary>Whole percent, rounded down so that 74.9 does not read as the 75 that is asked for; null when not known.</summary>
    public static int? PercentOf(double share) => double.IsNaN(share) ? null : (int)Math.Floor((share * 100) + 1e-6);

    private static double? Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 4) : null;
}

/// <summary>One datastream of the station page.</summary>
/// <param name="Value">Latest value.</param>
/// <param name="Points">The chart.</param>
/// <param name="Rows">One bucket per hour, of a longer span per local day, that has data, newest first: the chart in words.</param>
/// <param name="RowWidth">1 hour or 1 day.</param>
/// <param name="Rules">Rules in force on it.</param>
internal sealed record DatastreamView(LatestValue Value, ChartPoints Points, IReadOnlyList<Bucket> Rows, TimeSpan RowWidth, IReadOnlyList<Rule> Rules)
{
    /// <summary>Whether its values have one before calibration.</summary>
    public bool HasRaw { get; init; }

    /// <summary>Which values the chart shows.</summary>
    public ValuesShown Values { get; init; }

    /// <summary>Figures of the rows before calibration, by their start; null where they are not shown.</summary>
    public IReadOnlyDictionary<DateTime, double>? RawRows { get; init; }

    /// <summary>What it is compared with; null for nothing.</summary>
    public ComparedView? Compared { get; init; }

    /// <summary>Whether a figure over so long a stretch has too little covered to be valid by law.</summary>
    public bool IsInvalid(Bucket row) => DataCapture.IsValid(Value.Datastream.Quantity, RowWidth, row.Coverage) == false;
}

/// <summary>Which values of a datastream are shown.</summary>
internal enum ValuesShown
{
    /// <summary>Those with calibration.</summary>
    Calibrated,

    /// <summary>Those before calibration, as was asked.</summary>
    Raw,

    /// <summary>Those with calibration, though the others were asked for: they are too many, and buckets of them are not kept.</summary>
    TooMany,
}

/// <summary>What a chart is compared with.</summary>
/// <param name="Compare">As it was asked.</param>
/// <param name="Datastream">The datastream it comes from.</param>
/// <param name="Points">Its points, at their own times.</param>
/// <param name="Rows">Figures of the table's rows, by the local time at which the row beside them begins.</param>
internal sealed record ComparedView(StationCompare Compare, Datastream Datastream, ChartPoints Points, IReadOnlyDictionary<DateTime, double> Rows);
