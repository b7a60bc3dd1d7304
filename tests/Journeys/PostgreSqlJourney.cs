using System.Text.Json;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// The hub with its tables on a real PostgreSQL, by configuration alone: hub and server are killed, each and both; nothing that was acknowledged is missing, what was begun is finished, and the hub is
/// ready again by itself after the server was away. In the long run also: one that was replaced while it slept ends, and a backup fills an empty database of another hub.
/// </summary>
public sealed class PostgreSqlJourney : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private HubProgram _hub = null!;
    private PostgreSqlServer _server = null!;
    private WebhookReceiver _receiver = null!;
    private HubOperator _operator = null!;
    private DateTime _at = DateTime.UtcNow;

    public async ValueTask InitializeAsync()
    {
        _hub = new HubProgram(_folder.File("data"));
        try
        {
            _server = await PostgreSqlServer.StartNewAsync(isDurable: true);
            _receiver = await WebhookReceiver.StartAsync();
            await File.WriteAllTextAsync(_folder.File("password"), PostgreSqlServer.Password + "\n");
            await _hub.WriteSettingsAsync(
                $$$$"""
                {"database": "postgresql://{{{{PostgreSqlServer.User}}}}@127.0.0.1:{{{{_server.Port}}}}/city", "databasePasswordFile": "{{{{_folder.File("password")}}}}",
                 "alerts": {"presentWithin": "01:00:00", "staleAfter": "02:00:00", "settleFor": "00:00:01"},
                 "notifications": {"retryDelays": ["00:00:01", "00:00:01", "00:00:01"], "webhook": {"allowPrivateTargets": true}}}
                """);
            _operator = await HubOperator.AddAsync(_hub, "braga", "rotunda");
            await _hub.StartAsync();
            _receiver.Trust("/ours", (await _operator.SubscribeAsync("webhook", _receiver.Address("/ours")))!);
            await _operator.PutRuleAsync("dust", """{"namePt":"PM10 alto","nameEn":"High PM10","severity":"alert","property":"pm10","crossing":"above","setLevel":50,"clearLevel":40}""");
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

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task What_was_acknowledged_outlives_the_hub_and_its_server()
    {
        Assert.False(File.Exists(Path.Combine(_hub.Data, "hub.db")));
        Assert.DoesNotContain(PostgreSqlServer.Password, _hub.Output, StringComparison.Ordinal);

        // Both at once, right after the acknowledgement of what begins an alarm.
        await PostAsync(80);
        await _hub.KillAsync();
        await _server.StopImmediatelyAsync();
        await _server.StartAsync();
        await _hub.StartAsync();
        await ToldAsync("alarm.started", 1);

        // The server alone, while the hub runs: it says so, takes readings all the same, and goes on by itself.
        await _server.StopImmediatelyAsync();
        var said = await UnreadyAsync();
        Assert.Contains("database: PostgreSQL at 127.0.0.1", said, StringComparison.Ordinal);
        await PostAsync(20);
        await _server.StartAsync();
        await _hub.ReadyAsync();
        await ToldAsync("alarm.ended", 1);

        Assert.Single(await AlarmsAsync());
        Assert.All(_receiver.Requests, request => Assert.True(request.IsSigned, request.Text));
        Assert.Equal(2, (await StreamAsync(_hub)).Observations);
    }

    [Fact]
    [Trait("kind", "long")]
    public async Task A_hub_that_was_replaced_while_it_slept_ends()
    {
        await using var second = new HubProgram(_folder.File("second"));
        second.Set("Hub:Database", $"Host=127.0.0.1;Port={_server.Port};Database=city;Username={PostgreSqlServer.User}");
        second.Set("Hub:DatabasePasswordFile", _folder.File("password"));

        // As long as the first is there, whatever happens to the server, no other starts.
        await _server.StopImmediatelyAsync();
        await UnreadyAsync();
        await _server.StartAsync();
        await _hub.ReadyAsync();
        await PostAsync(10);
        await second.StartAsync(wait: false);
        Assert.Equal(2, await second.ExitAsync());
        Assert.Contains("Another hub serves on PostgreSQL at 127.0.0.1", second.Output, StringComparison.Ordinal);
        Assert.False(_hub.HasExited);

        await _hub.PauseAsync();
        await _server.StopImmediatelyAsync();
        await _server.StartAsync();
        await second.StartAsync();
        await _hub.GoOnAsync();
        Assert.Equal(2, await _hub.ExitAsync());
        Assert.Contains("Another hub serves on PostgreSQL at 127.0.0.1", _hub.Output, StringComparison.Ordinal);
        await second.ReadyAsync();
    }

    [Fact]
    [Trait("kind", "long")]
    public async Task A_backup_fills_an_empty_database_of_another_hub()
    {
        await PostAsync(90);
        await ToldAsync("alarm.started", 1);
        await _hub.KillAsync();
        await _hub.StartAsync();
        var alarms = await AlarmsAsync();
        Assert.Single(alarms);
        Assert.Contains("answers", await _hub.ToolAsync("check"), StringComparison.Ordinal);
        await _hub.ToolAsync("backup", _folder.File("backup"));
        await _hub.StopAsync();

        // In a database and a folder of its own.
        await _server.MakeDatabaseAsync("copy");
        await using var copy = new HubProgram(_folder.File("copy"));
        var settings = new Dictionary<string, string> { ["Hub:Database"] = $"Host=127.0.0.1;Port={_server.Port};Database=copy;Username={PostgreSqlServer.User}", ["Hub:DatabasePasswordFile"] = _folder.File("password") };
        await File.WriteAllTextAsync(_folder.File("settings.json"), JsonSerializer.Serialize(settings));
        await copy.ToolAsync("restore", _folder.File("backup"), "--settings", _folder.File("settings.json"));
        foreach (var (key, value) in settings)
        {
            copy.Set(key, value);
        }

        await copy.StartAsync();
        Assert.Equal(1, (await StreamAsync(copy)).Observations);
        _operator = _operator.At(copy);
        Assert.Equal(alarms, await AlarmsAsync());

        // What is full is not filled again.
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => new HubProgram(_folder.File("third")).ToolAsync("restore", _folder.File("backup"), "--settings", _folder.File("settings.json")));
        Assert.Contains("is not empty", refused.Message, StringComparison.Ordinal);
    }

    private async Task PostAsync(int value)
    {
        _at = _at.AddSeconds(1);
        await _operator.PostReadingsAsync("rotunda", $"[{HubOperator.Record("dust", "pm10", "ug/m3", _at, value)}]");
    }

    private Task ToldAsync(string type, int count) => Eventually.TrueAsync(
        () => _receiver.Requests.DistinctBy(request => request.Id).Count(request => JsonElement.Parse(request.Body).GetProperty("type").GetString() == type) >= count,
        $"{count} of {type} have been delivered");

    private async Task<string> UnreadyAsync()
    {
        var said = "";
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await _hub.Client.GetAsync("health/ready");
                said = await answer.Content.ReadAsStringAsync();
                return !answer.IsSuccessStatusCode;
            },
            "the hub says that it is not ready");
        return said;
    }

    private async Task<List<string>> AlarmsAsync() =>
        [.. (await _operator.ItemsAsync("api/v1/alarms?municipality=braga")).Select(alarm => alarm.GetProperty("alarm").GetString()!).Order(StringComparer.Ordinal)];

    private static async Task<(int Id, long Observations)> StreamAsync(HubProgram hub)
    {
        var reader = new HubReader(hub.Client);
        var stream = Assert.Single(await reader.DatastreamsAsync("municipality=braga"));
        return (stream.Id, await reader.CountAsync(stream.Id));
    }
}
