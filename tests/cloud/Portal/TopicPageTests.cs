using System.Globalization;
using System.Net;
using Hub.Cloud.Alerts;
using Hub.Cloud.Indicators;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>A city with months behind it, made once for all tests that only look at it.</summary>
public sealed class CityWithPast : IAsyncLifetime
{
    internal static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    internal PortalHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var city = new City(Noon);
        Past.Fill(city, airDays: 60, noiseDays: 24);
        Host = await PortalHost.StartAsync(city, new FakeTimeProvider(new(Noon)));
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}

public sealed class TopicPageTests(CityWithPast past) : IClassFixture<CityWithPast>
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    private PortalHost Host => past.Host;

    [Theory]
    [InlineData("/m/braga/air", "Ar em Braga", "Air in Braga")]
    [InlineData("/m/braga/air?year=2025", "Sem valores em 2025", "No values in 2025")]
    [InlineData("/m/braga/air?station=ponte", "antigo, não é de agora", "old, not of now")]
    [InlineData("/m/evora/air?station=aqueduto", "Sem hora válida nas últimas 24 horas", "No valid hour in the last 24 hours")]
    [InlineData("/m/braga/air?station=se", "Largo da Sé não mede o ar", "Largo da Sé does not measure air")]
    [InlineData("/m/braga/noise", "Lden e Ln por dia", "Lden and Ln by day")]
    [InlineData("/m/evora/noise?zone=sensitive", "Limites: zona sensível", "Limits: sensitive zone")]
    [InlineData("/m/braga/traffic", "Trânsito em Braga", "Traffic in Braga")]
    [InlineData("/m/aveiro/traffic", "O habitual aparece quando houver 3 semanas", "The usual appears once there are 3 weeks")]
    public async Task Each_state_is_well_made_in_both_languages(string page, string pt, string en)
    {
        foreach (var (language, expected) in new[] { ("pt", pt), ("en", en) })
        {
            using var answer = await Host.Browser().GetAsync(page + (page.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "lang=" + language, Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            var html = Html.Read(text);
            Assert.Empty(html.Faults);
            Assert.Contains(expected, text, StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
            Assert.InRange(text.Length, 5_000, 150_000);

            // What is drawn is named, and told in a table.
            Assert.All(html.Tags.Where(tag => tag.Name == "svg" && tag["role"] == "img"), tag => Assert.NotNull(tag["aria-labelledby"]));
            Assert.All(html.Tags.Where(tag => tag.Name == "script" && tag["src"] is not null), tag => Assert.DoesNotContain("map", tag["src"], StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_index_is_that_of_the_last_hour_with_what_decides_it()
    {
        var hours = Host.Browser().GetStringAsync("/m/braga/air?lang=en", Cancel);
        var (start, averages) = (CityWithPast.Noon.AddHours(-1), new Dictionary<string, double>());
        Assert.True(Host.City.Stations.TryGet("braga", "avenida-central", out var station));
        foreach (var datastream in Host.City.Stations.DatastreamsOf(station.Id).Where(one => AirIndex.PollutantOf(one.Quantity.Id) is not null))
        {
            List<double> values = [];
            await foreach (var observation in Host.City.Series.RangeAsync(datastream.Id, start, start.AddHours(1), Cancel))
            {
                values.Add(observation.Result);
            }

            if (values.Count > 0)
            {
                averages.TryAdd(datastream.Quantity.Id, values.Average());
            }
        }

        var index = AirIndex.Of(new(averages["o3"], averages["no2"], null, averages["pm10"], averages["pm2_5"]))!;
        string[] names = ["Good", "Fair", "Moderate", "Poor", "Very poor", "Extremely poor"];
        var text = await hours;
        Assert.Contains($"""<span class="index-number">{index.Class}</span> <span class="index-word">{names[index.Class - 1]}</span>""", text, StringComparison.Ordinal);
        Assert.Contains("Avenida Central, from 11:00 to 12:00.", text, StringComparison.Ordinal);
        Assert.Contains("Decided by", text, StringComparison.Ordinal);
        Assert.Contains("Made of: PM2.5, PM10, NO₂, O₃.", text, StringComparison.Ordinal);

        // The worst station stands first, those whose index is old behind.
        Assert.True(text.IndexOf("?station=avenida-central", StringComparison.Ordinal) < text.IndexOf("?station=ponte", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_year_counts_its_days_above_the_limit_and_says_which_are_not_valid()
    {
        Assert.True(Host.City.Stations.TryGet("braga", "avenida-central", out var station));
        var pm10 = Host.City.Stations.DatastreamsOf(station.Id).Single(one => one.Sensor == "ref-1" && one.Quantity.Id == "pm10");
        var days = await Host.City.Series.AggregateAsync(new(pm10.Id, CityWithPast.Noon.AddDays(-61), CityWithPast.Noon, new(TimeSpan.FromDays(1), Lisbon), Statistic.Mean) { Cadence = pm10.Period }, Cancel);
        var over = days.Count(day => day.Coverage >= 0.75 && day.Value > 50);
        var text = await Host.Browser().GetStringAsync($"/m/braga/air?series={pm10.Id}&lang=en", Cancel);
        var invalid = days.Count(day => day.Coverage < 0.75);
        Assert.InRange(invalid, 1, 3);
        Assert.Contains($"{days.Count - invalid} valid days, {invalid} with too little data (hollow)", text, StringComparison.Ordinal);
        Assert.Contains($"Above the limit of a day, 50 µg/m³: {over} days", text, StringComparison.Ordinal);
        Assert.Contains($"{over} of 35 allowed in a year", text, StringComparison.Ordinal);
        Assert.Equal(invalid, Html.Read(text).Tags.Count(tag => tag["class"] == "cell-hollow"));
        Assert.Contains("Directive 2008/50/EC", text, StringComparison.Ordinal);

        // Sixty of three hundred days are too few to say that a year is within its limits.
        Assert.Contains("Measured too little to say", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Within what is allowed", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hours_above_a_limit_are_counted_also_where_the_day_alone_does_not_tell()
    {
        var city = new City(CityWithPast.Noon);
        await using var host = await PortalHost.StartAsync(city, new FakeTimeProvider(new(CityWithPast.Noon)));
        var (no2, ozone) = (city.Datastream("braga", "ponte", City.No2), city.Datastream("braga", "ponte", City.O3));
        var day = new DateTime(2026, 8, 3, 0, 0, 0, DateTimeKind.Utc);
        List<Observation> all = [];
        for (var half = 0; half < 48; half++)
        {
            // Two hours of NO2 above 200; a third only in one of its halves, the mean is below. Eight hours of ozone at 150 in the afternoon.
            all.Add(new(no2.Id, day.AddMinutes(30 * half), half is >= 16 and < 20 ? 230 : half == 30 ? 260 : 40, default));
            all.Add(new(ozone.Id, day.AddMinutes(30 * half), half is >= 24 and < 40 ? 150 : 50, default));
        }

        await city.Series.AppendAsync(all.ToArray(), Cancel);
        var text = await host.Browser().GetStringAsync("/m/braga/air?station=ponte&lang=en", Cancel);
        Assert.Contains("2 of 18 allowed in a year", text, StringComparison.Ordinal);
        Assert.Contains("1 of 25 allowed in a year", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_levels_of_a_day_are_the_energy_means_of_its_minutes()
    {
        var laeq = Host.City.Datastream("braga", "se", City.Laeq);
        var date = new DateOnly(2026, 11, 10);
        var day = new NoiseDay();
        await foreach (var observation in Host.City.Series.RangeAsync(laeq.Id, new DateTime(2026, 11, 10, 7, 0, 0, DateTimeKind.Utc), new DateTime(2026, 11, 11, 7, 0, 0, DateTimeKind.Utc), Cancel))
        {
            day.Add(NoiseDays.PeriodOf(observation.PhenomenonTime, Lisbon).Period, observation.Result);
        }

        var text = await Host.Browser().GetStringAsync("/m/braga/noise?lang=en", Cancel);
        var row = text[text.IndexOf($"<th scope=\"row\">{date.ToString("d MMM", CultureInfo.GetCultureInfo("en-GB"))}</th>", StringComparison.Ordinal)..];
        row = row[..row.IndexOf("</tr>", StringComparison.Ordinal)];
        foreach (var level in new[] { day.Lden, day.LevelOf(NoisePeriod.Day), day.LevelOf(NoisePeriod.Evening), day.LevelOf(NoisePeriod.Night) })
        {
            Assert.Contains($"<td class=\"number\">{level.ToString("F1", CultureInfo.InvariantCulture)}</td>", row, StringComparison.Ordinal);
        }

        // A day in which nothing was measured, and one without its night.
        Assert.Contains("is-hollow", text, StringComparison.Ordinal);
        Assert.Contains("(not valid)", text, StringComparison.Ordinal);
        Assert.Contains("L90 – L10", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_visitor_chooses_the_class_of_zone_unless_the_station_says_it()
    {
        var city = new City(CityWithPast.Noon);
        await using var host = await PortalHost.StartAsync(city, new FakeTimeProvider(new(CityWithPast.Noon)));
        var page = await host.Browser().GetStringAsync("/m/braga/noise?zone=mixed&lang=en", Cancel);
        Assert.Contains("Limits: mixed zone", page, StringComparison.Ordinal);
        Assert.Contains("Limit 65 dB(A)", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("limit Ln 55 dB(A)", page, StringComparison.Ordinal);
        Assert.Contains("Limits: zone not classified", await host.Browser().GetStringAsync("/m/braga/noise?lang=en", Cancel), StringComparison.Ordinal);
        Assert.True(city.Stations.TryGet("braga", "se", out var station));
        await city.Stations.TagAsync(station.Id, ["zona-sensivel"], Cancel);
        page = await host.Browser().GetStringAsync("/m/braga/noise?zone=mixed&lang=en", Cancel);
        Assert.Contains("Limits: sensitive zone", page, StringComparison.Ordinal);
        Assert.Contains("The station has the tag “zona-sensivel”.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("?station=se&amp;zone=", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Today_is_shown_against_the_median_of_the_weeks_before()
    {
        var vehicles = Host.City.Datastream("braga", "rodovia", City.Vehicles);
        List<double> eights = [];
        for (var week = 1; week <= 8; week++)
        {
            var begin = new DateTime(2026, 11, 23, 8, 0, 0, DateTimeKind.Utc).AddDays(-7 * week);
            begin -= Lisbon.GetUtcOffset(begin);
            var sum = 0.0;
            await foreach (var observation in Host.City.Series.RangeAsync(vehicles.Id, begin, begin.AddHours(1), Cancel))
            {
                sum += observation.Result;
            }

            eights.Add(sum);
        }

        var usual = WeekPattern.Quantile([.. eights.Order()], 0.5);
        var text = await Host.Browser().GetStringAsync("/m/braga/traffic?lang=en", Cancel);
        var row = text[text.IndexOf("<th scope=\"row\">08:00</th>", StringComparison.Ordinal)..];
        row = row[..row.IndexOf("</tr>", StringComparison.Ordinal)];
        Assert.Contains($"<td class=\"number\">{usual.ToString("N0", CultureInfo.GetCultureInfo("en-GB"))}</td>", row, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">8</td>", row, StringComparison.Ordinal);
        Assert.Contains("Today (Monday) and the usual", text, StringComparison.Ordinal);
        Assert.Contains("points of 15 min, over the last 7 d", text, StringComparison.Ordinal);
        Assert.Contains("Measured 100 % of the time.", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/m/nowhere/air", 404)]
    [InlineData("/m/braga/noise?station=nowhere", 404)]
    [InlineData("/m/braga/air?station=oficina", 404)]
    [InlineData("/m/braga/air?station=ponte-praca", 404)]
    [InlineData("/m/braga/air?series=1", 404)]
    [InlineData("/m/braga/noise?series=x", 404)]
    [InlineData("/m/braga/traffic?sensor=loop", 404)]
    [InlineData("/m/braga/air?year=1066", 400)]
    [InlineData("/m/braga/air?year=2027", 400)]
    [InlineData("/m/braga/air?year=%3Cb%3E", 400)]
    [InlineData("/m/braga/noise?zone=loud", 400)]
    public async Task What_does_not_exist_or_cannot_be_has_a_page_that_says_so(string page, int status)
    {
        using var answer = await Host.Browser().GetAsync(page, Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Empty(Html.Read(text).Faults);
        Assert.DoesNotContain("oficina", text.Replace("station=oficina", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>", text, StringComparison.Ordinal);
        Assert.Contains(status == 400 ? "Pode ser:" : "404", text, StringComparison.Ordinal);
        Assert.Equal("no-cache", answer.Headers.CacheControl!.ToString());
    }

    /// <summary>In the first hour of a local day no hour of it is closed.</summary>
    [Fact]
    public async Task The_pages_stand_in_the_first_hour_of_the_day_too()
    {
        var midnight = new DateTime(2026, 11, 23, 0, 20, 0, DateTimeKind.Utc);
        var clock = new FakeTimeProvider(midnight);
        await using var host = await PortalHost.StartAsync(new City(midnight), clock);
        using var browser = host.Browser();
        foreach (var page in new[] { "/", "/m/braga", "/m/braga/air", "/m/braga/noise", "/m/braga/traffic", "/m/evora/traffic", "/stations/evora/circular", "/stations/evora/circular/history", "/wall", "/map/day?municipality=braga&show=pm2_5" })
        {
            using var answer = await browser.GetAsync(page, Cancel);
            Assert.True(answer.IsSuccessStatusCode, $"{page}: {(int)answer.StatusCode}");
        }
    }

    [Fact]
    public async Task What_everybody_sees_may_be_kept_for_a_minute_and_what_only_some_see_by_nobody()
    {
        async Task<string> Kept(HttpClient browser, string page)
        {
            using var answer = await browser.GetAsync(page, Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("Cookie", answer.Headers.Vary);
            return answer.Headers.CacheControl!.ToString();
        }

        using var visitor = Host.Browser();
        Assert.Equal("public, max-age=60", await Kept(visitor, "/m/braga/air"));
        Assert.Equal("no-cache", await Kept(visitor, "/m/braga/air?lang=en"));

        using var person = Host.Browser();
        using var entry = await person.PostAsync("/login", Form(await person.GetStringAsync("/login", Cancel), ("name", "braga"), ("password", "right"), ("back", "/")), Cancel);
        Assert.Equal("no-cache", await Kept(person, "/m/braga/air?station=oficina"));
        Assert.Contains("Oficina municipal · Não pública", await person.GetStringAsync("/m/braga/air", Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain("Oficina", await visitor.GetStringAsync("/m/braga/air?station=ponte", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_at_once_are_asked_to_come_again()
    {
        var city = new City(CityWithPast.Noon);
        await using var host = await PortalHost.StartAsync(city, new FakeTimeProvider(new(CityWithPast.Noon)));
        var reads = host.App.Services.GetRequiredService<LongReads>();
        using var stop = new CancellationTokenSource();
        using var first = await reads.TurnAsync(Cancel);
        using var second = await reads.TurnAsync(Cancel);
        var waiting = Enumerable.Range(0, LongReads.WaitingMax).Select(_ => reads.TurnAsync(stop.Token).AsTask()).ToArray();
        using var answer = await host.Browser().GetAsync("/m/braga/noise", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter!.Delta);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Empty(Html.Read(text).Faults);
        Assert.Contains("Tente de novo dentro de 5 segundos", text, StringComparison.Ordinal);
        await stop.CancelAsync();
        await Task.WhenAll(waiting.Select(async one => await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one)));
    }

    [Fact]
    public async Task A_municipality_without_any_station_of_the_topic_says_so()
    {
        var city = new City(CityWithPast.Noon);
        city.Stations.Remove(static one => one is { Municipality: "aveiro", Slug: not "estacao" });
        await using var host = await PortalHost.StartAsync(city, new FakeTimeProvider(new(CityWithPast.Noon)));
        foreach (var (page, said) in new[] { ("/m/aveiro/noise", "Em Aveiro ainda não há estações que meçam o ruído"), ("/m/aveiro/air", "Em Aveiro ainda não há estações que meçam o ar") })
        {
            var text = await host.Browser().GetStringAsync(page, Cancel);
            Assert.Empty(Html.Read(text).Faults);
            Assert.Contains(said, text, StringComparison.Ordinal);
        }

        // The city's page links to what there is.
        var links = Html.Read(await host.Browser().GetStringAsync("/m/aveiro", Cancel)).Tags.Where(tag => tag.Name == "a").Select(tag => tag["href"]).ToArray();
        Assert.Contains("/m/aveiro/traffic", links);
        Assert.DoesNotContain("/m/aveiro/noise", links);
    }

    [Fact]
    public async Task City_and_station_lead_to_the_topics()
    {
        var city = Html.Read(await Host.Browser().GetStringAsync("/m/braga", Cancel));
        Assert.All(new[] { "air", "noise", "traffic" }, topic => Assert.Contains(city.Tags, tag => tag["href"] == "/m/braga/" + topic));
        var station = Html.Read(await Host.Browser().GetStringAsync("/stations/braga/se", Cancel));
        Assert.Contains(station.Tags, tag => tag["href"] == "/m/braga/noise?station=se");
        Assert.DoesNotContain(station.Tags, tag => tag["href"]?.StartsWith("/m/braga/air", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void The_limits_shown_are_those_of_the_rule_packs()
    {
        var rules = RulePacks.All.SelectMany(static pack => RuleFile.Read(pack.Yaml, "braga")).Where(static rule => rule.Measure == Measure.Exceedances).ToArray();
        Assert.NotEmpty(rules);
        Assert.All(rules, rule => Assert.Contains(AirLimits.Of(2026).Concat(AirLimits.Of(2030)), limit =>
            limit.Property == rule.Property && limit.Limit == rule.Limit && limit.Allowed == rule.SetLevel && limit.Period == (rule.Window == TimeSpan.FromDays(1) ? AirLimitPeriod.Day : AirLimitPeriod.Hour)));
        var noise = RulePacks.All.SelectMany(static pack => RuleFile.Read(pack.Yaml, "braga")).Where(static rule => rule.Measure is Measure.Lden && rule.Tag is not null).ToArray();
        Assert.Equal(NoiseZone.All.Select(static zone => (zone.Tag, zone.Lden)).Order(), noise.Select(static rule => (rule.Tag!, rule.SetLevel)).Order());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static FormUrlEncodedContent Form(string page, params (string Name, string Value)[] fields) =>
        new([.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value)), new("__RequestVerificationToken", Html.Read(page).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!)]);
}
