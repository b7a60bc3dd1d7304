using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest.Adapters.Telraam;

/// <summary>
/// Fetches the reports of counters whose owners gave the hub an API key. Where to go on is read from the store, from the newest row it holds: no state of its own that could be lost or be
/// ahead of the data. A counter's windows are fetched in order of time, and a failed one is tried again before any later one, so that a failure leaves no hole.
/// </summary>
internal sealed class TelraamPoller : BackgroundService
{
    /// <summary>Time between two requests: what the API allows a basic key.</summary>
    private static readonly TimeSpan RequestSpacing = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Most bytes of one answer.</summary>
    private const int AnswerBytesMax = 1024 * 1024;

    private readonly TelraamOptions _options;
    private readonly TelraamAdapter _adapter = new();
    private readonly IStations _stations;
    private readonly ISeries _series;
    private readonly IngestPipeline _pipeline;
    private readonly IngestInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger<TelraamPoller> _logger;
    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false })
    {
        Timeout = RequestTimeout,
        MaxResponseContentBufferSize = AnswerBytesMax,
    };

    public TelraamPoller(
        IOptions<TelraamOptions> options, IStations stations, ISeries series, IngestPipeline pipeline, IngestInstruments instruments, TimeProvider time, ILogger<TelraamPoller> logger)
    {
        _options = options.Value;
        _stations = stations;
        _series = series;
        _pipeline = pipeline;
        _instruments = instruments;
        _time = time;
        _logger = logger;
    }

    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _options.Enabled ? Task.WhenAll(_options.Counters.Select(counter => FollowAsync(counter, stoppingToken))) : Task.CompletedTask;

    /// <summary>Follows one counter for ever; another counter's failure, or a key that is refused, is none of its business.</summary>
    private async Task FollowAsync(TelraamCounter counter, CancellationToken stop)
    {
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                var asked = await PollAsync(counter, stop).ConfigureAwait(false);
                failures = 0;
                wait = asked ? _options.Interval : _options.RetryMax;
            }
#pragma warning disable CA1031 // Whatever an answer from far away does, the hub goes on and asks again later.
            catch (Exception exception) when (!stop.IsCancellationRequested && exception is not OutOfMemoryException)
