using System.Reflection;

namespace Hub.Cloud.Alerts;

/// <summary>A set of rules that comes with the hub.</summary>
/// <param name="Name">Its name.</param>
/// <param name="TitlePt">What it holds, for people, in Portuguese: the first line of its file.</param>
/// <param name="TitleEn">The same in English: the second line.</param>
/// <param name="Yaml">Its file, with comments that say where the levels come from.</param>
public sealed record RulePack(string Name, string TitlePt, string TitleEn, string Yaml);

/// <summary>The rule packs: files like any other (<see cref="RuleFile"/>), taken over rule by rule, and from then on a municipality's own to change, switch off or remove.</summary>
public static class RulePacks
{
    /// <summary>All of them, by name.</summary>
    public static IReadOnlyList<RulePack> All { get; } = [.. Read().OrderBy(pack => pack.Name, StringComparer.Ordinal)];

    private static IEnumerable<RulePack> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames())
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var yaml = reader.ReadToEnd().ReplaceLineEndings("\n");
            var titles = yaml.Split('\n', 3);
            yield return new RulePack(name, titles[0].TrimStart('#', ' '), titles[1].TrimStart('#', ' '), yaml);
        }
    }
}
