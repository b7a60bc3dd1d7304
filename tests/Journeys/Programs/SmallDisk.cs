using System.Globalization;
using Hub.Tests.Kit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>
/// A real file system of a few megabytes (tmpfs), mounted in a namespace of its own, which needs no rights where the kernel lets users have such namespaces. Programs see it when they are started
/// behind <see cref="Prefix"/>; it goes with this object.
/// </summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private readonly RunningProgram _holder;

    private SmallDisk(string path, RunningProgram holder) => (Path, _holder) = (path, holder);

    /// <summary>Where it is mounted, for the programs on it.</summary>
    public string Path { get; }

    /// <summary>The same place for everybody else.</summary>
    public string Outside => string.Create(CultureInfo.InvariantCulture, $"/proc/{_holder.Process.Id}/root{Path}");

    /// <summary>Program and arguments that start another program where the disk is mounted.</summary>
    public IReadOnlyList<string> Prefix => ["nsenter", "--target", _holder.Process.Id.ToString(CultureInfo.InvariantCulture), "--user", "--mount", "--preserve-credentials"];

    /// <summary>Free bytes.</summary>
    public long Free => new DriveInfo(Outside).AvailableFreeSpace;

    private string Filler => System.IO.Path.Combine(Outside, "filler");

    /// <param name="mountAt">A folder that is there.</param>
    /// <param name="megabytes">Its size.</param>
    public static async Task<SmallDisk> MountAsync(string mountAt, int megabytes)
    {
        // cat ends when its input does: with the test at the latest.
        var holder = new RunningProgram(
            "unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", string.Create(CultureInfo.InvariantCulture, $"mount -t tmpfs -o size={megabytes}m tmpfs '{mountAt}' && echo mounted && exec cat")]);
        await Eventually.TrueAsync(
            () => holder.HasExited ? throw new InvalidOperationException($"No namespace with a disk of its own can be had here:\n{holder.Output}") : holder.Output.Contains("mounted", StringComparison.Ordinal),
            "the small disk is mounted");
        return new SmallDisk(mountAt, holder);
    }

    /// <summary>Fills it to the last block but so many bytes.</summary>
    public void Fill(long leave = 0)
    {
        using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (Free > leave)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Clear() => File.Delete(Filler);

    public ValueTask DisposeAsync() => _holder.DisposeAsync();
}
