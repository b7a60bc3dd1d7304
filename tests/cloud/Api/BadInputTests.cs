using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Xml;
using Hub.Cloud.Alerts;
using Hub.Tests.Kit;
using Hub.Tests.Kit.PostgreSql;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Hub.Cloud.Api.Tests;

/// <summary>
/// What operators may send about rules, alarms and deliveries, made wrong by a seeded fuzzer, against the real rules and handling over a real connection: each answer is 4xx with a problem document that
/// names what is wrong, nothing is stored or changed, and the hub goes on serving. What the fuzzer leaves right by chance is taken, and then not counted as wrong: it must be stored as it was said, member by
/// member. HUB_FUZZ_CASES and HUB_FUZZ_SEED make other cases.
/// </summary>
public sealed class BadInputTests(ITestOutputHelper output)
{
    private const string Operator = "Operator@braga";
    private const string Alarm = "night-centro-2-20260301T110000Z";

    private const string Value =
        """{"namePt":"PM10 alto","nameEn":"High PM10","severity":"warning","property":"pm10","crossing":"above","setLevel":50,"clearLevel":45,"for":"PT10M","period":"PT1M","station":"centro","sensor":"air","edge":true,"enabled":true,"source":"DL 102/2010"}""";

    private static readonly string[] Rules =
    [
        Value,
        """{"namePt":"Média diária","nameEn":"Daily mean","severity":"alert","property":"pm10","crossing":"above","setLevel":90,"measure":"mean","window":"P1D","onClock":true,"coverageMin":0.5,"offFor":"PT1H"}""",
        """{"namePt":"Noite","nameEn":"Night","severity":"information","property":"laeq","crossing":"above","setLevel":55.5,"measure":"percentile","percent":90,"window":"PT1H","schedule":"mo-fr 22:00-06:00; no holidays"}""",
        """{"namePt":"Calado","nameEn":"Silent","severity":"alert","property":"no2","measure":"no-data","window":"PT30M"}""",
    ];

    private static readonly (string Path, string Document)[] Acts =
    [
        ($"alarms/{Alarm}/comment", """{"comment":"road works"}"""),
        ($"alarms/{Alarm}/assign", """{"person":"rui","comment":"please"}"""),
        ($"alarms/{Alarm}/shelve", """{"for":"PT2H","comment":"works"}"""),
        ($"alarms/{Alarm}/shelve", """{"until":"2026-03-01T18:00:00Z"}"""),
        ($"alarms/{Alarm}/acknowledge", """{"comment":"seen"}"""),
        ($"alarms/{Alarm}/unshelve", """{"comment":"done"}"""),
        ("stations/braga/centro/out-of-service", """{"rule":"night","comment":"filter"}"""),
        ("stations/braga/centro/return-to-service", """{"rule":"night"}"""),
    ];

    private static readonly (string Method, string Path, string[] Parameters)[] Addresses =
    [
        ("GET", "alarms", ["active", "state", "silent", "municipality", "from", "to", "limit", "lim"]),
        ("GET", "deliveries?municipality=braga", ["state", "before", "limit", "after"]),
        ("GET", "suppressions", ["municipality", "station"]),
        ("GET", "rules", ["municipality", "severity"]),
        ("GET", "municipalities/braga/alarms.atom", ["language", "limit"]),
        ("POST", "rules/braga/night/rehearsal", ["days", "limit"]),
        ("PUT", "rule-files/braga", ["preview", "removeOthers"]),
        ("POST", "rule-packs/noise-night/braga?preview=true", ["preview"]),
    ];

