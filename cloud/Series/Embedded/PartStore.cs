using System.Collections.Immutable;

namespace Hub.Cloud.Series;

/// <summary>
/// Keeps the current version of the store and the manifest in step. The manifest changes under one lock, one change at a time; the version is swapped after the manifest is durable. Files that the
/// manifest no longer names go when nobody reads them.
/// </summary>
internal sealed class PartStore : IDisposable
{
    /// <summary>Questions of which memory is kept: as many as are answered at once by default.</summary>
    private const int BuffersMax = 4;

    private readonly SeriesFolder _folder;
    private readonly TimeProvider _time;
    private readonly MemoryRows _rows;
    private readonly int _tableRowsMax;
    private readonly Lock _edit = new();
    private readonly object _gate = new();
    private Manifest _manifest = Manifest.Empty;
    private StoreVersion _current;
    private long _nextFile = 1;
    private bool _closed;

    /// <param name="folder">Where everything is.</param>
    /// <param name="time">Clock.</param>
    /// <param name="openPartsMax">Parts kept open for readers at most.</param>
    /// <param name="tableRowsMax">Rows with which a table is frozen: memory of about one is kept for the next.</param>
    public PartStore(SeriesFolder folder, TimeProvider time, int openPartsMax, int tableRowsMax)
    {
        _folder = folder;
        _time = time;
        Cache = new PartCache(openPartsMax);
        Buffers = new Spares<RowBuffers>(() => new RowBuffers(Cache), BuffersMax);
        _tableRowsMax = tableRowsMax;
        _rows = new MemoryRows(tableRowsMax + (tableRowsMax / 4));
        _current = new StoreVersion(new MemoryTable(_rows), [], [], ChangeNotes.None);
    }

    public SeriesFolder Folder => _folder;

    public PartCache Cache { get; }

    /// <summary>Memory of questions that were answered.</summary>
    public Spares<RowBuffers> Buffers { get; }

    /// <summary>The manifest on the disk.</summary>
    public Manifest Manifest => Volatile.Read(ref _manifest);

    /// <summary>Tables that wait to be written as parts.</summary>
    public int FrozenCount
    {
        get
        {
            lock (_gate)
            {
                return _current.Frozen.Length;
            }
        }
    }

    /// <summary>Rows in memory.</summary>
    public long MemoryRows
    {
        get
        {
            lock (_gate)
            {
                return _current.Tables.Sum(table => table.Rows);
            }
        }
    }

    /// <summary>Reads the manifest and removes what it does not name. Call once, first.</summary>
    /// <exception cref="InvalidDataException">Something the manifest names is damaged or missing; the message says which and what to do.</exception>
    public void Open()
    {
        _manifest = Manifest.Read(_folder.Manifest);
        _nextFile = _manifest.NextFile;
        foreach (var part in _manifest.Parts)
        {
            var file = new FileInfo(_folder.Part(part));
            if (!file.Exists || file.Length != part.Summary.Bytes)
            {
                if (part.Kind == PartKind.Rollups)
                {
                    // Derived: made anew. What is left of it goes with the leftovers.
                    _manifest = _manifest with { Parts = _manifest.Parts.Remove(part) };
                    continue;
                }

                throw new InvalidDataException(FormattableString.Invariant(
                    $"The part {file.FullName} {(file.Exists ? $"has {file.Length} bytes instead of {part.Summary.Bytes}" : "is missing")}: put it back from a backup, or restore the folder from one (hub restore)."));
            }
        }

        var changes = ChangeNotes.Read(_folder, _manifest.Changes);
        _folder.MakeFolders();
        RemoveLeftovers();
        var first = _current;
        _current = new StoreVersion(new MemoryTable(_rows), [], [.. _manifest.Parts.Select(Live)], changes);
        first.Dispose();
    }

    /// <summary>The current version; dispose of it soon.</summary>
    public StoreVersion Take()
    {
        lock (_gate)
        {
            return _current.Hold();
        }
    }

    /// <summary>The table that takes commits. For the committer, who alone changes it.</summary>
    public MemoryTable Active
    {
        get
        {
            lock (_gate)
            {
                return _current.Active;
            }
        }
    }

