using Hub.Tests.Kit;

namespace Hub.Tests.Dashboards;

/// <summary>The questions in files, for the differential test of the hub's own /query: it puts the same data into a hub and into an InfluxDB and compares the answers.</summary>
public sealed class QueryFileTests
{
    /// <summary>Questions with the variables filled in, for the differential test of the hub's own /query.</summary>
    private const string SeriesFile = "tests/Dashboards/queries.influxql";

    /// <summary>The same of what only the hub can answer.</summary>
    private const string HubFile = "tests/Dashboards/queries.hub.influxql";

    [Fact]
    public void The_questions_of_the_differential_test_are_those_of_the_dashboards()
    {
        // The last of the days that the differential test's data are of.
        var to = new DateTime(2026, 4, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (var (source, file) in new[] { ("hub-series", SeriesFile), ("hub", HubFile) })
        {
            var lines = Question.All.Where(question => question.Source == source).Select(question => Filling.InfluxQl(question, to - question.Span, to, QueryTests.Everything)).Distinct().Order(StringComparer.Ordinal);
            var text = string.Concat(lines.Select(line => $"{line}\n"));
            var path = Path.Combine(Repository.Root, file);
            if (Environment.GetEnvironmentVariable("HUB_WRITE_QUERIES") == "1")
            {
                File.WriteAllText(path, text);
            }

            Assert.True(File.Exists(path) && File.ReadAllText(path) == text, $"{file} is not what the dashboards ask: run this test with HUB_WRITE_QUERIES=1 and commit the file.");
        }
    }
}
