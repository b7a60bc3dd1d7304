using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

/// <summary>One stored observation with the name of its series.</summary>
internal readonly record struct StoredValue(string Sensor, string Property, int Period, DateTime Time, double Value, Quality Quality = Quality.Good, double Coverage = double.NaN, int Revision = 0);

/// <summary>The ingest stage with one station that has a credential for each adapter, and a clock of its own.</summary>
internal sealed class AdapterBench : IAsyncDisposable
{
    /// <summary>The moment at which pushes arrive; not a whole second.</summary>
    public static readonly DateTime Now = new(2026, 11, 26, 12, 0, 30, DateTimeKind.Utc);

    private readonly HttpClient _http;

    private AdapterBench(IngestHost host, FakeTimeProvider time)
    {
        Host = host;
        Time = time;
        _http = host.Http();
    }

    public IngestHost Host { get; }

    public FakeTimeProvider Time { get; }

    public Station Station => Host.Air;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<AdapterBench> StartAsync(Dictionary<string, string?>? settings = null, TempFolder? folder = null, MemorySeries? series = null, FakeStations? stations = null)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(Now.AddMilliseconds(750)));
        var host = await IngestHost.StartAsync(settings, folder: folder, series: series, stations: stations, time: time);
        foreach (var name in StationAdapters.Names)
        {
            host.Stations.AddAdapter(host.Air, name, SecretOf(name));
        }

        return new AdapterBench(host, time);
    }

    public static string SecretOf(string adapter) => $"secret-of-{adapter}";

    public static string Sample(string path) => Repository.Read($"tests/cloud/Ingest/samples/{path}");

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(
        string adapter, byte[] body, string query = "", string? authorization = null, string station = "braga/air-1", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/ingest/v1/{station}/{adapter}{query}") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("Authorization", authorization ?? $"Bearer {SecretOf(adapter)}");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _http.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        if ((int)response.StatusCode >= 400)
        {
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }

        using var document = JsonDocument.Parse(text);
        return (response.StatusCode, document.RootElement.Clone());
    }

    public Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string adapter, string body, string query = "", params (string Name, string Value)[] headers) =>
        PostAsync(adapter, Encoding.UTF8.GetBytes(body), query, headers: headers);

    /// <summary>Everything stored of the station, in order of sensor, property, period and time.</summary>
    public async Task<IReadOnlyList<StoredValue>> StoredAsync()
    {
        var stored = new List<StoredValue>();
        foreach (var (_, sensor, property, period, id) in Host.Stations.Datastreams.Where(d => d.Station == Station.Id))
        {
            await foreach (var o in Host.Series.RangeAsync(id, DateTime.UnixEpoch, DateTime.UnixEpoch.AddYears(200), Cancel))
            {
                stored.Add(new StoredValue(sensor, property, period, o.PhenomenonTime, o.Result, o.Quality, o.Coverage, o.Revision));
            }
        }

        return [.. Ordered(stored)];
    }

    public async Task AssertStoredAsync(params StoredValue[] expected) => Assert.Equal(Ordered(expected), await StoredAsync());

    public Task<IReadOnlyList<QuarantinedRecord>> QuarantineAsync() => Host.Quarantine.ListAsync("braga", "air-1", null, null, 1_000, Cancel).AsTask();

    public async ValueTask DisposeAsync()
    {
        IngestHost.AssertAddUp(Host.Counters);
        _http.Dispose();
        await Host.DisposeAsync();
    }

    private static IEnumerable<StoredValue> Ordered(IEnumerable<StoredValue> values) =>
        values.OrderBy(v => v.Sensor, StringComparer.Ordinal).ThenBy(v => v.Property, StringComparer.Ordinal).ThenBy(v => v.Period).ThenBy(v => v.Time);
}
