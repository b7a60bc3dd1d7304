using System.Globalization;

namespace Hub.Cloud.Portal.Read;

/// <summary>What is wrong with the times asked of a station's page.</summary>
/// <param name="Field"><c>from</c> or <c>to</c>.</param>
/// <param name="Text">Key of the text that says what is expected.</param>
internal sealed record WindowProblem(string Field, string Text);

/// <summary>The stretch of time that all charts of a station's page show. Pure.</summary>
/// <param name="From">UTC, inclusive, whole seconds.</param>
/// <param name="To">UTC, exclusive, whole seconds; never after now.</param>
/// <param name="Chosen">Whether the address says from when to when; otherwise it is a span that ends now and goes with the time.</param>
/// <param name="SpanName">Name of the chosen span in the address; null for the usual one and for chosen times.</param>
internal sealed record StationWindow(DateTime From, DateTime To, bool Chosen, string? SpanName)
{
    /// <summary>Shortest stretch.</summary>
    public static readonly TimeSpan SpanMin = TimeSpan.FromSeconds(10);

    /// <summary>Longest stretch.</summary>
    public static readonly TimeSpan SpanMax = TimeSpan.FromDays(366);

    /// <summary>Instants as they are understood: local ones of the municipality without a zone, any other with one.</summary>
    private static readonly string[] LocalFormats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF"];

    private static readonly string[] ZonedFormats = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    public TimeSpan Span => To - From;

    /// <summary>The stretch that an address asks for.</summary>
    /// <param name="from">Its <c>from</c>: ISO 8601, UTC or with an offset, or local; null or empty for none.</param>
    /// <param name="to">Its <c>to</c>.</param>
    /// <param name="span">Its <c>span</c>, a name of <see cref="ChartSpans"/>: how long it is when one of the two is missing.</param>
    /// <param name="usual">Usual span.</param>
    /// <param name="now">UTC.</param>
    /// <param name="zone">Zone of local times.</param>
    /// <returns>The stretch; with a problem, which is null when there is none, the span that ends now.</returns>
    public static (StationWindow Window, WindowProblem? Problem) Of(string? from, string? to, string? span, TimeSpan usual, DateTime now, TimeZoneInfo zone)
    {
        var length = ChartSpans.Of(span, usual);
        var following = new StationWindow(now - length, now, false, length == usual ? null : span);
        if (string.IsNullOrWhiteSpace(from) && string.IsNullOrWhiteSpace(to))
        {
            return (following, null);
        }

        var begin = Read(from, zone);
        var end = Read(to, zone);
        if (begin is null && !string.IsNullOrWhiteSpace(from))
        {
            return (following, new("from", "station.window.bad"));
        }

        if (end is null && !string.IsNullOrWhiteSpace(to))
        {
            return (following, new("to", "station.window.bad"));
        }

        if (begin >= now)
        {
            return (following, new("from", "station.window.future"));
        }

        var last = Whole(end < now ? end.Value : begin is { } first && end is null && now - first > length ? first + length : now);
        var window = new StationWindow(begin is { } chosen ? Whole(chosen) : Earlier(last, length), last, true, null);
        return window.Span < SpanMin ? (following, new("to", "station.window.order"))
            : window.Span > SpanMax ? (following, new("from", "station.window.long"))
            : (window, null);
    }

    /// <summary>An instant of an address, UTC; null when it is none.</summary>
    public static DateTime? Read(string? text, TimeZoneInfo zone)
    {
        text = text?.Trim();
        if (DateTimeOffset.TryParseExact(text, ZonedFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var zoned) && (text!.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > 10))
        {
            return zoned.UtcDateTime;
        }

        if (!DateTime.TryParseExact(text, LocalFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) || local.Year is < 1900 or > 9000)
        {
            return null;
        }

        // Of the hour that comes twice in autumn the first is meant; the one that the clock leaves out in spring is counted on from before it.
        var at = DateTime.SpecifyKind(local, DateTimeKind.Utc);
        var (before, after) = (zone.GetUtcOffset(at.AddDays(-1)), zone.GetUtcOffset(at.AddDays(1)));
        return zone.GetUtcOffset(at - before) != before && zone.GetUtcOffset(at - after) == after ? at - after : at - before;
    }

    private static DateTime Whole(DateTime at) => new(at.Ticks - (at.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);

    private static DateTime Earlier(DateTime at, TimeSpan length) => at.Ticks > length.Ticks ? at - length : DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);
}
