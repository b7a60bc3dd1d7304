using System.Text;
using System.Xml.Linq;
using Hub.Cloud.Notifications.Cap;
using Hub.Edge.Contract.Quantities;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class CapTests
{
    private const string Sound = """
        <?xml version="1.0" encoding="utf-8"?>
        <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
          <identifier>a1</identifier>
          <sender>hub.example.org</sender>
          <sent>2026-05-04T12:00:00-00:00</sent>
          <status>Test</status>
          <msgType>Update</msgType>
          <source>braga</source>
          <scope>Public</scope>
          <references>hub.example.org,a0,2026-05-04T11:00:00-00:00</references>
          <info>
            <language>pt-PT</language>
            <category>Env</category>
            <event>Ruído</event>
            <responseType>Monitor</responseType>
            <urgency>Immediate</urgency>
            <severity>Minor</severity>
            <certainty>Observed</certainty>
            <eventCode><valueName>a</valueName><value>b</value></eventCode>
            <expires>2026-05-05T12:00:00-00:00</expires>
            <headline>Ruído</headline>
            <area>
              <areaDesc>Braga</areaDesc>
              <polygon>41.5,-8.4 41.6,-8.4 41.6,-8.5 41.5,-8.4</polygon>
              <circle>41.5,-8.4 0.25</circle>
            </area>
          </info>
        </alert>
        """;

    private static readonly XNamespace Cap = CapWriter.Namespace;
    private static readonly XNamespace Atom = AtomWriter.Namespace;

    [Fact]
    public void The_checker_takes_a_sound_document() => Assert.Empty(CapSchema.Faults(Sound));

    /// <summary>A checker that finds nothing proves nothing.</summary>
    [Theory]
    [InlineData("cap:1.2", "cap:1.1", "the root is")]
    [InlineData("<identifier>a1</identifier>", "", "alert has 0 identifier")]
    [InlineData("<identifier>a1</identifier>", "<identifier>a1</identifier><identifier>a2</identifier>", "alert has 2 identifier")]
    [InlineData("a1<", "a 1<", "identifier is 'a 1'")]
    [InlineData("<sender>hub.example.org", "<sender>hub,example", "sender is")]
    [InlineData("<sent>2026-05-04T12:00:00-00:00", "<sent>2026-05-04T12:00:00Z", "sent is")]
    [InlineData("<sent>2026-05-04T12:00:00-00:00", "<sent>2026-05-04T12:00:00+00:00", "sent is")]
    [InlineData("<sent>2026-05-04T12:00:00-00:00", "<sent>2026-05-04T12:00:00.5-00:00", "sent is")]
    [InlineData("<status>Test", "<status>test", "status is 'test'")]
    [InlineData("<msgType>Update", "<msgType>Updated", "msgType is")]
    [InlineData("<references>hub.example.org,a0,2026-05-04T11:00:00-00:00</references>", "", "Update without references")]
    [InlineData("hub.example.org,a0,2026", "hub.example.org a0 2026", "references is")]
    [InlineData("<source>braga</source>\n  <scope>Public</scope>", "<scope>Public</scope><source>braga</source>", "source is out of order in alert")]
    [InlineData("<scope>Public", "<scope>Restricted", "scope Restricted")]
    [InlineData("<language>pt-PT", "<language>pt_PT", "language is")]
    [InlineData("<category>Env</category>", "", "info has 0 category")]
    [InlineData("<category>Env", "<category>Noise", "category is 'Noise'")]
    [InlineData("<event>Ruído</event>", "<event></event>", "event is ''")]
    [InlineData("<responseType>Monitor", "<responseType>Watch", "responseType is")]
    [InlineData("<urgency>Immediate", "<urgency>Now", "urgency is")]
    [InlineData("<severity>Minor</severity>\n    <certainty>Observed</certainty>", "<certainty>Observed</certainty><severity>Minor</severity>", "severity is out of order in info")]
    [InlineData("<certainty>Observed", "<certainty>Very Likely", "certainty is")]
    [InlineData("<valueName>a</valueName><value>b</value>", "<value>b</value><valueName>a</valueName>", "valueName is out of order in eventCode")]
    [InlineData("<headline>Ruído</headline>", "<headline lang='pt'>Ruído</headline><title>x</title>", "info has {urn:oasis:names:tc:emergency:cap:1.2}title")]
    [InlineData("<expires>2026-05-05", "<expires>2026-05-03", "expires before it begins")]
    [InlineData("<areaDesc>Braga</areaDesc>", "", "area has 0 areaDesc")]
    [InlineData("41.5,-8.4 0.25", "41.5 -8.4 0.25", "circle is")]
    [InlineData("41.5,-8.4 0.25", "141.5,-8.4 0.25", "circle is")]
    [InlineData("41.6,-8.5 41.5,-8.4</polygon>", "41.6,-8.5</polygon>", "polygon is")]
    [InlineData("</alert>", "", "no XML")]
    public void The_checker_finds_what_is_wrong(string right, string wrong, string fault)
    {
        var document = Sound.ReplaceLineEndings("\n");
        Assert.Contains(right, document, StringComparison.Ordinal);
        Assert.Contains(CapSchema.Faults(document.Replace(right, wrong, StringComparison.Ordinal)), found => found.StartsWith(fault, StringComparison.Ordinal));
    }

    [Fact]
    public async Task From_the_start_to_the_end_each_message_is_an_alert_that_refers_to_all_before()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.Notifications.EnqueueAsync(Public("a:started:1"), default);
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        await bench.Notifications.EnqueueAsync(Public("a:corrected:2", NotificationKind.Corrected), default);
        bench.Time.Advance(TimeSpan.FromMinutes(10.5));
        await bench.Notifications.EnqueueAsync(Public("a:ended:3", NotificationKind.Ended), default);
        var (started, corrected, ended) = await AlertsAsync(bench) switch { [var a, var b, var c] => (a, b, c), var other => throw new InvalidOperationException($"{other.Count} alerts") };

        Assert.Equal(["Alert", "Update", "Update"], new[] { started, corrected, ended }.Select(alert => Value(alert, "msgType")));
        Assert.Equal(["Monitor", "Monitor", "AllClear"], new[] { started, corrected, ended }.Select(alert => Infos(alert, "responseType")));
        Assert.Equal(["Immediate", "Immediate", "Past"], new[] { started, corrected, ended }.Select(alert => Infos(alert, "urgency")));
        Assert.Null(started.Element(Cap + "references"));
        Assert.Equal(Reference(started), Value(corrected, "references"));
        Assert.Equal($"{Reference(started)} {Reference(corrected)}", Value(ended, "references"));
        Assert.Equal("2026-05-04T12:20:30-00:00", Value(ended, "sent"));
        Assert.Equal("2026-05-05T12:20:30-00:00", Infos(ended, "expires"));
        Assert.Null(started.Element(Cap + "info")!.Element(Cap + "expires"));
        Assert.Equal(3, new[] { started, corrected, ended }.Select(alert => Value(alert, "identifier")).Distinct().Count());
        Assert.All(new[] { started, corrected, ended }, alert => Assert.Equal(("hub.example.org", "Actual", "Public", "night-noise-avenida-1-20260504T105400Z"), (Value(alert, "sender"), Value(alert, "status"), Value(alert, "scope"), Value(alert, "incidents"))));
    }

    [Fact]
    public async Task It_says_what_people_and_programs_need_in_both_languages()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.Notifications.EnqueueAsync(Public(severity: Severity.Alert), default);
        var alert = Assert.Single(await AlertsAsync(bench));
        var (pt, en) = (alert.Elements(Cap + "info").First(), alert.Elements(Cap + "info").Last());
        Assert.Equal(("pt-PT", "en-GB"), (Value(pt, "language"), Value(en, "language")));
        Assert.Equal(("Ruído noturno", "Night noise"), (Value(pt, "event"), Value(en, "event")));
        Assert.Equal(("Alerta: Ruído noturno, 72,4\u00a0dB", "Alert: Night noise, 72.4\u00a0dB"), (Value(pt, "headline"), Value(en, "headline")));
        Assert.Contains("acima do limite de 70\u00a0dB.\nLocal: Avenida Central, Braga\n", Value(pt, "description"), StringComparison.Ordinal);
        foreach (var info in new[] { pt, en })
        {
            Assert.Equal(["Env", "Health"], info.Elements(Cap + "category").Select(category => category.Value));
            Assert.Equal(("Severe", "Observed", "Braga"), (Value(info, "severity"), Value(info, "certainty"), Value(info, "senderName")));
            Assert.Equal("2026-05-04T10:54:00-00:00", Value(info, "onset"));
            Assert.Equal("https://hub.example.org/stations/braga/avenida", Value(info, "web"));
            Assert.Equal("Avenida Central, Braga", Value(info.Element(Cap + "area")!, "areaDesc"));
            Assert.Equal("41.551234,-8.42 0.25", Value(info.Element(Cap + "area")!, "circle"));
            var parameters = info.Elements(Cap + "parameter").ToDictionary(pair => Value(pair, "valueName"), pair => Value(pair, "value"));
            Assert.Equal(("laeq", "dB", "72.4", "70", "80.05", "2026-05-04T10:59:00-00:00"), (parameters["hub:observedProperty"], parameters["hub:unit"], parameters["hub:value"], parameters["hub:limit"], parameters["hub:peak"], parameters["hub:startedAt"]));
        }
    }

    [Fact]
    public async Task What_is_over_when_it_is_first_known_is_an_alert_of_the_past_and_what_never_was_is_cancelled()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.Notifications.EnqueueAsync(Public("a:past:1", NotificationKind.Past), default);
        await bench.Notifications.EnqueueAsync(Public("a:corrected:2", NotificationKind.Corrected) with { Withdrawn = true }, default);
        var (past, cancelled) = await AlertsAsync(bench) switch { [var a, var b] => (a, b), var other => throw new InvalidOperationException($"{other.Count} alerts") };
        Assert.Equal(("Alert", "Past", "None", "Observed"), (Value(past, "msgType"), Infos(past, "urgency"), Infos(past, "responseType"), Infos(past, "certainty")));
        Assert.Equal(("Cancel", "Past", "None", "Unlikely"), (Value(cancelled, "msgType"), Infos(cancelled, "urgency"), Infos(cancelled, "responseType"), Infos(cancelled, "certainty")));
        Assert.Equal(Reference(past), Value(cancelled, "references"));
        Assert.Contains("já não corresponde", Value(cancelled, "note"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_expired_is_not_referred_to_and_where_nothing_is_left_news_stands_alone()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:Cap:ExpiresAfter", "01:00:00"));
        await bench.Notifications.EnqueueAsync(Public("a:past:1", NotificationKind.Past) with { EndedAt = null }, default);
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.Notifications.EnqueueAsync(Public("a:ended:2", NotificationKind.Ended), default);
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.Notifications.EnqueueAsync(Public("a:corrected:3", NotificationKind.Corrected) with { Withdrawn = true }, default);
        var alerts = await AlertsAsync(bench);
        Assert.Equal(["Alert", "Alert"], alerts.Select(alert => Value(alert, "msgType")));
        Assert.Equal("AllClear", Infos(alerts[1], "responseType"));
    }

    [Fact]
    public async Task Nothing_is_published_of_a_private_station_or_of_a_message_without_a_place_or_when_it_is_off()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        await bench.Notifications.EnqueueAsync(Public("a:started:1") with { Public = false }, default);
        await bench.Notifications.EnqueueAsync(Public("b:started:1") with { Public = false, Latitude = null, Longitude = null }, default);
        await bench.Notifications.EnqueueAsync(Public("c:started:1") with { Latitude = null }, default);
        await bench.Notifications.EnqueueAsync(Public("d:started:1") with { Longitude = 181 }, default);
        await bench.StopAsync();
        bench.Settings["Hub:Notifications:Cap:Enabled"] = "false";
        await bench.StartAsync();
        await bench.Notifications.EnqueueAsync(Public("e:started:1"), default);
        Assert.Empty(await AlertsAsync(bench));
        await bench.SettledAsync();
        Assert.Equal(5, bench.Topic.Payloads.Count);
    }

    [Fact]
    public void A_message_of_an_earlier_version_is_still_read_and_has_no_place()
    {
        var read = System.Text.Json.JsonSerializer.Deserialize<AlarmMessage>("""{"Key":"a","Kind":1,"Alarm":"a","Municipality":"braga","StartedAt":"2026-05-04T10:59:00Z"}""")!;
        Assert.Equal(((double?)null, (double?)null, false), (read.Latitude, read.Longitude, read.Public));
        var written = System.Text.Json.JsonSerializer.Deserialize<AlarmMessage>(System.Text.Json.JsonSerializer.Serialize(Public()))!;
        Assert.Equal((41.551234, -8.42, true), (written.Latitude, written.Longitude, written.Public));
    }

    [Fact]
    public async Task The_same_message_again_is_the_same_alert_and_what_was_published_does_not_change()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => bench.Notifications.EnqueueAsync(Public(), default).AsTask()));
        var before = Assert.Single(await AlertsAsync(bench));
        await bench.StopAsync();
        bench.Settings["Hub:Notifications:Cap:Sender"] = "alarmes@braga.example";
        bench.Settings["Hub:Notifications:Cap:Status"] = "Exercise";
        bench.Settings["Hub:Notifications:Cap:RadiusMetres"] = "0";
        await bench.StartAsync();
        await bench.Notifications.EnqueueAsync(Public(), default);
        await bench.Notifications.EnqueueAsync(Public("a:ended:2", NotificationKind.Ended), default);
        var alerts = await AlertsAsync(bench);
        Assert.Equal(before.ToString(), alerts[0].ToString());
        Assert.Equal(("alarmes@braga.example", "Exercise"), (Value(alerts[1], "sender"), Value(alerts[1], "status")));
        Assert.Equal(Reference(before), Value(alerts[1], "references"));
        Assert.EndsWith(" 0", Value(alerts[1].Element(Cap + "info")!.Element(Cap + "area")!, "circle"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_XML_cannot_hold_keeps_no_alarm_from_anybody()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.Notifications.EnqueueAsync(Public() with { StationName = "Rua <A> & \u0001\ud800 \"B\" 🏙", Alarm = "a b" }, default);
        var alert = Assert.Single(await AlertsAsync(bench));
        Assert.Equal("Rua <A> & \ufffd\ufffd \"B\" 🏙, Braga", Value(alert.Element(Cap + "info")!.Element(Cap + "area")!, "areaDesc"));
    }

    [Fact]
    public async Task Alerts_are_kept_as_long_as_the_log()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:LogKeep", "40.00:00:00"));
        await bench.Notifications.EnqueueAsync(Public("a:started:1"), default);
        bench.Time.Advance(TimeSpan.FromDays(30));
        await bench.Notifications.EnqueueAsync(Public("b:started:1") with { Alarm = "b" }, default);
        await Eventually.TrueAsync(
            async () =>
            {
                bench.Pass(TimeSpan.FromDays(1));
                return (await AlertsAsync(bench)).Count == 1;
            },
            "the older one is forgotten");
    }

    [Theory]
    [InlineData("pt", "pt-PT", "Alarmes: Braga", "Terminou: Ruído noturno, 63,3\u00a0dB – Avenida Central, Braga")]
    [InlineData("en", "en-GB", "Alarms: Braga", "Ended: Night noise, 63.3\u00a0dB – Avenida Central, Braga")]
    public async Task The_feed_lists_the_alerts_of_stations_that_everybody_may_see_newest_first(string language, string lang, string title, string newest)
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.Notifications.EnqueueAsync(Public("a:started:1"), default);
        bench.Time.Advance(TimeSpan.FromMinutes(30));
        await bench.Notifications.EnqueueAsync(Public("a:ended:2", NotificationKind.Ended), default);
        await bench.Notifications.EnqueueAsync(Public("b:started:1") with { Station = "escola" }, default);
        await bench.Notifications.EnqueueAsync(Public("c:started:1") with { Municipality = "aveiro" }, default);
        var feed = await bench.CapAlerts.FeedAsync(Request(language), default);
        var root = XDocument.Parse(Encoding.UTF8.GetString(feed.Xml.Span)).Root!;
        Assert.Equal(new DateTime(2026, 5, 4, 12, 30, 0, DateTimeKind.Utc), feed.UpdatedAt);
        Assert.Equal(Atom + "feed", root.Name);
        Assert.Equal((lang, title, "2026-05-04T12:30:00Z", "Braga"), (root.Attribute(XNamespace.Xml + "lang")!.Value, Atomic(root, "title"), Atomic(root, "updated"), Atomic(root.Element(Atom + "author")!, "name")));
        var self = root.Elements(Atom + "link").Single();
        Assert.Equal(("self", "application/atom+xml", "https://hub.example.org/feed"), (self.Attribute("rel")!.Value, self.Attribute("type")!.Value, self.Attribute("href")!.Value));
        var entries = root.Elements(Atom + "entry").ToList();
        Assert.Equal([newest, language == "pt" ? "Aviso: Ruído noturno, 72,4\u00a0dB – Avenida Central, Braga" : "Warning: Night noise, 72.4\u00a0dB – Avenida Central, Braga"], entries.Select(entry => Atomic(entry, "title")));
        Assert.Equal(["2026-05-04T12:30:00Z", "2026-05-04T12:00:00Z"], entries.Select(entry => Atomic(entry, "updated")));
        Assert.Equal(2, entries.Select(entry => Atomic(entry, "id")).Distinct().Count());
        foreach (var entry in entries)
        {
            var link = entry.Elements(Atom + "link").Single();
            Assert.Equal(("alternate", "application/cap+xml"), (link.Attribute("rel")!.Value, link.Attribute("type")!.Value));
            var identifier = link.Attribute("href")!.Value["https://hub.example.org/alarms/".Length..];
            Assert.Equal($"urn:hub:cap:hub.example.org:{identifier}", Atomic(entry, "id"));
            Assert.NotNull(await bench.CapAlerts.FindAsync("braga", identifier, default));
            Assert.Null(await bench.CapAlerts.FindAsync("aveiro", identifier, default));
        }

        Assert.Equal(feed.Xml.ToArray(), (await bench.CapAlerts.FeedAsync(Request(language), default)).Xml.ToArray());
    }

    [Fact]
    public async Task A_feed_of_nothing_is_a_feed()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var feed = await bench.CapAlerts.FeedAsync(Request("pt"), default);
        var root = XDocument.Parse(Encoding.UTF8.GetString(feed.Xml.Span)).Root!;
        Assert.Null(feed.UpdatedAt);
        Assert.Equal("1970-01-01T00:00:00Z", Atomic(root, "updated"));
        Assert.Empty(root.Elements(Atom + "entry"));
    }

    [Fact]
    public async Task A_feed_is_bounded()
    {
        await using var bench = await NotificationsBench.StartAsync();
        for (var i = 0; i <= ICapAlerts.FeedCountMax; i++)
        {
            await bench.Notifications.EnqueueAsync(Public($"{i}:started:1") with { Alarm = $"{i}" }, default);
        }

        var root = XDocument.Parse(Encoding.UTF8.GetString((await bench.CapAlerts.FeedAsync(Request("en"), default)).Xml.Span)).Root!;
        Assert.Equal(ICapAlerts.FeedCountMax, root.Elements(Atom + "entry").Count());
    }

    [Fact]
    public void Every_observed_property_has_its_categories()
    {
        Assert.Equal(["Met"], CapWriter.CategoriesOf("temperature"));
        Assert.Equal(["Transport"], CapWriter.CategoriesOf("vehicle_count_bus"));
        Assert.Equal(["Infra"], CapWriter.CategoriesOf("battery"));
        Assert.Equal(["Env", "Health"], CapWriter.CategoriesOf("pm2_5"));
        Assert.All(QuantityCatalogue.All, quantity => Assert.NotEmpty(CapWriter.CategoriesOf(quantity.Id)));
    }

    [Theory]
    [InlineData("Sender", "a b")]
    [InlineData("Sender", "a,b")]
    [InlineData("Sender", "a<b")]
    [InlineData("Sender", "a&b")]
    [InlineData("Status", "9")]
    [InlineData("RadiusMetres", "-1")]
    [InlineData("ExpiresAfter", "00:01:00")]
    public async Task A_setting_out_of_range_is_refused_by_its_full_key(string key, string value)
    {
        var refused = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            async () =>
            {
                await using var bench = await NotificationsBench.StartAsync(($"Hub:Notifications:Cap:{key}", value));
            });
        Assert.Contains($"Hub:Notifications:Cap:{key}", refused.Message, StringComparison.Ordinal);
    }

    private static AlarmMessage Public(string key = "night-noise-avenida-1-20260504T105400Z:started:1", NotificationKind kind = NotificationKind.Started, Severity severity = Severity.Warning) =>
        NotificationsBench.Message(key, kind, severity) with { Latitude = 41.551234, Longitude = -8.42, Public = true };

    private static CapFeedRequest Request(string language) =>
        new("braga", "Braga", ["avenida"], language, new Uri("https://hub.example.org/feed"), identifier => new Uri($"https://hub.example.org/alarms/{identifier}"));

    /// <summary>All that was published, oldest first, each checked.</summary>
    private static async Task<List<XElement>> AlertsAsync(NotificationsBench bench)
    {
        await using var db = await bench.Contexts.CreateDbContextAsync();
        var documents = db.CapAlerts.OrderBy(row => row.Id).Select(row => row.Xml).ToList();
        Assert.All(documents, document => Assert.Empty(CapSchema.Faults(document)));
        return documents.ConvertAll(document => XDocument.Parse(document).Root!);
    }

    private static string Reference(XElement alert) => $"{Value(alert, "sender")},{Value(alert, "identifier")},{Value(alert, "sent")}";

    private static string Value(XElement parent, string element) => parent.Element(Cap + element)?.Value ?? throw new InvalidOperationException($"no {element}");

    /// <summary>What both languages say, which is the same.</summary>
    private static string Infos(XElement alert, string element) => Assert.Single(alert.Elements(Cap + "info").Select(info => Value(info, element)).Distinct());

    private static string Atomic(XElement parent, string element) => parent.Element(Atom + element)!.Value;
}
