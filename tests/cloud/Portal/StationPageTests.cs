using System.Text.Json;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

public sealed class StationPageTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task Charts_carry_a_day_of_values_with_gaps_flags_and_limits()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var pm25 = host.City.Datastream("braga", "avenida-central", City.Pm25);
        var charts = await Charts(host, "/stations/braga/avenida-central");
        var chart = charts.Single(one => one.GetProperty("datastream").GetInt32() == pm25.Id);
        Assert.Equal("line", chart.GetProperty("kind").GetString());
        Assert.False(chart.GetProperty("raw").GetBoolean());
        Assert.Equal(300, chart.GetProperty("step").GetDouble());
        var limit = Assert.Single(chart.GetProperty("limits").EnumerateArray());
        Assert.Equal(25, limit.GetProperty("value").GetDouble());
        var times = chart.GetProperty("t").EnumerateArray().Select(one => one.GetInt64()).ToArray();
        var values = chart.GetProperty("v").EnumerateArray().ToArray();
        Assert.Equal(times.Length, values.Length);
        Assert.InRange(times.Length, 200, 500);
        Assert.Single(values, one => one.ValueKind == JsonValueKind.Null);
        Assert.Contains(chart.GetProperty("q").EnumerateArray(), one => one.GetInt32() == 16);
        Assert.All(times, time => Assert.InRange(DateTime.UnixEpoch.AddSeconds(time), Noon.AddHours(-24).AddMinutes(-5), Noon));
    }

    [Fact]
    public async Task A_chart_of_means_says_that_a_limit_is_for_single_observations()
    {
        const string Said = "O limite vale para cada observação";
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        Assert.Contains(Said, await host.Browser().GetStringAsync("/stations/braga/avenida-central", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.DoesNotContain(Said, await host.Browser().GetStringAsync("/stations/braga/rodovia", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Few_values_travel_as_they_are_and_counts_as_bars()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var vehicles = host.City.Datastream("braga", "rodovia", City.Vehicles);
        var chart = (await Charts(host, "/stations/braga/rodovia")).Single(one => one.GetProperty("datastream").GetInt32() == vehicles.Id);
        Assert.Equal("bars", chart.GetProperty("kind").GetString());
        Assert.True(chart.GetProperty("raw").GetBoolean());
        var sent = chart.GetProperty("v").EnumerateArray().Where(one => one.ValueKind != JsonValueKind.Null).Select(one => one.GetDouble());
        List<double> stored = [];
        await foreach (var observation in host.City.Series.RangeAsync(vehicles.Id, Noon.AddHours(-24), Noon, TestContext.Current.CancellationToken))
        {
            stored.Add(observation.Result);
        }

        Assert.Equal(stored, sent);
    }

    [Fact]
    public async Task The_table_says_the_same_hour_by_hour_and_the_data_can_be_had()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var html = Html.Read(await host.Browser().GetStringAsync("/stations/braga/rodovia", TestContext.Current.CancellationToken));
        Assert.Empty(html.Faults);
        var vehicles = host.City.Datastream("braga", "rodovia", City.Vehicles);
        var address = $"/api/v1/datastreams/{vehicles.Id}/observations?from=2026-11-22T12%3A00%3A00.000Z&to=2026-11-23T12%3A00%3A00.000Z";
        Assert.Contains(html.Tags, tag => tag.Name == "a" && tag["href"] == address);
        Assert.Contains(html.Tags, tag => tag.Name == "a" && tag["href"] == address + "&format=csv");
        // 24 h with two missing, in hours of the local clock: 22 to 24 of them hold values, for each of three datastreams.
        Assert.InRange(html.Tags.Count(tag => tag.Name == "th" && tag["scope"] == "row"), 3 * 22, 3 * 25);
    }

    [Fact]
    public async Task A_silent_station_has_a_page_without_charts()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        Assert.Empty(await Charts(host, "/stations/evora/aqueduto"));
        var text = await host.Browser().GetStringAsync("/stations/evora/aqueduto", TestContext.Current.CancellationToken);
        Assert.Contains("Sem valores nas últimas 24 horas.", text, StringComparison.Ordinal);
        Assert.Contains("há 3 dias", text, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<JsonElement>> Charts(PortalHost host, string path)
    {
        using var browser = host.Browser();
        var text = await browser.GetStringAsync(path, TestContext.Current.CancellationToken);
        return [.. Html.Read(text).Tags.Where(tag => tag.Name == "script" && tag["type"] == "application/json" && tag["id"] is null)
            .Select(tag => text.IndexOf('>', tag.Start) + 1)
            .Select(at => JsonDocument.Parse(text[at..text.IndexOf("</script>", at, StringComparison.Ordinal)]).RootElement)];
    }
}
