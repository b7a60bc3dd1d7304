using System.Diagnostics;

namespace Hub.Tests.Kit;

/// <summary>The checked-out tree, found from the test's own folder upwards.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Paths of all files that are part of the project (generated folders left out), relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> Files { get; } = FindFiles();

    public static IEnumerable<string> Sources(params string[] tops) =>
        Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && tops.Any(top => file.StartsWith(top + "/", StringComparison.Ordinal)));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Hub.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException("Hub.sln was not found above the test.");
    }

    private static string[] FindFiles()
    {
        // git knows what belongs to the project: tracked files and new ones that are not ignored.
        using var git = Process.Start(new ProcessStartInfo("git", ["-C", Root, "ls-files", "--cached", "--others", "--exclude-standard"]) { RedirectStandardOutput = true })!;
        var files = git.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        return [.. files.Where(file => File.Exists(Path.Combine(Root, file))).Distinct()];
    }
}
