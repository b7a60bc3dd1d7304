using System.Security.Cryptography;
using System.Text.Json;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary>One file of a backup.</summary>
/// <param name="Path">Path in the data folder, with forward slashes.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its SHA-256, 64 small hexadecimal digits.</param>
internal sealed record BackupFile(string Path, long Bytes, string Sha256);

/// <summary>
/// What a backup holds: <c>backup.json</c>, with the SHA-256 of that file itself beside it in a form that <c>sha256sum -c</c> reads. The files lie in <c>data</c>, in the places they have in a data folder.
/// </summary>
/// <param name="Format">Version of this layout; 1.</param>
/// <param name="HubVersion">The program that made it.</param>
/// <param name="BegunAt">When it was begun: everything the hub had acknowledged before is in it.</param>
/// <param name="SeriesCommit">Last commit of the series in it; null when there is no embedded store.</param>
/// <param name="Files">The files, by path.</param>
internal sealed record BackupManifest(int Format, string HubVersion, DateTimeOffset BegunAt, long? SeriesCommit, IReadOnlyList<BackupFile> Files)
{
    public const int FormatNow = 1;
    public const string DataFolder = "data";
    private const string Name = "backup.json";
    private const string SumName = "backup.json.sha256";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    public long Bytes => Files.Sum(file => file.Bytes);

    public void Write(string folder)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        Durable.Write(System.IO.Path.Combine(folder, Name), bytes);
        Durable.Write(System.IO.Path.Combine(folder, SumName), System.Text.Encoding.ASCII.GetBytes($"{Convert.ToHexStringLower(SHA256.HashData(bytes))}  {Name}\n"));
    }

    /// <exception cref="StartException">The folder is no backup, one of another version, or its manifest is damaged.</exception>
    public static BackupManifest Read(string folder)
    {
        byte[] bytes;
        string sum;
        try
        {
            bytes = File.ReadAllBytes(System.IO.Path.Combine(folder, Name));
            sum = File.ReadAllText(System.IO.Path.Combine(folder, SumName));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StartException($"{folder} is no backup: {Name} or {SumName} is missing. Give a folder that hub backup made.", exception);
        }

        if (!sum.StartsWith(Convert.ToHexStringLower(SHA256.HashData(bytes)) + " ", StringComparison.Ordinal))
        {
            throw new StartException($"The list of files in the backup {folder} is damaged: {Name} does not have the checksum that stands in {SumName}. Take another backup.");
        }

        BackupManifest? manifest;
        try
        {
            // What this version cannot read may have more fields: its number is looked at first.
            using var document = JsonDocument.Parse(bytes);
            var format = document.RootElement.GetProperty("format").GetInt32();
            if (format != FormatNow)
            {
                throw new StartException($"The backup {folder} has layout {format}; this program reads layout {FormatNow}. Use the program that made it.");
            }

            manifest = document.Deserialize<BackupManifest>(Json);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new StartException($"The list of files in the backup {folder} cannot be read ({exception.Message}). Take another backup.", exception);
        }

        if (manifest!.Files.FirstOrDefault(file => !IsInside(file.Path)) is { } outside)
        {
            throw new StartException($"The backup {folder} names the file '{outside.Path}', which does not lie in a data folder. It was not made by hub backup.");
        }

        return manifest;
    }

    private static bool IsInside(string path) =>
        path.Length > 0 && !System.IO.Path.IsPathRooted(path) && !path.Contains('\\', StringComparison.Ordinal) && path.Split('/').All(part => part is not ("" or "." or ".."));
}
