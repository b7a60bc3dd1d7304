using System.Net;
using System.Text.Json;
using Hub.Cloud.Portal.Read.Map;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>What the map shows by choice, the list beside it, and the last 24 hours that its slider moves through.</summary>
public sealed class MapPageTests(MapPageTests.AtNoon shared) : IClassFixture<MapPageTests.AtNoon>
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private readonly PortalHost host = shared.Host;

    /// <summary>One city for all, at noon.</summary>
    public sealed class AtNoon : IAsyncLifetime
    {
        internal PortalHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));

        public async ValueTask DisposeAsync() => await Host.DisposeAsync();
    }

    [Fact]
    public async Task The_list_says_what_the_map_shows_and_is_sorted_by_it()
    {
        var html = Html.Read(await GetAsync("/?show=pm2_5&sort=value&lang=en"));
        Assert.Empty(html.Faults);
        var legend = html.Tags.Single(tag => tag.Attributes.ContainsKey("data-legend"));
        Assert.Equal("5 15 50 90 140", legend["data-bounds"]);
        Assert.Contains("<span data-class-word>5 to 15</span>", html.Text, StringComparison.Ordinal);
        var cards = html.Tags.Where(tag => tag.Attributes.ContainsKey("data-card")).Select(tag => tag["data-station"]!).ToArray();
        Assert.Equal(12, cards.Length);

        // Fresh ones first, the highest of them at the top; then those that are late; then those that do not measure it.
        double[] fresh = [.. cards.Take(4).Select(Value)];
        Assert.Equal(fresh.OrderDescending(), fresh);
        Assert.Equal(["braga/ponte", "evora/aqueduto"], cards.Skip(4).Take(2).Order());
        Assert.Contains("value-sign class-2\"", html.Text, StringComparison.Ordinal);
        Assert.Contains("is-old\"", html.Text, StringComparison.Ordinal);
        Assert.Contains(">No value<", html.Text, StringComparison.Ordinal);

        double Value(string id) =>
            host.City.Series.TryGetLatest(host.City.Datastream(id.Split('/')[0], id.Split('/')[1], City.Pm25).Id, out var latest) ? latest.Result : double.NaN;
    }

    [Fact]
    public async Task Stations_are_found_by_name_whatever_case_and_accents_without_script()
    {
        var html = Html.Read(await GetAsync("/?name=ESTACAO%20aveiro&show=temperature&lang=en"));
        Assert.Empty(html.Faults);
        Assert.Equal("aveiro/estacao", html.Tags.Single(tag => tag.Attributes.ContainsKey("data-card"))["data-station"]);
        Assert.Contains("1 of 12 stations", html.Text, StringComparison.Ordinal);

        // The other form of the page keeps the choice.
        Assert.Contains(html.Tags, tag => tag is { Name: "input" } && tag["type"] == "hidden" && tag["name"] == "show" && tag["value"] == "temperature");
        Assert.Contains("No station has “xyz” in its name.", WebUtility.HtmlDecode(await GetAsync("/?name=xyz&lang=en")), StringComparison.Ordinal);
        Assert.Single((await JsonAsync("/map/stations?name=se&municipality=braga")).GetProperty("stations").EnumerateArray(), one => one.GetProperty("id").GetString() == "braga/se");
    }

    [Fact]
    public async Task What_nobody_measures_any_more_is_shown_as_how_stations_stand_and_refused_to_programs()
    {
        Assert.Contains("data-show=\"\"", await GetAsync("/?show=radon"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.Browser().GetAsync("/map/day?show=radon", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.Browser().GetAsync("/map/day?show=battery", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Browser().GetAsync("/map/stations?municipality=porto", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_long_list_comes_in_parts_and_the_map_has_all()
    {
        await using var crowded = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        Crowd.Fill(crowded.City, 150);
        using var browser = crowded.Browser();
        var html = Html.Read(await browser.GetStringAsync("/m/braga?show=pm2_5&part=2&lang=en", Cancel));
        Assert.Empty(html.Faults);
        Assert.Equal(StationList.PartMax, html.Tags.Count(tag => tag.Attributes.ContainsKey("data-card")));
        Assert.Contains("Part 2 of 3", html.Text, StringComparison.Ordinal);
        Assert.Contains(html.Tags, tag => tag["rel"] == "next" && tag["href"] == "/m/braga?show=pm2_5&part=3#stations");
        using var all = JsonDocument.Parse(await browser.GetStringAsync("/map/stations?municipality=braga&show=pm2_5", Cancel));
        Assert.Equal(154, all.RootElement.GetProperty("stations").GetArrayLength());
    }

    [Fact]
    public async Task The_day_has_a_value_for_each_step_that_is_the_series_own_and_a_gap_is_a_gap()
    {
        var day = await JsonAsync("/map/day?show=laeq&municipality=braga");
        Assert.Equal(900, day.GetProperty("step").GetInt32());
        Assert.Equal("Europe/Lisbon", day.GetProperty("zone").GetString());
        Assert.Equal(new DateTimeOffset(Noon.AddHours(-24)).ToUnixTimeMilliseconds(), day.GetProperty("from").GetInt64());
        var steps = day.GetProperty("values").GetProperty("braga/se").EnumerateArray().ToArray();
        Assert.Equal(96, steps.Length);

        // The city's instruments were silent from 16 to 14 hours ago.
        Assert.All(steps[33..39], step => Assert.Equal(JsonValueKind.Null, step.ValueKind));
        var datastream = host.City.Datastream("braga", "se", City.Laeq);
        var bucket = Assert.Single(await host.City.Series.AggregateAsync(new(datastream.Id, Noon.AddMinutes(-15), Noon, new(TimeSpan.FromMinutes(15)), Series.Statistic.EnergyMean), Cancel));
        Assert.Equal(Math.Round(bucket.Value, 2), steps[95].GetDouble());
        Assert.Single(day.GetProperty("values").EnumerateObject());
    }

    [Fact]
    public async Task The_day_of_the_index_has_its_classes_and_now_is_the_last_closed_hour()
    {
        var day = await JsonAsync("/map/day?show=index");
        Assert.Equal(24, day.GetProperty("count").GetInt32());
        Assert.All(day.GetProperty("values").EnumerateObject().SelectMany(one => one.Value.EnumerateArray()), step => Assert.True(step.ValueKind == JsonValueKind.Null || step.GetInt32() is >= 1 and <= 6));
        var last = day.GetProperty("values").GetProperty("braga/avenida-central")[23].GetInt32();
        var now = (await JsonAsync("/map/stations?show=index")).GetProperty("stations").EnumerateArray().Single(one => one.GetProperty("id").GetString() == "braga/avenida-central");
        Assert.Equal(last, now.GetProperty("value").GetInt32());
        Assert.Contains($"value-sign class-{last}\"", await GetAsync("/m/braga?show=index"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Private_stations_are_in_neither_address_unless_one_may_see_them()
    {
        using var stranger = host.Browser();
        using var person = host.Browser();
        using var signedIn = await PageTests.SignIn(person, "braga", "right");
        foreach (var address in new[] { "/map/stations?show=pm2_5", "/map/day?show=pm2_5", "/map/stations?municipality=braga&show=pm2_5", "/map/day?municipality=braga&show=pm2_5" })
        {
            // In both orders: what was made for one is not given to the other.
            for (var once = 0; once < 2; once++)
            {
                using var own = await person.GetAsync(address, Cancel);
                Assert.Contains("braga/oficina", await own.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
                Assert.True(own.Headers.CacheControl is { Private: true, NoCache: true }, address);
                Assert.DoesNotContain("braga/oficina", await stranger.GetStringAsync(address, Cancel), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_day_may_be_kept_for_a_minute_and_is_confirmed_by_its_tag()
    {
        using var browser = host.Browser();
        using var first = await browser.GetAsync("/map/day?show=pm2_5", Cancel);
        Assert.Equal(TimeSpan.FromMinutes(1), first.Headers.CacheControl!.MaxAge);
        Assert.True(first.Headers.CacheControl.Public);
        using HttpRequestMessage again = new(HttpMethod.Get, "/map/day?show=pm2_5");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var unchanged = await browser.SendAsync(again, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/map/day?show=no2", Cancel)).StatusCode);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<string> GetAsync(string address)
    {
        using var browser = host.Browser();
        return await browser.GetStringAsync(address, Cancel);
    }

    private async Task<JsonElement> JsonAsync(string address)
    {
        using var document = JsonDocument.Parse(await GetAsync(address));
        return document.RootElement.Clone();
    }
}
