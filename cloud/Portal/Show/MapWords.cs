using System.Globalization;
using Hub.Cloud.Portal.Read.Map;

namespace Hub.Cloud.Portal.Show;

/// <summary>Where the map's script fetches the stations and their last 24 hours; the latter empty where there is nothing to move through.</summary>
internal sealed record MapAddresses(string Stations, string Day);

/// <summary>A station's card in the list beside the map.</summary>
/// <param name="Station">The station.</param>
/// <param name="Shown">What the map shows of it.</param>
/// <param name="Map">The map.</param>
internal sealed record MapCard(Read.StationView Station, MapValue Shown, MapNow Map)
{
    /// <summary>Style class of its sign.</summary>
    public string Paint => MapWords.PaintOf(Map, Shown.Class);

    /// <summary>The few other values that stand for it: what the map shows is said once.</summary>
    public IEnumerable<Read.LatestValue> Telling => Station.Telling(4).Where(value => value.Datastream.Quantity.Id != Map.Show.Id).Take(3);
}

/// <summary>What the map shows, in words; the scripts write the same (web/src/places.ts, web/src/city.ts). Pure.</summary>
internal static class MapWords
{
    /// <summary>What is shown: the index or a quantity by its name.</summary>
    public static string NameOf(MapShow show, Speech say) => show.IsStatus ? say["map.show.status"] : show.Quantity is { } quantity ? say.NameOf(quantity) : say["map.show.index"];

    /// <summary>A station's value: a figure, the index's class in words, or that there is none.</summary>
    public static string ValueOf(MapNow map, MapValue value, Speech say) =>
        value.Value is not { } number ? say["map.none"] : map.Show.IsIndex ? say["air.class." + value.Class.ToString(CultureInfo.InvariantCulture)] : say.Figure(number, map.Show.Decimals);

    /// <summary>Of which scale the colours are: those of the air index, or shades of one colour.</summary>
    public static string ScaleOf(MapNow map) => map.Show.IsIndex || map.Classes?.Source == ClassSource.AirIndex ? "class" : "shade";

    /// <summary>Style class of a sign.</summary>
    public static string PaintOf(MapNow map, int of) => $"{ScaleOf(map)}-{(of == 0 ? "none" : of.ToString(CultureInfo.InvariantCulture))}";

    /// <summary>The classes in words, the lowest first: <c>up to 55</c>, <c>55 to 60</c>, <c>above 75</c>; of the index its names.</summary>
    public static IReadOnlyList<string> ClassesOf(MapNow map, Speech say)
    {
        if (map.Show.IsIndex)
        {
            return [.. Enumerable.Range(1, MapClasses.CountMax).Select(one => say["air.class." + one.ToString(CultureInfo.InvariantCulture)])];
        }

        if (map.Classes is not { } classes)
        {
            return [];
        }

        string Bound(int at) => say.Figure(classes.Bounds[at], classes.Decimals);
        return
        [
            .. Enumerable.Range(0, classes.Count).Select(at =>
                classes.Count == 1 ? say["map.class.all"]
                : at == 0 ? say.Of("map.class.to", Bound(0))
                : at == classes.Bounds.Count ? say.Of("map.class.above", Bound(at - 1))
                : say.Of("map.class.between", Bound(at - 1), Bound(at))),
        ];
    }

    /// <summary>Who draws the classes, in a sentence.</summary>
    public static string SourceOf(MapNow map, Speech say) => map.Show.IsIndex ? say["map.source.index"] : map.Classes?.Source switch
    {
        ClassSource.AirIndex => say["map.source.pollutant"],
        ClassSource.NoiseMaps => say["map.source.noise"],
        _ => map.Show.IsRate ? say["map.source.rate"] : say["map.source.steps"],
    };
}
