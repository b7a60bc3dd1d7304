using System.Globalization;

namespace Hub.Cloud.Series;

/// <summary>How far a check is.</summary>
/// <param name="Doing">What is being read, for people.</param>
/// <param name="BytesDone">Bytes of parts read.</param>
/// <param name="Bytes">Bytes of all parts.</param>
public readonly record struct SeriesCheckProgress(string Doing, long BytesDone, long Bytes);

/// <summary>What a check found.</summary>
/// <param name="LastCommit">Last commit of the store.</param>
/// <param name="Parts">Parts read whole.</param>
/// <param name="Observations">Rows of parts with observations; a key stands in several of them until they are merged.</param>
/// <param name="History">Rows of parts with values that lost.</param>
/// <param name="Bytes">Bytes of the parts.</param>
/// <param name="LogGroups">Whole group commits in the log.</param>
/// <param name="LogObservations">Their rows.</param>
/// <param name="LogBytesBehind">Bytes behind them that are no whole group: a write that a crash interrupted, acknowledged to nobody; the next start cuts them off.</param>
/// <param name="IsInUse">Whether a hub had the folder.</param>
/// <param name="Problems">One line for each problem: file, what is wrong, what to do. Empty when all is well.</param>
public sealed record SeriesCheckResult(
    long LastCommit, int Parts, long Observations, long History, long Bytes, long LogGroups, long LogObservations, long LogBytesBehind, bool IsInUse, IReadOnlyList<string> Problems)
{
    /// <summary>Rows of parts with rollups, derived and kept; a cell takes two to ten.</summary>
    public long Rollups { get; init; }
}

/// <summary>
/// Reads everything the embedded store consists of and compares it with what the manifest says, page by page. Opens nothing for writing; a hub may run meanwhile: what it replaces while the check runs
/// is left out, and what took its place is read instead. Used once.
/// </summary>
internal sealed class SeriesCheck(SeriesFolder folder, Action<SeriesCheckProgress> progress)
{
    /// <summary>Rounds over parts that came while others were read. A busy hub makes new ones all the time; that they come whole is checked by whoever reads them.</summary>
    private const int RoundsMax = 3;

    private readonly List<string> _problems = [];
    private readonly HashSet<string> _read = [];
    private long _observations;
    private long _history;
    private long _rollups;
    private long _bytes;

    public SeriesCheckResult Run(CancellationToken stop)
    {
        var isInUse = IsInUse();
        SeriesSnapshot? last = null;
        try
        {
            for (var (round, again) = (0, true); again && round < RoundsMax; round++)
            {
                last?.Dispose();
                last = null;
                last = SeriesSnapshot.Take(folder.Root);
                again = ReadParts(last.Manifest, stop);
            }

            CheckTogether(last!, stop);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            _problems.Add(e.Message);
        }
        finally
        {
            last?.Dispose();
        }

        return new SeriesCheckResult(
            last?.LastCommit ?? 0, _read.Count, _observations, _history, _bytes, last?.Log.Groups ?? 0, last?.LogObservations ?? 0, last?.Log.BytesBehind ?? 0, isInUse, _problems)
        {
            Rollups = _rollups,
        };
    }

    /// <summary>Reads the parts that were not read yet; true when some had been replaced meanwhile.</summary>
    private bool ReadParts(Manifest manifest, CancellationToken stop)
    {
        var replaced = false;
        var left = manifest.Parts.Where(part => !_read.Contains(folder.Part(part))).ToList();
        var total = _bytes + left.Sum(part => part.Summary.Bytes);
        foreach (var part in left)
        {
            stop.ThrowIfCancellationRequested();
            var path = folder.Part(part);
            progress(new SeriesCheckProgress(path, _bytes, total));
            try
            {
                using var reader = PartReader.Open(path);
                Compare(part, reader);
                reader.Verify(stop);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // It was there when the snapshot was taken.
                replaced = true;
                continue;
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
                _problems.Add($"{e.Message} Put the file back from a backup, or restore the folder from one (hub restore).");
            }

            _read.Add(path);
            _bytes += part.Summary.Bytes;
            (part.Kind == PartKind.Observations ? ref _observations : ref part.Kind == PartKind.History ? ref _history : ref _rollups) += part.Summary.Rows;
        }

        progress(new SeriesCheckProgress("parts", _bytes, _bytes));
        return replaced;
    }

    private void Compare(PartInfo part, PartReader reader)
    {
        var path = folder.Part(part);
        if (reader.Summary != part.Summary)
        {
            _problems.Add($"The part {path} holds {reader.Summary}, but the manifest says {part.Summary}: put the file back from a backup, or restore the folder from one (hub restore).");
        }

        var end = part.Kind is PartKind.Rollups or PartKind.Kept ? RollupPlan.MonthAfter(part.Day) : part.Day + 1;
        if (part.Summary.Rows > 0 && (EventTime.Day(part.Summary.MinMicros) < part.Day || EventTime.Day(part.Summary.MaxMicros) >= end))
        {
            _problems.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"The part {path} reaches from {EventTime.TimeClamped(part.Summary.MinMicros):u} to {EventTime.TimeClamped(part.Summary.MaxMicros):u}, outside its day or month {EventTime.TimeClamped(part.Day * EventTime.MicrosPerDay):yyyy-MM-dd}: this is a fault of the program, please report it; nothing is lost."));
        }
    }

    /// <summary>What the manifest, the states and the log say of each other.</summary>
    private void CheckTogether(SeriesSnapshot snapshot, CancellationToken stop)
    {
        var manifest = snapshot.Manifest;
        foreach (var twice in manifest.Parts.GroupBy(part => (part.Kind, part.File)).Where(group => group.Count() > 1))
        {
            _problems.Add($"The manifest {folder.Manifest} names the part {twice.Key.File} twice: restore the folder from a backup (hub restore).");
        }

        if (snapshot.FirstLogCommit > manifest.LastCommit + 1)
        {
            _problems.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"The write-ahead log in {folder.Log} begins with commit {snapshot.FirstLogCommit}, but the parts end with commit {manifest.LastCommit}: what was between them is missing. Restore the folder from a backup (hub restore)."));
        }

        long before = 0;
        foreach (var change in manifest.Changes)
        {
            if (change.FirstCommit <= before || change.LastCommit < change.FirstCommit || change.LastCommit > manifest.LastCommit)
            {
                _problems.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The manifest {folder.Manifest} says that {change.File} is about the commits {change.FirstCommit} to {change.LastCommit}, after commit {before} and up to {manifest.LastCommit}: restore the folder from a backup (hub restore)."));
            }

            before = change.LastCommit;
        }

        try
        {
            _ = ChangeNotes.Read(folder, manifest.Changes);
        }
        catch (InvalidDataException e) when (e.InnerException is FileNotFoundException && Manifest.Read(folder.Manifest).NextFile != manifest.NextFile)
        {
            // It was there when the snapshot was taken: a hub that is running has folded it into another, as it may do with the latest observations below.
        }

        new LatestCheck(folder, manifest, _problems).Run(stop);
        new RollupCheck(folder, manifest, _problems).Run(stop);
    }

    private bool IsInUse()
    {
        try
        {
            using var probe = new FileStream(Path.Combine(folder.Root, "lock"), FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
