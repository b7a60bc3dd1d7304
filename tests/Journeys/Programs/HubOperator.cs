using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Hub.Tests.Journeys.Programs;

/// <summary>An operator of one municipality of a hub, and the stations they look after: what a person does from a terminal and over the API.</summary>
public sealed class HubOperator
{
    private const string UserName = "ana";
    private readonly HubProgram _hub;
    private readonly string _municipality;
    private readonly Dictionary<string, string> _secrets = [];
    private readonly string _password;
    private string? _token;

    private HubOperator(HubProgram hub, string municipality, string password) => (_hub, _municipality, _password) = (hub, municipality, password);

    /// <summary>With what the person signs in.</summary>
    public (string UserName, string Password) Login => (UserName, _password);

    /// <summary>Makes the municipality, a station and the person, an operator unless another role is given.</summary>
    public static async Task<HubOperator> AddAsync(HubProgram hub, string municipality, string station, string role = "Operator")
    {
        var secret = await hub.AddStationAsync(municipality, station);
        var password = Word(await hub.ToolAsync("user", "add", UserName, "--role", role, "--municipality", municipality), "password")!;
        return new HubOperator(hub, municipality, password) { _secrets = { [station] = secret } };
    }

    /// <summary>The same person at a copy of the hub.</summary>
    public HubOperator At(HubProgram copy) => new(copy, _municipality, _password);

    /// <summary>Makes another station.</summary>
    public async Task AddStationAsync(string station) => _secrets[station] =
        Word(await _hub.ToolAsync("station", "add", $"{_municipality}/{station}", "--name", station, "--latitude", "41.55", "--longitude", "-8.42"), "secret")!;

    /// <summary>Adds a subscriber to the running hub; the secret of a webhook.</summary>
    public async Task<string?> SubscribeAsync(string channel, string target = "", string language = "en", bool digest = false)
    {
        using var request = await RequestAsync(HttpMethod.Post, $"api/v1/subscribers?municipality={_municipality}");
        request.Content = JsonContent.Create(new { channel, target, language, digest });
        using var answer = await _hub.Client.SendAsync(request);
        var said = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, said);
        return JsonElement.Parse(said).GetProperty("secret").GetString();
    }

    /// <summary>Makes a rule.</summary>
    public Task PutRuleAsync(string rule, string document) => SendAsync(HttpMethod.Put, $"api/v1/rules/{_municipality}/{rule}", document);

    /// <summary>Sends a JSON document to the API.</summary>
    public async Task SendAsync(HttpMethod method, string path, string document)
    {
        using var request = await RequestAsync(method, path);
        request.Content = new StringContent(document, Encoding.UTF8, "application/json");
        using var answer = await _hub.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>A station's readings over HTTP; done when they are stored.</summary>
    /// <exception cref="HttpRequestException">The hub is not there, or went away before it said so.</exception>
    public async Task PostReadingsAsync(string station, string pack)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"ingest/v1/{_municipality}/{station}") { Content = new StringContent(pack, Encoding.UTF8, "application/senml+json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_municipality}/{station}:{_secrets[station]}")));
        using var answer = await _hub.Client.SendAsync(request);
        var receipt = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, receipt);
        Assert.True(JsonElement.Parse(receipt).GetProperty("quarantined").GetInt32() == 0, receipt);
    }

    /// <summary>A reading in a pack.</summary>
    public static string Record(string sensor, string property, string unit, DateTime at, double value) => string.Create(
        CultureInfo.InvariantCulture, $$"""{"bver":26,"n":"{{sensor}}/{{property}}","u":"{{unit}}","t":{{(at - DateTime.UnixEpoch).TotalSeconds:F3}},"v":{{value}}}""");

    /// <summary>All items of a list, its further parts too.</summary>
    public async Task<IReadOnlyList<JsonElement>> ItemsAsync(string path)
    {
        var items = new List<JsonElement>();
        for (var next = path; next is not null;)
        {
            using var request = await RequestAsync(HttpMethod.Get, next);
            using var answer = await _hub.Client.SendAsync(request);
            var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
            Assert.True(answer.IsSuccessStatusCode, page.GetRawText());
            items.AddRange(page.GetProperty("items").EnumerateArray());
            next = page.TryGetProperty("next", out var address) ? address.GetString() : null;
        }

        return items;
    }

    private async Task<HttpRequestMessage> RequestAsync(HttpMethod method, string path)
    {
        if (_token is null)
        {
            using var session = await _hub.Client.PostAsJsonAsync("api/v1/sessions", new { userName = UserName, password = _password });
            _token = JsonElement.Parse(await session.Content.ReadAsStringAsync()).GetProperty("accessToken").GetString();
        }

        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        return request;
    }

    private static string? Word(string said, string name) =>
        said.Split('\n').SingleOrDefault(line => line.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{name} "), StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Trim();
}
