using Hub.Cloud.Indicators;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Read.Topics;

/// <summary>What a municipality's figures are shown about, each on a page of its own.</summary>
internal enum Topic
{
    /// <summary>Pollutants of the air quality index.</summary>
    Air = 0,

    /// <summary>Equivalent sound levels.</summary>
    Noise = 1,

    /// <summary>Counts and speeds of vehicles.</summary>
    Traffic = 2,
}

/// <summary>Which stations a topic is about. Pure.</summary>
internal static class TopicMap
{
    /// <summary>All, in the order of the pages.</summary>
    public static IReadOnlyList<Topic> All { get; } = Enum.GetValues<Topic>();

    /// <summary>Name of a topic in addresses and texts.</summary>
    public static string NameOf(Topic topic) => topic switch { Topic.Air => "air", Topic.Noise => "noise", _ => "traffic" };

    /// <summary>Whether a quantity makes the station that measures it one of the topic.</summary>
    public static bool Has(Topic topic, Quantity quantity) => topic switch
    {
        Topic.Air => AirIndex.PollutantOf(quantity.Id) is not null,
        Topic.Noise => quantity.Id == "laeq",
        _ => quantity.Id is "v85" or "mean_speed" or "space_mean_speed" || quantity.Id.StartsWith("vehicle_count", StringComparison.Ordinal),
    };

    /// <summary>Whether a station measures something of the topic.</summary>
    public static bool Has(Topic topic, StationView station) => station.Values.Any(value => Has(topic, value.Datastream.Quantity));

    /// <summary>The topics that stations have something to say about.</summary>
    public static IReadOnlyList<Topic> Of(IEnumerable<StationView> stations) => [.. All.Where(topic => stations.Any(station => Has(topic, station)))];

    /// <summary>Address of a topic's page, of one station when it is named.</summary>
    public static string AddressOf(Topic topic, string municipality, string? station = null) => $"/m/{municipality}/{NameOf(topic)}{(station is null ? "" : "?station=" + station)}";
}

/// <summary>Links to the topics of a municipality.</summary>
/// <param name="Topics">Those that have a page worth a link.</param>
/// <param name="Municipality">Slug.</param>
/// <param name="Station">Station to be shown; null for the usual one.</param>
/// <param name="Current">The page that the links are on; null for another.</param>
internal sealed record TopicLinks(IEnumerable<Topic> Topics, string Municipality, string? Station = null, Topic? Current = null);
