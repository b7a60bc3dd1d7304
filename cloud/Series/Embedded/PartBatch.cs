namespace Hub.Cloud.Series;

/// <summary>
/// Parts that are written together and are on the disk together. Readings that come late for many days make a part for each of them: flushed one after the other, each would wait for the disk twice; at once their flushes share a
/// commit of the file system's journal, and a folder is flushed once. Used by one caller; without <see cref="Complete"/> nothing of it stays.
/// </summary>
internal sealed class PartBatch(PartStore store) : IDisposable
{
    /// <summary>Flushes at once: more do not make a journal faster.</summary>
    private const int FlushesAtOnce = 8;

    /// <summary>Files held open at most.</summary>
    private const int OpenMax = 128;

    private readonly List<(PartInfo Info, UnnamedPart Part)> _open = [];
    private readonly List<PartInfo> _named = [];
    private bool _isComplete;

    /// <summary>Takes a part that is written.</summary>
    /// <param name="name">Its name, of <see cref="PartStore.NewPartName"/>.</param>
    /// <param name="kind">What it holds.</param>
    /// <param name="day">Its UTC day.</param>
    /// <param name="writer">Everything was added to it; it is finished here, and disposed of by the caller.</param>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Add(string name, PartKind kind, int day, PartWriter writer)
    {
        var part = writer.Finish();
        _open.Add((store.Describe(name, kind, day, part.Summary), part));
        if (_open.Count == OpenMax)
        {
            NameAll();
        }
    }

    /// <summary>Brings all parts and their names to the disk.</summary>
    /// <returns>The parts, in the order they were added. Until the manifest names them, <see cref="Remove"/> is how they go.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    public IReadOnlyList<PartInfo> Complete()
    {
        NameAll();
        foreach (var kind in _named.Select(part => part.Kind).Distinct())
        {
            LogDisk.Real.FlushFolder(store.Folder.Parts(kind));
        }

        _isComplete = true;
        return _named;
    }

    /// <summary>Removes everything again; what cannot be removed is at the next start.</summary>
    public void Remove()
    {
        foreach (var (_, part) in _open)
        {
            part.Dispose();
        }

        foreach (var part in _named)
        {
            PartFiles.TryDelete(store.Folder.Part(part));
        }

        _open.Clear();
        _named.Clear();
    }

    public void Dispose()
    {
        if (!_isComplete)
        {
            Remove();
        }
    }

    private void NameAll()
    {
        Flush();
        foreach (var (info, part) in _open)
        {
            part.Name();
            part.Dispose();
            _named.Add(info);
        }

        _open.Clear();
    }

    private void Flush()
    {
        try
        {
            Parallel.ForEach(_open, new ParallelOptions { MaxDegreeOfParallelism = FlushesAtOnce }, open => open.Part.Flush());
        }
        catch (AggregateException e) when (e.InnerException is { } first)
        {
            throw new IOException(first.Message, first);
        }
    }
}