    private static readonly string[] Names = ["rules/braga/*", "rules/*/night", "rule-files/*", "rule-packs/*/braga", "rule-packs/noise-night/*", "alarms/*/acknowledge", "alarms/*/shelve", "deliveries/*/resend", "stations/braga/*/out-of-service"];
    private static readonly int Cases = Number("HUB_FUZZ_CASES", Repeats.Of(400, 20_000));
    private static readonly int Seed = Number("HUB_FUZZ_SEED", Repeats.AreMany ? Environment.ProcessId : 1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private sealed record Attempt(string Kind, HttpMethod Method, string Path, string Type, Malformed Sent);

    [Fact]
    public async Task What_is_malformed_is_refused_with_what_and_where_and_leaves_nothing_behind()
    {
        output.WriteLine($"HUB_FUZZ_CASES={Cases}, HUB_FUZZ_SEED={Seed}");
        var random = new Random(Seed);
        await using var host = await StartAsync();
        using var client = host.Client(Operator);
        foreach (var (rule, slug) in Rules.Zip(["day", "mean", "night", "silent"]))
        {
            using var made = await client.PutAsync($"/api/v1/rules/braga/{slug}", new StringContent(rule, Encoding.UTF8, "application/json"), Cancel);
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Cancel));
        }

        var file = await client.GetStringAsync("/api/v1/rule-files/braga", Cancel);
        var (refused, taken) = (new SortedDictionary<string, int>(StringComparer.Ordinal), 0);
        var before = await StateAsync(host);
        while (refused.Values.Sum() < Cases)
        {
            var attempt = Make(random, file);
            using var answer = await SendAsync(client, attempt);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            if (answer.IsSuccessStatusCode)
            {
                await TakenAsync(client, attempt, text);
                taken++;

                // As it was before, for the next one.
                await RestoreAsync(host, client, file);
                before = await StateAsync(host);
                continue;
            }

            Assert.True((int)answer.StatusCode is >= 400 and < 500, $"{attempt}: {(int)answer.StatusCode} {text}");
            Refused(attempt, answer, text);
            refused[attempt.Kind] = refused.GetValueOrDefault(attempt.Kind) + 1;
            var after = await StateAsync(host);
            Assert.True(before == after, $"{attempt} has changed\n{before}\nto\n{after}");
        }

        Assert.Equal(file, await client.GetStringAsync("/api/v1/rule-files/braga", Cancel));

