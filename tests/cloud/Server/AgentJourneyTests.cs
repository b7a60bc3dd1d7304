using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Notifications;
using Hub.Edge.Contract.Claims;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Contract.Twin;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using MQTTnet.Protocol;

namespace Hub.Cloud.Server.Tests;

/// <summary>A new station from the operator's claim code to the answer to a command, over real HTTP and MQTT, with the command line beside the running hub.</summary>
public sealed class AgentJourneyTests : IDisposable
{
    private static readonly string Secret = new('s', 43);

    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_is_claimed_configured_commanded_and_given_its_rules()
    {
        using var terminal = new SaidConsole();
        var port = FreePort.Next();
        var configuration = HubConfiguration.Build(
            [
                new("Hub:Data", _folder.Path), new("Hub:Http:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}")),
                new("Hub:Mqtt:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")),
            ],
            null,
            []);
        await using var app = await HubHost.StartAsync(configuration, _ => { }, Stop);
        using var http = new HttpClient { BaseAddress = new Uri(HubHost.Address(app)) };
        await ToolAsync(0, "municipality", "add", "braga", "--name", "Braga");
        await ToolAsync(0, "station", "add", "braga/rotunda", "--name", "Rotunda", "--latitude", "41.55", "--longitude", "-8.42");
        var code = (await ToolAsync(0, "station", "claim-code", "braga/rotunda", "--profile", "air-basic")).Split('\n')[0]["code".Length..].Trim();
        Assert.Contains("never said", await ToolAsync(2, "station", "command", "braga/rotunda", "identify"), StringComparison.Ordinal);

        // The running hub learns of the station within a few seconds; until then the code would count as a wrong one.
        await Eventually.TrueAsync(async () => (await http.GetStringAsync("/api/v1/stations", Stop)).Contains("rotunda", StringComparison.Ordinal), "the running hub knows the station");
        using var body = new StringContent(Encoding.UTF8.GetString(new ClaimRequest(code, Secret, "test 1.0").ToUtf8()), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/claim/v1", body, Stop);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.True(ClaimReply.TryRead(await answer.Content.ReadAsByteArrayAsync(Stop), out var claimed, out _));
        Assert.Equal(("braga", "rotunda", "127.0.0.1", port, false, "air-basic"), (claimed.Municipality, claimed.Station, claimed.Address, claimed.Port, claimed.Tls, claimed.Profile));

        using var station = new MqttClientFactory().CreateMqttClient();
        var desired = new ConcurrentQueue<DesiredState>();
        station.ApplicationMessageReceivedAsync += async e =>
        {
            var message = e.ApplicationMessage;
            if (message.Topic.EndsWith("/config/desired", StringComparison.Ordinal) && DesiredState.TryRead(System.Buffers.BuffersExtensions.ToArray(message.Payload), out var state, out _))
            {
                desired.Enqueue(state);
            }
            else if (message.ResponseTopic is { } topic)
            {
                var reply = message.Topic.EndsWith("/read-now", StringComparison.Ordinal)
                    ? new CommandReply(CommandOutcome.Done, null, JsonSerializer.SerializeToElement(new { readings = new[] { new { sensor = "air", value = 12.5 } } }))
                    : new CommandReply(CommandOutcome.Refused, "no lamp");
                await station.PublishAsync(
                    new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(reply.ToUtf8()).WithCorrelationData(message.CorrelationData).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(), Stop);
            }
        };
        await station.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer(claimed.Address, claimed.Port).WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).WithClientId("braga/rotunda").WithCredentials("braga/rotunda", Secret).Build(), Stop);
        await station.SubscribeAsync("hub/v1/braga/rotunda/config/desired", MqttQualityOfServiceLevel.AtLeastOnce, Stop);
        await station.SubscribeAsync("hub/v1/braga/rotunda/command/+", MqttQualityOfServiceLevel.AtLeastOnce, Stop);
        await station.PublishAsync(
            new MqttApplicationMessageBuilder().WithTopic("hub/v1/braga/rotunda/status").WithPayload("""{"state":"online","agent":"test 1.0","sensors":[]}""").WithRetainFlag().WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(), Stop);

        // Settings, by the command line.
        await File.WriteAllTextAsync(_folder.File("settings.json"), "// a comment\n{ \"report\": { \"interval\": \"00:05:00\" }, }", Stop);
        Assert.Equal("version  1", (await ToolAsync(0, "station", "settings", "braga/rotunda", "--file", _folder.File("settings.json"))).Trim());
        await Eventually.TrueAsync(() => desired.LastOrDefault() is { Version: 1 }, "the station has them");
        Assert.Equal("""{"report":{"interval":"00:05:00"}}""", desired.Last().Settings!.Value.GetRawText());
        Assert.Contains("\"interval\": \"00:05:00\"", await ToolAsync(0, "station", "settings", "braga/rotunda"), StringComparison.Ordinal);
        await File.WriteAllTextAsync(_folder.File("settings.json"), "{ \"station\": \"other\" }", Stop);
        Assert.Contains("settings.station", await ToolAsync(2, "station", "settings", "braga/rotunda", "--file", _folder.File("settings.json")), StringComparison.Ordinal);

        // A rule marked for the edge, and one that is not.
        var alerts = app.Services.GetRequiredService<IAlerts>();
        var rule = new Rule("braga", "pm10-high", "PM10", "PM10", Severity.Warning, "pm10", null, null, null, Crossing.Above, 50, 45, TimeSpan.FromMinutes(10), Edge: true);
        await alerts.SaveAsync(rule with { Slug = "hub-only", Edge = false }, Stop);
        await alerts.SaveAsync(rule, Stop);
        await Eventually.TrueAsync(() => desired.LastOrDefault() is { Version: 2 }, "the station has the rule");
        Assert.Equal(new EdgeRule("pm10-high", "pm10", EdgeCrossing.Above, 50, 45, 600), Assert.Single(desired.Last().Rules!));
        await alerts.SaveAsync(rule with { Enabled = false }, Stop);
        await Eventually.TrueAsync(() => desired.LastOrDefault() is { Version: 3, Rules: null }, "and no more when it is off");
        Assert.Contains("rules", await ToolAsync(0, "station", "settings", "braga/rotunda", "--history"), StringComparison.Ordinal);

        // Commands, by the command line through the running hub.
        Assert.Contains("12.5", await ToolAsync(0, "station", "command", "braga/rotunda", "read-now"), StringComparison.Ordinal);
        Assert.Contains("refused: no lamp", await ToolAsync(1, "station", "command", "braga/rotunda", "identify", "--arguments", "{\"seconds\":5}"), StringComparison.Ordinal);
    }

    /// <summary>What a tool says, on either stream.</summary>
    private async Task<string> ToolAsync(int code, params string[] arguments)
    {
        // Its own: the running hub has its say meanwhile.
        using var said = new SaidConsole();
        var ended = await HubCommand.RunAsync([.. arguments, "--data", _folder.Path], Stop);
        var text = said.Output + said.Error;
        Assert.True(ended == code, $"{string.Join(' ', arguments)}: {ended} {text}");
        return text;
    }
}
