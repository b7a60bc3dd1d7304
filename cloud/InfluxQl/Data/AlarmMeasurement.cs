using System.Collections.Immutable;
using System.Globalization;
using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.InfluxQl.Execution;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;

namespace Hub.Cloud.InfluxQl.Data;

/// <summary>
/// Alarms for annotations: a point where one starts and a point where it ends, told apart by the tag <c>kind</c>. Those that later data withdrew are left out. No store on InfluxDB has this.
/// </summary>
internal sealed class AlarmMeasurement(ClaimsPrincipal visitor, IStations stations, IAlerts alerts, DateTime now) : Measurement
{
    /// <summary>Alarms of one question at most.</summary>
    private const int AlarmsMax = 10_000;

    /// <summary>How far back lists of what there is look, which name no time.</summary>
    private static readonly TimeSpan Listed = TimeSpan.FromDays(90);

    private static readonly string[] Columns = ["datastream", "ended", "id", "peak", "started", "text", "text_en", "title", "title_en", "value"];

    public override string Name => "alarm";

    public override ImmutableSortedDictionary<string, ValueKind> Fields { get; } = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, ValueKind>
    {
        ["datastream"] = ValueKind.Integer,
        ["ended"] = ValueKind.Integer,
        ["id"] = ValueKind.Text,
        ["peak"] = ValueKind.Float,
        ["started"] = ValueKind.Integer,
        ["text"] = ValueKind.Text,
        ["text_en"] = ValueKind.Text,
        ["title"] = ValueKind.Text,
        ["title_en"] = ValueKind.Text,
        ["value"] = ValueKind.Float,
    });

    public override ImmutableArray<string> TagKeys { get; } = ["kind", "municipality", "rule", "severity", "station"];

    public override async ValueTask<IReadOnlyList<Strand>> StrandsAsync(Span span, CancellationToken cancellationToken)
    {
        var from = span.Start == Span.Earliest ? now - Listed : Nanoseconds.ToDateTime(span.Start);
        var to = span.End >= Nanoseconds.Of(now) ? now.AddDays(1) : Nanoseconds.ToDateTime(span.End).AddTicks(1);
        if (from >= to)
        {
            return [];
        }

        var found = await alerts.HistoryAsync(null, from, to, AlarmsMax, cancellationToken);
        if (found.Count == AlarmsMax)
        {
            throw new RefusedException(string.Create(CultureInfo.InvariantCulture, $"there are {AlarmsMax} alarms or more in this time: ask for a shorter one"));
        }

        var rules = alerts.Rules(null).ToDictionary(rule => (rule.Municipality, rule.Slug));
        var rows = new Dictionary<(string Kind, string Municipality, string Rule, string Severity, string Station), List<ListRow>>();
        foreach (var alarm in found.Where(alarm => !alarm.Withdrawn && MaySee(alarm)))
        {
            var values = ValuesOf(alarm, rules.GetValueOrDefault((alarm.Municipality, alarm.Rule)));
            Add("start", alarm.StartedAt);
            if (alarm.EndedAt is { } ended)
            {
                Add("end", ended);
            }

            void Add(string kind, DateTime at)
            {
                var key = (kind, alarm.Municipality, alarm.Rule, alarm.Severity.ToString().ToLowerInvariant(), alarm.Station);
                (rows.TryGetValue(key, out var list) ? list : rows[key] = []).Add(new ListRow(Nanoseconds.Of(at), values));
            }
        }

        return [.. rows.OrderBy(pair => pair.Key).Select(pair => new ListStrand(Name, TagsOf(pair.Key), Columns, [.. pair.Value.OrderBy(row => row.Time)], isStored: true))];
    }

    private bool MaySee(Alarm alarm) => stations.TryGetDatastream(alarm.Datastream, out var datastream)
        ? Catalog.MaySee(visitor, datastream.Station)
        : visitor.Holds(Role.Viewer, alarm.Municipality);

    private Value[] ValuesOf(Alarm alarm, Rule? rule)
    {
        var datastream = stations.TryGetDatastream(alarm.Datastream, out var found) ? found : null;
        var station = datastream?.Station.Name ?? alarm.Station;
        var unit = datastream?.Quantity.SenmlUnit ?? "";
        var peak = alarm.Peak.ToString("0.##", CultureInfo.InvariantCulture);
        return
        [
            Value.Of((long)alarm.Datastream),
            alarm.EndedAt is { } ended ? Value.Of(Nanoseconds.Of(ended) / 1_000_000) : Value.Null,
            Value.Of(alarm.Id),
            double.IsFinite(alarm.Peak) ? Value.Of(alarm.Peak) : Value.Null,
            Value.Of(Nanoseconds.Of(alarm.StartedAt) / 1_000_000),
            Value.Of($"{station}: máximo {peak.Replace('.', ',')} {unit}".TrimEnd()),
            Value.Of($"{station}: peak {peak} {unit}".TrimEnd()),
            Value.Of(rule?.NamePt ?? alarm.Rule),
            Value.Of(rule?.NameEn ?? alarm.Rule),
            double.IsFinite(alarm.StartValue) ? Value.Of(alarm.StartValue) : Value.Null,
        ];
    }

    private static ImmutableSortedDictionary<string, string> TagsOf((string Kind, string Municipality, string Rule, string Severity, string Station) key) =>
        ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, string>
        {
            ["kind"] = key.Kind, ["municipality"] = key.Municipality, ["rule"] = key.Rule, ["severity"] = key.Severity, ["station"] = key.Station,
        });
}
