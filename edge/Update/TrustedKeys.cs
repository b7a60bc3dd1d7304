using System.Security.Cryptography;

namespace Hub.Edge.Update;

/// <summary>Public keys that may sign an agent.</summary>
internal static class TrustedKeys
{
    private const int FileBytesMax = 16 * 1024;

    /// <summary>NIST P-256, as its parameters name it.</summary>
    private const string Curve = "1.2.840.10045.3.1.7";

    /// <summary>Null when a file holds a key; otherwise what is wrong, to follow the name of a setting.</summary>
    public static string? Mistake(string path)
    {
        var (key, mistake) = Read(path);
        key?.Dispose();
        return mistake;
    }

    /// <summary>Whether one of the keys has made a signature. Files that cannot be read now count as no key.</summary>
    /// <param name="keyFiles">Paths of PEM files.</param>
    /// <param name="signed">The bytes.</param>
    /// <param name="signature">The signature, DER.</param>
    public static bool Verify(IEnumerable<string> keyFiles, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        foreach (var path in keyFiles)
        {
            var (key, _) = Read(path);
            using (key)
            {
                if (key is not null && IsSignedBy(key, signed, signature))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool IsSignedBy(ECDsa key, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        try
        {
            return key.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // No DER at all.
            return false;
        }
    }

    private static (ECDsa? Key, string? Mistake) Read(string path)
    {
        string text;
        try
        {
            if (!File.Exists(path))
            {
                return (null, $"'{path}' does not exist.");
            }

            if (new FileInfo(path).Length > FileBytesMax)
            {
                return (null, $"'{path}' is no PEM file of a public key: it has more than {FileBytesMax} bytes.");
            }

            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"'{path}' cannot be read: {e.Message}");
        }

        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            return (null, $"'{path}' holds a private key; a station has the public one only.");
        }

        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == Curve)
            {
                return (key, null);
            }
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
        }

        key.Dispose();
        return (null, $"'{path}' holds no public key of ECDSA on P-256; hub agent keygen makes one.");
    }
}
