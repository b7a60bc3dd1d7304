using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Map;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>The city, or one municipality of it: map, list, alarms, latest values.</summary>
internal sealed class IndexModel(Reader reader, CityFigures figures, MapReader map, IMunicipalities municipalities, PageScope scope) : PageModel
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

    /// <summary>What map and list show of every station, from <c>show</c> in the address.</summary>
    public MapNow Map { get; private set; } = new(MapShow.Status, null, []);

    /// <summary>The part of the list that is shown, from <c>part</c>, <c>name</c> and <c>sort</c> in the address.</summary>
    public StationPart List { get; private set; } = new([], 1, 1, 0);

    /// <summary>What is looked for in names; empty for nothing.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Whether the list has the highest value first.</summary>
    public bool ByValue { get; private set; }

    /// <summary>Whether what is shown could not be read now.</summary>
    public bool MapUnavailable { get; private set; }

    /// <summary>Where the map's script fetches its data.</summary>
    public MapAddresses Addresses =>
        new($"/map/stations?municipality={City.Chosen?.Slug}&show={Map.Show.Id}&name={Uri.EscapeDataString(Name)}", Map.Show.IsStatus ? "" : $"/map/day?municipality={City.Chosen?.Slug}&show={Map.Show.Id}");

    /// <summary>Address of another part of the list.</summary>
    public string PartAt(int part) => AddressWith([.. MapChoice, ("part", part.ToString(System.Globalization.CultureInfo.InvariantCulture))]);

    /// <summary>Address of the list of all stations.</summary>
    public string PartWithoutName => AddressWith([.. MapChoice.Where(static one => one.Key != "name")]);

    /// <summary>What the address says of map and list, for the page's other form to keep; what is usual is left out.</summary>
    public IEnumerable<(string Key, string Value)> MapChoice =>
        new[] { (Key: "show", Value: Map.Show.Id), (Key: "name", Value: Name), (Key: "sort", Value: ByValue ? StationList.ByValue : "") }.Where(static one => one.Value.Length > 0);

    private string AddressWith(IReadOnlyList<(string Key, string Value)> values) =>
        (City.Chosen is null ? "/" : "/m/" + City.Chosen.Slug) + QueryString.Create(values.Select(static one => KeyValuePair.Create(one.Key, (string?)one.Value))) + "#stations";

    public async Task<IActionResult> OnGetAsync(string? municipality, string? quantity, string? show, string? name, string? sort, int? part, CancellationToken cancellationToken)
    {
        Municipality? chosen = null;
        if (municipality is not null && !municipalities.TryGet(municipality, out chosen))
        {
            return this.Missing();
        }

        City = reader.City(User, chosen);
        await MapAsync(show, name, sort, part, cancellationToken);
        var city = City.Stations.SelectMany(static station => station.Values).Where(static value => !Units.IsEquipment(value.Datastream.Quantity)).ToArray();
        Loudest = City.Stations.SelectMany(static station => station.Values.Select(value => (Station: station, Value: value)))
            .Where(static one => one.Value is { Stale: false, Latest: not null } && TopicMap.Has(Topic.Noise, one.Value.Datastream.Quantity))
            .OrderByDescending(static one => one.Value.Latest!.Value.Result).Select(static one => ((StationView, LatestValue)?)one).FirstOrDefault();
        if (chosen is not null)
        {
            Numbers = await figures.OfAsync(chosen.Slug, City.Stations, reader.ZoneOf(chosen.Slug), City.Now, cancellationToken);
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
        scope.Scripts.Add("topics");
        scope.Scripts.Add("city");
        scope.LateScripts.Add("map");
        return Page();
    }

    /// <summary>Puts together map and list. What is no longer measured is shown as how stations stand: a bookmark outlives an instrument.</summary>
    private async ValueTask MapAsync(string? show, string? name, string? sort, int? part, CancellationToken cancellationToken)
    {
        Name = name?.Trim() is { Length: <= StationList.NameMax } typed ? typed : "";
        ByValue = sort == StationList.ByValue;
        var found = MapShow.Find(show, City.Stations) ?? MapShow.Status;
        MapDay? day = null;
        if (found.IsIndex)
        {
            try
            {
                day = await map.DayAsync(MapReader.KeyOf(User, City.Stations, City.Chosen?.Slug, found), City.Stations, found, MapEndpoints.ZoneOf(City), City.Now, cancellationToken);

                // When too many read much at once the page still has everything else.
                MapUnavailable = day is null;
            }
            catch (SeriesUnavailableException)
            {
                MapUnavailable = true;
            }
        }

        // The classes are those of all stations, whatever name is looked for: a colour means the same on every page.
        Map = MapReader.Now(City.Stations, found, day, City.Now);
        var named = StationList.Named(City.Stations, Name);
        var listed = named.Count == City.Stations.Count ? Map : Map with { Stations = [.. Map.Stations.Where(one => named.Contains(one.View))] };
        List = StationList.PartOf(StationList.Sorted(listed, sort), part ?? 1);
    }
}
