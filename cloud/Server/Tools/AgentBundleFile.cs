using System.IO.Compression;
using System.Security.Cryptography;
using Hub.Cloud.Fleet;
using Hub.Edge.Contract.Bundles;

namespace Hub.Cloud.Server.Tools;

/// <summary>Makes and checks agent bundles (edge/Contract/FORMAT.md, "Agent bundles").</summary>
internal static class AgentBundleFile
{
    /// <summary>The earliest time a ZIP entry can have: bundles of the same files have the same bytes, save the signature.</summary>
    private static readonly DateTimeOffset EntryTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const int RegularFile = 0x8000;

    /// <summary>Packs a folder and signs it. The file appears whole or not at all.</summary>
    /// <returns>The manifest.</returns>
    /// <exception cref="StartException">Folder or key are not fit for a bundle.</exception>
    public static BundleManifest Pack(string folder, string version, string runtime, ECDsa key, string target)
    {
        if (!Directory.Exists(folder))
        {
            throw new StartException($"There is no folder '{folder}'.");
        }

        var paths = Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Where(path => !Directory.Exists(path) || IsLink(path))
            .Select(path => (Full: path, Relative: Path.GetRelativePath(folder, path).Replace('\\', '/'))).OrderBy(path => path.Relative, StringComparer.Ordinal).ToList();
        if (paths.FirstOrDefault(path => IsLink(path.Full)).Relative is { } link)
        {
            throw new StartException($"{folder}: '{link}' is a link; a bundle has files only.");
        }

        if (paths.Count > BundleManifest.FilesMax)
        {
            throw new StartException($"{folder} has {paths.Count} files; a bundle has at most {BundleManifest.FilesMax}.");
        }

        var manifest = new BundleManifest(1, version, runtime, [.. paths.Select(path => Describe(path.Full, path.Relative))]);
        var bytes = manifest.ToUtf8();
        if (!BundleManifest.TryRead(bytes, out _, out var problem))
        {
            throw new StartException($"{folder}: {problem}");
        }

        if (manifest.Files.Single(file => file.Path == BundleManifest.Program) is { Executable: false })
        {
            throw new StartException($"{folder}/{BundleManifest.Program} is not executable: chmod +x it.");
        }

        var fresh = target + ".new";
        try
        {
            using (var zip = ZipFile.Open(Renewed(fresh), ZipArchiveMode.Create))
            {
                Add(zip, BundleManifest.ManifestName, false, stream => stream.Write(bytes));
                Add(zip, BundleManifest.SignatureName, false, stream => stream.Write(key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
                foreach (var (file, path) in manifest.Files.Zip(paths))
                {
                    Add(zip, file.Path, file.Executable, stream =>
                    {
                        using var source = File.OpenRead(path.Full);
                        source.CopyTo(stream);
                    });
                }
            }

            if (new FileInfo(fresh).Length > BundleManifest.BundleBytesMax)
            {
                throw new StartException($"The bundle has {new FileInfo(fresh).Length} bytes; at most {BundleManifest.BundleBytesMax} are taken.");
            }

            File.Move(fresh, target, overwrite: true);
            return manifest;
        }
        finally
        {
            File.Delete(fresh);
        }
    }

    /// <summary>Checks a bundle as a station does.</summary>
    /// <exception cref="StartException">It would be refused.</exception>
    public static BundleManifest Verify(string path, ECDsa key)
    {
        try
        {
            return AgentBundleCheck.Check(path, [key]);
        }
        catch (BundleRefusedException refused)
        {
            throw new StartException($"{path} is not a good bundle: {refused.Message}", refused);
        }
    }

    private static BundleFile Describe(string path, string relative)
    {
        using var stream = File.OpenRead(path);
        var isExecutable = OperatingSystem.IsWindows() ? relative == BundleManifest.Program : (File.GetUnixFileMode(path) & Executable) != 0;
        return new BundleFile(relative, stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)), isExecutable);
    }

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    private static string Renewed(string path)
    {
        File.Delete(path);
        return path;
    }

    private static void Add(ZipArchive zip, string name, bool executable, Action<Stream> write)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.SmallestSize);
        entry.LastWriteTime = EntryTime;
        entry.ExternalAttributes = (RegularFile | (executable ? 0b111_101_101 : 0b110_100_100)) << 16;
        using var stream = entry.Open();
        write(stream);
    }
}
