using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Ingest.Adapters;

/// <summary>What a foreign sender pushed, freed of HTTP.</summary>
/// <param name="Body">The body, whole and decoded from any content encoding.</param>
/// <param name="ReceivedAt">UTC instant of arrival, whole seconds; of the first arrival when the same push was sent again.</param>
/// <param name="Context">What the adapter kept of headers and query, by name; small, and kept with whatever is refused.</param>
internal readonly record struct AdapterPush(ReadOnlyMemory<byte> Body, DateTime ReceivedAt, IReadOnlyDictionary<string, string> Context)
{
    /// <summary>A context without anything.</summary>
    public static IReadOnlyDictionary<string, string> NoContext { get; } = new Dictionary<string, string>(0);
}

/// <summary>Turns the pushes of one kind of foreign station into readings. Stateless: the same push gives the same readings. Safe for concurrent callers.</summary>
internal interface IStationAdapter
{
    /// <summary>Last segment of its address, name of its credential, and its transport in counters and in the quarantine.</summary>
    string Name { get; }

    /// <summary>True when pushes carry no time, so that the arrival is the time: then the same bytes again within a minute are one push.</summary>
    bool TimeIsArrival { get; }

    /// <summary>What of headers and query the translation needs; values from outside are bounded by the caller.</summary>
    IReadOnlyDictionary<string, string> ContextOf(HttpRequest request);

    /// <summary>Translates a push. Never throws for bad input: every measured field ends in one call to <paramref name="into"/>.</summary>
    /// <param name="push">The push.</param>
    /// <param name="root">Its body, well-formed JSON whose texts are all valid.</param>
    /// <param name="into">Receives readings, refusals, and what was left out on purpose.</param>
    void Translate(in AdapterPush push, JsonElement root, Translation into);
}

/// <summary>The adapters there are, by name.</summary>
internal sealed class AdapterSet(IEnumerable<IStationAdapter> adapters)
{
    private readonly Dictionary<string, IStationAdapter> _byName = adapters.ToDictionary(a => a.Name, StringComparer.Ordinal);

    /// <summary>Finds an adapter; null when there is none.</summary>
    public IStationAdapter? Find(string name) => _byName.GetValueOrDefault(name);
}
