using System.Reflection;
using System.Xml.Linq;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Architecture;

/// <summary>A stage may know the Contract and the front door it hands to or reads from, nothing further.</summary>
public sealed class DependencyTests
{
    /// <summary>The whole rule: stage, and what it may refer to besides edge/Contract.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["edge/Contract"] = [],
        ["edge/Files"] = [],
        ["edge/Claiming"] = ["edge/Files"],
        ["edge/Sensors"] = [],
        ["edge/Outbox"] = ["edge/Files"],
        ["edge/Calibrations"] = ["edge/Sensors", "edge/Files"],
        ["edge/Sampling"] = ["edge/Sensors", "edge/Calibrations", "edge/Outbox"],
        ["edge/Thresholds"] = ["edge/Sensors", "edge/Sampling", "edge/Files"],
        ["edge/Uplink"] = ["edge/Files", "edge/Outbox"],
        ["edge/Twin"] = ["edge/Files", "edge/Outbox", "edge/Uplink"],
        ["edge/Commands"] = ["edge/Sensors", "edge/Sampling", "edge/Uplink"],
        ["edge/Update"] = ["edge/Files"],
        ["edge/Agent"] =
        [
            "edge/Claiming", "edge/Sensors", "edge/Calibrations", "edge/Sampling", "edge/Thresholds", "edge/Outbox", "edge/Uplink", "edge/Twin", "edge/Commands", "edge/Update",
        ],
        ["cloud/Database"] = [],
        ["cloud/Municipalities"] = ["cloud/Database"],
        ["cloud/Stations"] = ["cloud/Database"],
        ["cloud/Series"] = [],
        ["cloud/Indicators"] = [],
        ["cloud/Notifications"] = ["cloud/Database"],
        ["cloud/Ingest"] = ["cloud/Database", "cloud/Stations", "cloud/Series"],
        ["cloud/Transfer"] = ["cloud/Stations", "cloud/Series"],
        ["cloud/Alerts"] = ["cloud/Database", "cloud/Stations", "cloud/Series", "cloud/Indicators", "cloud/Notifications"],
        ["cloud/Fleet"] = ["cloud/Database", "cloud/Stations", "cloud/Ingest"],
        ["cloud/Audit"] = ["cloud/Database"],
        ["cloud/Retention"] = ["cloud/Database", "cloud/Municipalities", "cloud/Stations", "cloud/Series"],
        ["cloud/QualityControl"] = ["cloud/Database", "cloud/Municipalities", "cloud/Stations", "cloud/Series"],
        // Migrations only: it looks into the stages' models, and no stage knows it.
        ["cloud/PostgreSql"] =
        [
            "cloud/Database", "cloud/Alerts", "cloud/Audit", "cloud/Fleet", "cloud/Ingest", "cloud/Municipalities", "cloud/Notifications", "cloud/QualityControl", "cloud/Retention", "cloud/Stations",
        ],
        ["cloud/Api"] = ["cloud/Municipalities", "cloud/Stations", "cloud/Series", "cloud/Alerts", "cloud/Notifications", "cloud/Ingest", "cloud/Fleet", "cloud/Retention", "cloud/Audit", "cloud/QualityControl"],
        ["cloud/InfluxQl"] = ["cloud/Municipalities", "cloud/Stations", "cloud/Series", "cloud/Alerts", "cloud/Notifications"],
        ["cloud/Portal"] = ["cloud/Municipalities", "cloud/Stations", "cloud/Series", "cloud/Indicators", "cloud/Alerts", "cloud/Notifications", "cloud/Ingest", "cloud/Fleet", "cloud/Audit"],
        ["cloud/Server"] =
        [
            "cloud/Database", "cloud/PostgreSql", "cloud/Municipalities", "cloud/Stations", "cloud/Series", "cloud/Notifications", "cloud/Ingest", "cloud/Alerts", "cloud/Fleet", "cloud/Api",
            "cloud/Portal", "cloud/InfluxQl", "cloud/Transfer", "cloud/Retention", "cloud/Audit", "cloud/QualityControl",
        ],
    };

    public static TheoryData<string> Stages => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Stages))]
    public void A_stage_refers_only_to_its_neighbours(string stage)
    {
        var project = Repository.Files.Single(f => f.StartsWith(stage + "/", StringComparison.Ordinal) && f.EndsWith(".csproj", StringComparison.Ordinal));
        var references = XDocument.Load(Path.Combine(Repository.Root, project)).Descendants("ProjectReference")
            .Where(r => (string?)r.Attribute("ReferenceOutputAssembly") != "false")
            .Select(r => Path.GetRelativePath(Repository.Root, Path.GetDirectoryName(Path.GetFullPath(Path.Combine(Repository.Root, stage, r.Attribute("Include")!.Value)))!).Replace('\\', '/'));
        Assert.Empty(references.Except(Allowed[stage]).Except(["edge/Contract"]));
    }

    [Fact]
    public void Every_project_of_edge_and_cloud_is_in_the_rule()
    {
        var stages = Repository.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) && !f.StartsWith("tests/", StringComparison.Ordinal))
            .Select(f => Path.GetDirectoryName(f)!.Replace('\\', '/'));
        Assert.Equal(Allowed.Keys.Order(), stages.Order());
    }

    [Fact]
    public void What_is_compiled_obeys_as_well()
    {
        foreach (var (stage, allowed) in Allowed)
        {
            var assembly = Assembly.Load(AssemblyName(stage));
            var ours = assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("Hub.", StringComparison.Ordinal) || n is "hub" or "hub-agent");

            // An alarm's severity is Notifications' word: whoever reads alarms sees that front door through Alerts'.
            string[] seen = allowed.Contains("cloud/Alerts") ? [AssemblyName("cloud/Notifications")] : [];
            Assert.Empty(ours.Except(allowed.Select(AssemblyName)).Except(seen).Except([AssemblyName("edge/Contract")]));
        }
    }

    [Fact]
    public void The_contract_has_no_packages()
    {
        var references = Assembly.Load(AssemblyName("edge/Contract")).GetReferencedAssemblies().Select(a => a.Name!);
        Assert.All(references, name => Assert.StartsWith("System", name, StringComparison.Ordinal));
    }

    private static string AssemblyName(string stage) => stage switch
    {
        "cloud/Server" => "hub",
        "edge/Agent" => "hub-agent",
        _ => "Hub." + string.Join('.', stage.Split('/').Select(part => char.ToUpperInvariant(part[0]) + part[1..])),
    };
}
