using System.Globalization;

namespace Hub.Cloud.Series;

/// <summary>A segment as it was read.</summary>
/// <param name="Head">Its first bytes.</param>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Length of head and whole records.</param>
internal sealed record LogSegmentRead(LogSegmentHead Head, string Path, long Bytes);

/// <summary>Reads a log from its first segment to its last and finds where it ends, changing nothing. Also beside the writer: then it ends at some group that was whole when it was looked at. Used once.</summary>
internal sealed class LogWalk
{
    /// <summary>Commit of the last whole group; 0 when there never was one.</summary>
    public long LastCommit { get; private set; }

    /// <summary>Whole groups.</summary>
    public long Groups { get; private set; }

    /// <summary>Bytes behind the last that are no whole group.</summary>
    public long BytesBehind { get; private set; }

    /// <summary>The segments in order.</summary>
    public List<LogSegmentRead> Segments { get; } = [];

    /// <summary>A last file that was being made when everything stopped, and has nothing in it; null when there is none.</summary>
    public LogReader? Blank { get; private set; }

    /// <summary>Opens the segments of a folder in order. Files with other names are not the log's. Release them with <see cref="Close"/>.</summary>
    /// <exception cref="IOException">The folder or a file cannot be read.</exception>
    public static List<LogReader> Open(string folder)
    {
        var segments = new List<(long Number, string Path)>();
        foreach (var path in Directory.EnumerateFiles(folder, "*.log"))
        {
            if (long.TryParse(Path.GetFileNameWithoutExtension(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number > 0 && path == LogSegment.PathOf(folder, number))
            {
                segments.Add((number, path));
            }
        }

        segments.Sort();
        var readers = new List<LogReader>();
        try
        {
            foreach (var (number, path) in segments)
            {
                readers.Add(new LogReader(number, path));
            }

            return readers;
        }
        catch
        {
            Close(readers);
            throw;
        }
    }

    public static void Close(IEnumerable<LogReader> readers)
    {
        foreach (var reader in readers)
        {
            reader.Dispose();
        }
    }

    /// <param name="readers">The segments in order, opened and not yet read.</param>
    /// <param name="replay">Called for each group with the number of its segment.</param>
    /// <exception cref="InvalidDataException">Damage to what was acknowledged; the message names file and offset, what is lost and what can be done.</exception>
    public void Run(IReadOnlyList<LogReader> readers, Action<long, LogGroup> replay)
    {
        var count = readers.Count;
        if (count > 0 && readers[^1] is { HasHead: false, OtherVersion: null, IsBlank: true } blank)
        {
            // Nothing was ever written to it: that begins only when its head and its name are on the disk.
            Blank = blank;
            count--;
        }

        for (var i = 0; i < count; i++)
        {
            if (i > 0 && readers[i].Number != readers[i - 1].Number + 1)
            {
                throw Damaged(
                    readers, i, 0, string.Create(CultureInfo.InvariantCulture, $"the segments from {readers[i - 1].Number + 1} to {readers[i].Number - 1} before it are missing"), default, keepBytes: null);
            }

            Read(readers, i, isLast: i == count - 1, replay);
        }
    }

    private void Read(IReadOnlyList<LogReader> readers, int at, bool isLast, Action<long, LogGroup> replay)
    {
        var reader = readers[at];
        if (reader.OtherVersion is { } version)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"The write-ahead log {reader.Path} has layout {version}; this hub reads layout {LogCodec.LayoutVersion}. Start the version of the hub that wrote it."));
        }

        if (!reader.HasHead || reader.Head.Number != reader.Number)
        {
            throw Damaged(readers, at, 0, "its first bytes are not those of this segment", default, keepBytes: null);
        }

        if (at > 0 && reader.Head.CommitBefore != LastCommit)
        {
            throw Damaged(
                readers, at, 0, string.Create(CultureInfo.InvariantCulture, $"it follows commit {reader.Head.CommitBefore}, but the segment before it ends with commit {LastCommit}"), default, keepBytes: null);
        }

        LogRest rest;
        long end;
        do
        {
            while (reader.TryNext(out var group))
            {
                replay(reader.Number, group);
                Groups++;
            }

            end = reader.Offset;
            rest = reader.ReadRest();
            if (rest.Groups > 0)
            {
                // Beside the writer the record there may have been half written when it was read, and those behind it came since: then it is whole now.
                reader.Refresh();
                if (!reader.TryNext(out var group))
                {
                    throw Damaged(readers, at, end, "the record there is damaged", rest, end);
                }

                replay(reader.Number, group);
                Groups++;
            }
        }
        while (rest.Groups > 0);

        if (rest.Bytes > 0 && !isLast)
        {
            throw Damaged(readers, at, end, "the record there is damaged", rest, end);
        }

        LastCommit = reader.LastCommit;
        BytesBehind = rest.Bytes;
        Segments.Add(new LogSegmentRead(reader.Head, reader.Path, end));
    }

    /// <param name="readers">The segments.</param>
    /// <param name="at">The damaged one.</param>
    /// <param name="offset">Where.</param>
    /// <param name="what">What is wrong.</param>
    /// <param name="rest">What was found behind it in the same file.</param>
    /// <param name="keepBytes">Length up to which the file is whole; null when nothing of it can be used.</param>
    private static InvalidDataException Damaged(IReadOnlyList<LogReader> readers, int at, long offset, string what, LogRest rest, long? keepBytes)
    {
        var path = readers[at].Path;
        var behind = rest.Groups > 0
            ? string.Create(CultureInfo.InvariantCulture, $" Behind it stand {rest.Groups} later groups with {rest.Observations} observations (commits {rest.FirstCommit} to {rest.LastCommit}).")
            : "";
        var later = readers.Count - at - 1;
        var behindFiles = later > 0 ? $" Behind it are {later} later segments, up to {Path.GetFileName(readers[^1].Path)}." : "";
        var cut = keepBytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"cut it there (truncate -s {bytes} '{path}')") : $"move {path} away";
        return new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture,
            $"The write-ahead log is damaged in {path} at byte {offset}: {what}. This was acknowledged, so the hub does not step over it.{behind}{behindFiles} Restore the folder from a backup (hub restore). To go on with the loss of this record and all behind it: keep a copy of the folder, {cut}, and move the later segments away."));
    }
}
