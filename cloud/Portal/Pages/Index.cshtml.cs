using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Serving;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>The city, or one municipality of it: map, list, alarms, latest values.</summary>
internal sealed class IndexModel(Reader reader, IMunicipalities municipalities, PageScope scope) : PageModel
{
    public CityView City { get; private set; } = new(default, [], null, [], []);

    /// <summary>Quantities to choose from, in the catalogue's order as the datastreams name them.</summary>
    public IReadOnlyList<Quantity> Quantities { get; private set; } = [];

    public string? Quantity { get; private set; }

    public IReadOnlyList<(StationView Station, IReadOnlyList<LatestValue> Values)> Rows { get; private set; } = [];

    /// <summary>Rows there are, also those beyond the limit.</summary>
    public int RowCount { get; private set; }

    public IActionResult OnGet(string? municipality, string? quantity)
    {
        Municipality? chosen = null;
        if (municipality is not null && !municipalities.TryGet(municipality, out chosen))
        {
            return this.Missing();
        }

        City = reader.City(User, chosen);
        var city = City.Stations.SelectMany(static station => station.Values).Where(static value => !Units.IsEquipment(value.Datastream.Quantity)).ToArray();
        Quantities = [.. city.Select(static value => value.Datastream.Quantity).DistinctBy(static one => one.Id).OrderBy(one => scope.Speech.NameOf(one), StringComparer.Create(scope.Speech.Culture, ignoreCase: true))];
        Quantity = Quantities.FirstOrDefault(one => one.Id == quantity)?.Id;
        var wanted = City.Stations
            .Select(station => (Station: station, Values: station.Values.Where(value => !Units.IsEquipment(value.Datastream.Quantity) && (Quantity is null || value.Datastream.Quantity.Id == Quantity)).ToArray()))
            .Where(static row => row.Values.Length > 0)
            .ToArray();
        RowCount = wanted.Sum(static row => row.Values.Length);
        var left = scope.Options.LatestMax;
        List<(StationView, IReadOnlyList<LatestValue>)> rows = [];
        foreach (var (station, values) in wanted)
        {
            if (left <= 0)
            {
                break;
            }

            rows.Add((station, values.Length <= left ? values : values[..left]));
            left -= values.Length;
        }

        Rows = rows;
        scope.Live = true;
        scope.Municipality = chosen?.Slug;
        scope.Scripts.Add("map");
        return Page();
    }
}
