using System.Globalization;
using CsCheck;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>Questions at random, such as a dashboard or its query builder asks, over the data of <see cref="TwoStores"/>. Where InfluxDB itself promises nothing (which of two equal values is selected) none is asked.</summary>
internal static class Questions
{
    private static readonly Gen<string> Field = Gen.OneOf("\"result\"", "\"result\"", "\"result\"", "result", "\"raw\"", "\"quality\"", "\"coverage\"");

    private static readonly Gen<string> Tag = Gen.OneOf("\"station\"", "\"municipality\"", "\"property\"", "\"datastream\"", "station, property", "*", "/^(station|sensor)$/");

    private static readonly Gen<string> Condition = Gen.OneOf(
        "\"property\" = 'no2'", "\"property\" = 'laeq'", "\"property\" != 'no2'", "\"station\" =~ /^(centro|cais)$/", "\"station\" !~ /o$/", "\"municipality\" = 'braga' AND \"property\" = 'no2'",
        "(\"station\" = 'cais' OR \"station\" = 'escola')", "\"datastream\" = '1'", "\"period\" = '300'", "\"result\" > 50", "\"result\" <= 40 AND \"quality\" = 0", "\"quality\" & 2 = 0", "\"raw\" > 30",
        "(\"property\" = 'no2' AND \"result\" > 40) OR \"station\" = 'centro'", "\"result\" * 2 - 1 > 70", "\"nothing\" = 'x'", "\"nothing\" != 'x'", "\"sensor\" = ''", "\"property\" =~ /./ AND \"result\" != 3",
        "\"coverage\" < 0.75", "true");

    private static readonly Gen<string> Interval = Gen.OneOf("1m", "7m", "10m", "15m", "1h", "90m", "6h", "1d", "1w");

    private static readonly Gen<string> Fill = Gen.OneOf("", " fill(null)", " fill(none)", " fill(none)", " fill(previous)", " fill(linear)", " fill(0)", " fill(7.5)", " fill(-3)");

    private static readonly Gen<string> Zone = Gen.OneOf("", "", "", " tz('Europe/Lisbon')", " tz('America/New_York')");

    /// <summary>Width of the buckets and zone: where the clock changes InfluxDB breaks off an answer whose buckets do not divide the hour or are made of hours.</summary>
    private static readonly Gen<(string Width, string Zone)> Clock = Gen.Select(Interval, Zone, static (width, zone) => (width, width is "7m" or "90m" ? "" : zone));

    private static readonly Gen<string> Figure = Gen.OneOf(
        Gen.Select(Gen.OneOf("count", "sum", "mean", "median", "min", "max", "first", "last", "spread", "stddev"), Field, (name, field) => $"{name}({field})"),
        Gen.Select(Gen.OneOf("50", "75", "90", "95.5", "100"), Field, (percent, field) => $"percentile({field}, {percent})"),
        Gen.Const("mode(\"coverage\")"),
        Field.Select(field => $"count(distinct({field}))"));

    /// <summary>Those that say the same in whatever order several series are read: of two first values at the same time InfluxDB takes either, and of what is no number (stddev of one) anything.</summary>
    private static readonly Gen<string> Steady = Figure.Where(static figure => !figure.StartsWith("first", StringComparison.Ordinal) && !figure.StartsWith("last", StringComparison.Ordinal) && !figure.StartsWith("stddev", StringComparison.Ordinal));

    private static readonly Gen<string> Expression = Gen.OneOf(
        Figure, Figure,
        Figure.Select(figure => $"{figure} * 2 AS \"double\""),
        Gen.Select(Figure, Figure, (a, b) => $"{a} - {b}"),
        Gen.Select(Figure, Figure, (a, b) => $"{a} / {b} AS ratio"),
        Gen.Select(Gen.OneOf("abs", "sqrt", "round", "floor", "ceil", "ln", "log10", "exp"), Figure, (function, figure) => $"{function}({figure})"),
        Figure.Select(figure => $"pow({figure}, 2)"),
        Figure.Select(figure => $"10 * log10({figure} + 1)"));

    private static readonly Gen<string> Transform = Gen.OneOf(
        Gen.Select(Gen.OneOf("derivative", "non_negative_derivative"), Figure, Gen.OneOf("", ", 1s", ", 1h"), (name, figure, unit) => $"{name}({figure}{unit})"),
        Gen.Select(Gen.OneOf("difference", "non_negative_difference", "cumulative_sum", "elapsed"), Figure, (name, figure) => $"{name}({figure})"),
        Gen.Select(Figure, Gen.Int[2, 5], (figure, count) => $"moving_average({figure}, {count})"));

    private static readonly Gen<string> RawTransform = Gen.OneOf(
        "derivative(\"result\")", "derivative(\"result\", 1m)", "non_negative_difference(\"result\")", "difference(\"quality\")", "moving_average(\"result\", 4)", "cumulative_sum(\"result\")", "elapsed(\"result\", 1s)");

    private static readonly Gen<string> Times = Gen.Select(Gen.Int[0, 5 * 24 * 60 - 1], Gen.Int[1, 3 * 24 * 60], Gen.Int[0, 3], (from, length, form) =>
    {
        var (begin, end) = (TwoStores.Begin.AddMinutes(from), TwoStores.Begin.AddMinutes(from + length));
        return form switch
        {
            0 => $"time >= '{Text(begin)}' AND time < '{Text(end)}'",
            1 => $"time > {Milliseconds(begin)}ms and time <= {Milliseconds(end)}ms",
            2 => $"'{begin.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}' <= time AND time <= '{Text(begin)}' + {length}m",
            _ => $"time >= {Milliseconds(begin) / 1000}s AND time < '{Text(end)}' - 1s",
        };
    });

