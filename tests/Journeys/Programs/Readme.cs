using Hub.Tests.Kit;

namespace Hub.Tests.Journeys.Programs;

/// <summary>The commands that README.md gives its reader.</summary>
public static class Readme
{
    /// <summary>The first command under a heading.</summary>
    public static string Command(string heading) => Commands(heading)[0];

    /// <summary>All commands under a heading, in order.</summary>
    public static IReadOnlyList<string> Commands(string heading)
    {
        var commands = new List<string>();
        var (here, fence) = (false, false);
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, "README.md")))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                here = line == $"## {heading}";
            }
            else if (line.StartsWith("```", StringComparison.Ordinal))
            {
                fence = !fence;
            }
            else if (here && fence && line.Trim().Length > 0)
            {
                commands.Add(line.Trim());
            }
        }

        return commands;
    }
}
