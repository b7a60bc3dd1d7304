namespace Hub.Cloud.Series;

/// <summary>A part that is written and neither flushed nor named yet. Used by one caller at a time; disposed of without a name it is removed.</summary>
/// <param name="file">Open for writing; closed with this.</param>
/// <param name="unfinished">Where it is.</param>
/// <param name="path">Where it shall be.</param>
/// <param name="summary">What is in it.</param>
internal sealed class UnnamedPart(FileStream file, string unfinished, string path, PartSummary summary) : IDisposable
{
    private bool _isNamed;

    /// <summary>What is in it.</summary>
    public PartSummary Summary => summary;

    /// <summary>Returns when its bytes are on the disk.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Flush()
    {
        file.Flush(flushToDisk: true);
        file.Dispose();
    }

    /// <summary>Gives it its name, which is durable once the folder is flushed. After <see cref="Flush"/>.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Name()
    {
        File.Move(unfinished, path, overwrite: true);
        _isNamed = true;
    }

    public void Dispose()
    {
        file.Dispose();
        if (!_isNamed)
        {
            PartFiles.TryDelete(unfinished);
        }
    }
}
