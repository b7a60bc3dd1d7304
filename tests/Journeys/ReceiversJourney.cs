using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Hub.Cloud.Notifications.Tests;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// One alarm and its end, told to receivers as there are in the world: a mail server with TLS and a login, a webhook that fails five times, one that hangs, one that has gone, an MQTT client, and whoever reads
/// the public feed. The operator sets them up from the terminal and makes the rule over the API.
/// </summary>
public sealed class ReceiversJourney : IAsyncLifetime
{
    private const string ReaderSecret = "a-secret-of-the-city-hall";
    private static readonly XNamespace Atom = "http://www.w3.org/2005/Atom";
    private static readonly XNamespace Cap = "urn:oasis:names:tc:emergency:cap:1.2";

    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly HubProgram _hub;
    private readonly System.Security.Cryptography.X509Certificates.X509Certificate2 _certificate;
    private readonly SecureMailServer _mail;
    private WebhookReceiver _receiver = null!;
    private HubOperator _operator = null!;

    public ReceiversJourney()
    {
        _hub = new HubProgram(_folder.File("data"));
        _certificate = _authority.Issue("127.0.0.1");
        _mail = new SecureMailServer(_certificate);
    }

    public async ValueTask InitializeAsync()
    {
        try
        {
            await File.WriteAllTextAsync(_folder.File("ca.pem"), _authority.Pem);
            await _hub.WriteSettingsAsync(JsonSerializer.Serialize(new
            {
                alerts = new { presentWithin = "01:00:00", staleAfter = "02:00:00" },
                mqtt = new { readers = new[] { new { user = "city", secret = ReaderSecret, municipalities = new[] { "braga" } } } },
                notifications = new
                {
                    retryDelays = Enumerable.Repeat("00:00:00.2", 6),
                    webhook = new { allowPrivateTargets = true, timeout = "00:00:02" },
                    mail = new
                    {
                        from = "Hub <hub@cm-braga.pt>",
                        smtp = new { host = "127.0.0.1", port = _mail.Port, security = "StartTls", user = _mail.User, password = _mail.Password, certificateAuthorityFile = _folder.File("ca.pem") },
                    },
                },
            }));
            _receiver = await WebhookReceiver.StartAsync();
            _operator = await HubOperator.AddAsync(_hub, "braga", "rotunda");
            await _hub.StartAsync();
            await _operator.SubscribeAsync("mail", "maria@example.org");
            await _operator.SubscribeAsync("mqtt");
            foreach (var path in (string[])["/fails", "/hangs", "/gone"])
            {
                _receiver.Trust(path, (await _operator.SubscribeAsync("webhook", _receiver.Address(path)))!);
            }

            await _operator.PutRuleAsync("pm10-high", """{"namePt":"PM10 alto","nameEn":"High PM10","severity":"alert","property":"pm10","crossing":"above","setLevel":50,"clearLevel":40}""");
        }
        catch
        {
            // What fails here is not disposed of by anybody else.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        if (_receiver is not null)
        {
            await _receiver.DisposeAsync();
        }

        _mail.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_alarm_and_its_end_reach_receivers_with_all_their_faults()
    {
        _receiver.Answer = async (request, context) =>
        {
            var number = Of(request.Path).Count;
            context.Response.StatusCode = request.Path switch { "/fails" when number <= 5 => 500, "/gone" => 410, _ => 204 };
            if (request.Path == "/hangs" && number == 1)
            {
                // Until the hub hangs up.
                var hungUp = new TaskCompletionSource();
                await using var registration = context.RequestAborted.Register(hungUp.SetResult);
                await hungUp.Task;
            }
        };
        await using var subscriber = Listen();
        await Eventually.TrueAsync(() => subscriber.Output.Contains("Subscribed (mid: 1): 1", StringComparison.Ordinal), $"the broker admits the city's reader: {subscriber.Output}");

        // It starts.
        await PostAsync(80);
        await Eventually.TrueAsync(() => Of("/fails").Count == 6 && Of("/hangs").Count == 2 && Of("/gone").Count == 1, "the webhooks have been tried until they took it, or said that they had gone");
        await Eventually.TrueAsync(() => _mail.Messages.Count == 1, "the mail is there");
        await Eventually.TrueAsync(() => States(subscriber).SequenceEqual(["active"]), "the topic says that it is active");
        var alert = await AlertAsync(1);
        Assert.Equal("Alert", (string?)alert.Element(Cap + "msgType"));

        // It ends; whoever has gone hears no more.
        await PostAsync(10);
        await Eventually.TrueAsync(() => Of("/fails").Count == 7 && Of("/hangs").Count == 3 && _mail.Messages.Count == 2, "the end has been delivered");
        await Eventually.TrueAsync(() => States(subscriber).SequenceEqual(["active", "ended"]), "the topic says that it has ended");
        await Eventually.TrueAsync(async () => (await LogAsync()).All(delivery => delivery.GetProperty("state").GetString() != "waiting"), "nothing waits");
        await CompareAsync(alert);
    }

    private async Task CompareAsync(XElement alert)
    {
        // Mail: over TLS, with a login, in one thread.
        var (first, second) = (_mail.Messages[0], _mail.Messages[1]);
        Assert.All([first, second], mail => Assert.Equal("maria@example.org", mail.To.Mailboxes.Single().Address));
        Assert.Equal(first.MessageId, Assert.Single(second.References));
        Assert.Equal(first.MessageId, second.InReplyTo);
        Assert.NotEqual(first.MessageId, second.MessageId);
        Assert.True(_mail is { Logins: >= 1, RefusedLogins: 0 });
        Assert.DoesNotContain(_mail.PlainCommands, line => !line.StartsWith("EHLO", StringComparison.Ordinal) && line != "STARTTLS");

        // Webhooks: each message under one id with the same bytes for each attempt, signed every time.
        Assert.All(_receiver.Requests, request => Assert.True(request.IsSigned, request.Text));
        foreach (var (path, attempts) in new[] { ("/fails", 6), ("/hangs", 2) })
        {
            var requests = Of(path);
            Assert.Single(requests.Take(attempts).Select(request => (request.Id, request.Text)).Distinct());
            Assert.Equal(["alarm.started", "alarm.ended"], requests.DistinctBy(request => request.Id).Select(request => JsonElement.Parse(request.Body).GetProperty("type").GetString()));
        }

        Assert.Single(Of("/gone"));
        var gone = Assert.Single(await _operator.ItemsAsync("api/v1/subscribers?municipality=braga"), one => one.GetProperty("target").GetString()!.EndsWith("/gone", StringComparison.Ordinal));
        Assert.Equal("410 Gone", gone.GetProperty("disabledBecause").GetString());
        Assert.Equal(
            ["mail ended delivered 1", "mail started delivered 1", "mqtt ended delivered 1", "mqtt started delivered 1", "webhook ended delivered 1", "webhook ended delivered 1", "webhook started dead 1", "webhook started delivered 2", "webhook started delivered 6"],
            (await LogAsync()).Select(line => $"{line.GetProperty("channel")} {line.GetProperty("kind")} {line.GetProperty("state")} {line.GetProperty("attempts")}").Order(StringComparer.Ordinal));

        // MQTT: retained, for who comes later.
        await using var late = Listen("-C", "1", "-F", "%r %p");
        await Eventually.TrueAsync(() => late.HasExited, "somebody who comes later gets the latest state at once");
        Assert.Contains("\n1 {", $"\n{late.Output}", StringComparison.Ordinal);
        Assert.Contains("\"state\":\"ended\"", late.Output, StringComparison.Ordinal);

        // The public feed: another alert that refers to the first.
        var update = await AlertAsync(2);
        Assert.Equal("Update", (string?)update.Element(Cap + "msgType"));
        Assert.Contains((string)alert.Element(Cap + "identifier")!, (string?)update.Element(Cap + "references"), StringComparison.Ordinal);
        Assert.Equal((string?)alert.Element(Cap + "incidents"), (string?)update.Element(Cap + "incidents"));
    }

    /// <summary>The newest alert of the feed, which has so many; it keeps the rules of CAP 1.2.</summary>
    private async Task<XElement> AlertAsync(int count)
    {
        var feed = XElement.Parse(await _hub.Client.GetStringAsync("api/v1/municipalities/braga/alarms.atom"));
        var entries = feed.Elements(Atom + "entry").ToList();
        Assert.Equal(count, entries.Count);
        var link = entries[0].Elements(Atom + "link").Single(one => (string?)one.Attribute("type") == "application/cap+xml");
        var alert = await _hub.Client.GetStringAsync((string)link.Attribute("href")!);
        Assert.Empty(CapSchema.Faults(alert));
        return XElement.Parse(alert);
    }

    // Line by line: into a pipe it says nothing until a message comes.
    private RunningProgram Listen(params string[] more) => new(
        "stdbuf",
        ["-oL", "mosquitto_sub", "-V", "mqttv5", "-h", "127.0.0.1", "-p", _hub.MqttPort.ToString(CultureInfo.InvariantCulture), "-u", "city", "-P", ReaderSecret, "-q", "1", "-t", "hub/v1/braga/alarms/#", .. more.Length == 0 ? ["-d"] : more]);

    private static IEnumerable<string> States(RunningProgram subscriber) =>
        subscriber.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonElement.Parse(line).GetProperty("state").GetString()!);

    private List<WebhookReceiver.Request> Of(string path) => [.. _receiver.Requests.Where(request => request.Path == path)];

    private Task<IReadOnlyList<JsonElement>> LogAsync() => _operator.ItemsAsync("api/v1/deliveries?municipality=braga");

    private Task PostAsync(double value) => _operator.PostReadingsAsync("rotunda", $"[{HubOperator.Record("air", "pm10", "ug/m3", DateTime.UtcNow, value)}]");
}
