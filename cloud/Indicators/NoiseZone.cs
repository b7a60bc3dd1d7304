namespace Hub.Cloud.Indicators;

/// <summary>A class of zone of the Portuguese noise regulation with what a year's Lden and Ln must not exceed (RGR, Decreto-Lei 9/2007, article 11). Immutable.</summary>
/// <param name="Name">Stable name in addresses, lower case.</param>
/// <param name="Tag">Tag that a station in such a zone has: the rule packs go by it.</param>
/// <param name="Lden">Limit of Lden of a year, dB(A); above it is an exceedance, equal to it none.</param>
/// <param name="Ln">Limit of Ln of a year, dB(A).</param>
public sealed record NoiseZone(string Name, string Tag, double Lden, double Ln)
{
    /// <summary>Mixed zone.</summary>
    public static NoiseZone Mixed { get; } = new("mixed", "zona-mista", 65, 55);

    /// <summary>Sensitive zone: homes, schools, hospitals.</summary>
    public static NoiseZone Sensitive { get; } = new("sensitive", "zona-sensivel", 55, 45);

    /// <summary>A zone that the municipality has not classified yet.</summary>
    public static NoiseZone Unclassified { get; } = new("unclassified", "zona-nao-classificada", 63, 53);

    /// <summary>All classes.</summary>
    public static IReadOnlyList<NoiseZone> All { get; } = [Mixed, Sensitive, Unclassified];

    /// <summary>The class of a name; null for any other text.</summary>
    public static NoiseZone? Find(string? name) => All.FirstOrDefault(zone => zone.Name == name);

    /// <summary>The class that tags say; null when they say none. Of several the strictest.</summary>
    public static NoiseZone? OfTags(IEnumerable<string> tags) => All.Where(zone => tags.Contains(zone.Tag, StringComparer.Ordinal)).MinBy(static zone => zone.Lden);
}
