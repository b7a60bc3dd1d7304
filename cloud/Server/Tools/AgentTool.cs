using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Hub.Edge.Contract.Bundles;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools;

/// <summary>
/// <c>hub agent</c>: keys and signed bundles of the station agent. <c>keygen</c>, <c>pack</c> and <c>verify</c> need no data folder: the private key belongs on a machine of its own.
/// </summary>
internal static class AgentTool
{
    /// <summary>NIST P-256, as its parameters name it.</summary>
    private const string Curve = "1.2.840.10045.3.1.7";

    private const int KeyBytesMax = 16 * 1024;

    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var command = new Command("agent", "Make keys and signed bundles of the station agent, and bring them to stations.");

        var made = new Option<string>("--key") { Description = "File for the private key; the public one goes beside it as .pub.pem", Required = true, HelpName = "KEY.pem" };
        var keygen = new Command("keygen", "Make a key pair (ECDSA, P-256). Keep the private one off the hub; stations name the public one in update.keyFiles.") { made };
        keygen.SetAction((result, _) => guard(() => Files(() => MakeKeys(result.GetValue(made)!))));
        command.Add(keygen);

        var folder = new Option<string>("--folder") { Description = "Folder of the published agent; holds hub-agent", Required = true, HelpName = "DIR" };
        var version = new Option<string>("--version") { Description = "Version the bundle has, e.g. 1.4.0", Required = true, HelpName = "VERSION" };
        var runtime = new Option<string>("--runtime") { Description = "Machines it is for, e.g. linux-arm64 or linux-x64", Required = true, HelpName = "RUNTIME" };
        var key = new Option<string>("--key") { Description = "Private key, as hub agent keygen makes it", Required = true, HelpName = "KEY.pem" };
        var target = new Option<string>("--out") { Description = "Bundle to write; one that is there is replaced", Required = true, HelpName = "FILE" };
        var pack = new Command("pack", "Pack and sign a published agent; prints what a station must be told of it.") { folder, version, runtime, key, target };
        pack.SetAction((result, _) => guard(() => Files(() =>
        {
            using var signer = ReadKey(result.GetValue(key)!, isPrivate: true);
            var path = result.GetValue(target)!;
            var given = result.GetValue(runtime)!;
            if (given.Length is 0 or > 64 || !given.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.'))
            {
                throw new StartException($"--runtime {given}: give one such as linux-arm64 or linux-x64.");
            }

            Tell(path, AgentBundleFile.Pack(result.GetValue(folder)!, result.GetValue(version)!, given, signer, path));
        })));
        command.Add(pack);

        var bundle = new Argument<string>("BUNDLE") { Description = "The bundle" };
        var trusted = new Option<string>("--key") { Description = "Public key that must have signed it", Required = true, HelpName = "KEY.pub.pem" };
        var verify = new Command("verify", "Check a bundle as a station would; exit code 0 when it is good.") { bundle, trusted };
        verify.SetAction((result, _) => guard(() => Files(() =>
        {
            using var signer = ReadKey(result.GetValue(trusted)!, isPrivate: false);
            var path = result.GetValue(bundle)!;
            Tell(path, AgentBundleFile.Verify(path, signer));
        })));
        command.Add(verify);
        foreach (var verb in CampaignTool.Create(settings, guard))
        {
            command.Add(verb);
        }

        return command;
    }

    private static void MakeKeys(string path)
    {
        var publicPath = Path.ChangeExtension(path, ".pub.pem");
        foreach (var file in new[] { path, publicPath })
        {
            if (File.Exists(file))
            {
                throw new StartException($"{file} is there already; a key is never written over.");
            }
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var writer = new StreamWriter(path, options))
        {
            writer.Write(key.ExportPkcs8PrivateKeyPem() + "\n");
        }

        File.WriteAllText(publicPath, key.ExportSubjectPublicKeyInfoPem() + "\n");
        Console.WriteLine($"private  {path}");
        Console.WriteLine($"public   {publicPath}");
    }

    private static void Tell(string path, BundleManifest manifest)
    {
        using var stream = File.OpenRead(path);
        Console.WriteLine($"version  {manifest.Version}");
        Console.WriteLine($"runtime  {manifest.Runtime}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"files    {manifest.Files.Count}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bytes    {stream.Length}"));
        Console.WriteLine($"sha256   {Convert.ToHexStringLower(SHA256.HashData(stream))}");
    }

    private static ECDsa ReadKey(string path, bool isPrivate)
    {
        if (File.Exists(path) && new FileInfo(path).Length > KeyBytesMax)
        {
            throw new StartException($"{path} is no key: it has more than {KeyBytesMax} bytes.");
        }

        var text = File.ReadAllText(path);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == Curve && (!isPrivate || text.Contains("PRIVATE KEY", StringComparison.Ordinal)))
            {
                return key;
            }
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            // The library's words are about formats; ours say what to do.
        }

        key.Dispose();
        throw new StartException($"{path} holds no {(isPrivate ? "private" : "public")} key of ECDSA on P-256; make one with: hub agent keygen --key KEY.pem");
    }

    /// <summary>What the file system refuses a user can mend.</summary>
    private static Task<int> Files(Action action)
    {
        try
        {
            action();
            return Task.FromResult(0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(e.Message.ReplaceLineEndings(" "));
        }
    }
}
