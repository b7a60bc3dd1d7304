using System.Runtime.InteropServices;

namespace Hub.Edge.Update;

/// <summary>The agent that runs.</summary>
/// <param name="Slot">Slot it runs from: <c>a</c>, <c>b</c>; null when it does not run from one.</param>
/// <param name="Version">Its version.</param>
/// <param name="Runtime">The machine, as bundles name it.</param>
internal sealed record RunningAgent(string? Slot, string Version, string Runtime)
{
    /// <summary>Looks where the program stands.</summary>
    /// <param name="folder">Folder of the program.</param>
    /// <param name="root">Folder of the slots.</param>
    /// <param name="version">Version of the program where no manifest stands beside it.</param>
    public static RunningAgent Find(string folder, string root, string version)
    {
        var here = Real(folder);
        var slots = Real(root);
        var slot = SlotFolders.Slots.FirstOrDefault(slot => Path.Combine(slots, slot) == here);
        return new RunningAgent(slot, AgentManifest.VersionBeside(folder) ?? version, RuntimeName());
    }

    // Distributions that build .NET themselves name it after themselves (debian.12-x64); bundles do not.
    private static string RuntimeName() => RuntimeInformation.RuntimeIdentifier is var name && name.StartsWith("linux-", StringComparison.Ordinal)
        ? name
        : $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    /// <summary>The path with every link in it followed, as the system names a running program.</summary>
    private static string Real(string path)
    {
        var parts = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)).Split('/', StringSplitOptions.RemoveEmptyEntries);
        var real = "/";
        try
        {
            foreach (var part in parts)
            {
                real = Path.Combine(real, part);
                real = Directory.ResolveLinkTarget(real, returnFinalTarget: true)?.FullName ?? real;
            }

            return real;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        }
    }
}
