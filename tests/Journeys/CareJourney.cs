using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>An operator looks after a station from the hub, with the real hub and the real agent: other settings, a wrong one, commands, a new secret, and a rule that the station watches itself when the hub is gone.</summary>
public sealed class CareJourney : IAsyncLifetime
{
    private const string Agent = "api/v1/stations/braga/rotunda/agent";
    private readonly TempFolder _folder = new();
    private readonly HubProgram _hub;
    private RunningProgram _agent = null!;
    private RunningProgram? _neighbour;
    private int _neighbourPort;
    private string _password = "";
    private readonly ITestOutputHelper _output;

    public CareJourney(ITestOutputHelper output)
    {
        _output = output;
        _hub = new HubProgram(_folder.File("hub"));
    }

    public async ValueTask InitializeAsync()
    {
        try
        {
            await BeginAsync();
        }
        catch
        {
            // What fails here is not disposed of by anybody else.
            await DisposeAsync();
            throw;
        }
    }

    private async Task BeginAsync()
    {
        var secret = await _hub.AddStationAsync("braga", "rotunda");
        _password = Word(await _hub.ToolAsync("user", "add", "ana", "--role", "Operator", "--municipality", "braga"), "password");
        await _hub.StartAsync();
        using var session = await _hub.Client.PostAsync("api/v1/sessions", Json(JsonSerializer.Serialize(new { userName = "ana", password = _password })));
        _hub.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", JsonElement.Parse(await session.Content.ReadAsStringAsync()).GetProperty("accessToken").GetString());

        // A broker of the neighbourhood: without a configuration Mosquitto serves this machine and asks for no name.
        _neighbourPort = FreePort.Next();
        _neighbour = new RunningProgram("/usr/sbin/mosquitto", ["-p", _neighbourPort.ToString(CultureInfo.InvariantCulture)]);
        await File.WriteAllTextAsync(_folder.File("secret"), secret + "\n");
        await File.WriteAllTextAsync(
            _folder.File("station.yaml"),
            $$"""
            municipality: braga
            station: rotunda
            hub: { address: 127.0.0.1, port: {{_hub.MqttPort}}, secretFile: secret }
            thresholds:
              withoutHubAfter: "00:00:01"
              actions:
                - { rule: warm, onlyWithoutHub: true, mqtt: { address: 127.0.0.1, port: {{_neighbourPort}}, topic: city/siren } }
            sensors:
              - { name: air, kind: simulated, simulated: { interval: "00:00:01", quantities: [temperature] } }
            """);
        _agent = new RunningProgram("dotnet", [HubProgram.AgentExecutable, "run", "--station-file", _folder.File("station.yaml"), "--data", _folder.File("data"), "--exit-with-stdin"]);
        await UntilAsync("the station is there", agent => agent.GetProperty("presence").GetString() == "online");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in new[] { _agent, _neighbour }.OfType<RunningProgram>())
        {
            await program.DisposeAsync();
        }

