using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>The city, or one municipality of it, for a screen on a wall: open alarms and a few figures, readable from five metres, dimmed at night. Needs no login; who has one sees private stations as well.</summary>
internal sealed class WallModel(Reader reader, CityFigures figures, IMunicipalities municipalities, PageScope scope) : PageModel
{
    public WallView Wall { get; private set; } = null!;

    /// <summary>Where the air of the municipality is worst; null when nothing can be said, and for all municipalities together.</summary>
    public CityAir? Air { get; private set; }

    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;

    public NightHours Night { get; private set; }

    public bool IsNight => Night.Contains(TimeZoneInfo.ConvertTimeFromUtc(scope.Now, Zone).Hour);

    /// <summary>Whether the hours of the night could not be read.</summary>
    public bool BadNight { get; private set; }

    public async Task<IActionResult> OnGetAsync(string? municipality, string? night, CancellationToken cancellationToken)
    {
        Municipality? chosen = null;
        if (!string.IsNullOrEmpty(municipality) && !municipalities.TryGet(municipality, out chosen))
        {
            return this.Missing();
        }

        BadNight = !NightHours.TryRead(night, out var hours);
        Response.StatusCode = BadNight ? 400 : 200;
        var city = reader.City(User, chosen);
        Wall = WallView.Of(city, await reader.WithHandlingAsync(city.Alarms, cancellationToken));
        (Zone, Night) = (reader.ZoneOf(chosen?.Slug ?? (municipalities.All is [var first, ..] ? first.Slug : null)), hours);
        if (chosen is not null)
        {
            Air = (await figures.OfAsync(chosen.Slug, city.Stations, Zone, city.Now, cancellationToken)).Air;
            scope.Scripts.Add("topics");
        }

        scope.Live = true;
        scope.Municipality = chosen?.Slug;
        scope.Scripts.Add("wall");
        return Page();
    }
}
