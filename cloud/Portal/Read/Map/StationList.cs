using System.Globalization;

namespace Hub.Cloud.Portal.Read.Map;

/// <summary>One page of the list beside the map.</summary>
/// <param name="Shown">The stations on it.</param>
/// <param name="Part">Its number, from 1.</param>
/// <param name="Parts">How many there are, at least 1.</param>
/// <param name="Count">Stations on all of them.</param>
internal sealed record StationPart(IReadOnlyList<MapStation> Shown, int Part, int Parts, int Count);

/// <summary>The list beside the map: which stations, in which order, in parts. Pure.</summary>
internal static class StationList
{
    /// <summary>Stations in a part: what somebody walks through, and what a browser lays out at once.</summary>
    public const int PartMax = 60;

    /// <summary>Characters of a name that is looked for.</summary>
    public const int NameMax = 100;

    /// <summary>Order by what is shown, the highest first.</summary>
    public const string ByValue = "value";

    /// <summary>Stations whose name has every word typed, whatever the case and the accents; all without a word.</summary>
    public static IReadOnlyList<StationView> Named(IReadOnlyList<StationView> stations, string? name)
    {
        var words = (name ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words.Length == 0 ? stations : [.. stations.Where(one => words.All(word => Has(one.Station.Name, word) || Has(one.MunicipalityName, word)))];

        static bool Has(string text, string word) => CultureInfo.InvariantCulture.CompareInfo.IndexOf(text, word, CompareOptions.IgnoreCase | CompareOptions.IgnoreNonSpace) >= 0;
    }

    /// <summary>By municipality and name; or the highest value first (of how stations stand the gravest), stale ones after fresh ones, those without at the end.</summary>
    public static IReadOnlyList<MapStation> Sorted(MapNow now, string? order)
    {
        var byName = now.Stations.OrderBy(static one => one.View.MunicipalityName, StringComparer.CurrentCultureIgnoreCase).ThenBy(static one => one.View.Station.Name, StringComparer.CurrentCultureIgnoreCase);
        return order != ByValue ? [.. byName]
            : now.Show.IsStatus ? [.. byName.OrderByDescending(static one => one.View.Status)]
            : [.. byName.OrderBy(static one => one.Value.Value is null ? 2 : one.Value.Stale ? 1 : 0).ThenByDescending(static one => one.Value.Value)];
    }

    /// <summary>One part; a number that there is none of gives the first or the last.</summary>
    public static StationPart PartOf(IReadOnlyList<MapStation> sorted, int part)
    {
        var parts = Math.Max(1, (sorted.Count + PartMax - 1) / PartMax);
        var at = Math.Clamp(part, 1, parts);
        return new([.. sorted.Skip((at - 1) * PartMax).Take(PartMax)], at, parts, sorted.Count);
    }
}
