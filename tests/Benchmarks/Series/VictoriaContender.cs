using System.Globalization;
using System.Text.Json;
using Hub.Tests.Kit;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>Debian's VictoriaMetrics 1.79 over HTTP, without its cache of answers: whole answers read, none parsed.</summary>
internal sealed class VictoriaContender : Contender
{
    private const string Program = "/usr/bin/victoria-metrics";

    private readonly TempFolder _folder = new();
    private readonly int _port = FreePort.Next();
    private readonly HttpClient _client;
    private ServerProcess? _process;

    public VictoriaContender(CityWorkload workload) : base(workload) =>
        _client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/")), Timeout = TimeSpan.FromMinutes(2) };

    /// <inheritdoc/>
    public override string Name => "VictoriaMetrics 1.79, HTTP (not durable)";

    /// <inheritdoc/>
    public override bool IsDurable => false;

    /// <inheritdoc/>
    public override int SizePerRowMin => 4;

    /// <inheritdoc/>
    public override ProcessFigures Figures => _process!.Figures;

    /// <summary>Without the cache and the index, which hold no readings; the index is left out in its favour.</summary>
    public override long Bytes => FolderBytes(_folder.Path, file => file.Contains("/data/", StringComparison.Ordinal));

    /// <inheritdoc/>
    public override async Task OpenAsync()
    {
        if (!File.Exists(Program))
        {
            throw new InvalidOperationException($"{Program} is not there. Install it with: apt-get install victoria-metrics, and see that its service does not run.");
        }

        _process = new ServerProcess(
            Program, [$"-storageDataPath={_folder.Path}", string.Create(CultureInfo.InvariantCulture, $"-httpListenAddr=127.0.0.1:{_port}"), "-retentionPeriod=10y", "-search.maxSeries=100000", "-search.maxUniqueTimeseries=1000000"]);
        await _process.ReadyAsync(async () => (await _client.GetAsync("health")).IsSuccessStatusCode, "victoria-metrics");
    }

    /// <inheritdoc/>
    public override Func<ReadOnlyMemory<Visit>, Task> Writer() => new LineProtocol(_client, "write?precision=s").WriteAsync;

    /// <inheritdoc/>
    public override async Task SettleAsync()
    {
        (await _client.GetAsync("internal/force_flush")).EnsureSuccessStatusCode();
        await SteadyAsync(TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(60));
        (await _client.GetAsync("internal/force_merge")).EnsureSuccessStatusCode();
        await SteadyAsync(TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(60));
    }

    /// <inheritdoc/>
    public override async Task<long> AskAsync(Question question)
    {
        var station = CityWorkload.StationName(question.Station);
        var many = string.Join('|', Enumerable.Range(0, Many).Select(i => CityWorkload.StationName((question.Station + i) % Workload.Stations)));
        var span = string.Create(CultureInfo.InvariantCulture, $"{(long)(question.To - question.From).TotalSeconds}s");
        return (await GetAsync(question.Kind switch
        {
            QuestionKind.LatestOfAll => Instant($"last_over_time({{__name__=~\"city_.+\"}}[{span}])", question.To),
            QuestionKind.Range => Instant($"city_pm2_5{{station=\"{station}\"}}[{span}]", question.To),
            QuestionKind.HourlyOfOne => Hourly($"avg_over_time(city_pm2_5{{station=\"{station}\"}}[1h])", question),
            QuestionKind.HourlyOfMany => Hourly($"avg_over_time(city_pm2_5{{station=~\"{many}\"}}[1h])", question),
            _ => Instant($"topk(10, avg_over_time(city_pm2_5[{span}]))", question.To),
        })).Length;
    }

    /// <inheritdoc/>
    public override async Task<(long Count, double Mean)> CheckAsync(int station, DateTime from, DateTime to)
    {
        // Its windows are open at their begin and closed at their end, ours the other way round: a second earlier is the same set, as readings are at whole seconds.
        var span = string.Create(CultureInfo.InvariantCulture, $"{(long)(to - from).TotalSeconds}s");
        var series = $"city_pm2_5{{station=\"{CityWorkload.StationName(station)}\"}}[{span}]";
        return ((long)await NumberAsync($"count_over_time({series})", to.AddSeconds(-1)), await NumberAsync($"avg_over_time({series})", to.AddSeconds(-1)));
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _client.Dispose();
        _folder.Dispose();
    }

    private static string Instant(string query, DateTime at) =>
        string.Create(CultureInfo.InvariantCulture, $"api/v1/query?nocache=1&query={Uri.EscapeDataString(query)}&time={at:yyyy-MM-ddTHH:mm:ssZ}");

    private static string Hourly(string query, Question question) =>
        string.Create(CultureInfo.InvariantCulture, $"api/v1/query_range?nocache=1&step=1h&query={Uri.EscapeDataString(query)}&start={question.From.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}&end={question.To:yyyy-MM-ddTHH:mm:ssZ}");

    private Task<byte[]> GetAsync(string path) => _client.GetByteArrayAsync(path);

    private async Task<double> NumberAsync(string query, DateTime at)
    {
        using var answer = JsonDocument.Parse(await GetAsync(Instant(query, at)));
        return double.Parse(answer.RootElement.GetProperty("data").GetProperty("result")[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
    }
}
