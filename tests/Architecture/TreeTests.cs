using System.Text.RegularExpressions;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Architecture;

/// <summary>Repository rules: what stands where, how long it may be, and what must not be left over.</summary>
public sealed partial class TreeTests
{
    private const int LinesMax = 600;

    [Fact]
    public void The_top_level_is_fixed()
    {
        string[] folders = ["edge", "cloud", "firmware-config", "dashboards", "tests"];
        string[] files = ["Hub.sln", "README.md", "LICENSE", "global.json", ".editorconfig", ".gitignore", "Directory.Build.props", "Directory.Packages.props", "compose.yaml"];
        var tops = Repository.Files.Select(f => f.Split('/')[0]).Distinct();
        Assert.Empty(tops.Except(folders).Except(files).Except([".ci"]));
        Assert.All(folders, folder => Assert.Contains(Repository.Files, f => f.StartsWith(folder + "/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_folder_of_the_first_two_levels_says_what_lives_there()
    {
        var folders = Repository.Files.Where(f => !f.StartsWith('.')).Select(f => f.Split('/'))
            .SelectMany(parts => Enumerable.Range(1, Math.Min(2, parts.Length - 1)).Select(n => string.Join('/', parts[..n])))
            .Distinct();
        Assert.Empty(folders.Where(folder => !Repository.Files.Contains(folder + "/README.md")));
    }

    [Fact]
    public void There_is_no_Common_Shared_Core_or_Utils()
    {
        string[] banned = ["Common", "Shared", "Core", "Utils", "Helpers", "Infrastructure"];
        // Razor looks for what pages share in Pages/Shared.
        Assert.Empty(Repository.Files.Where(f => !f.Contains("/Pages/Shared/", StringComparison.Ordinal)).Where(f => f.Split('/').SkipLast(1).Any(part => banned.Contains(part, StringComparer.OrdinalIgnoreCase))));
    }

    [Fact]
    public void No_source_file_is_longer_than_a_person_reads()
    {
        var sources = Repository.Sources("edge", "cloud", "tests").Where(f => !f.Contains("/Migrations/", StringComparison.Ordinal));
        Assert.Empty(sources.Select(f => (File: f, Lines: Repository.Read(f).AsSpan().Count('\n'))).Where(f => f.Lines > LinesMax));
    }

    [Fact]
    public void Nothing_is_left_over()
    {
        // Split so that this file does not find itself.
        string[] marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception", "X" + "XX "];
        var found = Repository.Sources("edge", "cloud", "tests").SelectMany(f => marks.Where(m => Repository.Read(f).Contains(m, StringComparison.Ordinal)).Select(m => $"{f}: {m}"));
        Assert.Empty(found);
    }

    [Fact]
    public void Tests_wait_for_states_and_not_for_durations()
    {
        var sleeps = Repository.Sources("tests")
            .Where(f => !f.StartsWith("tests/Kit/", StringComparison.Ordinal) && !f.StartsWith("tests/Benchmarks/", StringComparison.Ordinal) && !f.EndsWith("TreeTests.cs", StringComparison.Ordinal))
            .Where(f => Sleep().IsMatch(Repository.Read(f)));
        Assert.Empty(sleeps);
    }

    [Fact]
    public void No_file_names_a_machine_path_or_a_registry()
    {
        // Built from parts so that this file does not find itself.
        string[] marks = ["/work" + "/main", "/work" + "/shared", "/work" + "/wt", "registry." + "npmjs.org", "api." + "nuget.org", "deb." + "debian.org"];
        var texts = Repository.Files.Where(f => Path.GetExtension(f) is ".cs" or ".md" or ".json" or ".yaml" or ".yml" or ".ts" or ".props" or ".csproj" or ".sh" or "" or ".cshtml" or ".conf");
        Assert.Empty(texts.SelectMany(f => marks.Where(m => Repository.Read(f).Contains(m, StringComparison.Ordinal)).Select(m => $"{f}: {m}")));
    }

    [Fact]
    public void Paths_named_in_a_README_exist()
    {
        var missing = from readme in Repository.Files
                      where readme.EndsWith("README.md", StringComparison.Ordinal)
                      from Match match in Link().Matches(Repository.Read(readme))
                      let target = match.Groups[1].Value.Split('#')[0]
                      where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal)
                      let full = Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(readme)!, target))
                      where !File.Exists(full) && !Directory.Exists(full)
                      select $"{readme}: {target}";
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_stage_has_its_own_tests()
    {
        var stages = Repository.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) && (f.StartsWith("edge/", StringComparison.Ordinal) || f.StartsWith("cloud/", StringComparison.Ordinal)))
            .Select(f => Path.GetDirectoryName(f)!.Replace('\\', '/'));
        Assert.Empty(stages.Where(stage => !Repository.Sources($"tests/{stage}").Any(f => Repository.Read(f).Contains("[Fact]", StringComparison.Ordinal))));
    }

    [GeneratedRegex(@"Thread\.Sleep|Task\.Delay\(\s*(\d|TimeSpan)(?![^;]*TimeProvider)")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
