using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hub.Cloud.Series;

/// <summary>What the rows of a part are.</summary>
internal enum PartKind
{
    /// <summary>Observations; of two parts with one key the better value counts.</summary>
    Observations,

    /// <summary>Values that lost against another one for their key.</summary>
    History,

    /// <summary>Rows of a rollup, derived from observations: without them answers are the same, and slower.</summary>
    Rollups,

    /// <summary>Rows of a rollup whose observations were removed: data of record.</summary>
    Kept,
}

/// <summary>A live part.</summary>
/// <param name="File">Name in the folder of its kind.</param>
/// <param name="Kind">What its rows are.</param>
/// <param name="Day">UTC day of all its rows, days since 1970-01-01; of rollups the first day of their month.</param>
/// <param name="Summary">What it holds.</param>
/// <param name="Created">When it was written.</param>
/// <param name="Rollup">Of rollups: resolution and days; null otherwise.</param>
internal sealed record PartInfo(string File, PartKind Kind, int Day, PartSummary Summary, DateTimeOffset Created, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RollupInfo? Rollup = null);

/// <summary>A file that says which datastreams a stretch of commits changed.</summary>
/// <param name="File">Name in the folder of states.</param>
/// <param name="FirstCommit">First commit of the stretch.</param>
/// <param name="LastCommit">Last commit of the stretch.</param>
/// <param name="Level">How often it was folded.</param>
internal sealed record ChangeInfo(string File, long FirstCommit, long LastCommit, int Level);

/// <summary>
/// What of the folder is live: replaced as a whole, so a crash leaves the old one or the new one, and whatever it does not name is a leftover.
/// </summary>
/// <param name="LastCommit">Everything up to this commit is in parts; later ones are in the log.</param>
/// <param name="NextFile">Number for the next file.</param>
/// <param name="Latest">File with the latest observation of each datastream in the parts; null when there is none.</param>
/// <param name="TakingOver">A store of the first layout is being taken over and not complete yet.</param>
/// <param name="Changes">Notes of changes, oldest first.</param>
/// <param name="Parts">The live parts, by day, kind and age.</param>
internal sealed record Manifest(long LastCommit, long NextFile, string? Latest, bool TakingOver, ImmutableArray<ChangeInfo> Changes, ImmutableArray<PartInfo> Parts)
{
    public static readonly Manifest Empty = new(0, 1, null, false, [], []);

    /// <summary>First word of the file, version of the layout, SHA-256 of the rest.</summary>
    private const string Head = "hub-series 3 sha256 ";

    /// <summary>The version before, which knew no rollups; read, no longer written.</summary>
    private const string HeadBefore = "hub-series 2 sha256 ";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
    };

    /// <summary>Reads a manifest; <see cref="Empty"/> when the file is not there.</summary>
    /// <exception cref="InvalidDataException">It is damaged or of another version; says what to do.</exception>
    public static Manifest Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (FileNotFoundException)
        {
            return Empty;
        }

        var line = text.IndexOf('\n', StringComparison.Ordinal);
        if (line < 0 || !text.StartsWith("hub-series ", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"The file {path} is not the manifest of a series store: restore the folder from a backup.");
        }

        if (!text.StartsWith(Head, StringComparison.Ordinal) && !text.StartsWith(HeadBefore, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"The series store of {path} has another version than this program (which reads versions 2 and 3): use the program that made it, or move the folder away.");
        }

        var body = text[(line + 1)..];
        if (text[Head.Length..line] != Sum(text[..Head.Length], body))
        {
            throw new InvalidDataException($"The manifest {path} is damaged (its checksum does not match): restore the folder from a backup.");
        }

        try
        {
            var manifest = JsonSerializer.Deserialize<Manifest>(body, Json)!;
            return manifest.Parts.IsDefault || manifest.Changes.IsDefault || manifest.Parts.Any(part => part.Kind is PartKind.Rollups or PartKind.Kept != part.Rollup is { Sources.IsDefault: false, Minutes: > 0 })
                ? throw new JsonException("Something is missing.")
                : manifest;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The manifest {path} cannot be read: restore the folder from a backup.", e);
        }
    }

    /// <summary>Replaces the file; durable when it returns.</summary>
    /// <exception cref="IOException">It cannot be written; the old one stands.</exception>
    public void Write(string path)
    {
        var body = JsonSerializer.Serialize(this, Json);
        var bytes = Encoding.UTF8.GetBytes($"{Head}{Sum(Head, body)}\n{body}");
        DurableFile.Replace(path, bytes);
    }

    /// <summary>Since version 3 the sum is also over the version, so that one is not taken for the other.</summary>
    private static string Sum(string head, string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(head == HeadBefore ? body : head + body)));
}

/// <summary>Small files that appear whole or not at all.</summary>
internal static class DurableFile
{
    /// <summary>Writes beside the file, fsyncs, renames over it, fsyncs the folder.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var written = path + ".new";
        using (var file = File.OpenHandle(written, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, bytes, 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(written, path, overwrite: true);
        LogDisk.Real.FlushFolder(Path.GetDirectoryName(path)!);
    }
}
