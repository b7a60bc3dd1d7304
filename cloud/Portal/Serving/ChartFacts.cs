using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Serving;

/// <summary>A chart for its script (JSON) and for those who do not see it (a sentence).</summary>
internal sealed record ChartFacts(string Json, string Summary)
{
    public static ChartFacts Of(DatastreamView view, PageScope page, TimeZoneInfo zone, TimeSpan span)
    {
        var say = page.Speech;
        var points = view.Points;
        var datastream = view.Value.Datastream;
        var quantity = datastream.Quantity;
        var unit = Units.Of(quantity);
        var decimals = Units.DecimalsOf(quantity);
        var isBars = quantity.Averaging == AveragingRule.Sum;
        var kind = isBars ? "bars" : quantity.SenmlUnit == "deg" ? "directions" : "line";

        // Bars and directions have no line that could hide a peak.
        var banded = points.Bucket is not null && kind == "line";
        var json = JsonSerializer.Serialize(new
        {
            datastream = datastream.Id,
            label = say.NameOf(quantity),
            unit,
            kind,
            decimals,
            zone = zone.HasIanaId ? zone.Id : "UTC",
            step = points.Step.TotalSeconds,
            raw = points.Bucket is null,
            hours = span.TotalHours,
            t = points.Times,
            v = points.Values,
            q = points.Qualities,
            lo = banded ? points.Lows : null,
            hi = banded ? points.Highs : null,
            c = points.Bucket is null ? null : points.Percents,
            n = points.Invalid.Contains(true) ? points.Invalid.Select(static invalid => invalid ? 1 : 0) : null,
            limits = view.Rules.Select(rule => new { value = rule.SetLevel, label = Limit(say, rule, decimals, unit) }),
        });
        return new(json, Sentence(view, say, unit, decimals, isBars, banded));
    }

    /// <summary>A rule's level in words, e.g. <c>≥ 25 µg/m³</c>.</summary>
    public static string Limit(Speech say, Rule rule, int decimals, string unit) =>
        rule.Measure == Measure.Exceedances ? say.Of("alarms.allowed", say.Figure(rule.SetLevel, 0)) : say.Of(rule.Crossing == Crossing.Above ? "alarms.above" : "alarms.below", say.Figure(rule.SetLevel, double.IsInteger(rule.SetLevel) ? 0 : decimals), unit).TrimEnd();

    private static string Sentence(DatastreamView view, Speech say, string unit, int decimals, bool isBars, bool banded)
    {
        var points = view.Points;
        var values = points.Values.OfType<double>().ToArray();
        if (values.Length == 0)
        {
            return "";
        }

        var parts = new List<string>
        {
            say.Of("chart.summary", say.NameOf(view.Value.Datastream.Quantity), say.Figure(values.Min(), decimals), say.Figure(values.Max(), decimals), unit, say.Figure(view.Value.Latest?.Result ?? values[^1], decimals))
                .Replace(" ;", ";", StringComparison.Ordinal).Replace(" .", ".", StringComparison.Ordinal),
            points.Bucket is { } width ? say.Of("chart.bucket." + KeyOf(points.Statistic), say.Period(width)) : say[isBars ? "chart.bar" : "chart.raw"],
        };
        if (banded)
        {
            parts.Add(say["chart.band"]);
        }

        if (points.Bucket is not null && view.Rules.Count > 0)
        {
            parts.Add(say[banded ? "chart.limit.band" : "chart.limit.bucket"]);
        }

        var gaps = points.Values.Count(static value => value is null);
        if (gaps > 0)
        {
            parts.Add(say.Count("chart.gaps", gaps));
        }

        var flagged = points.Values.Zip(points.Qualities).Count(static point => point.First is not null && point.Second != 0);
        if (flagged > 0)
        {
            parts.Add(say.Count("chart.flagged", flagged));
        }

        var invalid = points.Invalid.Count(static one => one);
        if (invalid > 0)
        {
            parts.Add(say.Count("chart.invalid", invalid));
        }

        return string.Join(" ", parts);
    }

    private static string KeyOf(Statistic statistic) => statistic switch
    {
        Statistic.EnergyMean => "energymean",
        Statistic.Sum => "sum",
        Statistic.Max => "max",
        Statistic.Min => "min",
        Statistic.CircularMean => "circularmean",
        _ => "mean",
    };
}
