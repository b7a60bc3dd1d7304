using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Show;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Topics;

/// <summary>What the pages about air, noise and traffic have in common: a municipality, its stations of the topic, the one that is shown.</summary>
internal abstract class TopicModel(Reader reader, LongReads longReads, PageScope scope, Topic topic) : PageModel
{
    /// <summary>How long a page of public stations may be kept by anybody: its figures are of closed hours.</summary>
    private static readonly string KeptForAMinute = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"public, max-age={PageKeeping.ClosedHoursKeptFor.TotalSeconds:0}");

    public Topic Topic { get; } = topic;

    public Municipality Town { get; private set; } = null!;

    /// <summary>Everything the visitor may see in the municipality.</summary>
    public IReadOnlyList<StationView> Visible { get; private set; } = [];

    /// <summary>Those of the topic, by name.</summary>
    public IReadOnlyList<StationView> Stations { get; private set; } = [];

    /// <summary>The one shown; null when none is of the topic, or the one asked for is not.</summary>
    public StationView? Chosen { get; private set; }

    /// <summary>The station asked for that does not measure the topic; null otherwise.</summary>
    public StationView? Other { get; private set; }

    public DateTime Now { get; private set; }

    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;

    /// <summary>Address of this page for a station, the chosen one by default, with one more value.</summary>
    public string AddressWith(string key, string value, string? station = null) =>
        $"{TopicMap.AddressOf(Topic, Town.Slug, station ?? Chosen!.Station.Slug)}&{key}={Uri.EscapeDataString(value)}";

    /// <summary>Finds the station, takes a turn, and lets the page read.</summary>
    /// <param name="municipality">Slug.</param>
    /// <param name="station">Slug; null or empty for the usual one.</param>
    /// <param name="readAsync">Reads what the page shows of the chosen station; answers otherwise than with the page by returning something.</param>
    /// <param name="cancellationToken">Ends it.</param>
    protected async Task<IActionResult> AnswerAsync(string municipality, string? station, Func<StationView, ValueTask<IActionResult?>> readAsync, CancellationToken cancellationToken)
    {
        if (reader.Municipality(municipality) is not { } town)
        {
            return this.Missing();
        }

        var city = reader.City(User, town);
        (Town, Visible, Now, Zone) = (town, city.Stations, city.Now, reader.ZoneOf(town.Slug));
        Stations = [.. Visible.Where(one => TopicMap.Has(Topic, one)).OrderBy(static one => one.Station.Name, StringComparer.CurrentCultureIgnoreCase)];
        if (station is { Length: > 0 })
        {
            // A private station is to a stranger as one that does not exist.
            if (Visible.FirstOrDefault(one => one.Station.Slug == station) is not { } asked)
            {
                return this.Missing();
            }

            Chosen = Stations.Contains(asked) ? asked : null;
            Other = Chosen is null ? asked : null;
        }
        else
        {
            // Of those that report now the one that measures most of the topic.
            Chosen = Stations.OrderBy(static one => one.Status is Status.Fresh or Status.Alarm ? 0 : 1).ThenByDescending(one => one.Values.Count(value => !value.Stale && TopicMap.Has(Topic, value.Datastream.Quantity))).FirstOrDefault();
        }

        if (Chosen is not null)
        {
            using var turn = await longReads.TurnAsync(cancellationToken);
            if (turn is null)
            {
                return this.Busy();
            }

            if (await readAsync(Chosen) is { } answer)
            {
                return answer;
            }
        }

        scope.Municipality = town.Slug;
        scope.Scripts.Add("topics");

        // What only some may see, and what sets a cookie, is kept by nobody.
        if (!scope.IsSignedIn && !Request.Query.ContainsKey("lang") && !Request.Query.ContainsKey("theme"))
        {
            Response.Headers.CacheControl = KeptForAMinute;
        }

        return Page();
    }
}
