using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Microsoft.Playwright;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>A new user runs README's command and looks around: pages, API, subscriber, publishers' values.</summary>
[TestMethodOrderer(typeof(InOrderOfName))]
public sealed partial class DemoJourney(DemoProgram demo, ITestOutputHelper output) : IClassFixture<DemoProgram>
{
    private const string LivelyRule = "lively-street";

    private static readonly TimeSpan AlarmLimit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task A_the_terminal_says_where_to_look_and_how_to_sign_in()
    {
        var said = demo.Running.Output;
        Assert.Contains(demo.Address.TrimEnd('/'), said, StringComparison.Ordinal);
        Assert.Contains("/docs", said, StringComparison.Ordinal);
        Assert.Contains(demo.MqttPort.ToString(CultureInfo.InvariantCulture), said, StringComparison.Ordinal);

        // The login it names is a login.
        Assert.NotEmpty(await SignInAsync());
    }

    [Fact]
    public async Task B_three_municipalities_with_air_traffic_and_noise()
    {
        var streams = await new HubReader(demo.Client).DatastreamsAsync();
        foreach (var municipality in (string[])["braga", "aveiro", "evora"])
        {
            var mine = streams.Where(s => s.Municipality == municipality).ToList();
            Assert.True(mine.Select(s => s.Station).Distinct().Count() >= 4, municipality);
            Assert.Contains(mine, s => s.Property is "no2" or "pm2_5" or "pm10" or "o3");
            Assert.Contains(mine, s => s.Property is "vehicle_count" or "vehicle_count_car");
            Assert.Contains(mine, s => s.Property == "laeq");
        }
    }

    [Fact]
    public async Task C_the_API_gives_the_publishers_rows_of_a_day()
    {
        // Braga, Avenida da Liberdade, is Zürich Stampfenbachstrasse 2017; its 30 January is put on the day of the first start.
        var streams = await new HubReader(demo.Client).DatastreamsAsync();
        var temperature = streams.Single(s => s is { Municipality: "braga", Station: "avenida-da-liberdade", Property: "temperature" });
        var published = PublisherFiles.Ostluft("Zch_Stampfenbachstrasse_min30_2017.csv.gz", "T")
            .Where(row => row.Time.Date == new DateTime(2017, 1, 28)).Select(row => row.Value).ToList();
        var midnight = PublisherFiles.LisbonMidnight(demo.StartedAt).AddDays(-2);
        var stored = await new HubReader(demo.Client).ObservationsAsync(temperature.Id, midnight, midnight.AddDays(1));
        Assert.Equal(48, published.Count);
        Assert.Equal(published, stored.Select(r => r.Result));
        Assert.Equal(Enumerable.Range(0, 48).Select(i => midnight.AddMinutes(30 * i)), stored.Select(r => r.Time));
    }

    [Fact]
    public async Task D_the_series_agree_with_the_facts_of_their_files()
    {
        var reader = new HubReader(demo.Client);
        var streams = await reader.DatastreamsAsync();
        var problems = new List<string>();
        var compared = 0;
        foreach (var fact in PublisherFiles.Facts())
        {
            var stream = streams.Single(s => $"{s.Municipality}/{s.Station}" == fact.Station && s.Sensor == fact.Sensor && s.Property == fact.Property);
            var (from, to) = fact.Window(demo.StartedAt);
            var rows = await reader.ObservationsAsync(stream.Id, from, to);
            compared++;
            if (fact.Compare(rows) is { } problem)
            {
                problems.Add($"{fact.Station} {fact.Sensor}/{fact.Property}: {problem}");
            }
        }

        output.WriteLine($"{compared} series compared with facts.csv");
        Assert.Empty(problems);
        Assert.True(compared >= 20, $"only {compared} series were compared");
    }

