using System.Net;
using System.Net.Http.Headers;
using System.Security.Claims;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>What has been at a station: uptime, log, calibrations, places, notes and photos, and who sees what of it.</summary>
public sealed class StationHistoryTests
{
    private const string Page = "/stations/braga/avenida-central/history";
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>A picture of one pixel with a text in it (tEXt, "Author", "Ana").</summary>
    private static readonly byte[] Png = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACnRFWHRBdXRob3IAQW5hZ3rjfgAAAA1JREFUeJxj+M/A8B8ABQAB/4mZPR0AAAAASUVORK5CYII=");

    [Fact]
    public void Uptime_counts_what_came_of_what_was_due_and_names_the_longest_gaps()
    {
        // Two hours: a minute's measure with a quarter missing and one of half an hour, due from the third quarter on.
        var minutes = new UptimeMeasure(TimeSpan.FromMinutes(1), 0, [15, 15, 0, 0, 0, 15, 15, 30]);
        var halves = new UptimeMeasure(TimeSpan.FromMinutes(30), 6, [0, 0, 0, 0, 0, 0, 1, 0]);
        var uptime = UptimeMath.Of(Noon, 8, [minutes, halves]);
        Assert.Equal([0.5, 5.0 / 6], uptime.Hours.Select(hour => Math.Round(hour.Share, 12)), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(7.0 / 10, uptime.Share, 9);
        Assert.Equal([new UptimeGap(Noon.AddMinutes(30), Noon.AddMinutes(75))], uptime.Gaps);
        Assert.Null(UptimeMath.Of(Noon, 4, [minutes with { Counts = [15, 15, 0, 0] }]).Gaps[0].To);
        Assert.True(double.IsNaN(UptimeMath.Of(Noon, 4, []).Share));
        Assert.Equal([-1, 0, 1, 2, 3, 4], new[] { double.NaN, 0, 0.49, 0.5, 0.994, 0.995 }.Select(StationPictures.ClassOf));
    }

    [Fact]
    public void The_formula_of_a_calibration_is_read_off_its_values_or_not_told()
    {
        Observation At(double raw, double result) => new(1, Noon, result, Quality.Good) { Raw = raw, Calibration = 2 };
        var (gain, offset) = StationCalibrations.LineOf([At(10, 12), At(30, 34), At(20, 23)]);
        Assert.Equal((1.1, 1.0), (Math.Round(gain, 9), Math.Round(offset, 9)));
        Assert.True(double.IsNaN(StationCalibrations.LineOf([At(10, 12), At(30, 34), At(20, 29)]).Gain));
        Assert.True(double.IsNaN(StationCalibrations.LineOf([At(10, 12), At(10, 12)]).Gain));
    }

    [Fact]
    public async Task The_history_tells_calibrations_places_and_events_and_what_is_internal_only_to_the_municipality()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var pm10 = host.City.Datastream("braga", "avenida-central", City.Pm10);
        var changed = Noon.AddDays(-5).AddHours(-2.5);
        await host.City.Series.AppendAsync(
            Enumerable.Range(0, 10 * 1_440).Select(i => Noon.AddDays(-10).AddMinutes(i)).Select((at, i) => new Observation(pm10.Id, at, at < changed ? i % 50 : (i % 50 * 1.25) + 2, Quality.Good) { Raw = i % 50, Calibration = at < changed ? 1 : 2, Revision = 1 }).ToArray(), stop);
        var station = pm10.Station;
        host.Notebook.Places[station.Id] = [new(Noon.AddDays(-90), station.Latitude + 0.01, station.Longitude)];
        await host.Audit.NoteAsync(new AuditNote("braga", "calibration-corrected", $"datastream {pm10.Id}", "rita@cm-braga.pt", """{"calibration":1,"gain":1.5,"offset":-2,"corrected":1234}"""), stop);
        await host.Audit.NoteAsync(new AuditNote("braga", "taken-out-of-service", "station avenida-central", "rita@cm-braga.pt", "{}"), stop);
        await host.Audit.NoteAsync(new AuditNote("braga", "taken-out-of-service", "station se", "rui@cm-braga.pt", "{}"), stop);
        host.Fleet.Agents[station.Id] = host.Fleet.Example;
        using var visitor = host.Browser();
        var page = await visitor.GetStringAsync(Page + "?lang=en", stop);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("version 2, since 18 Nov, 09:30 · value = raw × 1.2500 + 2.000 µg/m³", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        Assert.Contains("1.1 km from the one before", page, StringComparison.Ordinal);
        Assert.Contains("The station was moved: 1.1 km", page, StringComparison.Ordinal);
        Assert.Contains("Alarm: High fine particles", page, StringComparison.Ordinal);
        foreach (var hidden in new[] { "rita@", "Out of service", "Calibration of", "The agent", "sps30", "note-form" })
        {
            Assert.DoesNotContain(hidden, page.Replace("Calibration 2 of", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }

        using var browser = await SignedInAsync(host, stop);
        page = await browser.GetStringAsync(Page + "?lang=en", stop);
        Assert.Empty(Html.Read(page).Faults);
        page = WebUtility.HtmlDecode(page);
        Assert.Contains("version 1 corrected to value = raw × 1.5000 − 2.000 µg/m³; 1,234 values computed anew by rita@cm-braga.pt", page, StringComparison.Ordinal);
        Assert.Contains("Out of service", page, StringComparison.Ordinal);
        Assert.Contains("The agent reported hub-agent 0.1.0", page, StringComparison.Ordinal);
        Assert.DoesNotContain("rui@", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await visitor.GetAsync("/stations/braga/oficina/history", stop)).StatusCode);
    }

    [Fact]
    public async Task Operators_write_notes_with_photos_that_lose_what_the_camera_wrote_and_others_see_the_public_ones()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        using var browser = await SignedInAsync(host, stop);
        using var visitor = host.Browser();
        var page = await browser.GetStringAsync(Page, stop);
        using var saved = await PostAsync(browser, page, "Note", "Filtro trocado.\nEntrada limpa.", shared: true, Png);
        Assert.Equal(HttpStatusCode.Redirect, saved.StatusCode);
        using var inside = await PostAsync(browser, page, "Note", "A chave está no quartel.", shared: false, Png);
        var notes = await host.Notebook.ListAsync(host.City.Datastream("braga", "avenida-central", City.Pm10).Station.Id, true, 10, stop);
        var seen = await visitor.GetStringAsync(Page, stop);
        Assert.Empty(Html.Read(seen).Faults);
        seen = WebUtility.HtmlDecode(seen);
        Assert.Contains("Filtro trocado.\nEntrada limpa.", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("quartel", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("<p class=\"muted small\"><time datetime=\"2026-11-23T12:00:00.000Z\">23/11, 12:00</time> · braga", seen, StringComparison.Ordinal);

        // The public photo to anybody, without the name in it; the internal one only to people of the municipality.
        using var photo = await visitor.GetAsync($"{Page}?handler=Photo&photo={notes[1].Photos[0].Id}", stop);
        Assert.Equal(("image/png", "nosniff", "public, max-age=3600"), (photo.Content.Headers.ContentType!.ToString(), photo.Headers.GetValues("X-Content-Type-Options").Single(), photo.Headers.CacheControl!.ToString()));
        var bytes = await photo.Content.ReadAsByteArrayAsync(stop);
        Assert.DoesNotContain("Ana", System.Text.Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal(Png.Length - 22, bytes.Length);
        var hidden = $"{Page}?handler=Photo&photo={notes[0].Photos[0].Id}";
        Assert.Equal(HttpStatusCode.NotFound, (await visitor.GetAsync(hidden, stop)).StatusCode);
        using var known = await browser.GetAsync(hidden, stop);
        Assert.Equal((HttpStatusCode.OK, "no-store, private"), (known.StatusCode, known.Headers.CacheControl!.ToString()));
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/stations/braga/se/history?handler=Photo&photo=" + notes[1].Photos[0].Id, stop)).StatusCode);

        // What is none is refused with what it is about, and what was typed stays.
        using var refused = await PostAsync(browser, page, "Note", "Outra nota", shared: false, "<html>no photo</html>"u8.ToArray());
        var said = WebUtility.HtmlDecode(await refused.Content.ReadAsStringAsync(stop));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("Fotografia 1: não é JPEG, PNG ou WebP", said, StringComparison.Ordinal);
        Assert.Contains("Outra nota</textarea>", said, StringComparison.Ordinal);
        Assert.Empty(Html.Read(said).Faults);

        // A visitor can neither write nor remove; who may removes for good, and it is on record.
        using var stranger = await PostAsync(visitor, await visitor.GetStringAsync("/login", stop), "Note", "x", shared: true);
        Assert.Equal(HttpStatusCode.NotFound, stranger.StatusCode);
        using var removed = await browser.PostAsync(Page + "?handler=Remove", new FormUrlEncodedContent([new("note", notes[1].Id.ToString(System.Globalization.CultureInfo.InvariantCulture)), new("__RequestVerificationToken", TokenOf(page))]), stop);
        Assert.Equal(HttpStatusCode.Redirect, removed.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await visitor.GetAsync($"{Page}?handler=Photo&photo={notes[1].Photos[0].Id}", stop)).StatusCode);
        Assert.Equal(["station-note-added", "station-note-added", "station-note-removed"], host.Audit.Notes.Select(note => note.Action));
    }

    [Theory]
    [InlineData("Operator@braga", "braga", 26_214_400)]
    [InlineData("Viewer@braga", "braga", 1_000_000)]
    [InlineData("Operator@braga", "evora", 1_000_000)]
    public void Only_operators_of_the_municipality_may_send_forms_with_photos(string right, string municipality, long expected)
    {
        var http = new DefaultHttpContext { User = new(new ClaimsIdentity([new Claim(Rights.ClaimType, right)], "test")) };
        var size = new BodySize { MaxRequestBodySize = 1_000_000 };
        http.Features.Set<IHttpMaxRequestBodySizeFeature>(size);
        new OperatorUploadAttribute(26_214_400).OnAuthorization(new(new(http, new(new RouteValueDictionary { ["municipality"] = municipality }), new()), []));
        Assert.Equal(expected, size.MaxRequestBodySize);
    }

    private sealed class BodySize : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }

    private static async Task<HttpClient> SignedInAsync(PortalHost host, CancellationToken stop)
    {
        var browser = host.Browser();
        using var entry = await browser.PostAsync("/login", new FormUrlEncodedContent([new("name", "braga"), new("password", "right"), new("back", "/"), new("__RequestVerificationToken", TokenOf(await browser.GetStringAsync("/login", stop)))]), stop);
        return browser;
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string page, string handler, string text, bool shared, params byte[][] photos)
    {
        using MultipartFormDataContent form = new() { { new StringContent(text), "text" }, { new StringContent(shared ? "true" : "false"), "shared" }, { new StringContent(TokenOf(page)), "__RequestVerificationToken" } };
        foreach (var photo in photos)
        {
            var file = new ByteArrayContent(photo);
            file.Headers.ContentType = new MediaTypeHeaderValue("image/png");
            form.Add(file, "photos", "photo.png");
        }

        return await browser.PostAsync($"{Page}?handler={handler}", form, TestContext.Current.CancellationToken);
    }

    private static string TokenOf(string page) => Html.Read(page).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!;
}
