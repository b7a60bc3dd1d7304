using System.Security.Cryptography;
using CsCheck;
using Hub.Edge.Contract.Bundles;
using Hub.Tests.Kit;

namespace Hub.Edge.Update.Tests;

public sealed class BundleTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestBundle _bundle = new();
    private int _number;

    public void Dispose()
    {
        _bundle.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_good_one_is_unpacked_whole_with_its_manifest_last()
    {
        var steps = new List<string>();
        var (problem, folder) = Unpack(_bundle.ToBytes(), steps.Add);

        Assert.Null(problem);
        Assert.Equal(["hub-agent unpacked", "lib/some.so unpacked", "manifest unpacked"], steps);
        Assert.All(_bundle.Files, file => Assert.Equal(file.Value, File.ReadAllBytes(Path.Combine(folder, file.Key))));
        Assert.Equal((UnixFileMode)0b111_101_101, File.GetUnixFileMode(Path.Combine(folder, "hub-agent")));
        Assert.Equal((UnixFileMode)0b110_100_100, File.GetUnixFileMode(Path.Combine(folder, "lib/some.so")));
        Assert.Equal("0.0.2", AgentManifest.VersionBeside(folder));
    }

    public static TheoryData<string, string> Bad => new()
    {
        { "another key", "none of the trusted keys" },
        { "no signature", "no manifest.json or no manifest.sig" },
        { "signature is text", "none of the trusted keys" },
        { "manifest changed", "none of the trusted keys" },
        { "huge manifest", "too long" },
        { "file changed", "size or SHA-256 differ" },
        { "file shorter", "size or SHA-256 differ" },
        { "file expands", "more than the" },
        { "file missing", "lib/some.so is not in the bundle" },
        { "file twice", "or twice" },
        { "file more", "'evil', which its manifest does not name" },
        { "zip slip", "'../../evil', which its manifest does not name" },
        { "absolute", "'/etc/evil', which its manifest does not name" },
        { "manifest names a way out", "no plain relative path" },
        { "link", "lib/some.so is a link" },
        { "file is a folder", "a part of its path is a file" },
        { "not executable", "hub-agent is not executable" },
        { "no program", "has no 'hub-agent'" },
        { "other machine", "is for linux-riscv64" },
        { "other version", "is version 9.9.9, not 0.0.2" },
        { "other format", "format is 2" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_one_is_refused_with_the_reason(string what, string reason)
    {
        using var stranger = new TestBundle();
        var verifier = what == "another key" ? stranger : _bundle;
        switch (what)
        {
            case "no signature": _bundle.Entries = entries => entries.RemoveAt(1); break;
            case "signature is text": _bundle.Entries = entries => entries[1] = ("manifest.sig", "good, believe me"u8.ToArray(), 0x81A4); break;
            case "manifest changed": _bundle.Entries = entries => entries[0] = ("manifest.json", [.. entries[0].Content, (byte)' '], 0x81A4); break;
            case "huge manifest": _bundle.Entries = entries => entries[0] = ("manifest.json", new byte[50_000_000], 0x81A4); break;
            case "file changed": _bundle.Entries = entries => entries[2].Content[30] ^= 1; break;
            case "file shorter": _bundle.Entries = entries => entries[3] = (entries[3].Name, entries[3].Content[..^1], 0x81A4); break;
            case "file expands": _bundle.Entries = entries => entries[3] = (entries[3].Name, new byte[100_000_000], 0x81A4); break;
            case "file missing": _bundle.Entries = entries => entries.RemoveAt(3); break;
            case "file twice": _bundle.Entries = entries => entries.Add(entries[3]); break;
            case "file more": _bundle.Entries = entries => entries.Add(("evil", [1], 0x81A4)); break;
            case "zip slip": _bundle.Entries = entries => entries.Add(("../../evil", [1], 0x81A4)); break;
            case "absolute": _bundle.Entries = entries => entries.Add(("/etc/evil", [1], 0x81A4)); break;
            case "manifest names a way out": _bundle.Files["../../evil"] = [1]; break;
            case "link": _bundle.Entries = entries => entries[3] = (entries[3].Name, entries[3].Content, 0xA1FF); break;
            case "file is a folder": _bundle.Files["hub-agent/more"] = [1]; break;
            case "not executable": _bundle.Manifest = manifest => manifest with { Files = [.. manifest.Files.Select(file => file with { Executable = false })] }; break;
            case "no program": _bundle.Files.Remove("hub-agent"); break;
            case "other machine": _bundle.Machine = "linux-riscv64"; break;
            case "other version": _bundle.Version = "9.9.9"; break;
            case "other format": _bundle.Manifest = manifest => manifest with { Format = 2 }; break;
        }

        var file = what == "file changed" ? _bundle.Files["hub-agent"].ToArray() : null;
        var (problem, _) = Unpack(_bundle.ToBytes(), verify: verifier.Verify);

        Assert.Contains(reason, problem, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "evil")));
        Assert.DoesNotContain('\n', problem!);
        Assert.True(file is null || file.Length > 0);
    }

    [Fact]
    public void Cut_off_anywhere_it_is_refused()
    {
        var whole = _bundle.ToBytes();
        for (var length = 0; length < whole.Length; length += 997)
        {
            Assert.NotNull(Unpack(whole[..length]).Problem);
        }

        Assert.NotNull(Unpack([.. whole, 0]).Problem);
    }

    [Fact]
    public void With_any_bit_turned_it_is_refused_or_says_the_same()
    {
        var whole = _bundle.ToBytes();
        Gen.Int[0, (whole.Length * 8) - 1].Sample(
            bit =>
            {
                var turned = whole.ToArray();
                turned[bit / 8] ^= (byte)(1 << (bit % 8));
                var (problem, folder) = Unpack(turned);
                return problem is not null || _bundle.Files.All(file => File.ReadAllBytes(Path.Combine(folder, file.Key)).AsSpan().SequenceEqual(file.Value));
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public void A_directory_of_a_million_entries_is_refused_before_it_is_read()
    {
        _bundle.Entries = entries => entries.AddRange(Enumerable.Range(0, BundleManifest.FilesMax + 1).Select(i => ($"f{i}", Array.Empty<byte>(), 0x81A4)));

        Assert.Contains("directory of 1005 entries is too long", Unpack(_bundle.ToBytes()).Problem, StringComparison.Ordinal);

        // The same, with an end record that says there are four.
        var lie = _bundle.ToBytes();
        lie[^14] = lie[^12] = 4;
        lie[^13] = lie[^11] = 0;
        Assert.Contains("directory", Unpack(lie).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_full_disk_nothing_is_written_and_it_is_tried_again()
    {
        var path = Write(_bundle.ToBytes());
        var folder = Directory.CreateDirectory(_folder.File("full")).FullName;

        var refused = Assert.Throws<IOException>(() => Bundle.Unpack(path, folder, new BundleExpectation("0.0.2", TestBundle.Runtime), _ => 70_000 + UpdateDecisions.FreeBytesMin, _bundle.Verify, _ => { }, TestContext.Current.CancellationToken));

        Assert.Contains("kept free", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void Only_public_keys_on_the_right_curve_are_taken_and_one_good_signature_is_enough()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        var good = Put("good.pem", _bundle.PublicPem);
        (string Path, string? Reason)[] files =
        [
            (good, null), (Put("private.pem", _bundle.PrivatePem), "private key"), (Put("p384.pem", other.ExportSubjectPublicKeyInfoPem()), "no public key of ECDSA on P-256"),
            (Put("rsa.pem", rsa.ExportSubjectPublicKeyInfoPem()), "no public key"), (Put("text.pem", "hello"), "no public key"), (_folder.File("nowhere.pem"), "does not exist"),
            (Put("large.pem", new string('x', 20_000)), "more than"),
        ];
        Assert.All(files, file => Assert.Equal(file.Reason is null, TrustedKeys.Mistake(file.Path) is null));
        Assert.All(files.Where(file => file.Reason is not null), file => Assert.Contains(file.Reason!, TrustedKeys.Mistake(file.Path)!, StringComparison.Ordinal));

        using var zip = new System.IO.Compression.ZipArchive(new MemoryStream(_bundle.ToBytes()));
        var (manifest, signature) = (Bytes("manifest.json"), Bytes("manifest.sig"));
        Assert.True(TrustedKeys.Verify([.. files.Select(file => file.Path).Reverse()], manifest, signature));
        Assert.False(TrustedKeys.Verify(files.Skip(1).Select(file => file.Path), manifest, signature));
        Assert.False(TrustedKeys.Verify([good], manifest, []));
        Assert.False(TrustedKeys.Verify([], manifest, signature));

        byte[] Bytes(string name)
        {
            using var stream = zip.GetEntry(name)!.Open();
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }

        string Put(string name, string text)
        {
            File.WriteAllText(_folder.File(name), text);
            return _folder.File(name);
        }
    }

    private string Write(byte[] bytes)
    {
        var path = _folder.File($"{++_number}.bundle");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private (string? Problem, string Folder) Unpack(byte[] bytes, Action<string>? before = null, Func<byte[], byte[], bool>? verify = null)
    {
        var path = Write(bytes);
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "deep", $"{_number}")).FullName;
        return (Bundle.Unpack(path, folder, new BundleExpectation("0.0.2", TestBundle.Runtime), _ => long.MaxValue / 2, verify ?? _bundle.Verify, before ?? (_ => { }), TestContext.Current.CancellationToken), folder);
    }
}
