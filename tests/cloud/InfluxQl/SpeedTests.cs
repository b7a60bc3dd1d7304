using System.Globalization;
using Hub.Cloud.Series;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>How long questions of dashboards take on the hub, on the embedded store, and on InfluxDB: 30 days of a minute's cadence of 100 series in both. It says so and judges nothing.</summary>
public sealed class SpeedTests
{
    [Fact]
    [Trait("kind", "long")]
    public async Task Questions_of_a_dashboard_on_both()
    {
        var days = int.TryParse(Environment.GetEnvironmentVariable("HUB_SPEED_DAYS"), NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) ? wanted : 30;
        await using var stores = new TwoStores { Furnish = host => FurnishAsync(host, days) };
        await stores.InitializeAsync();
        Assert.SkipUnless(stores.IsThere, "influxd is not installed");
        var (from, to) = (TwoStores.End.AddDays(-days), TwoStores.End);
        var month = $"time >= '{from:yyyy-MM-dd}' AND time < '{to:yyyy-MM-dd}'";
        var day = $"time >= '{to.AddDays(-1):yyyy-MM-dd}' AND time < '{to:yyyy-MM-dd}'";
        foreach (var question in new[]
        {
            $"SELECT mean(\"result\") FROM \"observation\" WHERE {month} GROUP BY time(1h), \"station\" fill(none)",
            $"SELECT mean(\"result\") FROM \"observation\" WHERE \"station\" = 's1' AND {month} GROUP BY time(1h) fill(none)",
            $"SELECT max(\"result\") FROM \"observation\" WHERE {month} GROUP BY time(1d), \"station\" fill(none) tz('Atlantic/Reykjavik')",
            $"SELECT mean(\"result\") FROM \"observation\" WHERE {day} GROUP BY time(5m), \"station\" fill(none)",
            $"SELECT last(\"result\") FROM \"observation\" WHERE {month} GROUP BY \"station\"",
            $"SELECT percentile(\"result\", 90) FROM \"observation\" WHERE \"station\" = 's1' AND {month} GROUP BY time(1h) fill(none)",
            $"SELECT 10*log10(mean(\"e\")) FROM (SELECT exp(\"result\"*0.2302585092994046) AS \"e\" FROM \"observation\" WHERE \"station\" =~ /^s[1-5]$/) WHERE {month} GROUP BY time(1h), \"station\" fill(none)",
            "SHOW TAG VALUES FROM \"observation\" WITH KEY = \"station\"",
        })
        {
            var (hub, influx) = (new List<double>(), new List<double>());
            for (var i = 0; i < 4; i++)
            {
                // The first time is not counted.
                var (mine, theirs) = await stores.TimeAsync(question);
                if (i > 0)
                {
                    hub.Add(mine.TotalMilliseconds);
                    influx.Add(theirs.TotalMilliseconds);
                }
            }

            hub.Sort();
            influx.Sort();
            TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"hub {hub[1]:F0} ms, InfluxDB {influx[1]:F0} ms: {question}"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"hub {hub[1]:F0} ms, InfluxDB {influx[1]:F0} ms: {question}"));
        }
    }

    private static async Task<Observation[]> FurnishAsync(QlHost host, int days)
    {
        List<int> datastreams = [];
        for (var i = 0; i < 100; i++)
        {
            datastreams.Add(await host.AddAsync(await host.AddAsync("braga", $"s{i}"), "microfone", "laeq", 60));
        }

        var random = new Random(1);
        var observations = new Observation[days * 1_440 * datastreams.Count];
        for (var i = 0; i < observations.Length; i++)
        {
            observations[i] = new Observation(datastreams[i % datastreams.Count], TwoStores.End.AddDays(-days).AddMinutes(i / datastreams.Count), Math.Round(45 + (20 * random.NextDouble()), 1), default);
        }

        return observations;
    }
}
