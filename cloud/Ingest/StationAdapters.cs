namespace Hub.Cloud.Ingest;

/// <summary>Names of the adapters, for tools that issue their credentials.</summary>
public static class StationAdapters
{
    /// <summary>sensor.community (airrohr) pushes.</summary>
    public const string Airrohr = "airrohr";

    /// <summary>The Things Stack v3 uplinks.</summary>
    public const string ThingsStack = "things-stack";

    /// <summary>Telraam traffic reports.</summary>
    public const string Telraam = "telraam";

    /// <summary>All of them, in the order shown to people.</summary>
    public static IReadOnlyList<string> Names { get; } = [Airrohr, ThingsStack, Telraam];
}
