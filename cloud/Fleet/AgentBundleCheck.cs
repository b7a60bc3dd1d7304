using System.IO.Compression;
using System.Security.Cryptography;
using Hub.Edge.Contract.Bundles;

namespace Hub.Cloud.Fleet;

/// <summary>Checks agent bundles as a station does (edge/Contract/FORMAT.md, "Agent bundles"). Safe for concurrent callers.</summary>
public static class AgentBundleCheck
{
    /// <summary>NIST P-256, as its parameters name it.</summary>
    private const string Curve = "1.2.840.10045.3.1.7";

    private const int KeyBytesMax = 16 * 1024;
    private const int LinkFile = 0xA000;
    private const int SignatureBytesMax = 1024;

    /// <summary>Reads a public key.</summary>
    /// <param name="path">PEM file.</param>
    /// <exception cref="InvalidDataException">It holds no public key of ECDSA on P-256, or a private one, which belongs on no hub.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ECDsa ReadPublicKey(string path)
    {
        if (File.Exists(path) && new FileInfo(path).Length > KeyBytesMax)
        {
            throw new InvalidDataException($"it has more than {KeyBytesMax} bytes.");
        }

        var text = File.ReadAllText(path);
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            throw new InvalidDataException("it holds a private key; give the public one, and keep the private one off the hub.");
        }

        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == Curve)
            {
                return key;
            }
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            // The library's words are about formats; ours say what to do.
        }

        key.Dispose();
        throw new InvalidDataException("it holds no public key of ECDSA on P-256; make one with: hub agent keygen --key KEY.pem");
    }

    /// <summary>Checks a bundle.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keys">Public keys of which one must have signed it; with none its signature is not checked.</param>
    /// <returns>Its manifest.</returns>
    /// <exception cref="BundleRefusedException">A station would refuse it; the message says why.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static BundleManifest Check(string path, IReadOnlyCollection<ECDsa> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        try
        {
            using var zip = ZipFile.OpenRead(path);
            if (zip.Entries.Count > BundleManifest.FilesMax + 2)
            {
                throw new BundleRefusedException($"it has {zip.Entries.Count} entries; a bundle has at most {BundleManifest.FilesMax} files.");
            }

            if (Read(zip, BundleManifest.ManifestName, BundleManifest.ManifestBytesMax) is not { } bytes || Read(zip, BundleManifest.SignatureName, SignatureBytesMax) is not { } signature)
            {
                throw new BundleRefusedException($"it has no {BundleManifest.ManifestName} or no {BundleManifest.SignatureName}, or one that is too long.");
            }

            if (keys.Count > 0 && !keys.Any(key => IsSigned(key, bytes, signature)))
            {
                throw new BundleRefusedException(keys.Count == 1 ? "the signature is not of this key." : "the signature is of none of the keys.");
            }

            if (!BundleManifest.TryRead(bytes, out var manifest, out var problem))
            {
                throw new BundleRefusedException(problem);
            }

            if (manifest.Runtime.Length is 0 or > 64 || !manifest.Runtime.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.'))
            {
                throw new BundleRefusedException("its runtime is not one such as linux-arm64 or linux-x64.");
            }

            var files = manifest.Files.ToDictionary(file => file.Path, StringComparer.Ordinal);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var entry in zip.Entries)
            {
                if (!seen.Add(entry.FullName) || ((entry.ExternalAttributes >> 16) & 0xF000) == LinkFile)
                {
                    throw new BundleRefusedException($"'{entry.FullName}' is a link, or stands twice.");
                }

                if (entry.FullName is not (BundleManifest.ManifestName or BundleManifest.SignatureName) && !IsWhole(entry, files.GetValueOrDefault(entry.FullName)))
                {
                    throw new BundleRefusedException($"'{entry.FullName}' is not in the manifest, or its size or SHA-256 differ.");
                }
            }

            return files.Keys.FirstOrDefault(file => !seen.Contains(file)) is { } missing ? throw new BundleRefusedException($"'{missing}' is missing.") : manifest;
        }
        catch (InvalidDataException e)
        {
            throw new BundleRefusedException($"it is no ZIP file, or damaged: {e.Message}");
        }
    }

    private static bool IsSigned(ECDsa key, byte[] bytes, byte[] signature)
    {
        try
        {
            return key.VerifyData(bytes, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool IsWhole(ZipArchiveEntry entry, BundleFile? file)
    {
        if (file is null)
        {
            return false;
        }

        using var source = entry.Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        long bytes = 0;
        for (int read; (read = source.Read(buffer)) > 0 && (bytes += read) <= file.Bytes;)
        {
            hash.AppendData(buffer, 0, read);
        }

        return bytes == file.Bytes && Convert.ToHexStringLower(hash.GetHashAndReset()) == file.Sha256;
    }

    private static byte[]? Read(ZipArchive zip, string name, int bytesMax)
    {
        if (zip.GetEntry(name) is not { } entry)
        {
            return null;
        }

        var bytes = new byte[bytesMax + 1];
        using var source = entry.Open();
        var count = source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count > bytesMax ? null : bytes[..count];
    }
}