    /// <summary>Puts an empty table in the place of the active one, which waits from now on to be written as parts.</summary>
    public void Freeze()
    {
        lock (_gate)
        {
            var before = _current;
            _current = before.WithTables(new MemoryTable(_rows, before.Active), before.Frozen.Add(before.Active));
            before.Dispose();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The oldest frozen table; null when there is none.</summary>
    public MemoryTable? OldestFrozen()
    {
        lock (_gate)
        {
            return _current.Frozen.IsEmpty ? null : _current.Frozen[0];
        }
    }

    /// <summary>The table that was frozen last and is not in parts yet; null when there is none.</summary>
    public MemoryTable? NewestFrozen()
    {
        lock (_gate)
        {
            return _current.Frozen.IsEmpty ? null : _current.Frozen[^1];
        }
    }

    /// <summary>A name for a new part. A file with it that never gets into the manifest is removed at the next start.</summary>
    public string NewPartName(int day) => SeriesFolder.PartName(day, NextNumber());

    /// <summary>The number of a new file.</summary>
    public long NextNumber() => Interlocked.Increment(ref _nextFile) - 1;

    /// <summary>What the manifest says of a part that was just written.</summary>
    public PartInfo Describe(string name, PartKind kind, int day, PartSummary summary) => new(name, kind, day, summary, _time.GetUtcNow());

    /// <summary>
    /// One change of the manifest and, with it, of the version. When it returns the change is durable and readers see it; when it throws nothing has changed.
    /// </summary>
    /// <param name="change">Gets what is there and says what shall be; may write files of the state. Called under the lock of changes.</param>
    /// <param name="flushed">Frozen table whose rows are in parts with this change.</param>
    public void Edit(Func<StoreEdit, StoreEdit> change, MemoryTable? flushed = null)
    {
        lock (_edit)
        {
            var before = _current;
            var edit = change(new StoreEdit(_manifest, before.Changes));
            var manifest = edit.Manifest with { NextFile = Interlocked.Read(ref _nextFile), Changes = edit.Changes.Infos };
            manifest.Write(_folder.Manifest);
            var old = _manifest;
            Volatile.Write(ref _manifest, manifest);
            lock (_gate)
            {
                var live = before.Parts.ToDictionary(part => part.Info.File, StringComparer.Ordinal);
                var version = new StoreVersion(
                    _current.Active,
                    flushed is null ? _current.Frozen : _current.Frozen.Remove(flushed),
                    [.. manifest.Parts.Select(part => live.Remove(part.File, out var known) ? known : Live(part))],
                    edit.Changes);
                foreach (var replaced in live.Values)
                {
                    replaced.Replace();
                }

                before = _current;
                _current = version;
                Monitor.PulseAll(_gate);
            }

            before.Dispose();
            if (flushed?.Rows < _tableRowsMax / 2)
            {
                // It was frozen by its age: there is no load for which memory is worth keeping.
                _rows.Trim();
                Buffers.Trim();
                PartBundle.Spare.Trim();
                PartCursor.Spare.Trim();
                PartScratch.Spare.Trim();
            }

            RemoveState(old, manifest);
        }
    }

    /// <summary>Reads files of the state while no change can remove them.</summary>
    public T Read<T>(Func<Manifest, T> read)
    {
        lock (_edit)
        {
            return read(_manifest);
        }
    }

    /// <summary>Blocks until a condition holds that depends on the tables, is asked again (<see cref="Wake"/>), or the store is closed; returns whether it holds.</summary>
    public bool WaitUntil(Func<bool> condition)
    {
        lock (_gate)
        {
            while (!condition())
            {
                if (_closed)
                {
                    return false;
                }

                Monitor.Wait(_gate);
            }

            return true;
        }
    }

    /// <summary>Lets waiters ask again.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waiters give up.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose()
    {
        Close();
        _current.Dispose();
        Cache.Dispose();
    }

    private LivePart Live(PartInfo part) => new(part, _folder.Part(part), Released);

    private void Released(LivePart part)
    {
        Cache.Forget(part);
        if (part.IsReplaced)
        {
            TryDelete(part.Path);
        }
    }

    private void RemoveState(Manifest before, Manifest after)
    {
        var named = StateOf(after).ToHashSet(StringComparer.Ordinal);
        foreach (var file in StateOf(before).Where(file => !named.Contains(file)))
        {
            TryDelete(_folder.StateFile(file));
        }
    }

    private void RemoveLeftovers()
    {
        foreach (var kind in Enum.GetValues<PartKind>())
        {
            Remove(_folder.Parts(kind), _manifest.Parts.Where(part => part.Kind == kind).Select(part => part.File));
        }

        Remove(_folder.State, StateOf(_manifest));
        TryDelete(_folder.Manifest + ".new");

        static void Remove(string folder, IEnumerable<string> named)
        {
            var keep = named.ToHashSet(StringComparer.Ordinal);
            foreach (var file in Directory.EnumerateFiles(folder).Where(file => !keep.Contains(Path.GetFileName(file))))
            {
                TryDelete(file);
            }
        }
    }

    private static IEnumerable<string> StateOf(Manifest manifest)
    {
        var files = manifest.Changes.Select(note => note.File);
        return manifest.Latest is { } latest ? files.Append(latest) : files;
    }

    /// <summary>A file that is not deleted now is at the next start.</summary>
    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}

/// <summary>A state of the manifest to be changed.</summary>
/// <param name="Manifest">What is named; numbers of files and notes are filled in when it is written.</param>
/// <param name="Changes">Notes of changes.</param>
internal sealed record StoreEdit(Manifest Manifest, ChangeNotes Changes);