    [Fact]
    public async Task E_one_alarm_reaches_mail_webhook_and_MQTT_with_its_end()
    {
        // As the terminal tells it: what it names must be what the broker admits.
        string[] lines = [.. demo.Running.Output.Split('\n').Select(line => line.Trim())];
        var secret = lines.First(line => line.StartsWith("MQTT ", StringComparison.Ordinal)).Split("password ")[1];
        var filters = lines.First(line => line.StartsWith("Alarms at ", StringComparison.Ordinal))["Alarms at ".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, filters.Length);

        // Line by line: into a pipe it would tell of its subscription only with the first alarm.
        await using var subscriber = new RunningProgram(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", demo.MqttPort.ToString(CultureInfo.InvariantCulture), "-u", "demo", "-P", secret, "-d", .. filters.SelectMany(filter => (string[])["-t", filter])]);
        await Eventually.TrueAsync(() => subscriber.Output.Contains("Subscribed (mid: 1): 0, 0, 0", StringComparison.Ordinal), "the broker admits the topics that the terminal names", AlarmLimit);

        // A rule that the street trips every few seconds whatever the time of day: set where the loudest tenth of its last minutes begins, cleared at its median. The file's own episodes are up to
        // hours apart, and the one at the first start is rightly told of as past where the machine is still busy with the history.
        var token = await SignInAsync();
        var reader = new HubReader(demo.Client);
        var noise = (await reader.DatastreamsAsync("municipality=braga")).First(s => s is { Station: "praca-da-republica", Property: "laeq" });
        List<double> levels = [];
        await Eventually.TrueAsync(
            async () =>
            {
                levels = [.. (await reader.ObservationsAsync(noise.Id, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow)).Select(row => row.Result).Order()];
                return levels.Count >= 30;
            },
            "the street has half a minute of live levels",
            AlarmLimit);
        var rule = JsonSerializer.Serialize(new
        {
            namePt = "Rua animada", nameEn = "Lively street", severity = "information", property = "laeq", station = "praca-da-republica", period = "PT1S", crossing = "above",
            setLevel = levels[levels.Count * 9 / 10], clearLevel = levels[levels.Count / 2],
        });
        using (var request = new HttpRequestMessage(HttpMethod.Put, $"api/v1/rules/braga/{LivelyRule}") { Content = new StringContent(rule, Encoding.UTF8, "application/json") })
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var put = await demo.Client.SendAsync(request);
            Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
        }

        await Eventually.TrueAsync(() => Ended(subscriber.Output) is not null, "the MQTT alarm topic tells of the end of an alarm of the live rows", AlarmLimit);
        var id = Ended(subscriber.Output)!;
        output.WriteLine($"alarm {id} of {rule}");
        var alarm = (await AlarmsAsync()).Single(a => a.GetProperty("alarm").GetString() == id);
        Assert.False(alarm.GetProperty("past").GetBoolean());

        var webhooks = Path.Combine(demo.Data, "demo", "webhook");
        await Eventually.TrueAsync(() => Files(webhooks, "*.json").Count(text => text.Contains(id, StringComparison.Ordinal)) >= 2, "the webhook receiver has the start and the end", AlarmLimit);
        var mail = Path.Combine(demo.Data, "mail");
        await Eventually.TrueAsync(() => Files(mail, "*.eml").Count(text => text.Contains(id, StringComparison.Ordinal)) >= 2, "the mail folder has the start and the end", AlarmLimit);
    }

    [Fact]
    public async Task F_the_city_page_changes_live_and_asks_nobody_outside()
    {
        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync(demo.Address);
        await page.Locator("tr.reading [data-value]").First.WaitForAsync();
        var noise = (await new HubReader(demo.Client).DatastreamsAsync("municipality=braga")).First(s => s.Property == "laeq");
        var cell = page.Locator($"tr[data-datastream='{noise.Id}'] [data-value]").First;
        var seen = await cell.TextContentAsync();
        await Eventually.TrueAsync(async () => await cell.TextContentAsync() != seen, "a value changes without a reload");
        Assert.Matches(@"^\d+,\d$", (await cell.TextContentAsync())!.Trim());
        await page.Locator("canvas.maplibregl-canvas").First.WaitForAsync();
        await Browser.ShootAsync(page, "city-pt-light");

        var english = await browser.OpenAsync(demo.Address + "?lang=en", 390, 844, ColorScheme.Dark, "en-GB");
        Assert.StartsWith("en", await english.Locator("html").GetAttributeAsync("lang"), StringComparison.Ordinal);
        await english.Locator("tr.reading [data-value]").First.WaitForAsync();
        await Browser.ShootAsync(english, "city-en-dark-phone");

        var station = await browser.OpenAsync(demo.Address + "stations/braga/praca-da-republica");
        await station.Locator("hub-chart canvas").First.WaitForAsync();
        await Browser.ShootAsync(station, "station-pt-light");
        var alarms = await browser.OpenAsync(demo.Address + "alarms");
        await alarms.Locator("li.alarm").First.WaitForAsync();
        await Browser.ShootAsync(alarms, "alarms-pt-light");

        Assert.Empty(browser.OutsideRequests);
        Assert.Empty(browser.PageErrors);
    }

