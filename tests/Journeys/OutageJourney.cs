using System.Text.Json;
using Hub.Cloud.Notifications.Tests;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// A station is cut off for three hours, in which two alarms come and go and a third begins and goes on. At its return it says what is now, and then its backlog arrives at once. Its alarm history is that of
/// a station beside it that has sent the same readings one after the other; nobody is alarmed about what is over, everybody is told of it as past, and what is active now is an alarm. Somebody who has asked for digests
/// gets a mail about each active alarm, and of the past a digest through a real mail server, in which each alarm stands once.
/// </summary>
public sealed class OutageJourney : IAsyncLifetime
{
    private const int Minutes = 180;
    private const string Cut = "avenida";
    private const string Steady = "rotunda";
    private const string Path = "/hook";

    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly System.Security.Cryptography.X509Certificates.X509Certificate2 _certificate;
    private readonly SecureMailServer _mail;
    private readonly HubProgram _hub;
    private WebhookReceiver _receiver = null!;
    private HubOperator _operator = null!;

    public OutageJourney()
    {
        _hub = new HubProgram(_folder.File("data"));
        _certificate = _authority.Issue("127.0.0.1");
        _mail = new SecureMailServer(_certificate);
    }

    public async ValueTask InitializeAsync()
    {
        try
        {
            // What has been said of the past counts as known after a second of quiet; what is said of now stays so on a busy machine.
            // Digests go out every five seconds instead of every hour.
            await File.WriteAllTextAsync(_folder.File("ca.pem"), _authority.Pem);
            await _hub.WriteSettingsAsync(JsonSerializer.Serialize(new
            {
                alerts = new { settleFor = "00:00:01", presentWithin = "00:10:00" },
                notifications = new
                {
                    digestEvery = "00:00:05",
                    webhook = new { allowPrivateTargets = true },
                    mail = new { smtp = new { host = "127.0.0.1", port = _mail.Port, user = _mail.User, password = _mail.Password, certificateAuthorityFile = _folder.File("ca.pem") } },
                },
            }));
            _receiver = await WebhookReceiver.StartAsync();
            _operator = await HubOperator.AddAsync(_hub, "braga", Steady);
            await _operator.AddStationAsync(Cut);
            await _hub.StartAsync();
            _receiver.Trust(Path, (await _operator.SubscribeAsync("webhook", _receiver.Address(Path)))!);
            await _operator.SubscribeAsync("mail", "maria@example.org", digest: true);
            await _operator.PutRuleAsync("pm10-high", """{"namePt":"PM10 alto","nameEn":"High PM10","severity":"alert","property":"pm10","crossing":"above","setLevel":50,"clearLevel":40,"for":"PT5M"}""");
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
    public async Task What_an_outage_hid_is_told_as_past_and_the_history_is_that_of_an_uninterrupted_station()
    {
        var now = DateTime.UtcNow;
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        List<string> readings = [.. Enumerable.Range(0, Minutes + 1).Select(minute => HubOperator.Record("air", "pm10", "ug/m3", now.AddMinutes(minute - Minutes), ValueAt(minute)))];

        // The one is heard of before the outage and when it is back, and then sends what it has kept; the other has sent each reading after the other.
        await _operator.PostReadingsAsync(Cut, $"[{readings[0]}]");
        await _operator.PostReadingsAsync(Cut, $"[{readings[^1]}]");
        await _operator.PostReadingsAsync(Cut, $"[{string.Join(',', readings[1..^1])}]");
        foreach (var reading in readings)
        {
            await _operator.PostReadingsAsync(Steady, $"[{reading}]");
        }

        await Eventually.TrueAsync(() => Told(Steady).Count >= 3 && Told(Cut).Count >= 3, "three alarms of each have been told");
        await Eventually.TrueAsync(() => Gathered().Count >= 4, "a digest, or two, tells of the past");
        await Eventually.TrueAsync(async () => (await _operator.ItemsAsync("api/v1/deliveries?municipality=braga&state=waiting")).Count == 0, "nothing waits");
        var (steady, cut) = (await HistoryAsync(Steady), await HistoryAsync(Cut));

        // In order, so that whatever else it has to say is said.
        await _hub.StopAsync();
        Assert.Equal(steady, cut);
        Assert.Equal(
            [(now.AddMinutes(30 - Minutes), (DateTime?)now.AddMinutes(60 - Minutes), 99.0), (now.AddMinutes(100 - Minutes), now.AddMinutes(120 - Minutes), 80.0), (now.AddMinutes(160 - Minutes), null, 70.0)],
            cut.Select(alarm => (alarm.ConditionAt, alarm.EndedAt, alarm.Peak)));
        Assert.All(_receiver.Requests, request => Assert.True(request.IsSigned, request.Text));
        foreach (var station in (string[])[Steady, Cut])
        {
            var told = Told(station);
            Assert.Equal(
                cut.Select(alarm => (alarm.EndedAt is null ? "alarm.started" : "alarm.past", alarm.ConditionAt, alarm.StartedAt, alarm.EndedAt)),
                told.Select(message => (message.GetProperty("type").GetString()!, Instant(message, "conditionAt")!.Value, Instant(message, "startedAt")!.Value, Instant(message, "endedAt"))).OrderBy(message => message.Item2));
        }

        // By mail: the two that are active by themselves and urgently; each of the four that are over once, in a digest that says that it is none.
        Assert.Equal([$"{Cut} 80", $"{Cut} 99", $"{Steady} 80", $"{Steady} 99"], Gathered().Order(StringComparer.Ordinal));
        var (digests, others) = (_mail.Messages.Where(mail => mail.Subject!.StartsWith("Summary:", StringComparison.Ordinal)).ToList(), _mail.Messages.Where(mail => !mail.Subject!.StartsWith("Summary:", StringComparison.Ordinal)).ToList());
        Assert.Equal(2, others.Count);
        Assert.All(others, mail => Assert.StartsWith("Alert: High PM10, 70", mail.Subject, StringComparison.Ordinal));
        Assert.All(others, mail => Assert.Equal(MimeKit.MessageImportance.High, mail.Importance));
        Assert.All(digests, mail => Assert.Contains("This is not an emergency", mail.TextBody, StringComparison.Ordinal));
        Assert.All(digests, mail => Assert.Equal(MimeKit.MessageImportance.Normal, mail.Importance));
    }

    /// <summary>The alarms of the past that digests name: station and highest value.</summary>
    private List<string> Gathered() =>
    [
        .. from mail in _mail.Messages
           where mail.Subject!.StartsWith("Summary:", StringComparison.Ordinal)
           from alarm in mail.TextBody!.ReplaceLineEndings("\n").Split("\n\n")
           where alarm.StartsWith("Of the past (alert): High PM10", StringComparison.Ordinal)
           let lines = alarm.Split('\n')
           select $"{lines[1].Trim()} {lines[3].Trim().Split(' ', '\u00A0')[1]}",
    ];

    /// <summary>Two alarms that are over, a burst too short to be one, and an alarm that goes on.</summary>
    private static double ValueAt(int minute) => minute switch
    {
        45 => 99,
        >= 30 and < 60 => 75,
        >= 80 and < 84 => 90,
        >= 100 and < 120 => 80,
        >= 160 => 70,
        _ => 20,
    };

    private sealed record Alarm(DateTime ConditionAt, DateTime StartedAt, DateTime? EndedAt, double StartValue, double Peak, bool Withdrawn);

    private async Task<List<Alarm>> HistoryAsync(string station) =>
    [
        .. (await _operator.ItemsAsync("api/v1/alarms?municipality=braga")).Where(alarm => alarm.GetProperty("station").GetString() == station).Select(alarm => new Alarm(
            alarm.GetProperty("conditionAt").GetDateTime(), alarm.GetProperty("startedAt").GetDateTime(), alarm.GetProperty("endedAt").ValueKind == JsonValueKind.Null ? null : alarm.GetProperty("endedAt").GetDateTime(),
            alarm.GetProperty("startValue").GetDouble(), alarm.GetProperty("peak").GetDouble(), alarm.GetProperty("withdrawn").GetBoolean())).OrderBy(alarm => alarm.ConditionAt),
    ];

    private List<JsonElement> Told(string station) =>
        [.. _receiver.Requests.DistinctBy(request => request.Id).Select(request => JsonElement.Parse(request.Body)).Where(message => message.GetProperty("data").GetProperty("station").GetString() == station)];

    private static DateTime? Instant(JsonElement message, string member) =>
        message.GetProperty("data").GetProperty(member) is { ValueKind: JsonValueKind.String } text ? text.GetDateTime() : null;
}
