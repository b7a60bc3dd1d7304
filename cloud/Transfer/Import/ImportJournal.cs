using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Transfer.Import;

/// <summary>How far an import has come: everything before it is in the store or in the report.</summary>
internal sealed class ImportPlace
{
    /// <summary>Files that are done.</summary>
    public int Files { get; set; }

    /// <summary>Rows of the next one that are done.</summary>
    public long Rows { get; set; }

    /// <summary>Where its series stand in local time (<see cref="SourceClock"/>), by their key.</summary>
    public Dictionary<string, long> Clocks { get; set; } = [];

    /// <summary>What reading had counted.</summary>
    public ImportCounts Counts { get; set; } = new();

    /// <summary>Bytes of the report.</summary>
    public long ReportBytes { get; set; }

    /// <summary>Observations that were new, there already, or won.</summary>
    public long Stored { get; set; }

    /// <inheritdoc cref="Stored"/>
    public long Duplicate { get; set; }

    /// <inheritdoc cref="Stored"/>
    public long Corrected { get; set; }
}

/// <summary>
/// The note from which the same import goes on after it was stopped or killed. Written after each commit, whole or not at all. It only saves work: losing it, or finding an older one, makes rows come
/// again, which the store knows as duplicates.
/// </summary>
internal sealed class ImportJournal
{
    private const int Version = 1;

    private readonly string? _path;
    private readonly string _fingerprint;

    private ImportJournal(string? path, string fingerprint)
    {
        _path = path;
        _fingerprint = fingerprint;
    }

    /// <summary>A journal that notes nothing, for a dry run.</summary>
    public static ImportJournal None { get; } = new(null, "");

    /// <summary>Finds the note of the same request, if there is one and neither files, mapping nor report have changed since.</summary>
    /// <param name="request">The request.</param>
    /// <param name="mapping">Text of the mapping.</param>
    /// <param name="place">Where to go on.</param>
    /// <exception cref="TransferException">The folder cannot be made.</exception>
    public static ImportJournal Open(ImportRequest request, string mapping, out ImportPlace place)
    {
        var files = request.Files.Select(Path.GetFullPath).ToList();
        var name = Hash(string.Join('\n', files.Append(Path.GetFullPath(request.ReportFile)).Append(request.Mapping is null ? "" : Path.GetFullPath(request.Mapping))))[..16];
        var stamps = files.Select(file => new FileInfo(file)).Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}"));
        var fingerprint = Hash(string.Join('\n', stamps.Append(request.Format.ToString()).Append(mapping)));
        place = new ImportPlace();
        try
        {
            Directory.CreateDirectory(request.ProgressFolder);
            var journal = new ImportJournal(Path.Combine(request.ProgressFolder, name + ".json"), fingerprint);
            if (journal.Read() is { } found && found.ReportBytes <= ImportReport.LengthOf(request.ReportFile))
            {
                place = found;
            }

            return journal;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new TransferException($"The folder {request.ProgressFolder} cannot be used ({exception.Message.TrimEnd('.')}). Check its permissions.", exception);
        }
    }

    /// <summary>Notes a place.</summary>
    /// <exception cref="TransferException">It cannot be written.</exception>
    public void Write(ImportPlace place)
    {
        if (_path is null)
        {
            return;
        }

        try
        {
            File.WriteAllBytes(_path + ".new", JsonSerializer.SerializeToUtf8Bytes(new Note(Version, _fingerprint, place)));
            File.Move(_path + ".new", _path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new TransferException($"{_path} cannot be written ({exception.Message.TrimEnd('.')}). Make room, then give the same command again: it goes on from the last commit.", exception);
        }
    }

    /// <summary>Removes the note: all is in.</summary>
    public void Complete()
    {
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private ImportPlace? Read()
    {
        try
        {
            return File.Exists(_path) && JsonSerializer.Deserialize<Note>(File.ReadAllBytes(_path)) is { Version: Version } note && note.Fingerprint == _fingerprint ? note.Place : null;
        }
        catch (JsonException)
        {
            // Not ours any more, or damaged: begin anew.
            return null;
        }
    }

    private sealed record Note(int Version, string Fingerprint, ImportPlace Place);
}