    /// <summary>Desktop and telephone, light and dark, Portuguese and English: one combination here, all in the long run.</summary>
    public static TheoryData<int, string, string> Visitors => Repeats.AreMany
        ? [.. from width in new[] { 1366, 390 } from scheme in new[] { "light", "dark" } from locale in new[] { "pt-PT", "en-GB" } select (width, scheme, locale)]
        : [(390, "dark", "en-GB")];

    [Theory]
    [MemberData(nameof(Visitors))]
    public async Task F_somebody_finds_a_station_by_name_sees_its_week_takes_the_data_along_and_asks_for_alerts(int width, string scheme, string locale)
    {
        await using var browser = await Browser.StartAsync();
        var name = $"{(width > 600 ? "desktop" : "phone")}-{scheme}-{locale[..2]}";
        var page = await browser.OpenAsync(
            demo.Address + "m/braga", width, width > 600 ? 900 : 844, scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light, locale, without: "**/assets/files/map-*.js");

        // By a part of its name, without its accents.
        await page.FillAsync("#find-name", "praca da rep");
        await page.Locator("#find-name").PressAsync("Enter");

        // By the address, not by the event of going there, which a busy machine brings before anybody listens.
        await Eventually.TrueAsync(() => page.Url.Contains("name=praca", StringComparison.Ordinal), "the list is asked for by name");
        await Eventually.TrueAsync(async () => await page.Locator("#station-list > li").CountAsync() == 1, "one station is left in the list");
        await Browser.ShootAsync(page, $"citizen-{name}-found");
        await page.Locator("#station-list a[href='/stations/braga/praca-da-republica']").First.ClickAsync();
        await page.Locator("nav.spans a[href*='span=7d']").ClickAsync();
        await page.Locator("hub-chart canvas").First.WaitForAsync();
        Assert.True(await page.Locator("nav.spans a[href*='span=7d'][aria-current=page]").CountAsync() == 1);
        await Browser.ShootAsync(page, $"citizen-{name}-week");

        // What the chart shows, as a file, is what the API says.
        var href = (await page.Locator(".chart-data a[download]").First.GetAttributeAsync("href"))!;
        var file = (await demo.Client.GetStringAsync(new Uri(href, UriKind.Relative))).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        using var said = JsonDocument.Parse(await demo.Client.GetStringAsync(new Uri(href.Replace("&format=csv", "", StringComparison.Ordinal), UriKind.Relative)));
        var observations = said.RootElement.GetProperty("observations").EnumerateArray().ToList();
        Assert.NotEmpty(observations);
        Assert.Equal(observations.Count, file.Length - 1);
        var column = Array.FindIndex(file[0].Split(','), one => one is "result" or "value");
        Assert.Equal(
            observations.Select(one => one.TryGetProperty("result", out var result) || one.TryGetProperty("value", out result) ? result.GetDouble() : double.NaN),
            file.Skip(1).Select(line => double.Parse(line.Split(',')[column], CultureInfo.InvariantCulture)));

        // Alerts for that station, by mail: three steps and a link.
        var address = $"ana.{name}@example.org";
        await page.Locator(".alert-link a").First.ClickAsync();
        await page.Locator("button[name=step][value='2']").ClickAsync();
        await page.Locator("#level-1").CheckAsync();
        await page.Locator("button[name=step][value='3']").ClickAsync();
        await page.FillAsync("#email", address);
        await page.Locator("form.card button[type=submit]").ClickAsync();
        await page.Locator("a[href='/subscribe']").WaitForAsync();
        await Browser.ShootAsync(page, $"citizen-{name}-sent");
        var link = "";
        await Eventually.TrueAsync(
            () =>
            {
                // Lines of a mail are folded with a sign at their end.
                var mail = Files(Path.Combine(demo.Data, "mail"), "*.eml").FirstOrDefault(text => text.Contains(address, StringComparison.Ordinal) && text.Contains("confirm", StringComparison.Ordinal));
                link = Regex.Match(mail?.Replace("=\r\n", "", StringComparison.Ordinal).Replace("=\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal) ?? "", @"subscribe/confirm\?t=[\w.~%-]+").Value;
                return link.Length > 0;
            },
            "the mail with the link is there",
            AlarmLimit);
        await page.GotoAsync(demo.Address + link);
        await page.Locator("form button[type=submit]").ClickAsync();
        await Eventually.TrueAsync(() => page.Url.Contains("/subscriptions?done=confirmed", StringComparison.Ordinal), "the subscription is confirmed");
        await Browser.ShootAsync(page, $"citizen-{name}-subscribed");
        Assert.Empty(browser.OutsideRequests);
        Assert.Empty(browser.PageErrors);
    }

    [Fact]
    public async Task G_the_API_explains_itself_without_the_internet()
    {
        Assert.Contains("openapi", await demo.Client.GetStringAsync("openapi/v1.json"), StringComparison.Ordinal);
        await using var browser = await Browser.StartAsync();
        var docs = await browser.OpenAsync(demo.Address + "docs");
        await docs.GetByText("observations").First.WaitForAsync();
        await Browser.ShootAsync(docs, "docs");
        Assert.Empty(browser.OutsideRequests);
    }

    [Fact]
    public async Task G_the_commands_of_the_page_about_open_data_work()
    {
        var page = await demo.Client.GetStringAsync("open-data?lang=en");
        var commands = OpenDataCommand().Matches(page).ToDictionary(match => match.Groups["key"].Value, match => System.Net.WebUtility.HtmlDecode(match.Groups["command"].Value));
        Assert.Equal(["alarms", "csv", "hours", "latest", "live", "stations"], commands.Keys.Order());
        foreach (var (key, command) in commands)
        {
            // As they stand there, by a shell; only the stream is ended, at its first event.
            await using var curl = new RunningProgram("bash", ["-c", command.Replace("curl ", "curl -fsS ", StringComparison.Ordinal)]);
            var wanted = key switch { "csv" => "phenomenonTime,result", "alarms" => "<feed", "live" => "event: observation", "stations" => "\"latitude\"", _ => "\"result\"" };
            await Eventually.TrueAsync(() => curl.Output.Contains(wanted, StringComparison.Ordinal), $"{command} answers with {wanted}", AlarmLimit);
        }
    }

    [Fact]
    public async Task H_Ctrl_C_stops_cleanly_and_a_second_start_goes_on()
    {
        var reader = new HubReader(demo.Client);
        var noise = (await reader.DatastreamsAsync("municipality=braga")).First(s => s.Property == "laeq");
        var before = await reader.ObservationsAsync(noise.Id, demo.StartedAt.AddDays(-2), demo.StartedAt);
        Assert.Equal(0, await demo.InterruptAsync());
        Assert.DoesNotContain("Unhandled", demo.Running.Output, StringComparison.Ordinal);

        await demo.StartAsync();
        var after = await reader.ObservationsAsync(noise.Id, demo.StartedAt.AddDays(-2), demo.StartedAt);
        Assert.Equal(before, after);
        var newest = after.Count == 0 ? demo.StartedAt : after[^1].Time;
        await Eventually.TrueAsync(
            async () => (await reader.ObservationsAsync(noise.Id, newest.AddSeconds(1), newest.AddYears(1))).Count > 0, "new values arrive");
    }

    [System.Text.RegularExpressions.GeneratedRegex("data-example=\"(?<key>[a-z]+)\">(?<command>[^<]+)</code>")]
    private static partial System.Text.RegularExpressions.Regex OpenDataCommand();

    /// <summary>The first alarm of the lively street whose end the topic has told of.</summary>
    private static string? Ended(string said)
    {
        foreach (var line in said.Split('\n').Where(line => line.StartsWith('{')))
        {
            using var message = JsonDocument.Parse(line);
            if (message.RootElement.GetProperty("rule").GetString() == LivelyRule && message.RootElement.GetProperty("state").GetString() == "ended")
            {
                return message.RootElement.GetProperty("alarm").GetString();
            }
        }

        return null;
    }

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories).Select(File.ReadAllText) : [];

    /// <summary>Signs in as the terminal says one can; the token.</summary>
    private async Task<string> SignInAsync()
    {
        var password = demo.Running.Output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).First(words => words is ["admin", _])[1];
        using var session = await demo.Client.PostAsync("api/v1/sessions", new StringContent(
            JsonSerializer.Serialize(new { userName = "admin", password }), Encoding.UTF8, "application/json"));
        Assert.True(session.IsSuccessStatusCode, await session.Content.ReadAsStringAsync());
        return JsonElement.Parse(await session.Content.ReadAsStringAsync()).GetProperty("accessToken").GetString()!;
    }

    private async Task<List<JsonElement>> AlarmsAsync()
    {
        using var document = JsonDocument.Parse(await demo.Client.GetStringAsync("api/v1/alarms?municipality=braga&limit=1000"));
        return [.. document.RootElement.GetProperty("items").EnumerateArray().Select(item => item.Clone())];
    }
}
