using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update.Tests;

/// <summary>Makes bundles, good ones and those that an attacker would.</summary>
internal sealed class TestBundle : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static string Runtime { get; } = RunningAgent.Find("/", "/nowhere", "0").Runtime;

    public string PublicPem => _key.ExportSubjectPublicKeyInfoPem();

    public string PrivatePem => _key.ExportPkcs8PrivateKeyPem();

    public string Version { get; set; } = "0.0.2";

    public string Machine { get; set; } = Runtime;

    public Dictionary<string, byte[]> Files { get; } = new() { ["hub-agent"] = Encoding.UTF8.GetBytes(Slots.Script("0.0.2")), ["lib/some.so"] = RandomNumberGenerator.GetBytes(70_000) };

    /// <summary>Changes the manifest before it is signed.</summary>
    public Func<BundleManifest, BundleManifest> Manifest { get; set; } = manifest => manifest;

    /// <summary>Changes entries after signing; name and content.</summary>
    public Action<List<(string Name, byte[] Content, int Mode)>> Entries { get; set; } = _ => { };

    public bool Verify(byte[] signed, byte[] signature) => _key.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    public byte[] ToBytes()
    {
        var manifest = Manifest(new BundleManifest(
            1, Version, Machine, [.. Files.Select(file => new BundleFile(file.Key, file.Value.Length, Convert.ToHexStringLower(SHA256.HashData(file.Value)), file.Key == "hub-agent"))])).ToUtf8();
        List<(string Name, byte[] Content, int Mode)> entries =
        [
            ("manifest.json", manifest, 0x81A4),
            ("manifest.sig", _key.SignData(manifest, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence), 0x81A4),
            .. Files.Select(file => (file.Key, file.Value, 0x81A4)),
        ];
        Entries(entries);
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content, mode) in entries)
            {
                var entry = zip.CreateEntry(name);
                entry.ExternalAttributes = mode << 16;
                using var target = entry.Open();
                target.Write(content);
            }
        }

        return stream.ToArray();
    }

    public static AgentBundle Announce(byte[] bytes, string address, string? runtime = null) => new(runtime ?? Runtime, address, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));

    public void Dispose() => _key.Dispose();
}
