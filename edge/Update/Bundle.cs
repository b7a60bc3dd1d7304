using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Files;

namespace Hub.Edge.Update;

/// <summary>What a bundle must be, besides signed.</summary>
internal sealed record BundleExpectation(string Version, string Runtime);

/// <summary>Checks a bundle and unpacks it, believing nothing that the signature does not cover.</summary>
internal static class Bundle
{
    private const int SignatureBytesMax = 1024;
    private const int SymbolicLink = 0xA000;
    private const int KindMask = 0xF000;

    /// <summary>
    /// Unpacks into an empty folder: every file as the manifest says it, the manifest last, everything flushed. Null when it is all there; otherwise why the bundle is refused, one line,
    /// and the folder holds rests.
    /// </summary>
    /// <param name="path">The bundle.</param>
    /// <param name="folder">An empty folder.</param>
    /// <param name="expected">What was announced.</param>
    /// <param name="freeBytes">Free space of the folder's disk.</param>
    /// <param name="verify">Whether the bytes of the manifest (first) are signed by the second.</param>
    /// <param name="before">Called before each step on the disk.</param>
    /// <param name="cancellationToken">Between files.</param>
    /// <exception cref="IOException">The disk refused: to be tried again.</exception>
    public static string? Unpack(
        string path, string folder, BundleExpectation expected, Func<string, long> freeBytes, Func<byte[], byte[], bool> verify, Action<string> before, CancellationToken cancellationToken)
    {
        using var file = File.OpenRead(path);
        if (BundleShape.Mistake(file) is { } shape)
        {
            return $"The bundle cannot be read: {shape}";
        }

        try
        {
            file.Position = 0;
            using var zip = new ZipArchive(file, ZipArchiveMode.Read);
            if (Read(zip, BundleManifest.ManifestName, BundleManifest.ManifestBytesMax) is not { } bytes || Read(zip, BundleManifest.SignatureName, SignatureBytesMax) is not { } signature)
            {
                return $"The bundle has no {BundleManifest.ManifestName} or no {BundleManifest.SignatureName}, or one that is too long.";
            }

            if (!verify(bytes, signature))
            {
                return "The signature is of none of the trusted keys.";
            }

            if (!BundleManifest.TryRead(bytes, out var manifest, out var problem))
            {
                return $"{BundleManifest.ManifestName}: {problem}";
            }

            if (Mistake(manifest, zip, expected) is { } mistake)
            {
                return mistake;
            }

            var bytesSum = manifest.Files.Sum(entry => entry.Bytes);
            if (freeBytes(folder) is var free && free < bytesSum + UpdateDecisions.FreeBytesMin)
            {
                throw new IOException($"The disk has {free} bytes free; the agent takes {bytesSum} and {UpdateDecisions.FreeBytesMin} are kept free.");
            }

            foreach (var entry in manifest.Files)
            {
                cancellationToken.ThrowIfCancellationRequested();
                before($"{entry.Path} unpacked");
                if (Extract(zip.GetEntry(entry.Path)!, entry, folder) is { } wrong)
                {
                    return $"{entry.Path}: {wrong}";
                }
            }

            foreach (var below in Directory.GetDirectories(folder, "*", SearchOption.AllDirectories))
            {
                FolderSync.Flush(below);
            }

            before("manifest unpacked");
            DurableFile.Replace(Path.Combine(folder, BundleManifest.ManifestName), bytes);
            return null;
        }
        catch (InvalidDataException e)
        {
            // Of the library: a damaged header, an unknown compression, a stream that is none.
            return $"The bundle cannot be read: {e.Message}";
        }
    }

    private static string? Mistake(BundleManifest manifest, ZipArchive zip, BundleExpectation expected)
    {
        if (manifest.Runtime != expected.Runtime)
        {
            return $"The bundle is for {manifest.Runtime}; this machine is {expected.Runtime}.";
        }

        if (manifest.Version != expected.Version)
        {
            return $"The bundle is version {manifest.Version}, not {expected.Version} as announced.";
        }

        var files = manifest.Files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        if (manifest.Files.FirstOrDefault(file => Folders(file.Path).Any(files.Contains)) is { } both)
        {
            return $"{both.Path}: a part of its path is a file.";
        }

        if (!manifest.Files.Single(file => file.Path == BundleManifest.Program).Executable)
        {
            return $"{BundleManifest.Program} is not executable.";
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in zip.Entries)
        {
            if (!seen.Add(entry.FullName) || (entry.FullName is not (BundleManifest.ManifestName or BundleManifest.SignatureName) && !files.Contains(entry.FullName)))
            {
                return $"The bundle has '{Printable(entry.FullName)}', which its manifest does not name, or twice.";
            }

            if (((entry.ExternalAttributes >> 16) & KindMask) == SymbolicLink)
            {
                return $"{entry.FullName} is a link.";
            }
        }

        return files.FirstOrDefault(file => !seen.Contains(file)) is { } missing ? $"{missing} is not in the bundle." : null;
    }

    private static IEnumerable<string> Folders(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            yield return path[..slash];
        }
    }

    private static string? Extract(ZipArchiveEntry entry, BundleFile file, string folder)
    {
        var path = Path.Combine(folder, file.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            using var source = entry.Open();
            using var target = new FileStream(path, options);
            long bytes = 0;
            for (int read; (read = source.Read(buffer)) > 0;)
            {
                // Before it is written: what expands beyond its size takes nothing from the card.
                if ((bytes += read) > file.Bytes)
                {
                    return $"it has more than the {file.Bytes} bytes its manifest says.";
                }

                hash.AppendData(buffer, 0, read);
                target.Write(buffer, 0, read);
            }

            if (bytes != file.Bytes || !string.Equals(Convert.ToHexStringLower(hash.GetHashAndReset()), file.Sha256, StringComparison.Ordinal))
            {
                return "it is not the file its manifest says: size or SHA-256 differ.";
            }

            target.Flush(flushToDisk: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        // Set here: a mode given at creation is cut by the umask, and an agent under systemd has a strict one.
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, file.Executable ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100);
        }

        return null;
    }

    private static byte[]? Read(ZipArchive zip, string name, int bytesMax)
    {
        if (zip.GetEntry(name) is not { } entry || entry.Length > bytesMax)
        {
            return null;
        }

        var bytes = new byte[bytesMax + 1];
        using var source = entry.Open();
        var count = source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count > bytesMax ? null : bytes[..count];
    }

    private static string Printable(string name) => string.Concat(name.Take(100).Select(c => char.IsControl(c) ? '?' : c));
}
