using System.IO.Compression;
using System.Security.Cryptography;
using Hub.Edge.Contract.Bundles;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>Small agent bundles, good ones and bad ones.</summary>
internal static class TestBundle
{
    public static byte[] Make(ECDsa key, string version, string runtime = "linux-arm64", string content = "#!/bin/sh\nexit 0\n", Action<ZipArchive>? more = null, string? actual = null)
    {
        var program = System.Text.Encoding.UTF8.GetBytes(content);
        var manifest = new BundleManifest(1, version, runtime, [new BundleFile("hub-agent", program.Length, Convert.ToHexStringLower(SHA256.HashData(program)), true)]).ToUtf8();
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(zip, BundleManifest.ManifestName, manifest);
            Add(zip, BundleManifest.SignatureName, key.SignData(manifest, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            Add(zip, "hub-agent", actual is null ? program : System.Text.Encoding.UTF8.GetBytes(actual));
            more?.Invoke(zip);
        }

        return stream.ToArray();
    }

    public static void Add(ZipArchive zip, string name, byte[] content)
    {
        using var target = zip.CreateEntry(name).Open();
        target.Write(content);
    }
}
