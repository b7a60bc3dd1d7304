using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Hub.Cloud.Series;

/// <summary>
/// Which datastreams a stretch of commits changed, and from when on. Notes are folded as they age, so there are at most some dozens: a question about the last hours is answered nearly exactly, one
/// about last month may name an earlier time than necessary, and none misses a change.
/// </summary>
internal sealed class ChangeNote
{
    /// <summary>Notes of one level; one more, and the two oldest become one of the next level.</summary>
    public const int PerLevel = 4;

    private const uint Magic = 0x3147_4843; // "CHG1", little endian

    private readonly int[] _datastreams;
    private readonly long[] _earliest;

    private ChangeNote(long firstCommit, long lastCommit, int level, int[] datastreams, long[] earliest)
    {
        FirstCommit = firstCommit;
        LastCommit = lastCommit;
        Level = level;
        _datastreams = datastreams;
        _earliest = earliest;
    }

    public long FirstCommit { get; }

    public long LastCommit { get; }

    public int Level { get; }

    /// <summary>Number of datastreams.</summary>
    public int Count => _datastreams.Length;

    public static ChangeNote Of(long firstCommit, long lastCommit, int level, Dictionary<int, long> earliest)
    {
        int[] datastreams = [.. earliest.Keys.Order()];
        return new ChangeNote(firstCommit, lastCommit, level, datastreams, Array.ConvertAll(datastreams, datastream => earliest[datastream]));
    }

    /// <summary>One note for both stretches.</summary>
    public ChangeNote FoldedWith(ChangeNote later)
    {
        var earliest = new Dictionary<int, long>(Math.Max(Count, later.Count));
        AddTo(earliest);
        later.AddTo(earliest);
        return Of(FirstCommit, later.LastCommit, Math.Max(Level, later.Level) + 1, earliest);
    }

    /// <summary>Lowers the earliest times, microseconds, by this note's.</summary>
    public void AddTo(Dictionary<int, long> into)
    {
        for (var i = 0; i < _datastreams.Length; i++)
        {
            ref var earliest = ref CollectionsMarshal.GetValueRefOrAddDefault(into, _datastreams[i], out var exists);
            earliest = exists ? Math.Min(earliest, _earliest[i]) : _earliest[i];
        }
    }

    /// <summary>Writes the file; durable when it returns.</summary>
    public void Write(string path)
    {
        var bytes = new byte[4 + (12 * Count) + 32];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        for (var i = 0; i < Count; i++)
        {
            var at = bytes.AsSpan(4 + (12 * i));
            BinaryPrimitives.WriteInt32LittleEndian(at, _datastreams[i]);
            BinaryPrimitives.WriteInt64LittleEndian(at[4..], _earliest[i]);
        }

        SHA256.HashData(bytes.AsSpan(..^32), bytes.AsSpan(^32..));
        DurableFile.Replace(path, bytes);
    }

    /// <exception cref="InvalidDataException">The file is missing or damaged; says what to do.</exception>
    public static ChangeNote Read(string path, ChangeInfo info)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (FileNotFoundException e)
        {
            throw new InvalidDataException($"The file {path} is named by the manifest and is missing: restore the folder from a backup.", e);
        }

        if (bytes.Length < 36 || (bytes.Length - 36) % 12 != 0 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic || !SHA256.HashData(bytes.AsSpan(..^32)).AsSpan().SequenceEqual(bytes.AsSpan(^32..)))
        {
            throw new InvalidDataException($"The file {path} is damaged: restore the folder from a backup.");
        }

        var count = (bytes.Length - 36) / 12;
        var (datastreams, earliest) = (new int[count], new long[count]);
        for (var i = 0; i < count; i++)
        {
            var at = bytes.AsSpan(4 + (12 * i));
            datastreams[i] = BinaryPrimitives.ReadInt32LittleEndian(at);
            earliest[i] = BinaryPrimitives.ReadInt64LittleEndian(at[4..]);
        }

        return new ChangeNote(info.FirstCommit, info.LastCommit, info.Level, datastreams, earliest);
    }
}
