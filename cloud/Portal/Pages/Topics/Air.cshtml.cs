using Hub.Cloud.Indicators;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;

namespace Hub.Cloud.Portal.Pages.Topics;

/// <summary>Air of a municipality: the index now and over a day, the year as a calendar, where it comes from, and how often limits were exceeded.</summary>
internal sealed class AirModel(Reader reader, AirReader air, LongReads longReads, PageScope scope) : TopicModel(reader, longReads, scope, Topic.Air)
{
    /// <summary>Years back that can be asked for.</summary>
    public const int YearsBack = 10;

    /// <summary>Stations listed with their index; the list of choices above has all.</summary>
    public const int PlacesMax = 60;

    /// <summary>The index of every station, worst first.</summary>
    public IReadOnlyList<AirStation> Index { get; private set; } = [];

    public AirDetail? Detail { get; private set; }

    /// <summary>The running local year.</summary>
    public int ThisYear { get; private set; }

    /// <param name="municipality">Slug.</param>
    /// <param name="station">Slug of the station shown.</param>
    /// <param name="series">Identifier of the datastream that calendar and rose show.</param>
    /// <param name="year">Calendar year.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IActionResult> OnGetAsync(string municipality, string? station, string? series, string? year, CancellationToken cancellationToken) => AnswerAsync(municipality, station, async chosen =>
    {
        ThisYear = TopicSeries.DateOf(Now, Zone).Year;
        var asked = ThisYear;
        if (year is { Length: > 0 } && (!int.TryParse(year, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out asked) || asked > ThisYear || asked < ThisYear - YearsBack))
        {
            return this.Refused("year", year, $"{ThisYear - YearsBack} – {ThisYear}", TopicMap.AddressOf(Topic, municipality, chosen.Station.Slug));
        }

        var shown = AirReader.PollutantsOf(chosen).FirstOrDefault(one => one.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) == series);
        if (series is { Length: > 0 } && shown is null)
        {
            return this.Missing();
        }

        Index =
        [
            .. (await air.IndexAsync(Stations, Zone, Now, cancellationToken)).OrderBy(one => one.Latest is null ? 2 : one.IsStale(Now) ? 1 : 0).ThenByDescending(static one => one.Latest?.Index!.Class).ThenBy(static one => one.View.Station.Name, StringComparer.CurrentCultureIgnoreCase),
        ];
        Detail = await air.DetailAsync(Index.First(one => one.View.Station.Id == chosen.Station.Id), shown, Visible, asked, Now, cancellationToken);
        return null;
    }, cancellationToken);

    /// <summary>Part of a text key and of an address: the catalogue's name without its sign.</summary>
    public static string KeyOf(AirPollutant pollutant) => pollutant switch
    {
        AirPollutant.Ozone => "ozone",
        AirPollutant.NitrogenDioxide => "nitrogen",
        AirPollutant.SulphurDioxide => "sulphur",
        AirPollutant.Pm10 => "coarse",
        _ => "fine",
    };
}
