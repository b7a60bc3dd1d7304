namespace Hub.Cloud.Series;

/// <summary>What a part holds, for the manifest.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="Datastreams">Number of different datastreams.</param>
/// <param name="MinMicros">Smallest phenomenon time, microseconds since 1970 UTC.</param>
/// <param name="MaxMicros">Largest phenomenon time, microseconds since 1970 UTC.</param>
/// <param name="Bytes">Size of the file in bytes.</param>
internal sealed record PartSummary(long Rows, int Datastreams, long MinMicros, long MaxMicros, long Bytes);
