using System.IO.Compression;
using System.Security.Cryptography;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Update;
using Hub.Tests.Kit;

namespace Hub.Cloud.Server.Tests;

/// <summary>The tool that makes bundles, against the code of the station that installs them.</summary>
public sealed class AgentToolTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _publish;

    public AgentToolTests()
    {
        _publish = Directory.CreateDirectory(_folder.File("publish")).FullName;
        Write("hub-agent", "#!/bin/sh\nexit 0\n", executable: true);
        Write("libe_sqlite3.so", new string('x', 100_000));
        Write("data/zones.txt", "Europe/Lisbon");
    }

    private string Key => _folder.File("key.pem");

    private string PublicKey => _folder.File("key.pub.pem");

    private string Bundle => _folder.File("agent.bundle");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_it_packs_a_station_unpacks()
    {
        Assert.Equal(0, (await RunAsync($"agent keygen --key {Key}")).Code);
        var packed = await PackAsync("1.4.0");
        Assert.Equal(0, packed.Code);
        var bytes = await File.ReadAllBytesAsync(Bundle, TestContext.Current.CancellationToken);
        Assert.Contains($"sha256   {Convert.ToHexStringLower(SHA256.HashData(bytes))}", packed.Output, StringComparison.Ordinal);
        Assert.Contains($"bytes    {bytes.Length}", packed.Output, StringComparison.Ordinal);
        Assert.Equal(packed.Output, (await RunAsync($"agent verify {Bundle} --key {PublicKey}")).Output);

        var folder = Directory.CreateDirectory(_folder.File("slot")).FullName;
        Assert.Null(TrustedKeys.Mistake(PublicKey));
        Assert.Null(Edge.Update.Bundle.Unpack(
            Bundle, folder, new BundleExpectation("1.4.0", "linux-arm64"), _ => long.MaxValue / 2, (manifest, signature) => TrustedKeys.Verify([PublicKey], manifest, signature), _ => { },
            TestContext.Current.CancellationToken));
        foreach (var file in new[] { "hub-agent", "libe_sqlite3.so", "data/zones.txt" })
        {
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(_publish, file), TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(Path.Combine(folder, file), TestContext.Current.CancellationToken));
        }

        Assert.Equal("1.4.0", AgentManifest.VersionBeside(folder));
    }

    [Fact]
    public async Task The_same_folder_makes_the_same_bundle_save_the_signature()
    {
        await RunAsync($"agent keygen --key {Key}");
        await PackAsync("1.4.0");
        var first = Entries();
        foreach (var file in Directory.GetFiles(_publish, "*", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(file, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        await PackAsync("1.4.0");
        Assert.Equal(first, Entries());

        List<string> Entries()
        {
            using var zip = ZipFile.OpenRead(Bundle);
            return [.. zip.Entries.Where(entry => entry.FullName != BundleManifest.SignatureName).Select(entry => $"{entry.FullName} {entry.Crc32} {entry.CompressedLength} {entry.LastWriteTime.DateTime:O} {entry.ExternalAttributes:X}")];
        }
    }

    [Fact]
    public async Task The_private_key_is_for_its_owner_only_and_never_written_over()
    {
        await RunAsync($"agent keygen --key {Key}");
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Key));
        }

        var before = await File.ReadAllTextAsync(Key, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("PRIVATE", await File.ReadAllTextAsync(PublicKey, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var again = await RunAsync($"agent keygen --key {Key}");
        Assert.Equal((2, before), (again.Code, await File.ReadAllTextAsync(Key, TestContext.Current.CancellationToken)));
        Assert.Contains("never written over", again.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("another key", "the signature is not of this key")]
    [InlineData("cut", "it is no ZIP file, or damaged")]
    [InlineData("changed", "its size or SHA-256 differ")]
    [InlineData("more", "'evil' is not in the manifest")]
    [InlineData("less", "'data/zones.txt' is missing")]
    public async Task A_bad_bundle_does_not_pass(string what, string reason)
    {
        await RunAsync($"agent keygen --key {Key}");
        await PackAsync("1.4.0");
        var key = PublicKey;
        switch (what)
        {
            case "another key":
                await RunAsync($"agent keygen --key {_folder.File("other.pem")}");
                key = _folder.File("other.pub.pem");
                break;
            case "cut":
                await using (var file = File.OpenWrite(Bundle))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            default:
                await using (var zip = await ZipFile.OpenAsync(Bundle, ZipArchiveMode.Update, TestContext.Current.CancellationToken))
                {
                    if (what != "more")
                    {
                        zip.GetEntry("data/zones.txt")!.Delete();
                    }

                    if (what != "less")
                    {
                        await using var stream = await zip.CreateEntry(what == "more" ? "evil" : "data/zones.txt").OpenAsync(TestContext.Current.CancellationToken);
                        stream.WriteByte(1);
                    }
                }

                break;
        }

        var (code, _, error) = await RunAsync($"agent verify {Bundle} --key {key}");
        Assert.Equal(2, code);
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--folder {0}/nowhere --version 1.4.0 --runtime linux-x64 --key {0}/key.pem --out {0}/b", "There is no folder")]
    [InlineData("--folder {0}/publish --version 1.4 --runtime linux-x64 --key {0}/key.pem --out {0}/b", "version is '1.4'")]
    [InlineData("--folder {0}/publish --version 1.4.0 --runtime Linux/x64 --key {0}/key.pem --out {0}/b", "linux-arm64 or linux-x64")]
    [InlineData("--folder {0}/publish --version 1.4.0 --runtime linux-x64 --key {0}/key.pub.pem --out {0}/b", "holds no private key")]
    [InlineData("--folder {0}/publish --version 1.4.0 --runtime linux-x64 --key {0}/nowhere.pem --out {0}/b", "nowhere.pem")]
    [InlineData("--folder {0}/publish/data --version 1.4.0 --runtime linux-x64 --key {0}/key.pem --out {0}/b", "has no 'hub-agent'")]
    [InlineData("--folder {0}/publish --version 1.4.0 --runtime linux-x64 --key {0}/key.pem --out {0}/nowhere/b", "nowhere")]
    [InlineData("--folder {0}/linked --version 1.4.0 --runtime linux-x64 --key {0}/key.pem --out {0}/b", "is a link")]
    [InlineData("--folder {0}/plain --version 1.4.0 --runtime linux-x64 --key {0}/key.pem --out {0}/b", "is not executable")]
    [InlineData("--folder {0}/spaced --version 1.4.0 --runtime linux-x64 --key {0}/key.pem --out {0}/b", "no plain relative path")]
    [InlineData("--folder {0}/publish --version 1.4.0 --runtime linux-x64 --key {0}/key.pem", "See: hub agent pack --help")]
    public async Task A_mistake_is_one_line_and_nothing_is_written(string arguments, string expected)
    {
        await RunAsync($"agent keygen --key {Key}");
        Directory.CreateDirectory(_folder.File("linked"));
        File.CreateSymbolicLink(Path.Combine(_folder.File("linked"), "hub-agent"), Path.Combine(_publish, "hub-agent"));
        Directory.CreateDirectory(_folder.File("plain"));
        await File.WriteAllTextAsync(Path.Combine(_folder.File("plain"), "hub-agent"), "x", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_folder.File("spaced"));
        File.Copy(Path.Combine(_publish, "hub-agent"), Path.Combine(_folder.File("spaced"), "hub-agent"));
        await File.WriteAllTextAsync(Path.Combine(_folder.File("spaced"), "a b"), "x", TestContext.Current.CancellationToken);

        var (code, output, error) = await RunAsync("agent pack " + string.Format(System.Globalization.CultureInfo.InvariantCulture, arguments, _folder.Path));

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(expected, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("b")) || File.Exists(_folder.File("b.new")));
    }

    private Task<(int Code, string Output, string Error)> PackAsync(string version) =>
        RunAsync($"agent pack --folder {_publish} --version {version} --runtime linux-arm64 --key {Key} --out {Bundle}");

    private static async Task<(int Code, string Output, string Error)> RunAsync(string arguments)
    {
        using var said = new SaidConsole();
        return (await HubCommand.RunAsync(arguments.Split(' '), TestContext.Current.CancellationToken), said.Output, said.Error);
    }

    private void Write(string name, string text, bool executable = false)
    {
        var path = Path.Combine(_publish, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        if (executable && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        }
    }
}
