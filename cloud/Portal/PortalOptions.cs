using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal;

/// <summary>Settings of the pages, bound from <c>Hub:Portal</c>. Checked before the server starts, then never changed.</summary>
public sealed class PortalOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Portal";

    /// <summary>Name of the hub in the header and in page titles, 1 to 40 characters. Default <c>Hub</c>.</summary>
    public string Title { get; set; } = "Hub";

    /// <summary>Language for visitors whose browser asks for neither: <c>pt</c> (default) or <c>en</c>.</summary>
    public string Language { get; set; } = "pt";

    /// <summary>Span of a station's charts, 1 hour to 7 days; whole hours. Default 24 h.</summary>
    public TimeSpan ChartSpan { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Points a chart carries at most, 50 to 2,000; a longer series travels as buckets. More points, larger pages. Default 500.</summary>
    public int ChartPointsMax { get; set; } = 500;

    /// <summary>How often an instantaneous value (no averaging period) is expected, 1 s to 1 day: three times as long and it is stale. Default 5 min.</summary>
    public TimeSpan InstantStep { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How far back the alarms page reaches, 1 hour to 90 days. Default 7 days.</summary>
    public TimeSpan AlarmsSpan { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Alarms listed on a page at most, 1 to 1,000. Default 200.</summary>
    public int AlarmsMax { get; set; } = 200;

    /// <summary>Rows of the table of latest values at most, 10 to 5,000; the page says when there are more. Default 500.</summary>
    public int LatestMax { get; set; } = 500;

    /// <summary>How long a public page is kept and given to everybody who asks for the same, 0 (never) to 1 min; whole seconds. Default 2 s: live values come by the event stream, whatever the page's age.</summary>
    public TimeSpan PagesKeptFor { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Name of the licence under which the municipalities publish their own measurements, e.g. <c>CC BY 4.0</c>, at most 100 characters. Default none: the page about open data says that none is declared.</summary>
    public string DataLicence { get; set; } = "";

    /// <summary>Address of that licence, http or https; empty (default) for none.</summary>
    public string DataLicenceUrl { get; set; } = "";

    /// <summary>Address of the event stream that the pages listen to. Default <c>/api/v1/live</c>.</summary>
    public string LiveAddress { get; set; } = "/api/v1/live";

    /// <summary>Address under which the open API's datastreams are. Default <c>/api/v1/datastreams</c>.</summary>
    public string DatastreamsAddress { get; set; } = "/api/v1/datastreams";

    /// <summary>Where stations and phones reach the hub, from <c>Hub:PublicUrl</c>; empty when not known: then the address that the visitor has asked counts.</summary>
    internal string PublicUrl { get; set; } = "";
}

/// <summary>Checks <see cref="PortalOptions"/>; each message names the full key.</summary>
internal sealed class PortalOptionsValidator : IValidateOptions<PortalOptions>
{
    public ValidateOptionsResult Validate(string? name, PortalOptions options)
    {
        List<string> wrong = [];
        Check(options.Title.Length is >= 1 and <= 40, nameof(PortalOptions.Title), "1 to 40 characters");
        Check(options.Language is "pt" or "en", nameof(PortalOptions.Language), "pt or en");
        Check(
            options.ChartSpan >= TimeSpan.FromHours(1) && options.ChartSpan <= TimeSpan.FromDays(7) && options.ChartSpan.Ticks % TimeSpan.TicksPerHour == 0,
            nameof(PortalOptions.ChartSpan), "whole hours from 01:00:00 to 7.00:00:00");
        Check(options.ChartPointsMax is >= 50 and <= 2_000, nameof(PortalOptions.ChartPointsMax), "50 to 2000");
        Check(options.InstantStep >= TimeSpan.FromSeconds(1) && options.InstantStep <= TimeSpan.FromDays(1), nameof(PortalOptions.InstantStep), "00:00:01 to 1.00:00:00");
        Check(options.AlarmsSpan >= TimeSpan.FromHours(1) && options.AlarmsSpan <= TimeSpan.FromDays(90), nameof(PortalOptions.AlarmsSpan), "01:00:00 to 90.00:00:00");
        Check(options.AlarmsMax is >= 1 and <= 1_000, nameof(PortalOptions.AlarmsMax), "1 to 1000");
        Check(options.LatestMax is >= 10 and <= 5_000, nameof(PortalOptions.LatestMax), "10 to 5000");
        Check(
            options.PagesKeptFor >= TimeSpan.Zero && options.PagesKeptFor <= TimeSpan.FromMinutes(1) && options.PagesKeptFor.Ticks % TimeSpan.TicksPerSecond == 0,
            nameof(PortalOptions.PagesKeptFor), "whole seconds from 00:00:00 to 00:01:00");
        Check(options.DataLicence is { Length: <= 100 }, nameof(PortalOptions.DataLicence), "at most 100 characters");
        Check(
            options.DataLicenceUrl is { Length: 0 } || (Uri.TryCreate(options.DataLicenceUrl, UriKind.Absolute, out var licence) && licence.Scheme is "http" or "https"),
            nameof(PortalOptions.DataLicenceUrl), "an http or https address, or empty");
        Check(IsLocal(options.LiveAddress), nameof(PortalOptions.LiveAddress), "an address on this hub that begins with one /");
        Check(IsLocal(options.DatastreamsAddress), nameof(PortalOptions.DatastreamsAddress), "an address on this hub that begins with one /");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);

        void Check(bool right, string key, string expected)
        {
            if (!right)
            {
                wrong.Add($"{PortalOptions.Section}:{key} must be {expected}.");
            }
        }
    }

    /// <summary>The content security policy allows requests to the hub itself only.</summary>
    private static bool IsLocal(string address) => address.StartsWith('/') && !address.StartsWith("//", StringComparison.Ordinal);
}
