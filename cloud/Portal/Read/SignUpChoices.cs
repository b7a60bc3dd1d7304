using System.Diagnostics.CodeAnalysis;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Read;

/// <summary>A place that alerts can be asked for.</summary>
/// <param name="Municipality">The municipality.</param>
/// <param name="Station">One of its public stations; null for all of it.</param>
internal sealed record SignUpPlace(Municipality Municipality, Station? Station)
{
    /// <summary>As forms and addresses write it: <c>municipality</c> or <c>municipality/station</c>.</summary>
    public string Value => Station is null ? Municipality.Slug : $"{Municipality.Slug}/{Station.Slug}";
}

/// <summary>What people can choose from when they sign up, and a choice in words. Only what is public is there, whoever asks.</summary>
internal sealed class SignUpChoices(IMunicipalities municipalities, IStations stations, IAlerts alerts)
{
    /// <summary>Radii offered, metres.</summary>
    public static readonly IReadOnlyList<int> Radii = [500, 1_000, 2_000, 5_000, 10_000];

    /// <summary>Every municipality, followed by its public stations, by name.</summary>
    public IReadOnlyList<IGrouping<Municipality, SignUpPlace>> Places() =>
    [
        .. municipalities.All.SelectMany(municipality => stations.All.Where(station => station.Public && station.Municipality == municipality.Slug)
            .OrderBy(station => station.Name, StringComparer.Ordinal).Select(station => new SignUpPlace(municipality, station)).Prepend(new(municipality, null)))
            .GroupBy(place => place.Municipality),
    ];

    /// <summary>The place of a form's value.</summary>
    public bool TryPlace(string? value, [NotNullWhen(true)] out SignUpPlace? place)
    {
        place = null;
        var parts = (value ?? "").Split('/');
        if (parts.Length > 2 || !municipalities.TryGet(parts[0], out var municipality))
        {
            return false;
        }

        if (parts.Length == 1)
        {
            place = new(municipality, null);
        }
        else if (stations.TryGet(parts[0], parts[1], out var station) && station.Public)
        {
            place = new(municipality, station);
        }

        return place is not null;
    }

    /// <summary>Rules in force that can concern a public station, by slug.</summary>
    public IReadOnlyList<Rule> Rules(string municipality) =>
        [.. alerts.Rules(municipality).Where(rule => rule.Enabled && (rule.Station is null || (stations.TryGet(municipality, rule.Station, out var station) && station.Public))
            && (rule.Tag is null || stations.All.Any(one => one.Public && one.Municipality == municipality && one.HasTag(rule.Tag)))).OrderBy(rule => rule.Slug, StringComparer.Ordinal)];

    /// <summary>Quantities that a rule watches: of others there are no alarms.</summary>
    public IReadOnlyList<Quantity> Quantities(string municipality) =>
        [.. Rules(municipality).Select(rule => rule.Property).Distinct().Select(id => QuantityCatalogue.TryGet(id, out var quantity) ? quantity : null).OfType<Quantity>()];

    /// <summary>Where, in words.</summary>
    public string Where(Speech say, string municipality, Wish wish)
    {
        var name = NameOf(municipality);
        if (wish.Station is { } slug)
        {
            return say.Of("subscribe.where.station", stations.TryGet(municipality, slug, out var station) && station.Public ? station.Name : slug, name);
        }

        if (wish.Area is not { } area)
        {
            return say.Of("subscribe.where.all", name);
        }

        var near = At(municipality, area);
        return say.Of("subscribe.where.area", Distance(say, area.RadiusMetres), near?.Name ?? say.Coordinates(area.Latitude, area.Longitude), name);
    }

    /// <summary>The public station in the middle of a circle; null when there is none.</summary>
    public Station? At(string municipality, Circle area) =>
        stations.All.FirstOrDefault(one => one.Public && one.Municipality == municipality && new Circle(area.Latitude, area.Longitude, 1).Contains(one.Latitude, one.Longitude));

    /// <summary>What, in words.</summary>
    public string What(Speech say, string municipality, Wish wish)
    {
        List<string> parts = [];
        if (wish.Property is { } property)
        {
            parts.Add(QuantityCatalogue.TryGet(property, out var quantity) ? say.NameOf(quantity) : property);
        }

        if (wish.Rule is { } slug)
        {
            parts.Add(alerts.Rules(municipality).FirstOrDefault(rule => rule.Slug == slug) is { } rule ? say.NameOf(rule) : slug);
        }

        return parts.Count == 0 ? say["subscribe.what.all"] : string.Join(", ", parts);
    }

    /// <summary>From which severity on, in words.</summary>
    public static string Level(Speech say, Severity severity) => say["subscribe.level." + (int)severity];

    /// <summary>All of it in a sentence.</summary>
    public string Summary(Speech say, string municipality, Wish wish) =>
        $"{Where(say, municipality, wish)}; {What(say, municipality, wish)}; {Level(say, wish.SeverityMin)}";

    /// <summary>Name of a municipality as shown to people.</summary>
    public string NameOf(string municipality) => municipalities.TryGet(municipality, out var found) ? found.Name : municipality;

    /// <summary>A distance: <c>500 m</c>, <c>2 km</c>.</summary>
    public static string Distance(Speech say, double metres) => metres < 1_000 ? say.Figure(metres, 0) + " m" : say.Figure(metres / 1_000, metres % 1_000 == 0 ? 0 : 1) + " km";
}
