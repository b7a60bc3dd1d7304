using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A real influxd on free loopback ports with a folder of its own; one for each class of tests, which take a database each.</summary>
public sealed class InfluxServer : IAsyncLifetime
{
    private const string Program = "/usr/bin/influxd";

    private readonly TempFolder _folder = new();
    private readonly HttpClient _http = new();
    private readonly int _port = FreePort.Next();
    private Process? _process;
    private int _databases;

    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}");

    public static bool IsInstalled => File.Exists(Program);

    public string NextDatabase() => string.Create(CultureInfo.InvariantCulture, $"hub{Interlocked.Increment(ref _databases)}");

    public async ValueTask InitializeAsync()
    {
        if (!IsInstalled)
        {
            return;
        }

        await File.WriteAllTextAsync(
            _folder.File("influxdb.conf"),
            $"""
            reporting-disabled = true
            bind-address = "127.0.0.1:{FreePort.Next()}"
            [meta]
              dir = "{_folder.File("meta")}"
            [data]
              dir = "{_folder.File("data")}"
              wal-dir = "{_folder.File("wal")}"
              query-log-enabled = false
            [http]
              bind-address = "127.0.0.1:{_port}"
              log-enabled = false
            [monitor]
              store-enabled = false
            [subscriber]
              enabled = false
            [continuous_queries]
              enabled = false
            [retention]
              enabled = false
            """);
        await StartAsync();
    }

    public async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo(Program, ["-config", _folder.File("influxdb.conf")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += static (_, _) => { };
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(_process.HasExited, "influxd ended");
                try
                {
                    using var answer = await _http.GetAsync(new Uri($"{Address}/ping"));
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "influxd serves");
    }

    /// <summary>Kills it, as a power cut would end it.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Asks a statement the way Grafana does and gives back the rows of its first series, as text.</summary>
    public async Task<List<string>> AskAsync(string database, string influxQl)
    {
        using var answer = await _http.PostAsync(
            new Uri($"{Address}/query?db={database}&epoch=u"), new FormUrlEncodedContent([KeyValuePair.Create("q", influxQl)]));
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.True(answer.IsSuccessStatusCode, document.RootElement.ToString());
        var result = document.RootElement.GetProperty("results")[0];
        Assert.False(result.TryGetProperty("error", out var error), error.ToString());
        return result.TryGetProperty("series", out var series)
            ? [.. series.EnumerateArray().SelectMany(one => one.GetProperty("values").EnumerateArray()).Select(row => row.ToString())]
            : [];
    }

    public async Task WriteAsync(string database, string lines)
    {
        using var answer = await _http.PostAsync(new Uri($"{Address}/write?db={database}&precision=u"), new StringContent(lines));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _http.Dispose();
        _folder.Dispose();
    }
}
