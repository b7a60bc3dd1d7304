using System.Globalization;

namespace Hub.Edge.Outbox.Tests;

/// <summary>A folder of a test in memory-backed storage, where journals stand; removed on dispose.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
internal sealed class MemoryTemp : IDisposable
{
    public MemoryTemp()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Directory.Exists("/dev/shm"), "Only Linux has folders in memory.");
        Path = System.IO.Path.Combine("/dev/shm", "hub-test-" + Guid.NewGuid().ToString("n", CultureInfo.InvariantCulture));
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path { get; }

    /// <summary>The agent's own folder in it.</summary>
    public string Own => System.IO.Path.Combine(Path, MemoryFolder.Name);

    /// <summary>Bytes of the journals in it.</summary>
    public long Bytes => Directory.Exists(Own) ? Directory.GetFiles(Own).Sum(path => new FileInfo(path).Length) : 0;

    public static string JournalOf(string memory, string folder, TimeProvider time) => Journal.Of(memory, folder, (time as StationClock)?.BootId ?? MachineTime.ReadBootId())!.Path;

    public string JournalOf(string folder, TimeProvider time) => JournalOf(Own, folder, time);

    /// <summary>Copies an outbox and its journal as a kill leaves them.</summary>
    /// <param name="folder">The outbox's folder.</param>
    /// <param name="copy">Where to.</param>
    /// <param name="time">Its time.</param>
    /// <param name="journal">What the journal holds, where that is not what it holds now.</param>
    public void Kill(string folder, string copy, TimeProvider time, byte[]? journal = null)
    {
        journal ??= ReadJournal(folder, time);
        Sample.CopyFolder(folder, copy);
        File.WriteAllBytes(JournalOf(copy, time), journal);
    }

    /// <summary>The journal as a kill leaves it: of one moment. What is gathered may go to disk just now, which empties the journal, so it is read until it stood still.</summary>
    public byte[] ReadJournal(string folder, TimeProvider time)
    {
        var path = JournalOf(folder, time);
        var (before, now) = (Read(path), Read(path));
        while (!now.AsSpan().SequenceEqual(before))
        {
            (before, now) = (now, Read(path));
        }

        return now;
    }

    private static byte[] Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
        }
    }
}