        await _hub.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_station_is_looked_after_from_the_hub()
    {
        // Other settings: applied, and measured by.
        await SettingsAsync("0", """{"settings":{"sensors":[{"name":"air","kind":"simulated","simulated":{"interval":"00:00:01","quantities":["temperature","pm10"]}}]},"trial":"PT5M"}""");
        await UntilAsync("the settings are applied", agent => Reported(agent) is (1, "applied"));
        var reader = new HubReader(_hub.Client);
        await Eventually.TrueAsync(async () => (await reader.DatastreamsAsync("municipality=braga")).Any(stream => stream is { Sensor: "air", Property: "pm10" }), "the new quantity arrives");

        // A wrong one is refused with its place, and the old one stays.
        await SettingsAsync("1", """{"settings":{"sensors":[{"name":"air","kind":"nose"}]}}""");
        var refused = await UntilAsync("the wrong settings are refused", agent => Reported(agent) is (2, "refused"));
        Assert.Contains("sensors[0].kind", refused.GetProperty("reported").GetProperty("problems")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(1, refused.GetProperty("reported").GetProperty("inForce").GetInt64());

        // What the operator sees of it.
        await using (var browser = await Browser.StartAsync())
        {
            var page = await browser.OpenAsync($"{_hub.Client.BaseAddress}login?lang=pt");
            await page.FillAsync("#name", "ana");
            await page.FillAsync("#password", _password);
            await page.Keyboard.PressAsync("Enter");
            await page.WaitForURLAsync(address => !address.Contains("login", StringComparison.Ordinal));
            await page.GotoAsync($"{_hub.Client.BaseAddress}stations/braga/rotunda/agent");
            await page.GetByText("sensors[0].kind").First.WaitForAsync();
            await Browser.ShootAsync(page, "agent-pt-light");
            await page.SetViewportSizeAsync(390, 844);
            await page.EmulateMediaAsync(new Microsoft.Playwright.PageEmulateMediaOptions { ColorScheme = Microsoft.Playwright.ColorScheme.Dark });
            await page.GotoAsync($"{_hub.Client.BaseAddress}stations/braga/rotunda/agent?lang=en");
            await Browser.ShootAsync(page, "agent-en-dark-phone");
            Assert.Empty(browser.PageErrors);
            Assert.Empty(browser.OutsideRequests);
        }

        // Undone by one word.
        using (var undo = new HttpRequestMessage(HttpMethod.Post, $"{Agent}/settings/versions/1/restore"))
        {
            undo.Headers.IfMatch.Add(new EntityTagHeaderValue("\"2\""));
            using var undone = await _hub.Client.SendAsync(undo);
            Assert.True(undone.IsSuccessStatusCode, await undone.Content.ReadAsStringAsync());
        }

        await UntilAsync("the settings before are applied again", agent => Reported(agent) is (3, "applied"));

        // Commands.
        var read = await CommandAsync("read-now", "{}");
        Assert.Contains(read.GetProperty("result").GetProperty("readings").EnumerateArray(), reading => reading.GetProperty("property").GetString() == "pm10");
        var diagnostics = (await CommandAsync("diagnostics", """{"lines":50}""")).GetRawText();
        Assert.Contains("\"log\"", diagnostics, StringComparison.Ordinal);
        Assert.DoesNotContain((await File.ReadAllTextAsync(_folder.File("secret"))).Trim(), diagnostics, StringComparison.Ordinal);
        await CommandAsync("rotate-credentials", "");
        await CommandAsync("restart", "");
        await Eventually.TrueAsync(() => _agent.Output.Split("hub-agent 0").Length > 2 || _agent.Output.Contains("begin again", StringComparison.Ordinal), $"the agent begins again: {_agent.Output}");
        await UntilAsync("the station is there again, with its new secret", agent => agent.GetProperty("presence").GetString() == "online");

        // A rule that the station watches itself: quiet while the hub is there, heard by the neighbours when it is gone.
        using (var rule = await _hub.Client.PutAsync("api/v1/rules/braga/warm", Json("""{"namePt":"Quente","nameEn":"Warm","severity":"warning","property":"temperature","crossing":"above","setLevel":-30,"edge":true}""")))
        {
            Assert.Equal(HttpStatusCode.Created, rule.StatusCode);
        }

        await UntilAsync("the station has the rule", agent => Reported(agent) is (4, "applied"));
        await _hub.KillAsync();
        await using var siren = new RunningProgram("/usr/bin/mosquitto_sub", ["-h", "127.0.0.1", "-p", _neighbourPort.ToString(CultureInfo.InvariantCulture), "-t", "city/siren"]);
        await Eventually.TrueAsync(() => siren.Output.Contains("\"on\":true", StringComparison.Ordinal), $"the siren sounds without the hub. The agent said:\n{_agent.Output}");

        // The hub is back: the siren ends, and nothing that was measured meanwhile is missing.
        await _hub.StartAsync();
        await Eventually.TrueAsync(() => siren.Output.Split('\n')[^1].Contains("\"on\":false", StringComparison.Ordinal), "the siren ends with the hub's return");
        _output.WriteLine(siren.Output);
    }

    private static (long Version, string Outcome) Reported(JsonElement agent) => agent.TryGetProperty("reported", out var reported) && reported.ValueKind == JsonValueKind.Object
        ? (reported.GetProperty("version").GetInt64(), reported.GetProperty("outcome").GetString()!)
        : (0, "");

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static string Word(string said, string name) =>
        said.Split('\n').Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Trim();

    private async Task SettingsAsync(string seen, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{Agent}/settings") { Content = Json(body) };
        request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{seen}\""));
        using var answer = await _hub.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<JsonElement> CommandAsync(string name, string arguments)
    {
        using var answer = await _hub.Client.PostAsync($"{Agent}/commands/{name}?wait=60", Json(arguments));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{name}: {text}\n{_agent.Output}");
        var command = JsonElement.Parse(text);
        Assert.True(command.GetProperty("outcome").GetString() == "done", text);
        return command;
    }

    private async Task<JsonElement> UntilAsync(string what, Func<JsonElement, bool> holds)
    {
        JsonElement last = default;
        try
        {
            await Eventually.TrueAsync(async () => holds(last = await _hub.GetAsync(Agent)), what, TimeSpan.FromMinutes(5));
            return last;
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\nThe hub has: {last}\nThe agent said:\n{_agent.Output}", e);
        }
    }
}
