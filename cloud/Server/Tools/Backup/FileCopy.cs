using System.Security.Cryptography;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary>Reads some bytes of what is copied; 0 at the end.</summary>
internal delegate int ReadAt(Span<byte> into, long offset);

/// <summary>Copies and checks files while it computes their SHA-256. One caller at a time.</summary>
internal sealed class FileCopy(ByteProgress progress)
{
    private readonly byte[] _buffer = new byte[1024 * 1024];

    /// <summary>Copies to a new file, which is on the disk when this returns.</summary>
    /// <exception cref="IOException">Reading or writing failed.</exception>
    public (long Bytes, string Sha256) Copy(ReadAt read, string target, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        using var file = new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var sum = Sum(read, (buffer, count) => file.Write(buffer, 0, count), stop);
        file.Flush(flushToDisk: true);
        return sum;
    }

    /// <summary>Copies a file.</summary>
    public (long Bytes, string Sha256) Copy(string source, string target, CancellationToken stop)
    {
        using var file = File.OpenHandle(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        return Copy((into, offset) => RandomAccess.Read(file, into, offset), target, stop);
    }

    /// <summary>Reads a file to its end.</summary>
    public (long Bytes, string Sha256) Sum(string source, CancellationToken stop)
    {
        using var file = File.OpenHandle(source, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.SequentialScan);
        return Sum((into, offset) => RandomAccess.Read(file, into, offset), static (_, _) => { }, stop);
    }

    private (long Bytes, string Sha256) Sum(ReadAt read, Action<byte[], int> write, CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long bytes = 0;
        while (read(_buffer, bytes) is > 0 and var count)
        {
            stop.ThrowIfCancellationRequested();
            hash.AppendData(_buffer, 0, count);
            write(_buffer, count);
            bytes += count;
            progress.Add(count);
        }

        return (bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
