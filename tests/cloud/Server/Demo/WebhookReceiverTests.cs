using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Server.Demo;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Server.Tests.Demo;

public sealed class WebhookReceiverTests : IAsyncLifetime
{
    private const string Topic = "  -> webhook, mail, MQTT topic hub/v1/braga/alarms/noise-event/praca-da-republica";
    private static readonly byte[] Key = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24];
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 18, 21, 52, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Now);
    private readonly List<string> _said = [];
    private readonly HttpClient _client = new();
    private WebhookReceiver _receiver = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _receiver = await WebhookReceiver.StartAsync("whsec_" + Convert.ToBase64String(Key), _folder.File("kept"), _time, _said.Add, Stop);

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_signed_webhook_is_kept_once_and_said_once_however_often_it_comes()
    {
        var body = Body("started", "active");
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync("a", body));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync("a", body));
        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync("b", body)));

        Assert.All(together, code => Assert.Equal(HttpStatusCode.NoContent, code));
        Assert.Equal(2, Kept().Length);
        Assert.All(Kept(), file => Assert.Equal(body, File.ReadAllText(file)));
        Assert.Equal(Enumerable.Repeat("18:21:52  Noise event in Praça da República (Braga): started, 62.3 dB" + Topic, 2), _said);
    }

    [Fact]
    public async Task Past_alarms_are_counted_and_not_said()
    {
        var body = Body("past", "past");
        await SendAsync("a", body);
        await SendAsync("b", body);
        await SendAsync("b", body);

        Assert.Equal(2, _receiver.Past);
        Assert.Equal(2, Kept().Length);
        Assert.Empty(_said);
    }

    [Fact]
    public async Task A_wrong_signature_or_an_old_timestamp_is_refused_and_not_kept()
    {
        var body = Body("started", "active");
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync("a", body, key: [.. Key.Reverse()]));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync("a", body, at: Now.AddMinutes(-5).AddSeconds(-1)));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync("a", body, at: Now.AddMinutes(5).AddSeconds(1)));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync("a", body, signature: ""));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync("a", body, signature: "v1,%%% v1, v2," + Sign(Key, "a", Now, body)[3..]));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync("a", body, signature: "v1," + new string('A', 4000)));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync("a", body, signature: Sign(Key, "b", Now, body)));
        Assert.Empty(Kept());
        Assert.All(_said, line => Assert.StartsWith("Webhook refused", line, StringComparison.Ordinal));

        // One right signature among others is enough: a secret may be in rotation.
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync("a", body, at: Now.AddMinutes(-5), signature: "v1,AAAA " + Sign(Key, "a", Now.AddMinutes(-5), body)));
        Assert.Single(Kept());
    }

    [Theory]
    [InlineData("active", false, "started, 62.3 dB")]
    [InlineData("ended", false, "ended, 62.3 dB, peak 71 dB")]
    [InlineData("corrected", false, "corrected by late data, peak 71 dB")]
    [InlineData("corrected", true, "corrected, late data showed that it never was")]
    public void A_line_says_what_happened(string state, bool withdrawn, string expected)
    {
        using var message = JsonDocument.Parse(Body("any", state, withdrawn));
        Assert.Equal($"18:21:52  Noise event in Praça da República (Braga): {expected}{Topic}", AlarmLine.Of(message.RootElement, TimeZoneInfo.Utc));
    }

    [Fact]
    public void A_line_names_the_station_when_the_rule_does_not_and_tells_the_time_of_the_persons_clock()
    {
        using var message = JsonDocument.Parse(Body("started", "active", rule: "Nitrogen dioxide very high"));
        var zone = TimeZoneInfo.CreateCustomTimeZone("later", TimeSpan.FromHours(6), "later", "later");
        Assert.StartsWith("00:21:52  Nitrogen dioxide very high at Praça da República (Braga): started", AlarmLine.Of(message.RootElement, zone), StringComparison.Ordinal);
    }

    private static string Body(string type, string state, bool withdrawn = false, string rule = "Noise event in Praça da República") => JsonSerializer.Serialize(new
    {
        type = $"alarm.{type}",
        timestamp = Now.UtcDateTime,
        data = new
        {
            state,
            withdrawn,
            municipality = "braga",
            municipalityName = "Braga",
            station = "praca-da-republica",
            stationName = "Praça da República",
            rule = "noise-event",
            ruleNameEn = rule,
            unit = "dB",
            value = 62.34,
            peak = 71.0,
        },
    });

    private static string Sign(byte[] key, string id, DateTimeOffset at, string body) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}.{body}"))));

    private string[] Kept() => Directory.GetFiles(_folder.File("kept"));

    private async Task<HttpStatusCode> SendAsync(string id, string body, byte[]? key = null, DateTimeOffset? at = null, string? signature = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _receiver.Address) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", (at ?? Now).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("webhook-signature", signature ?? Sign(key ?? Key, id, at ?? Now, body));
        using var response = await _client.SendAsync(request, Stop);
        return response.StatusCode;
    }
}
