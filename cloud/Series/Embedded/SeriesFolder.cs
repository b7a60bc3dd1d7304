using System.Globalization;

namespace Hub.Cloud.Series;

/// <summary>The folder of the embedded store: where its files lie, and that one hub uses it at a time.</summary>
internal sealed class SeriesFolder(string root) : IDisposable
{
    private FileStream? _lock;

    public string Root { get; } = root;

    /// <summary>Segments of the write-ahead log.</summary>
    public string Log { get; } = Path.Combine(root, "log");

    /// <summary>Latest values and notes of changes, as the manifest names them.</summary>
    public string State { get; } = Path.Combine(root, "state");

    /// <summary>Names what is live.</summary>
    public string Manifest { get; } = Path.Combine(root, "manifest");

    /// <summary>Store of the first layout, taken over when it is met.</summary>
    public string Duck { get; } = Path.Combine(root, "series.duckdb");

    /// <summary>Folder of the parts of a kind.</summary>
    public string Parts(PartKind kind) => Path.Combine(Root, "parts", kind switch
    {
        PartKind.Observations => "observations",
        PartKind.History => "history",
        PartKind.Rollups => "rollups",
        _ => "kept",
    });

    public string Part(PartInfo part) => Path.Combine(Parts(part.Kind), part.File);

    public string StateFile(string name) => Path.Combine(State, name);

    /// <summary>Name of a part: its day, or the first day of its month, then a number that is never used again.</summary>
    public static string PartName(int day, long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{EventTime.TimeClamped(day * EventTime.MicrosPerDay):yyyy-MM-dd}-{number:D8}.parquet");

    /// <summary>Takes the folder for this process and makes what is missing in it.</summary>
    /// <exception cref="IOException">It cannot be used, or another hub has it.</exception>
    public void Take()
    {
        try
        {
            Directory.CreateDirectory(Root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The series folder {Root} cannot be made: check the path and its permissions, or change {SeriesOptions.Section}:Folder.", e);
        }

        try
        {
            _lock = new FileStream(Path.Combine(Root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The series folder {Root} cannot be written: check its permissions, or change {SeriesOptions.Section}:Folder.", e);
        }
        catch (IOException e)
        {
            throw new IOException($"The series folder {Root} is in use by another hub: stop that one, or give this one a data folder of its own with --data (or only its series with {SeriesOptions.Section}:Folder).", e);
        }
    }

    /// <summary>Makes the folders inside; their names are durable when it returns.</summary>
    public void MakeFolders()
    {
        foreach (var folder in Enum.GetValues<PartKind>().Select(Parts).Prepend(State).Prepend(Log))
        {
            Directory.CreateDirectory(folder);
        }

        LogDisk.Real.FlushFolder(Path.Combine(Root, "parts"));
        LogDisk.Real.FlushFolder(Root);
    }

    /// <summary>Gives the folder back.</summary>
    public void Dispose()
    {
        _lock?.Dispose();
        _lock = null;
    }
}
