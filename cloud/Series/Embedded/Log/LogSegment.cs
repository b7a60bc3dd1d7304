using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>The segment that is being written. Used by the writer alone, except <see cref="Bytes"/>.</summary>
internal sealed class LogSegment : IDisposable
{
    /// <summary>
    /// Zeros written ahead of the records, with the flush of one of them: the flushes that follow then write data only, neither length nor blocks of the file. More at once would show as a stall
    /// (4 MiB: 7 to 18 ms on a fast disk), asking the system for blocks without writing them saves nothing.
    /// </summary>
    private const int AheadBytes = 256 * 1024;

    /// <summary>A larger record costs more than the change of length does.</summary>
    private const int AheadForBytesMax = AheadBytes / 2;

    private static readonly byte[] Zeros = new byte[AheadBytes];

    private readonly LogDisk _disk;
    private readonly SafeFileHandle _file;
    private readonly uint _salt;
    private long _bytes;
    private long _allocated;
    private bool _torn;

    private LogSegment(LogDisk disk, string path, SafeFileHandle file, LogSegmentHead head, long bytes)
    {
        (_disk, Path, _file, Number, _salt) = (disk, path, file, head.Number, head.Salt);
        _bytes = _allocated = bytes;
    }

    public string Path { get; }

    public long Number { get; }

    /// <summary>Bytes of head and records. May be read by anyone.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    public bool IsEmpty => Bytes == LogCodec.SegmentHeadBytes;

    public static string PathOf(string folder, long number) => System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{number:D8}.log"));

    /// <summary>Makes a segment: when it returns, file and name are on the disk.</summary>
    /// <exception cref="IOException">It cannot be made; nothing of it is left, or a file with nothing in it that the next attempt, or the next start, removes.</exception>
    public static LogSegment Create(LogDisk disk, string folder, long number, long commitBefore)
    {
        var path = PathOf(folder, number);
        Span<byte> salt = stackalloc byte[sizeof(uint)];
        RandomNumberGenerator.Fill(salt);
        var head = new LogSegmentHead(number, commitBefore, BitConverter.ToUInt32(salt));
        Span<byte> bytes = stackalloc byte[LogCodec.SegmentHeadBytes];
        LogCodec.WriteSegmentHead(bytes, head);
        disk.Delete(path);
        var file = disk.Open(path, FileMode.CreateNew);
        try
        {
            disk.Write(file, bytes, 0);
            disk.Flush(file);
            disk.FlushFolder(folder);
            return new LogSegment(disk, path, file, head, bytes.Length);
        }
        catch
        {
            file.Dispose();
            try
            {
                disk.Delete(path);
            }
            catch (IOException)
            {
                // The cause is thrown below.
            }

            throw;
        }
    }

    /// <summary>Goes on behind the last whole record of a segment: what stands there is cut off, and all before it is on the disk, also where a killed process had not flushed it.</summary>
    public static LogSegment Resume(LogDisk disk, string path, LogSegmentHead head, long bytes)
    {
        var file = disk.Open(path, FileMode.Open);
        var segment = new LogSegment(disk, path, file, head, bytes);
        try
        {
            segment.Cut();
            return segment;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes an encoded record and flushes it.</summary>
    /// <exception cref="IOException">It could not be written; what reached the disk is cut off again, now or before the next record.</exception>
    public void Append(Span<byte> record)
    {
        Mend();
        LogCodec.Seal(record, _salt);
        _torn = true;
        try
        {
            var end = _bytes + record.Length;
            _disk.Write(_file, record, _bytes);
            if (end > _allocated)
            {
                var ahead = record.Length <= AheadForBytesMax ? AheadBytes : 0;
                if (ahead > 0)
                {
                    _disk.Write(_file, Zeros, end);
                }

                _allocated = end + ahead;
            }

            _disk.Flush(_file);
        }
        catch (IOException e)
        {
            var bytes = _bytes;
            TryMend();
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"Cannot append {record.Length} bytes to the write-ahead log {Path} at byte {bytes}."), e);
        }

        _torn = false;
        Interlocked.Add(ref _bytes, record.Length);
    }

    /// <summary>Cuts off what a failed append left, if it did.</summary>
    /// <exception cref="IOException">It cannot: nothing may be appended until it can.</exception>
    public void Mend()
    {
        if (_torn)
        {
            Cut();
            _torn = false;
        }
    }

    /// <summary>Gives back what was allocated ahead and closes the file. A failure does no harm: zeros at the end are no records.</summary>
    public void Dispose()
    {
        if (_file.IsClosed)
        {
            return;
        }

        try
        {
            _disk.SetLength(_file, _bytes);
        }
        catch (IOException)
        {
            // What a failed append left then stays, as after a crash.
        }

        _file.Dispose();
    }

    private void TryMend()
    {
        try
        {
            Mend();
        }
        catch (IOException)
        {
            // Tried again before the next record; the append that failed says why.
        }
    }

    private void Cut()
    {
        _disk.SetLength(_file, _bytes);
        _allocated = _bytes;
        _disk.Flush(_file);
    }
}
