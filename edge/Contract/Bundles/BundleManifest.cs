using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Contract.Bundles;

/// <summary>
/// What is in an agent bundle. A bundle is a ZIP file with <c>manifest.json</c> (this), <c>manifest.sig</c> (ECDSA over P-256 with SHA-256 of the bytes of manifest.json, in the
/// form of RFC 3279, i.e. DER) and the files it names; anything else in it is a fault. Immutable.
/// </summary>
/// <param name="Format">1.</param>
/// <param name="Version">Version of the agent, <see cref="AgentVersion"/>.</param>
/// <param name="Runtime">Machines it is for: <c>linux-arm64</c>, <c>linux-x64</c>.</param>
/// <param name="Files">Its files, at most <see cref="FilesMax"/>; one of them is <see cref="Program"/>.</param>
public sealed record BundleManifest(int Format, string Version, string Runtime, IReadOnlyList<BundleFile> Files)
{
    /// <summary>Largest bundle, and largest sum of its unpacked files, bytes.</summary>
    public const long BundleBytesMax = 256L * 1024 * 1024;

    /// <summary>Largest manifest, bytes.</summary>
    public const int ManifestBytesMax = 256 * 1024;

    /// <summary>Most files.</summary>
    public const int FilesMax = 1_000;

    /// <summary>Name of the manifest in the bundle.</summary>
    public const string ManifestName = "manifest.json";

    /// <summary>Name of the signature in the bundle.</summary>
    public const string SignatureName = "manifest.sig";

    /// <summary>The file that is started.</summary>
    public const string Program = "hub-agent";

    /// <summary>True for 64 lower-case hexadecimal digits.</summary>
    public static bool IsSha256(string? text) => text is { Length: 64 } && text.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));

    /// <summary>Reads and checks a manifest. Its signature must have been verified before anything in it is believed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out BundleManifest? manifest, [NotNullWhen(false)] out string? problem)
    {
        if (utf8.Length > ManifestBytesMax)
        {
            (manifest, problem) = (null, $"The manifest has {utf8.Length} bytes; at most {ManifestBytesMax} are taken.");
            return false;
        }

        if (!TwinJson.TryRead(utf8, TwinJson.Default.BundleManifest, out manifest, out problem))
        {
            return false;
        }

        problem = manifest.Mistake();
        manifest = problem is null ? manifest : null;
        return problem is null;
    }

    /// <summary>The manifest as it stands in the bundle.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, TwinJson.Default.BundleManifest);

    private string? Mistake()
    {
        if (Format != 1)
        {
            return $"format is {Format}; this agent reads 1.";
        }

        if (!AgentVersion.TryParse(Version, out _))
        {
            return $"version is '{Version}'; give one such as 1.4.0.";
        }

        if (Files.Count is 0 or > FilesMax)
        {
            return $"files has {Files.Count} entries; give 1 to {FilesMax}.";
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        long sum = 0;
        foreach (var file in Files)
        {
            if (file is null || !BundleFile.IsPath(file.Path) || !seen.Add(file.Path))
            {
                return $"files: '{file?.Path}' is no plain relative path, or stands twice.";
            }

            if (file.Bytes < 0 || (sum += file.Bytes) > BundleBytesMax)
            {
                return $"files: '{file.Path}' and those before it have more than {BundleBytesMax} bytes.";
            }

            if (!IsSha256(file.Sha256))
            {
                return $"files: the sha256 of '{file.Path}' is not 64 lower-case hexadecimal digits.";
            }
        }

        return seen.Contains(Program) ? null : $"files has no '{Program}'.";
    }
}

/// <summary>One file of a bundle.</summary>
/// <param name="Path">Relative path with <c>/</c>; parts of letters, digits, <c>. _ - +</c>, none of them <c>.</c> or <c>..</c>; at most 200 characters.</param>
/// <param name="Bytes">Size, bytes.</param>
/// <param name="Sha256">SHA-256, 64 lower-case hexadecimal digits.</param>
/// <param name="Executable">Whether it may be executed.</param>
public sealed record BundleFile(string Path, long Bytes, string Sha256, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Executable = false)
{
    internal static bool IsPath(string? path) =>
        path is { Length: > 0 and <= 200 } && path is not (BundleManifest.ManifestName or BundleManifest.SignatureName)
        && path.Split('/').All(part => part is not ("" or "." or "..") && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+'));
}
