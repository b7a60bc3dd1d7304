using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>Reads ranges of held readings, remembering where it stood, so that reading on costs no seeking. One caller at a time.</summary>
/// <param name="find">The segment a sequence number belongs to, with its durable bytes and the number behind its last reading.</param>
/// <param name="lose">Called for a range that turned out to be unreadable, with the file's name.</param>
/// <param name="stamp">Gives a reading the time it had, where it was taken before that was known; with the start of the machine it counts from.</param>
internal sealed class OutboxReader(
    Func<long, (Segment Segment, long Bytes, long Next)?> find, Action<long, long, string> lose, Func<Reading, string, Reading> stamp) : IDisposable
{
    /// <summary>EIO as .NET reports it.</summary>
    private const int UnreadableSector = 5;

    private readonly StringPool _pool = new();
    private readonly GroupContent _group = new();
    private SegmentReader? _reader;
    private long _groupFrom;
    private long _groupUntil;
    private long _passed;

    /// <summary>Reads up to <paramref name="count"/> readings from a sequence number that is held into an empty list; fewer where the file is damaged, none when that starts at once.</summary>
    public void Read(long from, int count, List<Reading> readings)
    {
        var sequence = from;
        while (readings.Count < count)
        {
            if (sequence >= _groupFrom && sequence < _groupUntil)
            {
                var skip = (int)(sequence - _groupFrom);
                var take = Math.Min(count - readings.Count, _group.Readings.Count - skip);
                for (var i = 0; i < take; i++)
                {
                    readings.Add(_group.Readings[skip + i]);
                }

                sequence += take;
                continue;
            }

            if (!Load(sequence))
            {
                break;
            }
        }
    }

    public void Dispose() => _reader?.Dispose();

    /// <summary>Loads the group that holds a sequence number; false when it cannot be read (said to the outbox) or is no longer there.</summary>
    private bool Load(long sequence)
    {
        if (find(sequence) is not { } found)
        {
            return false;
        }

        var (segment, bytes, next) = found;
        try
        {
            if (_reader is null || _reader.Segment != segment || sequence < _passed)
            {
                _reader?.Dispose();
                _reader = null;
                _passed = 0;
                _reader = new SegmentReader(segment);
            }

            (_groupFrom, _groupUntil) = (0, 0);
            while (_reader.TryNext(bytes, out var head, out var group))
            {
                _passed = head.Until;
                // Groups outside what the segment is known to hold are what a failed append left behind.
                if (head.Until <= sequence || head.Sequence < segment.From || head.Until > next || !GroupCodec.TryDecode(group, _pool, _group))
                {
                    continue;
                }

                if (_group.Boot is { } boot)
                {
                    for (var i = 0; i < _group.Readings.Count; i++)
                    {
                        _group.Readings[i] = stamp(_group.Readings[i], boot);
                    }
                }

                (_groupFrom, _groupUntil) = (head.Sequence, head.Until);
                if (head.Sequence > sequence)
                {
                    lose(sequence, head.Sequence, segment.Path);
                    return false;
                }

                return true;
            }
        }
        catch (IOException e) when (e is FileNotFoundException || e.HResult == UnreadableSector)
        {
            // The rest of this file is given up, the next one is not. Any other failure is the caller's to retry.
        }

        lose(sequence, Math.Max(next, sequence + 1), segment.Path);
        return false;
    }
}
