namespace Hub.Cloud.Portal.Show;

/// <summary>
/// What a station's attribution says. One that begins with <c>Replay:</c> names the publishers of measurements that were made elsewhere and are shown as if they were
/// taken now; that one word is said in the visitor's language. Any other attribution is a source of true values of the place.
/// </summary>
internal static class Attributions
{
    private const string ReplayMark = "Replay:";

    /// <summary>Whether the station's values were measured elsewhere, at another time.</summary>
    public static bool IsReplay(string attribution) => attribution.StartsWith(ReplayMark, StringComparison.Ordinal);

    /// <summary>Publishers and licences, without the mark.</summary>
    public static string SourceOf(string attribution) => IsReplay(attribution) ? attribution[ReplayMark.Length..].TrimStart() : attribution;
}
