using System.Collections.ObjectModel;

namespace Hub.Cloud.Stations;

/// <summary>Everything known of one station, at one moment. Replaced, never changed.</summary>
/// <param name="Station">The station.</param>
/// <param name="Credentials">Its secrets; null once it was removed.</param>
/// <param name="Datastreams">Its datastreams.</param>
internal sealed record StationState(Station Station, StationCredentials? Credentials, DatastreamTable Datastreams)
{
    /// <summary>Secrets by the name of their adapter; empty once the station was removed.</summary>
    public IReadOnlyDictionary<string, StationCredentials> Adapters { get; init; } = new Dictionary<string, StationCredentials>(StringComparer.Ordinal);

    public bool IsRemoved => Credentials is null;
}

/// <summary>Current secret and, during a rotation, the previous one.</summary>
internal sealed record StationCredentials(string CurrentHash, StationSecret Current, StationSecret? Previous, DateTime PreviousUntil)
{
    private volatile int lastUse;

    /// <summary>Which of the two was used last; begins anew when they change, but for a change that is undone.</summary>
    public SecretUse LastUse
    {
        get => (SecretUse)lastUse;
        set => lastUse = (int)value;
    }

    /// <summary>Whether the station had used the previous secret when the current one took its place.</summary>
    public bool UsedBefore { get; init; }

    public static StationCredentials Of(IEnumerable<ICredentialRow> rows)
    {
        var ordered = rows.OrderBy(c => c.Id).ToArray();
        var current = ordered.Single(c => c.ValidUntil is null);
        var previous = ordered.LastOrDefault(c => c.ValidUntil is not null);
        return new StationCredentials(
            current.Hash,
            StationSecret.Parse(current.Hash),
            previous is null ? null : StationSecret.Parse(previous.Hash),
            previous?.ValidUntil ?? DateTime.MinValue);
    }
}

/// <summary>Holds the state of one station: readers see a whole state, one writer at a time replaces it.</summary>
internal sealed class StationEntry(StationState state)
{
    private volatile StationState state = state;

    public StationState State
    {
        get => state;
        set => state = value;
    }
}

/// <summary>Which stations there are. Replaced as a whole when a station comes, goes or changes; a new datastream replaces only its station's state.</summary>
internal sealed class StationSnapshot
{
    // Keyed by both slugs: looking up a pair of strings makes no new string.
    private readonly Dictionary<(string Municipality, string Slug), StationEntry> byName;
    private readonly Dictionary<int, StationEntry> byId;

    private StationSnapshot(Dictionary<int, StationEntry> byId)
    {
        this.byId = byId;
        byName = [];
        foreach (var entry in byId.Values)
        {
            var state = entry.State;
            if (!state.IsRemoved)
            {
                byName.Add((state.Station.Municipality, state.Station.Slug), entry);
            }
        }

        All = Array.AsReadOnly(byName.Values
            .Select(e => e.State.Station)
            .OrderBy(s => s.Municipality, StringComparer.Ordinal)
            .ThenBy(s => s.Slug, StringComparer.Ordinal)
            .ToArray());
    }

    public static StationSnapshot Empty { get; } = new([]);

    public ReadOnlyCollection<Station> All { get; }

    public static StationSnapshot Of(IEnumerable<StationState> states) => new(states.ToDictionary(s => s.Station.Id, s => new StationEntry(s)));

    public bool TryGet(string municipality, string slug, out StationEntry? entry) => byName.TryGetValue((municipality, slug), out entry);

    public bool TryGet(int id, out StationEntry? entry) => byId.TryGetValue(id, out entry);

    /// <summary>The same stations with one more, or with one's state replaced.</summary>
    public StationSnapshot With(StationState state)
    {
        var copy = new Dictionary<int, StationEntry>(byId);
        if (copy.TryGetValue(state.Station.Id, out var entry))
        {
            entry.State = state;
        }
        else
        {
            copy.Add(state.Station.Id, new StationEntry(state));
        }

        return new StationSnapshot(copy);
    }
}
