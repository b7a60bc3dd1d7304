namespace Hub.Cloud.Series;

/// <summary>
/// What people call a datastream, for stores that other programs read too: Grafana's lists are filled from it. Optional; the Server implements it from what Stations knows. Labels never decide
/// anything: the hub itself reads by the datastream's number alone, whatever its labels are or were.
/// </summary>
public interface IDatastreamLabels
{
    /// <summary>Grows by one or more whenever any label may have changed; labels read before are then asked for again. Called often, on the committer's thread.</summary>
    long Version { get; }

    /// <summary>
    /// Labels of a datastream as name and value, such as <c>municipality</c>, <c>station</c>, <c>sensor</c>, <c>property</c>, <c>period</c>; in any order, without null, empty when it is not known.
    /// Values are text without control characters, at most 200 characters. Called on the committer's thread, once for each datastream and version: must return at once and must not throw.
    /// </summary>
    IReadOnlyCollection<KeyValuePair<string, string>> Of(int datastream);
}
