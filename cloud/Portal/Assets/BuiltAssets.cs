using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;

namespace Hub.Cloud.Portal.Assets;

/// <summary>One built file, in memory.</summary>
/// <param name="Path">Path below the assets' address.</param>
/// <param name="ContentType">Media type.</param>
/// <param name="Plain">Content.</param>
/// <param name="Brotli">The same content compressed with brotli; null when that was not worth it.</param>
/// <param name="Tag">Entity tag with its quotes.</param>
/// <param name="Immutable">Whether the name changes with the content.</param>
internal sealed record BuiltAsset(string Path, string ContentType, byte[] Plain, byte[]? Brotli, string Tag, bool Immutable);

/// <summary>Everything the web build made, embedded in this assembly: it works from any folder and in any environment. Immutable.</summary>
internal sealed class BuiltAssets
{
    private const string Prefix = "web/";

    private readonly FrozenDictionary<string, BuiltAsset> files;
    private readonly FrozenDictionary<string, BuiltEntry> entries;

    public BuiltAssets() : this(typeof(BuiltAssets).Assembly)
    {
    }

    private BuiltAssets(Assembly assembly)
    {
        var names = assembly.GetManifestResourceNames().Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        Dictionary<string, BuiltAsset> found = new(StringComparer.Ordinal);
        foreach (var name in names.Where(static name => !name.EndsWith(".br", StringComparison.Ordinal)))
        {
            var path = name[Prefix.Length..];
            var plain = Read(assembly, name);
            var brotli = names.Contains(name + ".br") ? Read(assembly, name + ".br") : null;
            var tag = "\"" + Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 12)) + "\"";
            found[path] = new(path, ContentTypeOf(path), plain, brotli, tag, path.StartsWith("files/", StringComparison.Ordinal));
        }

        if (!found.Remove("manifest.json", out var manifest))
        {
            throw new InvalidOperationException("The portal was built without its web assets: build cloud/Portal again with Node.js installed.");
        }

        files = found.ToFrozenDictionary(StringComparer.Ordinal);
        entries = EntriesOf(manifest.Plain).ToFrozenDictionary(static e => e.Name, StringComparer.Ordinal);
    }

    /// <summary>All files.</summary>
    public IEnumerable<BuiltAsset> All => files.Values;

    /// <summary>Finds a file by its path below the assets' address.</summary>
    public bool TryGet(string path, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out BuiltAsset? asset) => files.TryGetValue(path, out asset);

    /// <summary>What a page must load to get a script entry to run.</summary>
    /// <exception cref="KeyNotFoundException">No entry has this name: a mistake in the code.</exception>
    public BuiltEntry Entry(string name) => entries[name];

    private static List<BuiltEntry> EntriesOf(byte[] manifest)
    {
        using var document = JsonDocument.Parse(manifest);
        List<BuiltEntry> found = [];
        foreach (var chunk in document.RootElement.EnumerateObject())
        {
            if (chunk.Value.TryGetProperty("isEntry", out var isEntry) && isEntry.GetBoolean())
            {
                string[] styles = chunk.Value.TryGetProperty("css", out var css) ? [.. css.EnumerateArray().Select(static c => c.GetString()!)] : [];
                string[] imports = chunk.Value.TryGetProperty("imports", out var list)
                    ? [.. list.EnumerateArray().Select(c => document.RootElement.GetProperty(c.GetString()!).GetProperty("file").GetString()!)]
                    : [];
                found.Add(new(chunk.Value.GetProperty("name").GetString()!, chunk.Value.GetProperty("file").GetString()!, styles, imports));
            }
        }

        return found;
    }

    private static byte[] Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static string ContentTypeOf(string path) => System.IO.Path.GetExtension(path) switch
    {
        ".js" or ".mjs" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".geojson" => "application/geo+json",
        ".json" => "application/json",
        ".md" or ".txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
}

/// <summary>A script entry: its file, its styles, and the chunks it imports at once.</summary>
internal sealed record BuiltEntry(string Name, string File, IReadOnlyList<string> Styles, IReadOnlyList<string> Imports);
