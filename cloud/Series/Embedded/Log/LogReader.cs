using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>What stands in a segment behind its last whole record.</summary>
/// <param name="Bytes">Length up to the last byte that is not zero; 0 when the segment simply ends.</param>
/// <param name="Groups">Records found there by their heads. A record is begun only after the one before it was on disk, so with any of them the record in front is damaged, not torn.</param>
/// <param name="Observations">Their rows.</param>
/// <param name="FirstCommit">Commit of the first of them.</param>
/// <param name="LastCommit">Commit of the last of them.</param>
internal readonly record struct LogRest(long Bytes, int Groups, long Observations, long FirstCommit, long LastCommit);

/// <summary>Walks through the whole records of one segment in order, changing nothing. One caller at a time; beside the writer it sees some prefix of what is written.</summary>
internal sealed class LogReader : IDisposable
{
    /// <summary>Bytes read at once.</summary>
    private const int WindowBytes = 256 * 1024;

    private long _length;
    private byte[] _window = [];
    private long _windowAt;
    private int _windowBytes;
    private Observation[] _rows = [];
    private long _lastCommit;

    /// <param name="number">Number of the segment, from its name.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public LogReader(long number, string path)
    {
        (Number, Path) = (number, path);
        File = System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        _length = RandomAccess.GetLength(File);
        Span<byte> first = stackalloc byte[LogCodec.SegmentHeadBytes];
        first = first[..RandomAccess.Read(File, first, 0)];
        HasHead = LogCodec.TryReadSegmentHead(first, out var head);
        OtherVersion = !HasHead && LogCodec.Version(first) is { } version && version != LogCodec.LayoutVersion ? version : null;
        Head = head;
        _lastCommit = head.CommitBefore;
        Offset = LogCodec.SegmentHeadBytes;
    }

    /// <summary>Number of the segment.</summary>
    public long Number { get; }

    public string Path { get; }

    /// <summary>The open file: it can be read also when its name is gone.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Whether the first bytes are those of a segment; if not, nothing else can be read.</summary>
    public bool HasHead { get; }

    /// <summary>What they say.</summary>
    public LogSegmentHead Head { get; }

    /// <summary>Version of a layout this program does not read; null when the version is ours, or nothing can be said.</summary>
    public byte? OtherVersion { get; }

    /// <summary>Whether nothing but zeros stands behind the head: with a head that is none, this file was being made when everything stopped.</summary>
    public bool IsBlank => Extent(LogCodec.SegmentHeadBytes) == 0;

    /// <summary>End of the last whole record read.</summary>
    public long Offset { get; private set; }

    /// <summary>Commit of the last whole record read, or the one before the segment.</summary>
    public long LastCommit => _lastCommit;

    /// <summary>The next whole record; false when the bytes at <see cref="Offset"/> are none (see <see cref="ReadRest"/>).</summary>
    public bool TryNext(out LogGroup group)
    {
        group = default;
        if (!HasHead || !TryHead(Offset, out var head) || !TryRecord(Offset, head, out var record))
        {
            return false;
        }

        if (_rows.Length < head.Count)
        {
            _rows = new Observation[Math.Max(head.Count, Math.Min(2 * _rows.Length, LogCodec.RowsMax))];
        }

        var rows = _rows.AsSpan(0, head.Count);
        if (!LogCodec.TryDecode(record[LogCodec.RecordHeadBytes..], rows))
        {
            return false;
        }

        Offset += head.Bytes;
        _lastCommit = head.Commit;
        group = new LogGroup(head.Commit, rows);
        return true;
    }

    /// <summary>Forgets what was read ahead, which may be half of a record that is whole by now.</summary>
    public void Refresh()
    {
        _windowBytes = 0;
        _length = RandomAccess.GetLength(File);
    }

    /// <summary>What stands behind the last whole record. Reads the file to its end.</summary>
    public LogRest ReadRest()
    {
        var extent = Extent(Offset);
        if (extent == 0)
        {
            return default;
        }

        // Where the head of the damaged record is whole its end is known, and none of its rows can be taken for a record; and its commit: what is later has a larger one, not the same, as a copy of it would.
        var isKnown = TryHead(Offset, out var first);
        var (at, after) = isKnown ? (Offset + first.Bytes, first.Commit) : (Offset + 1, _lastCommit);
        var rest = new LogRest(extent, 0, 0, 0, 0);
        while (TryFind(ref at, after, out var head))
        {
            rest = new LogRest(extent, rest.Groups + 1, rest.Observations + head.Count, rest.Groups == 0 ? head.Commit : rest.FirstCommit, head.Commit);
            at += head.Bytes;
        }

        return rest;
    }

    public void Dispose() => File.Dispose();

    /// <summary>Looks for the next head from a place on.</summary>
    private bool TryFind(ref long at, long after, out LogRecordHead head)
    {
        for (var window = Window(at, LogCodec.RecordHeadBytes); window.Length >= LogCodec.RecordHeadBytes; window = Window(at, LogCodec.RecordHeadBytes))
        {
            for (var i = 0; i + LogCodec.RecordHeadBytes <= window.Length; i++)
            {
                // Most of what is looked at is zeros. A length has at least one byte that is not, among its four.
                var zeros = window[i..].IndexOfAnyExcept((byte)0);
                i += zeros < 0 ? window.Length : Math.Max(0, zeros - 3);
                if (i + LogCodec.RecordHeadBytes <= window.Length && LogCodec.TryReadRecordHead(window[i..], Head.Salt, out head) && head.Commit > after)
                {
                    at += i;
                    return true;
                }
            }

            at += window.Length - LogCodec.RecordHeadBytes + 1;
        }

        head = default;
        return false;
    }

    private bool TryHead(long at, out LogRecordHead head) =>
        LogCodec.TryReadRecordHead(Window(at, LogCodec.RecordHeadBytes), Head.Salt, out head) && head.Commit > _lastCommit;

    private bool TryRecord(long at, LogRecordHead head, out ReadOnlySpan<byte> record)
    {
        record = default;
        if (at + head.Bytes > _length)
        {
            return false;
        }

        var window = Window(at, head.Bytes);
        if (window.Length < head.Bytes || !LogCodec.RowsAreWhole(window[..head.Bytes], Head.Salt))
        {
            return false;
        }

        record = window[..head.Bytes];
        return true;
    }

    /// <summary>Bytes from a place up to and including the last that is not zero.</summary>
    private long Extent(long from)
    {
        long extent = 0;
        for (var at = from; at < _length;)
        {
            var window = Window(at, 1);
            if (window.IsEmpty)
            {
                break;
            }

            var last = window.LastIndexOfAnyExcept((byte)0);
            extent = last < 0 ? extent : at + last + 1 - from;
            at += window.Length;
        }

        return extent;
    }

    /// <summary>The bytes at a place: at least so many, unless the file ends.</summary>
    private ReadOnlySpan<byte> Window(long at, int bytes)
    {
        if (at < _windowAt || at + bytes > _windowAt + _windowBytes)
        {
            if (_window.Length < bytes)
            {
                _window = new byte[Math.Max(bytes, WindowBytes)];
            }

            _windowAt = at;
            _windowBytes = 0;
            var want = (int)Math.Clamp(_length - at, 0, _window.Length);
            while (_windowBytes < want && RandomAccess.Read(File, _window.AsSpan(_windowBytes, want - _windowBytes), at + _windowBytes) is > 0 and var read)
            {
                _windowBytes += read;
            }
        }

        return _window.AsSpan(0, _windowBytes)[(int)Math.Min(at - _windowAt, _windowBytes)..];
    }
}
