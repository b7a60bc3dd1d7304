using System.Text.Json;
using System.Xml;
using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Portal.Serving;

/// <summary>A chart for its script (JSON) and for those who do not see it (a sentence).</summary>
/// <param name="Json">What the script draws.</param>
/// <param name="Summary">What it shows, in words.</param>
/// <param name="Flags">What is known against points of it and of how many; empty for nothing.</param>
internal sealed record ChartFacts(string Json, string Summary, string Flags)
{
    /// <summary>Observations that one answer of the API carries at most: more are not offered as one file.</summary>
    private const int FileMax = 100_000;

    /// <summary>Cadence of a datastream of instantaneous values, when it is estimated how many they are.</summary>
    private static readonly TimeSpan CadenceAssumed = TimeSpan.FromMinutes(1);

    public static ChartFacts Of(DatastreamView view, PageScope page, TimeZoneInfo zone, ChartWish wish)
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
            hours = wish.Window.Span.TotalHours,
            from = Seconds(wish.Window.From),
            to = Seconds(wish.Window.To),
            follow = !wish.Window.Chosen,
            source = page.Options.DatastreamsAddress + "/",
            points = ChartReader.PointsMax,
            period = datastream.Period.TotalSeconds,
            values = view.Values switch { ValuesShown.Raw => "raw", ValuesShown.TooMany => "many", _ => view.HasRaw ? "calibrated" : "only" },
            wantsRaw = wish.Raw && view.HasRaw,
            bucket = say["chart.bucket." + KeyOf(points.Statistic)],
            single = say[isBars ? "chart.bar" : "chart.raw"],
            compared = view.Compared is not { } compared ? null : new
            {
                datastream = compared.Datastream.Id,
                shift = compared.Compare.Shift.TotalSeconds,
                label = NameOf(say, compared.Compare),
                t = compared.Points.Times.Select(at => at + (long)compared.Compare.Shift.TotalSeconds),
                v = compared.Points.Values,
            },
            t = points.Times,
            v = points.Values,
            q = points.Qualities,
            lo = banded ? points.Lows : null,
            hi = banded ? points.Highs : null,
            c = points.Bucket is null ? null : points.Percents,
            n = points.Invalid.Contains(true) ? points.Invalid.Select(static invalid => invalid ? 1 : 0) : null,
            limits = view.Rules.Select(rule => new { value = rule.SetLevel, label = Limit(say, rule, decimals, unit) }),
        });
        return new(json, Sentence(view, say, unit, decimals, isBars, banded), FlagsOf(points, say));
    }

    /// <summary>Address of what a chart shows in the open API: the observations when it shows them, otherwise the same buckets.</summary>
    public static string DataOf(DatastreamView view, PageScope page, StationWindow window) =>
        AddressOf(view, page, window) + (view.Points.Bucket is { } width ? "&every=" + XmlConvert.ToString(width) : "");

    /// <summary>Address of every observation of the stretch; null when the chart's own has them, or they are more than one file holds.</summary>
    public static string? AllOf(DatastreamView view, PageScope page, StationWindow window) =>
        view.Points.Bucket is null || window.Span / (view.Value.Datastream.Period > TimeSpan.Zero ? view.Value.Datastream.Period : CadenceAssumed) > FileMax ? null : AddressOf(view, page, window) + "&limit=" + PageScope.Plain(FileMax);

    /// <summary>What a chart is compared with, in words.</summary>
    public static string NameOf(Speech say, StationCompare compare) => compare.Other?.Name ?? say["compare." + compare.Name];

    private static string AddressOf(DatastreamView view, PageScope page, StationWindow window) =>
        $"{page.Options.DatastreamsAddress}/{PageScope.Plain(view.Value.Datastream.Id)}/observations?from={Uri.EscapeDataString(PageScope.Iso(window.From))}&to={Uri.EscapeDataString(PageScope.Iso(window.To))}";

    /// <summary>What is known against points, each with how many they are: <c>3 × fora da escala</c>.</summary>
    private static string FlagsOf(ChartPoints points, Speech say)
    {
        List<string> parts = [];
        for (var bit = 1; bit <= (int)Quality.Drift; bit <<= 1)
        {
            if (points.Values.Zip(points.Qualities).Count(point => point.First is not null && (point.Second & bit) != 0) is > 0 and var count)
            {
                parts.Add($"{say.Figure(count, 0)} × {say.QualityWords((Quality)bit)}");
            }
        }

        return string.Join(", ", parts);
    }

    private static double Seconds(DateTime at) => Math.Round((at - DateTime.UnixEpoch).TotalSeconds, 3);

    /// <summary>A rule's level in words, e.g. <c>≥ 25 µg/m³</c>.</summary>
    public static string Limit(Speech say, Rule rule, int decimals, string unit) =>
        rule.Measure == Measure.Exceedances ? say.Of("alarms.allowed", say.Figure(rule.SetLevel, 0)) : say.Of(rule.Crossing == Crossing.Above ? "alarms.above" : "alarms.below", say.Figure(rule.SetLevel, double.IsInteger(rule.SetLevel) ? 0 : decimals), unit).TrimEnd();

    private static string Sentence(DatastreamView view, Speech say, string unit, int decimals, bool isBars, bool banded)
    {
        var points = view.Points;
        var values = points.Values.OfType<double>().ToArray();
        if (values.Length == 0)
        {
            return say["chart.empty.window"];
        }

        var parts = new List<string>
        {
            say.Of("chart.summary", say.NameOf(view.Value.Datastream.Quantity), say.Figure(values.Min(), decimals), say.Figure(values.Max(), decimals), unit, say.Figure(values[^1], decimals))
                .Replace(" ;", ";", StringComparison.Ordinal).Replace(" .", ".", StringComparison.Ordinal),
            points.Bucket is { } width ? say.Of("chart.bucket." + KeyOf(points.Statistic), say.Period(width)) : say[isBars ? "chart.bar" : "chart.raw"],
        };
        if (view.HasRaw)
        {
            parts.Add(say[view.Values switch { ValuesShown.Raw => "chart.values.raw", ValuesShown.TooMany => "chart.values.many", _ => "chart.values.calibrated" }]);
        }

        if (view.Compared is { } compared)
        {
            var others = compared.Points.Values.OfType<double>().ToArray();
            var name = NameOf(say, compared.Compare);
            parts.Add(others.Length == 0 ? say.Of("chart.compared.none", name) : say.Of("chart.compared", name, say.Figure(others.Min(), decimals), say.Figure(others.Max(), decimals), unit).Replace(" .", ".", StringComparison.Ordinal));
        }

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
