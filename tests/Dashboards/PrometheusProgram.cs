using System.Globalization;
using System.Text.Json;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;

namespace Hub.Tests.Dashboards;

/// <summary>Debian's Prometheus on a free port with the repository's configuration and rules; what it scrapes, how often, and that it speaks plain HTTP here, is changed.</summary>
public sealed class PrometheusProgram : IAsyncDisposable
{
    private readonly RunningProgram _running;
    private readonly HttpClient _http;

    private PrometheusProgram(RunningProgram running, HttpClient http) => (_running, _http) = (running, http);

    public static async Task<PrometheusProgram> StartAsync(string folder, int hubPort, int machinePort)
    {
        Directory.CreateDirectory(folder);
        var text = Repository.Read("dashboards/prometheus/prometheus.yml");
        foreach (var (theirs, ours) in new (string, string)[]
        {
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("evaluation_interval: 15s", "evaluation_interval: 1s"),
            ("scheme: https", "scheme: http"),
            ("    tls_config:\n      ca_file: /run/secrets/hub_authority\n      server_name: hub\n", ""),
            ("127.0.0.1:8443", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{hubPort}")),
            ("machine:9100", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{machinePort}")),
        })
        {
            text = text.Contains(theirs, StringComparison.Ordinal) ? text.Replace(theirs, ours, StringComparison.Ordinal) : throw new InvalidOperationException($"dashboards/prometheus/prometheus.yml no longer has '{theirs}'.");
        }

        var configuration = Path.Combine(folder, "prometheus.yml");
        await File.WriteAllTextAsync(configuration, text);
        File.Copy(Path.Combine(Repository.Root, "dashboards", "prometheus", "hub.rules.yml"), Path.Combine(folder, "hub.rules.yml"));
        var port = FreePort.Next();
        var running = new RunningProgram("/usr/bin/prometheus",
        [
            $"--config.file={configuration}", $"--storage.tsdb.path={Path.Combine(folder, "data")}", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
        ]);
        var prometheus = new PrometheusProgram(running, new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")) });
        await Eventually.TrueAsync(prometheus.IsReadyAsync, "Prometheus is ready");
        return prometheus;
    }

    /// <summary>The numbers of the answer to an expression over the last minute, as a panel asks; without those that are not numbers.</summary>
    /// <exception cref="InvalidOperationException">It refused the expression; the message is what it says.</exception>
    public async Task<IReadOnlyList<double>> AskAsync(string promQl)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var answer = await QueryAsync("api/v1/query_range", ("query", promQl), ("start", Number(now - 60)), ("end", Number(now)), ("step", "1"));
        return
        [
            .. answer.GetProperty("result").EnumerateArray().SelectMany(series => series.GetProperty("values").EnumerateArray())
                .Select(sample => double.Parse(sample[1].GetString()!, CultureInfo.InvariantCulture)).Where(double.IsFinite),
        ];
    }

    /// <summary>Values of a label, as Grafana's label_values asks.</summary>
    public async Task<IReadOnlyList<string>> LabelValuesAsync(string label, string selector) =>
        [.. (await QueryAsync($"api/v1/label/{label}/values", ("match[]", selector))).EnumerateArray().Select(value => value.GetString()!)];

    /// <summary>The rules it has loaded: name, and whether its last evaluation was well.</summary>
    public async Task<IReadOnlyList<(string Name, string Health)>> RulesAsync() =>
    [
        .. (await QueryAsync("api/v1/rules")).GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray())
            .Select(rule => (rule.GetProperty("name").GetString()!, rule.GetProperty("health").GetString()!)),
    ];

    public async ValueTask DisposeAsync()
    {
        await _running.DisposeAsync();
        _http.Dispose();
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private async Task<JsonElement> QueryAsync(string path, params (string Name, string Value)[] parameters)
    {
        using var answer = await _http.GetAsync(new Uri($"{path}?{string.Join('&', parameters.Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"))}", UriKind.Relative));
        var json = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        return json.GetProperty("status").GetString() == "success" ? json.GetProperty("data") : throw new InvalidOperationException(json.GetProperty("error").GetString());
    }

    private async Task<bool> IsReadyAsync()
    {
        if (_running.HasExited)
        {
            throw new InvalidOperationException($"Prometheus ended:\n{_running.Output}");
        }

        try
        {
            using var answer = await _http.GetAsync(new Uri("-/ready", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