        output.WriteLine($"{refused.Values.Sum()} refused ({string.Join(", ", refused.Select(pair => $"{pair.Value} {pair.Key}"))}); {taken} more were right by chance, and taken as they were said");
    }

    /// <summary>What stands behind the API, but the rest of the hub, is real: rules, handling, deliveries, the server.</summary>
    private static async Task<ApiHost> StartAsync()
    {
        var host = await ApiHost.StartAsync(
            builder =>
            {
                var services = builder.Services;
                services.RemoveAll<IServer>();
                builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
                {
                    kestrel.Listen(IPAddress.Loopback, 0);
                    kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
                });
                services.RemoveAll<IAlerts>().RemoveAll<IAlarmHandling>();
                services.AddSingleton<IMunicipalityDirectory, Lisbon>().AddHubAlerts(builder.Configuration);

                // Nothing is evaluated: what is stored is what was sent.
                services.Remove(services.Last(service => service.ServiceType == typeof(IHostedService)));
            },
            ("Hub:Alerts:RuleCountMax", "10000"));
        await host.MigrateNotificationsAsync();
        await host.MigrateAlertsAsync();
        await host.ExecuteAsync($"""
            INSERT INTO alerts_alarms ("Id", "Thread", "Municipality", "Rule", "Station", "Datastream", "Level", "Severity", "ConditionAt", "StartedAt", "StartValue", "Peak", "LastValue", "DetectedAt", "Past", "Withdrawn", "Cause", "Told", "ToldCount", "ToldPeak", "Unsettled")
            VALUES ('{Alarm}', '{Alarm}', 'braga', 'night', 'centro', {host.Laeq}, 0, 2, {Instant("2026-03-01 11:00:00")}, {Instant("2026-03-01 11:00:00")}, 60, 61, 61, {Instant("2026-03-01 11:00:01")}, false, false, 1, 1, 1, 61, false)
            """);
        await host.MigrateAlertsAsync();
        return host;
    }

    /// <summary>As the table holds it, on SQLite and on PostgreSQL.</summary>
    private static string Instant(string utc) => OnPostgreSql.IsOn
        ? $"{(DateTime.Parse(utc, CultureInfo.InvariantCulture) - DateTime.UnixEpoch).Ticks}"
        : $"'{utc}'";

    private static Attempt Make(Random random, string file)
    {
        switch (random.Next(10))
        {
            case < 3:
                return new Attempt("rules", HttpMethod.Put, $"rules/braga/{Of(random, ["night", "day", "new"])}", "application/json", Malformed.Json(random, Of(random, Rules)));
            case 3:
                return new Attempt("rehearsals", HttpMethod.Post, "rules/braga/new/rehearsal", "application/json", Malformed.Json(random, Of(random, Rules)));
            case < 7:
                return new Attempt("rule files", HttpMethod.Put, $"rule-files/braga{Of(random, ["", "?removeOthers=true"])}", Of(random, ["application/yaml", "application/yaml; charset=utf-8"]), Malformed.Yaml(random, file));
            case 7:
                var (path, document) = Acts[random.Next(Acts.Length)];
                return new Attempt("acts on alarms", HttpMethod.Post, path, "application/json", Malformed.Json(random, document));
            case 8:
                var (method, address, parameters) = Addresses[random.Next(Addresses.Length)];
                var query = $"{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{Of(random, parameters)}={Uri.EscapeDataString(Malformed.Value(random).Replace("\ud83d\ude00", "😀", StringComparison.Ordinal))}";
                return address.StartsWith("rule-files", StringComparison.Ordinal)
                    ? new Attempt("parameters", HttpMethod.Put, address + query, "application/yaml", Right(file))
                    : new Attempt("parameters", new HttpMethod(method), address + query, "application/json", Right(address.EndsWith("rehearsal", StringComparison.Ordinal) ? Value : ""));
            default:
                // A name in the address that is none, or a body said to be something else.
                if (random.Next(2) == 0)
                {
                    var type = Of(random, ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png", "application/cbor"]);
                    return new Attempt("content types", HttpMethod.Put, "rules/braga/new", type, Right(Of(random, Rules)));
                }

                // A NUL in an address is no HTTP: the server itself refuses it, before there is an API.
                var value = Malformed.Value(random).Replace('\0', '\t');
                var name = Of(random, Names);
                var put = name.StartsWith("rules", StringComparison.Ordinal) || name.StartsWith("rule-files", StringComparison.Ordinal);
                return new Attempt(
                    "names", put ? HttpMethod.Put : HttpMethod.Post, name.Replace("*", Uri.EscapeDataString(value), StringComparison.Ordinal),
                    name.StartsWith("rule-files", StringComparison.Ordinal) ? "application/yaml" : "application/json",
                    Right(name.StartsWith("rules", StringComparison.Ordinal) ? Value : name.StartsWith("rule-files", StringComparison.Ordinal) ? file : name.EndsWith("shelve", StringComparison.Ordinal) ? """{"for":"PT2H"}""" : ""));
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, Attempt attempt)
    {
        using var request = new HttpRequestMessage(attempt.Method, $"/api/v1/{attempt.Path}");
        if (attempt.Method != HttpMethod.Get && attempt.Sent.Body.Length > 0)
        {
            request.Content = new ByteArrayContent(attempt.Sent.Body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(attempt.Type);
        }

        return await client.SendAsync(request, Cancel);
    }

    /// <summary>A problem in the catalogue's form, that says what is wrong; of one member, with its name.</summary>
    private static void Refused(Attempt attempt, HttpResponseMessage answer, string text)
    {
        var where = $"{attempt}: {(int)answer.StatusCode} {text}";
        Assert.True(answer.Content.Headers.ContentType?.MediaType == "application/problem+json", where);
        var problem = JsonElement.Parse(text);
        var detail = problem.GetProperty("detail").GetString();
        Assert.True(problem.GetProperty("status").GetInt32() == (int)answer.StatusCode && problem.GetProperty("code").GetString()!.Length > 0 && problem.GetProperty("title").GetString()!.Length > 0, where);
        Assert.True(detail is { Length: > 10 and < 2_000 } && !detail.Any(char.IsControl), where);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        if (attempt.Sent.Member is { } member && attempt.Kind is "rules" or "rehearsals" or "acts on alarms")
        {
            Assert.True(detail.Contains(attempt.Sent.Member!, StringComparison.OrdinalIgnoreCase), where);
        }
        else if (attempt.Kind == "rule files" && attempt.Sent.Member is not null)
        {
            Assert.True(detail.Contains(attempt.Sent.Member, StringComparison.Ordinal) || detail.Contains("Line ", StringComparison.Ordinal), where);
        }
    }

    /// <summary>Whatever was taken was right: what is stored says the same as what was sent.</summary>
    private static async Task TakenAsync(HttpClient client, Attempt attempt, string answer)
    {
        if (attempt.Kind == "rule files")
        {
            // UTF-16 that says so in its first bytes is YAML too (YAML 1.2, 5.2).
            using var reader = new StreamReader(new MemoryStream(attempt.Sent.Body), new UTF8Encoding(false, throwOnInvalidBytes: true));
            var said = RuleFile.Read(await reader.ReadToEndAsync(Cancel), "braga");
            var stored = RuleFile.Read(await client.GetStringAsync("/api/v1/rule-files/braga", Cancel), "braga");
            Assert.True(said.All(stored.Contains), $"{attempt} was taken as\n{RuleFile.Write(stored)}");
        }
        else if (attempt.Kind == "rules")
        {
            var stored = JsonElement.Parse(answer);
            var members = JsonElement.Parse(attempt.Sent.Body).EnumerateObject().ToList();
            Assert.True(members.Count == members.Select(member => member.Name.ToUpperInvariant()).Distinct().Count(), $"{attempt} says something twice, and one of them was passed over");
            Assert.All(members, member => Assert.True(IsSaid(member, stored), $"{attempt} was taken as {answer}"));
        }
        else if (attempt.Kind == "content types")
        {
            Assert.Fail($"{attempt} was taken for JSON: {answer}");
        }
    }

    private static bool IsSaid(JsonProperty member, JsonElement document)
    {
        // Of the levels and shares that a measure does not use, and what is null, nothing is kept.
        var stored = document.EnumerateObject().Single(known => known.Name.Equals(member.Name, StringComparison.OrdinalIgnoreCase)).Value;
        return member.Value.ValueKind switch
        {
            JsonValueKind.Null => true,
            JsonValueKind.Number => stored.ValueKind == JsonValueKind.Null || stored.GetDouble().Equals(member.Value.GetDouble()),
            JsonValueKind.String when stored.ValueKind == JsonValueKind.String && stored.GetString() is { } text =>
                text == member.Value.GetString() || (text.StartsWith('P') && Words.TryDuration(member.Value.GetString()!, out var length) && XmlConvert.ToTimeSpan(text) == length),
            _ => stored.GetRawText() == member.Value.GetRawText(),
        };
    }

    private static async Task RestoreAsync(ApiHost host, HttpClient client, string file)
    {
        using var content = new StringContent(file, Encoding.UTF8, "application/yaml");
        using var restored = await client.PutAsync("/api/v1/rule-files/braga?removeOthers=true", content, Cancel);
        Assert.True(restored.IsSuccessStatusCode, await restored.Content.ReadAsStringAsync(Cancel));

        // What was removed goes when it is evaluated, which nobody does here.
        await host.ExecuteAsync("DELETE FROM alerts_rules WHERE \"Removed\"");
    }

    /// <summary>All that these requests could change, and what is on record of it.</summary>
    private static async Task<string> StateAsync(ApiHost host)
    {
        var handling = host.Service<IAlarmHandling>();
        var story = (await handling.FindAsync(Alarm, Cancel))!;
        return string.Join('\n', (IEnumerable<object>)[.. host.Service<IAlerts>().Rules(null), .. handling.Suppressions(null), story.Handling, .. story.Events, .. await host.Audit.ListAsync("braga", null, null, 100_000, Cancel)]);
    }

    private static Malformed Right(string body) => new("nothing", Encoding.UTF8.GetBytes(body), null);

    private static string Of(Random random, string[] some) => some[random.Next(some.Length)];

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : standard;

    private sealed class Lisbon : IMunicipalityDirectory
    {
        public (string Name, string Zone) Of(string municipality) => (municipality, "Europe/Lisbon");
    }
}