#pragma warning restore CA1031
            {
                wait = RetryAfter(++failures, (exception as TelraamException)?.RetryAfter);
                _instruments.TelraamPolled("failed");
                _logger.PollFailed(exception, counter.Station, counter.Segment, wait);
            }

            await Task.Delay(wait, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Fetches what is missing of a counter; false when its station is not registered.</summary>
    private async Task<bool> PollAsync(TelraamCounter counter, CancellationToken stop)
    {
        if (!BrokerLogins.TryStation(counter.Station, out var municipality, out var slug) || !_stations.TryGet(municipality, slug, out var station))
        {
            _logger.StationUnknown(counter.Station, counter.Segment);
            return false;
        }

        var period = counter.Format == TelraamFormat.PerQuarter ? TimeSpan.FromMinutes(15) : TimeSpan.FromHours(1);

        // An answer must stay within the size of one push: a day of hours, half a day of quarters.
        var step = period * (counter.Format == TelraamFormat.PerQuarter ? 48 : 24);
        var now = _time.GetUtcNow().UtcDateTime;
        var from = From(station, counter, period, now);
        while (from < now)
        {
            var to = from + step < now ? from + step : now;
            var answer = await AskAsync(counter, from, to, stop).ConfigureAwait(false);
            var push = new AdapterPush(answer, _time.GetUtcNow().UtcDateTime, new Dictionary<string, string>(1) { ["interval"] = counter.Format == TelraamFormat.PerQuarter ? "quarter" : "hourly" });
            var translation = Translation.Of(_adapter, push);
            _instruments.FieldsIgnored(_adapter.Name, translation.IgnoredCount);
            _instruments.FieldsUnknown(_adapter.Name, translation.UnknownCount);
            if (translation.Readings.Count + translation.Refused.Count > 0)
            {
                var receipt = await _pipeline.AcceptAsync(station, translation, push.ReceivedAt, _adapter.Name, stop).ConfigureAwait(false);
                if (receipt.Quarantined > 0)
                {
                    _logger.RowsRefused(counter.Station, counter.Segment, receipt.Quarantined, receipt.Refusals[0].Detail);
                }
            }

            _instruments.TelraamPolled("fetched");
            from = to;
            if (from < now)
            {
                await Task.Delay(RequestSpacing, _time, stop).ConfigureAwait(false);
            }
        }

        return true;
    }

    /// <summary>The start of the first row to ask for: some before the newest stored one, and never further back than is allowed.</summary>
    private DateTime From(Station station, TelraamCounter counter, TimeSpan period, DateTime now)
    {
        var sensor = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"telraam-{counter.Segment}"));
        var earliest = now - _options.Lookback;
        var newest = earliest + _options.Overlap;
        foreach (var property in TelraamAdapter.CountProperties)
        {
            if (QuantityCatalogue.TryGet(property, out var quantity)
                && _stations.TryResolve(station.Id, sensor, quantity, (int)period.TotalSeconds, out var datastream)
                && _series.TryGetLatest(datastream, out var latest) && latest.PhenomenonTime > newest)
            {
                newest = latest.PhenomenonTime;
            }
        }

        var from = newest - _options.Overlap;
        return new DateTime(from.Ticks - (from.Ticks % period.Ticks), DateTimeKind.Utc);
    }

    private async Task<byte[]> AskAsync(TelraamCounter counter, DateTime from, DateTime to, CancellationToken stop)
    {
        var key = counter.ApiKey is { Length: > 0 } given ? given : (await File.ReadAllTextAsync(counter.ApiKeyFile!, stop).ConfigureAwait(false)).Trim();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{_options.Address.TrimEnd('/')}/v1/reports/traffic");
        if (!request.Headers.TryAddWithoutValidation("X-Api-Key", key))
        {
            throw new TelraamException("The API key cannot be sent as a header.");
        }

        request.Content = new ByteArrayContent(Question(counter, from, to)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await _http.SendAsync(request, stop).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            var after = response.Headers.RetryAfter is { } header ? header.Delta ?? header.Date - _time.GetUtcNow() : null;
            var hint = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? ": the API key is refused" : "";
            throw new TelraamException(string.Create(CultureInfo.InvariantCulture, $"The API answers {(int)response.StatusCode}{hint}."), after);
        }

        var answer = await response.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false);
        if (!HasRows(answer))
        {
            throw new TelraamException("The API answers 200, but without a report.");
        }

        return answer;
    }

    private static bool HasRows(byte[] answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return TelraamAdapter.TryRows(document.RootElement, out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static byte[] Question(TelraamCounter counter, DateTime from, DateTime to)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("level", "segments");
            writer.WriteString("format", counter.Format == TelraamFormat.PerQuarter ? "per-quarter" : "per-hour");
            writer.WriteString("id", counter.Segment.ToString(CultureInfo.InvariantCulture));
            writer.WriteString("time_start", from.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            writer.WriteString("time_end", to.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>Doubles with each failure, never below what the API asks for nor above the limit, and spread so that many hubs do not come back at once.</summary>
    private TimeSpan RetryAfter(int failures, TimeSpan? asked)
    {
        var doubled = _options.RetryMin * Math.Pow(2, Math.Min(failures - 1, 20));
        var wait = doubled < _options.RetryMax ? doubled : _options.RetryMax;
        if (asked is { } wanted && wanted > wait)
        {
            wait = wanted < TimeSpan.FromDays(1) ? wanted : TimeSpan.FromDays(1);
        }

#pragma warning disable CA5394 // Jitter is no secret.
        return wait * (1 + (Random.Shared.NextDouble() * 0.1));
#pragma warning restore CA5394
    }

    /// <summary>The API does not give a report; transient.</summary>
    private sealed class TelraamException(string message, TimeSpan? retryAfter = null) : Exception(message)
    {
        public TimeSpan? RetryAfter { get; } = retryAfter;
    }
}