    private static readonly Gen<string> Where = Gen.Select(Times, Condition, Gen.Int[0, 3], (times, condition, form) => form switch
    {
        0 => $"WHERE {times}",
        1 => $"WHERE ({condition}) AND {times}",
        _ => $"WHERE {times} AND ({condition})",
    });

    private static readonly Gen<string> Page = Gen.OneOf("", "", "", " LIMIT 5", " LIMIT 3 OFFSET 2", " ORDER BY time DESC", " ORDER BY time DESC LIMIT 4", " SLIMIT 2", " SLIMIT 1 SOFFSET 1");

    /// <summary>One question.</summary>
    public static Gen<string> Any { get; } = Gen.Frequency(
        (8, Gen.Select(Expression.List[1, 3], Where, Clock, Gen.OneOf("", "", ", 3m", ", -20m"), Tag, Fill, Page)
            .Select((expressions, where, clock, offset, tag, fill, page) => $"SELECT {string.Join(", ", expressions)} FROM \"observation\" {where} GROUP BY time({clock.Width}{offset}), {tag}{fill}{page}{clock.Zone}")),
        (3, Gen.Select(Expression.List[1, 3], Where, Clock, Fill, Page)
            .Select((expressions, where, clock, fill, page) => $"SELECT {string.Join(", ", expressions)} FROM observation {where} GROUP BY time({clock.Width}){fill}{page}{clock.Zone}")),
        (3, Gen.Select(Transform, Where, Clock, Tag, Fill, Page)
            .Select((transform, where, clock, tag, fill, page) => $"SELECT {transform} FROM \"observation\" {where} GROUP BY time({clock.Width}), {tag}{fill}{page}{clock.Zone}")),
        (2, Gen.Select(Steady.List[1, 2], Where, Tag, (figures, where, tag) => $"SELECT count(\"result\") AS n, {string.Join(", ", figures)} FROM \"observation\" {where} GROUP BY {tag}")),
        (1, Gen.Select(Gen.OneOf("first", "last", "min", "max"), Where, (function, where) => $"SELECT {function}(\"result\"), \"quality\" FROM \"observation\" {where} AND \"property\" != 'vehicle_count' GROUP BY *")),
        (1, Gen.Select(Gen.OneOf("first", "last", "min", "max"), Where, Interval, Fill, (function, where, interval, fill) => $"SELECT {function}(\"result\"), \"station\", \"raw\" FROM \"observation\" {where} AND \"property\" != 'vehicle_count' GROUP BY time({interval}), \"datastream\"{fill}")),
        (2, Gen.Select(Gen.OneOf("\"result\"", "\"result\", \"quality\"", "\"raw\"", "\"result\", \"station\"", "\"result\" - \"raw\"", "\"raw\", \"coverage\"", "10 * log10(\"result\" + 1)", "\"coverage\" * 100 AS share"), Where, Page, (fields, where, page) => $"SELECT {fields} FROM \"observation\" {where} GROUP BY *{page}")),
        (1, Gen.Select(Gen.OneOf("\"result\"", "\"result\", \"datastream\""), Where, Gen.OneOf("", " ORDER BY time DESC"), (fields, where, page) => $"SELECT {fields} FROM \"observation\" {where}{page}")),
        (1, Gen.Select(RawTransform, Where, Page, (transform, where, page) => $"SELECT {transform} FROM \"observation\" {where} GROUP BY *{page}")),
        (1, Gen.Select(Where, Interval, Gen.OneOf("", ", \"station\""), (where, interval, tag) => $"SELECT distinct(\"quality\") FROM \"observation\" {where} GROUP BY time({interval}){tag}")),
        (1, Gen.Select(Gen.OneOf("top", "bottom"), Where, Gen.OneOf("", ", time(1h)"), (function, where, interval) => $"SELECT {function}(\"result\", 3) FROM \"observation\" {where} AND \"property\" != 'vehicle_count' GROUP BY \"datastream\"{interval}")),
        (3, Gen.Select(Times, Clock, Fill, (times, clock, fill) =>
            $"SELECT 10*log10(mean(\"e\")), count(\"e\") FROM (SELECT exp(\"result\"*0.2302585092994046) AS \"e\" FROM \"observation\" WHERE \"property\" = 'laeq') WHERE {times} GROUP BY time({clock.Width}), \"station\"{fill}{clock.Zone}")),
        (2, Gen.Select(Steady, Gen.OneOf("mean", "max", "sum", "count", "last", "spread", "median"), Times, Interval, Gen.OneOf("5m", "10m", "30m"), (figure, outer, times, interval, inner) =>
            $"SELECT {outer}(\"m\") FROM (SELECT {figure} AS \"m\" FROM \"observation\" WHERE {times} GROUP BY time({inner}), \"datastream\", \"station\") WHERE {times} GROUP BY time({interval}), \"station\" fill(none)")),
        (1, Gen.Select(Steady, Where, Interval, (figure, where, interval) => $"SELECT sum(\"m\") FROM (SELECT {figure} AS \"m\" FROM \"observation\" {where} GROUP BY \"datastream\") {where.Split(" AND (")[0]} GROUP BY time({interval}) fill(none)")));

    private static string Text(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static long Milliseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMillisecond;
}
