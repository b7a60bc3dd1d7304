using System.Runtime.CompilerServices;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>Where the portal's source files are.</summary>
internal static class Source
{
    public static string Folder { get; } = Find();

    public static IEnumerable<(string Path, string Text)> Files(params string[] extensions) =>
        Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/node_modules/", StringComparison.Ordinal))
            .Where(path => extensions.Contains(Path.GetExtension(path)))
            .Select(path => (path, File.ReadAllText(path)));

    private static string Find([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "..", "cloud", "Portal")).Replace('\\', '/');
}
