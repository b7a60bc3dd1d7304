using System.Text.Json;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
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
    public async Task Operators_change_the_tags_of_a_station_and_everybody_sees_them()
    {
        const string Page = "/stations/braga/avenida-central";
        var stop = TestContext.Current.CancellationToken;
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        using var visitor = host.Browser();
        Assert.DoesNotContain("Etiquetas", await visitor.GetStringAsync(Page, stop), StringComparison.Ordinal);
        using var browser = host.Browser();
        using var entry = await browser.PostAsync("/login", Form(await browser.GetStringAsync("/login", stop), ("name", "braga"), ("password", "right"), ("back", "/")), stop);
        var page = await browser.GetStringAsync(Page, stop);
        Assert.Empty(Html.Read(page).Faults);
        using var saved = await browser.PostAsync(Page + "?handler=Tags", Form(page, ("tags", "zona-mista, escola")), stop);
        Assert.Equal(Page + "#tags", saved.Headers.Location?.ToString());
        Assert.Equal(["escola", "zona-mista"], host.City.Datastream("braga", "avenida-central", City.Pm25).Station.Tags);
        var note = Assert.Single(host.Audit.Notes);
        Assert.Equal(("braga", "station-tagged", "station avenida-central", "braga"), (note.Municipality, note.Action, note.Subject, note.By));
        Assert.Contains("""<span class="tag">zona-mista</span>""", await visitor.GetStringAsync(Page, stop), StringComparison.Ordinal);

        // What is none is said, and what was typed stays.
        using var refused = await browser.PostAsync(Page + "?handler=Tags", Form(page, ("tags", "Zona Mista!")), stop);
        var said = await refused.Content.ReadAsStringAsync(stop);
        Assert.Empty(Html.Read(said).Faults);
        Assert.Contains("Nada foi guardado.", said, StringComparison.Ordinal);
        Assert.Contains("value=\"Zona Mista!\"", said, StringComparison.Ordinal);
        Assert.Equal(["escola", "zona-mista"], host.City.Datastream("braga", "avenida-central", City.Pm25).Station.Tags);

        // A visitor who sends the form finds no such page.
        using var stranger = host.Browser();
        using var missing = await stranger.PostAsync(Page + "?handler=Tags", Form(await stranger.GetStringAsync("/login", stop), ("tags", "a")), stop);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Single(host.Audit.Notes);
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
    public async Task A_line_of_means_has_its_envelope_and_says_how_much_is_covered()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var pm10 = host.City.Datastream("braga", "avenida-central", City.Pm10);
        var chart = (await Charts(host, "/stations/braga/avenida-central")).Single(one => one.GetProperty("datastream").GetInt32() == pm10.Id);
        var (low, mean, high) = (Numbers(chart, "lo"), Numbers(chart, "v"), Numbers(chart, "hi"));
        Assert.Equal((mean.Length, mean.Length), (low.Length, high.Length));
        Assert.All(Enumerable.Range(0, mean.Length).Where(i => mean[i] is not null), i => Assert.True(low[i] <= mean[i] && mean[i] <= high[i]));
        Assert.Contains(Enumerable.Range(0, mean.Length), i => low[i] < mean[i] && mean[i] < high[i]);
        Assert.All(Numbers(chart, "c"), percent => Assert.True(percent is null or (> 0 and <= 100)));

        // Five minutes are no period of the law; bars and observations have no envelope.
        Assert.Equal(JsonValueKind.Null, chart.GetProperty("n").ValueKind);
        var vehicles = host.City.Datastream("braga", "rodovia", City.Vehicles);
        chart = (await Charts(host, "/stations/braga/rodovia")).Single(one => one.GetProperty("datastream").GetInt32() == vehicles.Id);
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Null), (chart.GetProperty("lo").ValueKind, chart.GetProperty("hi").ValueKind, chart.GetProperty("c").ValueKind));
    }

    [Fact]
    public async Task An_hour_of_air_with_too_little_data_is_shown_and_said_to_be_not_valid()
    {
        // The made-up day has no values from 19:59 to 21:59: of the hour from 21:00 one minute is there.
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        using var browser = host.Browser();
        var air = await browser.GetStringAsync("/stations/braga/avenida-central?lang=en", TestContext.Current.CancellationToken);
        Assert.Empty(Html.Read(air).Faults);
        Assert.Contains("less than 75 % of the time is covered", air, StringComparison.Ordinal);
        var row = air[air.IndexOf("<tr class=\"is-invalid\">", StringComparison.Ordinal)..];
        row = row[..row.IndexOf("</tr>", StringComparison.Ordinal)];
        Assert.Contains("(not valid)", row, StringComparison.Ordinal);
        Assert.Contains("21:00", row, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">1 %</td>", row, StringComparison.Ordinal);

        // The law asks nothing of that kind of sound levels; what is covered is said all the same.
        var noise = await browser.GetStringAsync("/stations/braga/se?lang=en", TestContext.Current.CancellationToken);
        Assert.DoesNotContain("not valid)", noise, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">1 %</td>", noise, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_year_of_minutes_is_a_page_of_days_with_those_marked_that_are_not_valid()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var pm10 = host.City.Datastream("braga", "avenida-central", City.Pm10);
        var first = new DateTime(2025, 11, 24, 0, 0, 0, DateTimeKind.Utc);

        // On 1 May from 00:00 UTC on only, in Lisbon 01:00, and until 15:00: 14 of 24 hours.
        var year = Enumerable.Range(0, 360 * 1440).Select(i => first.AddMinutes(i))
            .Where(at => at < new DateTime(2026, 4, 30, 23, 0, 0, DateTimeKind.Utc) || (at.Month == 5 && at.Day == 1 && at.Hour < 14) || at >= new DateTime(2026, 5, 1, 23, 0, 0, DateTimeKind.Utc));
        foreach (var chunk in year.Select(at => new Observation(pm10.Id, at, 20 + (at.Minute % 7), Quality.Good)).Chunk(100_000))
        {
            await host.City.Series.AppendAsync(chunk, TestContext.Current.CancellationToken);
        }

        using var browser = host.Browser();
        var page = await browser.GetStringAsync("/stations/braga/avenida-central?span=1y&lang=en", TestContext.Current.CancellationToken);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("Last 365 days", page, StringComparison.Ordinal);
        var chart = (await Charts(host, "/stations/braga/avenida-central?span=1y")).Single(one => one.GetProperty("datastream").GetInt32() == pm10.Id);
        Assert.Equal((86_400, 8_760), (chart.GetProperty("step").GetDouble(), chart.GetProperty("hours").GetDouble()));
        Assert.InRange(chart.GetProperty("t").GetArrayLength(), 360, 500);
        var times = chart.GetProperty("t").EnumerateArray().Select(one => DateTime.UnixEpoch.AddSeconds(one.GetInt64())).ToArray();
        var invalid = times.Zip(Numbers(chart, "n")).Where(pair => pair.Second == 1).Select(pair => pair.First).ToArray();
        Assert.Contains(new DateTime(2026, 4, 30, 23, 0, 0, DateTimeKind.Utc), invalid);
        Assert.Equal(58, Numbers(chart, "c")[Array.IndexOf(times, new DateTime(2026, 4, 30, 23, 0, 0, DateTimeKind.Utc))]);
        Assert.InRange(invalid.Length, 1, 4);
        Assert.Contains("day by day", page, StringComparison.Ordinal);
        var address = $"/api/v1/datastreams/{pm10.Id}/observations?from=2025-11-23T12%3A00%3A00.000Z&to=2026-11-23T12%3A00%3A00.000Z&every=P1D";
        Assert.Contains(Html.Read(page).Tags, tag => tag.Name == "a" && tag["href"] == address);
    }

    [Fact]
    public async Task The_time_shown_can_be_chosen_and_a_name_that_is_none_is_the_usual()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        foreach (var (query, hours, current) in new[] { ("", 24, ""), ("?span=7d", 168, "?span=7d"), ("?span=30d", 720, "?span=30d"), ("?span=1y", 8_760, "?span=1y"), ("?span=ever", 24, "") })
        {
            var charts = await Charts(host, "/stations/braga/se" + query);
            Assert.All(charts, chart => Assert.Equal(hours, chart.GetProperty("hours").GetDouble()));
            var html = Html.Read(await host.Browser().GetStringAsync("/stations/braga/se" + query, TestContext.Current.CancellationToken));
            Assert.Contains(html.Tags, tag => tag.Name == "a" && tag["href"] == "/stations/braga/se" + current && tag["aria-current"] == "page");
        }
    }

    [Fact]
    public async Task Pages_that_read_much_take_turns_and_past_a_queue_are_refused()
    {
        var never = TestContext.Current.CancellationToken;
        using var reads = new LongReads();
        var running = new[] { await reads.TurnAsync(never), await reads.TurnAsync(never) };
        using var leaving = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, LongReads.WaitingMax).Select(i => reads.TurnAsync(i == 0 ? leaving.Token : never).AsTask()).ToArray();
        Assert.Null(await reads.TurnAsync(never));
        Assert.All(waiting, one => Assert.False(one.IsCompleted));

        // Who leaves makes room in the queue.
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting[0]);
        var next = reads.TurnAsync(never).AsTask();
        Assert.False(next.IsCompleted);
        Array.ForEach(running, one => one!.Dispose());
        foreach (var one in waiting[1..].Append(next))
        {
            (await one)!.Dispose();
        }

        Assert.NotNull(await reads.TurnAsync(never));
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

    private static double?[] Numbers(JsonElement chart, string name) =>
        [.. chart.GetProperty(name).EnumerateArray().Select(one => one.ValueKind == JsonValueKind.Null ? (double?)null : one.GetDouble())];

    private static async Task<IReadOnlyList<JsonElement>> Charts(PortalHost host, string path)
    {
        using var browser = host.Browser();
        var text = await browser.GetStringAsync(path, TestContext.Current.CancellationToken);
        return [.. Html.Read(text).Tags.Where(tag => tag.Name == "script" && tag["type"] == "application/json" && tag["id"] is null)
            .Select(tag => text.IndexOf('>', tag.Start) + 1)
            .Select(at => JsonDocument.Parse(text[at..text.IndexOf("</script>", at, StringComparison.Ordinal)]).RootElement)];
    }

    private static FormUrlEncodedContent Form(string page, params (string Name, string Value)[] fields) =>
        new([.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value)), new("__RequestVerificationToken", Html.Read(page).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!)]);
}
