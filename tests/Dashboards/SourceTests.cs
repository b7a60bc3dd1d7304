using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;

namespace Hub.Tests.Dashboards;

/// <summary>The committed dashboards are what their source makes, and valid by Grafana's published schema: the compiler reads each written file as a value of its types.</summary>
public sealed class SourceTests
{
    [Fact]
    public async Task The_source_makes_the_committed_dashboards_and_they_are_valid()
    {
        using var folder = new TempFolder();
        var source = Path.Combine(Repository.Root, "dashboards", "grafana", "source");
        if (!File.Exists(Path.Combine(source, "node_modules", ".package-lock.json")) || File.GetLastWriteTimeUtc(Path.Combine(source, "node_modules", ".package-lock.json")) < File.GetLastWriteTimeUtc(Path.Combine(source, "package-lock.json")))
        {
            await RunAsync(source, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error");
        }

        var tsc = Path.Combine("node_modules", "typescript", "bin", "tsc");
        await RunAsync(source, "node", tsc, "-p", ".");
        await RunAsync(source, "node", Path.Combine("obj", "main.js"), folder.File("made"));
        await RunAsync(source, "node", tsc, "-p", "tsconfig.check.json");

        string[] made = [.. Directory.EnumerateFiles(folder.File("made"), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder.File("made"), file)).Order(StringComparer.Ordinal)];
        string[] committed = [.. Repository.Files.Where(file => file.StartsWith(Dashboard.Folder, StringComparison.Ordinal)).Select(file => file[(Dashboard.Folder.Length + 1)..]).Order(StringComparer.Ordinal)];
        Assert.Equal(committed, made);
        Assert.Equal(14, made.Length);
        Assert.All(made, file => Assert.True(
            File.ReadAllText(Path.Combine(folder.File("made"), file)) == Repository.Read($"{Dashboard.Folder}/{file}"), $"{file} is not what the source makes: npm run build in dashboards/grafana/source, and commit it."));
    }

    [Fact]
    public void Versions_are_exact_and_no_registry_is_named()
    {
        var package = System.Text.Json.JsonElement.Parse(Repository.Read("dashboards/grafana/source/package.json"));
        Assert.All(package.GetProperty("devDependencies").EnumerateObject(), one => Assert.Matches(@"^\d+\.\d+\.\d+$", one.Value.GetString()));
        Assert.DoesNotContain("\"resolved\"", Repository.Read("dashboards/grafana/source/package-lock.json"), StringComparison.Ordinal);
    }

    private static async Task RunAsync(string folder, string file, params string[] arguments)
    {
        await using var program = new RunningProgram(file, arguments, folder: folder);
        var code = await program.ExitAsync();
        await program.Process.WaitForExitAsync();
        Assert.True(code == 0, $"{file} {string.Join(' ', arguments)} ended with {code}:\n{program.Output}");
    }
}
