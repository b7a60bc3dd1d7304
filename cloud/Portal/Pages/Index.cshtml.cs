using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Serving;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>The city, or one municipality of it: map, list, alarms, latest values.</summary>
internal sealed class IndexModel(Reader reader, CityFigures figures, IMunicipalities municipalities, PageScope scope) : PageModel
{
    public CityView City { get; private set; } = new(default, [], null, [], []);

    /// <summary>Quantities to choose from, in the catalogue's order as the datastreams name them.</summary>
    public IReadOnlyList<Quantity> Quantities { get; private set; } = [];

    public string? Quantity { get; private set; }

    /// <summary>Values of a station in the table unless one quantity is asked for: a city has many more than anybody reads.</summary>
    public const int PerStationMax = 6;

    /// <summary>Stations with their values, and how many values more each has on its own page.</summary>
    public IReadOnlyList<(StationView Station, IReadOnlyList<LatestValue> Values, int Left)> Rows { get; private set; } = [];

    /// <summary>Rows there are, also those beyond the limit of the page.</summary>
    public int RowCount { get; private set; }

    /// <summary>Air and traffic of the municipality; nothing for all of them together.</summary>
    public CityNumbers Numbers { get; private set; } = CityNumbers.None;

    /// <summary>Where it is loudest now, of the equivalent levels that are fresh; null when there is none.</summary>
    public (StationView Station, LatestValue Value)? Loudest { get; private set; }

    public async Task<IActionResult> OnGetAsync(string? municipality, string? quantity, CancellationToken cancellationToken)
    {
        Municipality? chosen = null;
        if (municipality is not null && !municipalities.TryGet(municipality, out chosen))
        {
            return this.Missing();
        }

        City = reader.City(User, chosen);
        var city = City.Stations.SelectMany(static station => station.Values).Where(static value => !Units.IsEquipment(value.Datastream.Quantity)).ToArray();
        Loudest = City.Stations.SelectMany(static station => station.Values.Select(value => (Station: station, Value: value)))
            .Where(static one => one.Value is { Stale: false, Latest: not null } && TopicMap.Has(Topic.Noise, one.Value.Datastream.Quantity))
            .OrderByDescending(static one => one.Value.Latest!.Value.Result).Select(static one => ((StationView, LatestValue)?)one).FirstOrDefault();
        if (chosen is not null)
        {
            Numbers = await figures.OfAsync(chosen.Slug, City.Stations, reader.ZoneOf(chosen.Slug), City.Now, cancellationToken);
            scope.Scripts.Add("topics");
        }

        Quantities = [.. city.Select(static value => value.Datastream.Quantity).DistinctBy(static one => one.Id).OrderBy(one => scope.Speech.NameOf(one), StringComparer.Create(scope.Speech.Culture, ignoreCase: true))];
        Quantity = Quantities.FirstOrDefault(one => one.Id == quantity)?.Id;
        var wanted = City.Stations
            .Select(station => (Station: station, Values: station.Values.Where(value => !Units.IsEquipment(value.Datastream.Quantity) && (Quantity is null || value.Datastream.Quantity.Id == Quantity)).ToArray()))
            .Where(static row => row.Values.Length > 0)
            .Select(row => (row.Station, Values: Quantity is null ? [.. row.Values.OrderBy(static value => Units.RankOf(value.Datastream.Quantity)).Take(PerStationMax)] : row.Values, All: row.Values.Length))
            .ToArray();
        RowCount = wanted.Sum(static row => row.Values.Length);
        var left = scope.Options.LatestMax;
        List<(StationView, IReadOnlyList<LatestValue>, int)> rows = [];
        foreach (var (station, values, all) in wanted)
        {
            if (left <= 0)
            {
                break;
            }

            var shown = values.Length <= left ? values : values[..left];
            rows.Add((station, shown, all - shown.Length));
            left -= values.Length;
        }

        Rows = rows;
        scope.Live = true;
        scope.Municipality = chosen?.Slug;
        scope.Scripts.Add("map");
        return Page();
    }
}
