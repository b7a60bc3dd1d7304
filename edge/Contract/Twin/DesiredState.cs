using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hub.Edge.Contract.Twin;

/// <summary>What the hub wants a station to be: the retained JSON on <c>config/desired</c>. Immutable.</summary>
/// <param name="Version">Names this document, 1 or more. A station acts when it differs from the one it last acted on; it need not be larger, so that a hub restored from a backup is obeyed.</param>
/// <param name="Settings">An object with keys of the station file that go over it; null for none. See FORMAT.md for those that cannot be given.</param>
/// <param name="Rules">Thresholds that the station watches itself, at most <see cref="RulesMax"/>.</param>
/// <param name="Agent">The agent that should run; null to leave it as it is.</param>
/// <param name="Trial">How long the station tries the settings, or an agent, without reaching the hub before it goes back, 30 s to 1 day; null for <see cref="TrialDefault"/>.</param>
public sealed record DesiredState(long Version, JsonElement? Settings = null, IReadOnlyList<EdgeRule>? Rules = null, AgentTarget? Agent = null, TimeSpan? Trial = null)
{
    /// <summary>Largest document, bytes.</summary>
    public const int BytesMax = 64 * 1024;

    /// <summary>Most rules in a document.</summary>
    public const int RulesMax = 100;

    /// <summary>Trial time where none is given.</summary>
    public static readonly TimeSpan TrialDefault = TimeSpan.FromMinutes(5);

    /// <summary>Shortest trial time.</summary>
    public static readonly TimeSpan TrialMin = TimeSpan.FromSeconds(30);

    /// <summary>Longest trial time.</summary>
    public static readonly TimeSpan TrialMax = TimeSpan.FromDays(1);

    /// <summary>The trial time in force.</summary>
    [JsonIgnore]
    public TimeSpan TrialTime => Trial ?? TrialDefault;

    /// <summary>Reads and checks a document as far as one can without knowing the station's settings.</summary>
    /// <param name="utf8">The payload.</param>
    /// <param name="state">The document.</param>
    /// <param name="problem">What is wrong with it, and where; English, one line.</param>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out DesiredState? state, [NotNullWhen(false)] out string? problem)
    {
        if (utf8.Length > BytesMax)
        {
            (state, problem) = (null, $"The document has {utf8.Length} bytes; at most {BytesMax} are taken.");
            return false;
        }

        if (!TwinJson.TryRead(utf8, TwinJson.Default.DesiredState, out state, out problem))
        {
            return false;
        }

        problem = state.Mistake();
        state = problem is null ? state : null;
        return problem is null;
    }

    /// <summary>The document as it stands on the wire.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, TwinJson.Default.DesiredState);

    private string? Mistake()
    {
        if (Version < 1)
        {
            return $"version is {Version}; give 1 or more.";
        }

        if (Settings is { ValueKind: not JsonValueKind.Object })
        {
            return "settings is not an object with keys of the station file.";
        }

        if (Trial is { } trial && (trial < TrialMin || trial > TrialMax))
        {
            return $"trial is {trial}; give {TrialMin} to {TrialMax}.";
        }

        if (Rules is { Count: > RulesMax })
        {
            return $"rules has {Rules.Count} entries; at most {RulesMax} are taken.";
        }

        for (var i = 0; i < (Rules?.Count ?? 0); i++)
        {
            if (Rules![i] is not { } rule)
            {
                return $"rules[{i}] is null.";
            }

            if (rule.Mistake() is { } mistake)
            {
                return $"rules[{i}].{mistake}";
            }

            if (Rules.Take(i).Any(other => other.Slug == rule.Slug))
            {
                return $"rules[{i}].slug is '{rule.Slug}' a second time.";
            }
        }

        return Agent?.Mistake() is { } wrong ? $"agent.{wrong}" : null;
    }
}

/// <summary>The agent a station should run.</summary>
/// <param name="Version">Version of the bundle, <c>major.minor.patch</c> with an optional <c>-suffix</c>, as its manifest says it.</param>
/// <param name="Bundles">Where the bundle is, one for each runtime; the station takes the one of its own.</param>
/// <param name="Force">True to install a version older than the one that runs.</param>
public sealed record AgentTarget(string Version, IReadOnlyList<AgentBundle> Bundles, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Force = false)
{
    internal string? Mistake()
    {
        if (!Contract.Bundles.AgentVersion.TryParse(Version, out _))
        {
            return $"version is '{Version}'; give one such as 1.4.0.";
        }

        for (var i = 0; i < Bundles.Count; i++)
        {
            if (Bundles[i]?.Mistake() is { } mistake)
            {
                return $"bundles[{i}].{mistake}";
            }
        }

        return Bundles.Any(bundle => bundle is null) ? "bundles has a null." : null;
    }
}

/// <summary>One file to download.</summary>
/// <param name="Runtime">Which machines it is for: <c>linux-arm64</c>, <c>linux-x64</c>.</param>
/// <param name="Address">Absolute address, http or https. It is asked for with the station's user name and secret only where host and port are those of the hub's own pages (FORMAT.md).</param>
/// <param name="Bytes">Its size, bytes.</param>
/// <param name="Sha256">Its SHA-256, 64 lower-case hexadecimal digits.</param>
public sealed record AgentBundle(string Runtime, string Address, long Bytes, string Sha256)
{
    internal string? Mistake() => this switch
    {
        { Runtime: null or "" } => "runtime is missing.",
        _ when !Uri.TryCreate(Address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") => $"address is '{Address}'; give an http or https address.",
        { Bytes: < 1 or > Contract.Bundles.BundleManifest.BundleBytesMax } => $"bytes is {Bytes}; give 1 to {Contract.Bundles.BundleManifest.BundleBytesMax}.",
        _ when !Contract.Bundles.BundleManifest.IsSha256(Sha256) => "sha256 is not 64 lower-case hexadecimal digits.",
        _ => null,
    };
}
