namespace Hub.Cloud.Portal.Read;

/// <summary>Spans of time a station's charts can show: the usual one, a week, a month, a year. Pure.</summary>
internal static class ChartSpans
{
    private static readonly (string Name, TimeSpan Span)[] Longer = [("7d", TimeSpan.FromDays(7)), ("30d", TimeSpan.FromDays(30)), ("1y", TimeSpan.FromDays(365))];

    /// <summary>What a visitor can choose, shortest first; the usual span has no name in the address.</summary>
    public static IEnumerable<(string? Name, TimeSpan Span)> All(TimeSpan usual) =>
        Longer.Where(one => one.Span > usual).Select(static one => ((string?)one.Name, one.Span)).Prepend((null, usual));

    /// <summary>The span of a name; the usual one for no name and for any other.</summary>
    public static TimeSpan Of(string? name, TimeSpan usual) => All(usual).FirstOrDefault(one => one.Name == name, (null, usual)).Span;
}
