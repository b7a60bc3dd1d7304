using Hub.Cloud.Indicators;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;

namespace Hub.Cloud.Portal.Pages.Topics;

/// <summary>Noise at a station of a municipality: the legal levels by day, the hours with their fan, the usual week.</summary>
internal sealed class NoiseModel(Reader reader, NoiseReader noise, LongReads longReads, PageScope scope) : TopicModel(reader, longReads, scope, Topic.Noise)
{
    public NoiseDetail? Detail { get; private set; }

    /// <param name="municipality">Slug.</param>
    /// <param name="station">Slug of the station shown.</param>
    /// <param name="series">Identifier of the datastream shown.</param>
    /// <param name="zone">Class of zone whose limits are shown, where the station has none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IActionResult> OnGetAsync(string municipality, string? station, string? series, string? zone, CancellationToken cancellationToken) => AnswerAsync(municipality, station, async chosen =>
    {
        var asked = NoiseZone.Find(zone);
        if (zone is { Length: > 0 } && asked is null)
        {
            return this.Refused("zone", zone, string.Join(", ", NoiseZone.All.Select(static one => one.Name)), TopicMap.AddressOf(Topic, municipality, chosen.Station.Slug));
        }

        // Of several the one that reports; of those the finest.
        var all = NoiseReader.LevelsOf(chosen);
        var shown = all.OrderBy(one => chosen.Values.Any(value => value.Datastream.Id == one.Id && !value.Stale) ? 0 : 1).ThenBy(static one => one.Period).First();
        if (series is { Length: > 0 })
        {
            if (all.FirstOrDefault(one => one.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) == series) is not { } wanted)
            {
                return this.Missing();
            }

            shown = wanted;
        }

        Detail = await noise.DetailAsync(chosen, shown, asked, Now, cancellationToken);
        return null;
    }, cancellationToken);
}
