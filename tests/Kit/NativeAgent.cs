using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Hub.Tests.Kit;

/// <summary>
/// The agent as it is shipped: one native file, published as edge/Agent/README.md says. Published when first asked for, by whichever test program asks; kept in <c>artifacts/native</c>
/// for as long as nothing that goes into it changes. Any warning of the compilers fails it.
/// </summary>
public static class NativeAgent
{
    private static readonly TimeSpan PublishLimit = TimeSpan.FromMinutes(15);

    private static string Folder => Path.Combine(Repository.Root, "artifacts", "native");

    /// <summary>Path of the program for a runtime, <c>linux-x64</c> or <c>linux-arm64</c>.</summary>
    public static async Task<string> GetAsync(string runtime, CancellationToken cancellationToken)
    {
        var kept = Path.Combine(Folder, $"{runtime}-{await DigestAsync(cancellationToken)}");
        var program = Path.Combine(kept, "hub-agent");
        if (File.Exists(program))
        {
            return program;
        }

        Directory.CreateDirectory(Folder);
        await using var turn = await TurnAsync(cancellationToken);
        if (!File.Exists(program))
        {
            // A folder of its own for all that the build makes: other tests build the same projects meanwhile.
            var made = Path.Combine(Folder, "made");
            Delete(made);
            await RunAsync(
                // The solution's build has analysed the sources: here that would double the compiler's work.
                ["publish", Path.Combine(Repository.Root, "edge", "Agent"), "-r", runtime, "-o", made, "--artifacts-path", Path.Combine(Folder, "build"), "-nodeReuse:false", "-v", "quiet", "-p:UseSharedCompilation=true", "-p:RunAnalyzers=false"],
                PublishLimit, cancellationToken);
            foreach (var old in Directory.GetDirectories(Folder, runtime + "-*"))
            {
                Delete(old);
            }

            Directory.Move(made, kept);
        }

        return program;
    }

    /// <summary>Names what goes into the program by its content: the sources, the settings of the build, the SDK.</summary>
    private static async Task<string> DigestAsync(CancellationToken cancellationToken)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(Encoding.UTF8.GetBytes(await RunAsync(["--version"], PublishLimit, cancellationToken)));
        foreach (var file in Repository.Files.Where(Counts).Order(StringComparer.Ordinal))
        {
            digest.AppendData(Encoding.UTF8.GetBytes(file));
            digest.AppendData(await File.ReadAllBytesAsync(Path.Combine(Repository.Root, file), cancellationToken));
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset().AsSpan(0, 8));
    }

    private static bool Counts(string file) =>
        (file.StartsWith("edge/", StringComparison.Ordinal) && !file.EndsWith(".md", StringComparison.Ordinal))
        || file is "Directory.Build.props" or "Directory.Packages.props" or "global.json" or ".editorconfig" or "firmware-config/schema/station.schema.json";

    /// <summary>One publishes at a time, over all test programs of this tree.</summary>
    private static async Task<FileStream> TurnAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(Folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
            }
        }
    }

    private static async Task<string> RunAsync(string[] arguments, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using var dotnet = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root })!;
        try
        {
            var output = dotnet.StandardOutput.ReadToEndAsync(limit.Token);
            var error = dotnet.StandardError.ReadToEndAsync(limit.Token);
            await dotnet.WaitForExitAsync(limit.Token);
            return dotnet.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} ended with {dotnet.ExitCode}:\n{await output}\n{await error}");
        }
        catch (OperationCanceledException)
        {
            dotnet.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
