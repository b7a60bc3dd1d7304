using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Hub.Edge.Outbox;

/// <summary>One append-only file: groups of readings from <see cref="From"/> on. Fields that grow are changed and read under the outbox's lock.</summary>
internal sealed class Segment
{
    private Segment(string path, long index, long from) => (Path, Index, From, Next) = (path, index, from, from);

    public string Path { get; }

    /// <summary>Order of the files; never used twice.</summary>
    public long Index { get; }

    /// <summary>Sequence number of its first reading.</summary>
    public long From { get; }

    /// <summary>Sequence number behind its last durable reading.</summary>
    public long Next { get; set; }

    /// <summary>Durable bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>When its first and its last group were taken.</summary>
    public DateTimeOffset OldestAt { get; set; } = DateTimeOffset.MaxValue;

    /// <inheritdoc cref="OldestAt"/>
    public DateTimeOffset NewestAt { get; set; } = DateTimeOffset.MinValue;

    /// <summary>Notes when a group was taken; an instant of a clock that was not yet right says nothing.</summary>
    public void Extend(DateTimeOffset at)
    {
        if (at >= StationClock.Earliest)
        {
            OldestAt = at < OldestAt ? at : OldestAt;
            NewestAt = at > NewestAt ? at : NewestAt;
        }
    }

    public static Segment Create(string folder, long index, long from) =>
        new(System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{index:x8}-{from:x16}.seg")), index, from);

    /// <summary>A file that is read like a segment and belongs to none.</summary>
    public static Segment Journal(string path) => new(path, 0, 0);

    /// <summary>The segments in a folder, oldest first; files with other names are not ours and are left alone.</summary>
    public static List<Segment> List(string folder)
    {
        var segments = new List<Segment>();
        foreach (var path in Directory.EnumerateFiles(folder, "*.seg"))
        {
            var name = System.IO.Path.GetFileNameWithoutExtension(path.AsSpan());
            if (name.Length == 25 && name[8] == '-'
                && uint.TryParse(name[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var index)
                && long.TryParse(name[9..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var from) && from >= 0)
            {
                segments.Add(new Segment(path, index, from));
            }
        }

        segments.Sort((a, b) => a.Index.CompareTo(b.Index));
        return segments;
    }

    public SafeFileHandle Open(FileAccess access) =>
        File.OpenHandle(Path, access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate, access, FileShare.ReadWrite | FileShare.Delete);
}

/// <summary>Walks through the intact groups of one segment file, stepping over whatever else is there. One caller at a time.</summary>
internal sealed class SegmentReader(Segment segment) : IDisposable
{
    private readonly SafeFileHandle _file = segment.Open(FileAccess.Read);
    private byte[] _buffer = new byte[32 * 1024];
    private long _bufferAt;
    private int _buffered;

    public Segment Segment { get; } = segment;

    /// <summary>Where the next group is looked for.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes stepped over because they belong to no intact group.</summary>
    public long BytesSkipped { get; private set; }

    /// <summary>Finds the next intact group.</summary>
    /// <param name="bytes">Length of the durable part of the file; nothing behind it is looked at.</param>
    /// <param name="head">What it is.</param>
    /// <param name="group">Its bytes, head included, valid until the next call.</param>
    /// <returns>False when there is none up to <paramref name="bytes"/>.</returns>
    public bool TryNext(long bytes, out GroupHead head, out ReadOnlySpan<byte> group)
    {
        while (Offset + GroupCodec.HeadBytes <= bytes)
        {
            var window = Window(GroupCodec.HeadBytes, bytes);
            if (GroupCodec.TryReadHead(window, out head) && Offset + head.Bytes <= bytes)
            {
                window = Window(head.Bytes, bytes);
                if (window.Length >= head.Bytes && GroupCodec.IsIntact(window[..head.Bytes]))
                {
                    group = window[..head.Bytes];
                    Offset += head.Bytes;
                    return true;
                }
            }

            if (window.Length < GroupCodec.HeadBytes)
            {
                break;
            }

            // Not a group: look for the next mark, keeping the last bytes, which may be the start of one.
            var mark = window[1..].IndexOf(GroupCodec.AnyMark);
            var step = mark >= 0 ? mark + 1 : window.Length - GroupCodec.AnyMark.Length + 1;
            Offset += step;
            BytesSkipped += step;
        }

        head = default;
        group = default;
        return false;
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The bytes at <see cref="Offset"/>, at least <paramref name="count"/> unless the file ends.</summary>
    private ReadOnlySpan<byte> Window(int count, long bytes)
    {
        var ahead = (int)Math.Min(int.MaxValue, bytes - Offset);
        if (Offset < _bufferAt || Offset + Math.Min(count, ahead) > _bufferAt + _buffered)
        {
            if (_buffer.Length < count)
            {
                _buffer = new byte[count];
            }

            _bufferAt = Offset;
            _buffered = 0;
            var want = Math.Min(_buffer.Length, ahead);
            while (_buffered < want)
            {
                var read = RandomAccess.Read(_file, _buffer.AsSpan(_buffered, want - _buffered), _bufferAt + _buffered);
                if (read == 0)
                {
                    break;
                }

                _buffered += read;
            }
        }

        var start = (int)(Offset - _bufferAt);
        return _buffer.AsSpan(start, (int)Math.Min(_buffered - start, (long)ahead));
    }
}
