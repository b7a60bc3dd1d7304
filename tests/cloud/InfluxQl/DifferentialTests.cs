using CsCheck;
using Hub.Cloud.Series.Tests;
using Hub.Tests.Kit;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>The hub answers what a real InfluxDB 1.6.7 answers, with the same observations in both.</summary>
public sealed class DifferentialTests(TwoStores stores) : IClassFixture<TwoStores>
{
    /// <summary>Questions as query builders write them, and those of the Grafana dashboards as they are: one a line; lines that begin with # are notes.</summary>
    private static readonly string[] Files = ["tests/cloud/InfluxQl/questions/dashboards.influxql", "tests/Dashboards/queries.influxql"];

    [Fact]
    public async Task Questions_of_dashboards_have_the_same_answers()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "influxd is not installed");
        List<string> differences = [];
        foreach (var line in Files.SelectMany(file => File.ReadLines(Path.Combine(Repository.Root, file))).Where(line => line.Length > 0 && line[0] != '#'))
        {
            // Of several stations with a last value at the same time InfluxDB takes any: such a question is asked of one station, as its dashboard does.
            var group = line.IndexOf("GROUP BY", StringComparison.Ordinal);
            var ambiguous = line.Contains("last(", StringComparison.Ordinal) && (group < 0 || !line[group..].Contains("\"station\"", StringComparison.Ordinal));
            await CompareAsync(ambiguous ? line.Replace("\"station\" =~ /^.*$/", "\"station\" =~ /^centro$/", StringComparison.Ordinal) : line, differences);
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Fact]
    public async Task Questions_at_random_have_the_same_answers()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "influxd is not installed");
        List<string> differences = [];
        await Questions.Any.SampleAsync(question => CompareAsync(question, differences), iter: Repeats.Of(320, 5_000), threads: 1);
        Assert.True(differences.Count == 0, string.Join('\n', differences.Take(20)));
    }

    private async Task CompareAsync(string question, List<string> differences)
    {
        var (hub, influx) = await stores.AskAsync(question);
        if (Comparison.Difference(hub, influx) is { } difference)
        {
            differences.Add($"{question}\n    {difference}");
        }
    }
}
