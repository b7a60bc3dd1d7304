using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

/// <summary>The server cannot be asked now, or does not let us in: the message goes on after its address and says what the operator can do. Try again later.</summary>
internal class InfluxAwayException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>The server answered that a question failed; the message is its reason.</summary>
internal sealed class InfluxQueryException(string message) : Exception(message);

/// <summary>What the server said to a write that reached it.</summary>
internal enum WriteVerdict
{
    /// <summary>Every line is stored.</summary>
    Taken,

    /// <summary>Some lines, or all, are not: they will not be the next time either.</summary>
    Refused,

    /// <summary>The whole write is too large for it.</summary>
    TooLarge,
}

/// <summary>Answer to a write.</summary>
/// <param name="Verdict">What became of it.</param>
/// <param name="Reason">The server's reason when lines were refused.</param>
/// <param name="Dropped">How many it says were refused; null when it does not say.</param>
internal readonly record struct WriteAnswer(WriteVerdict Verdict, string? Reason = null, int? Dropped = null);

/// <summary>
/// Speaks HTTP with one InfluxDB. Sorts what can go wrong by what to do next: <see cref="InfluxAwayException"/> waits and tries again, <see cref="WriteAnswer"/> says what the server made of a write,
/// <see cref="InfluxQueryException"/> is a question that failed. Safe for concurrent use.
/// </summary>
internal sealed partial class InfluxClient : IDisposable
{
    /// <summary>Largest part of an answer that is taken into memory; a chunk of 5,000 rows has about 500 kB.</summary>
    private const int ChunkBytesMax = 64 * 1024 * 1024;

    private const int ChunkRows = 5_000;

    private const int TableBytesMax = 1024 * 1024;

    private readonly InfluxOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HttpClient _http;
    private readonly SemaphoreSlim _queries;
    private readonly Uri _write;
    private readonly Uri _query;

    public InfluxClient(InfluxOptions options, TimeProvider time, ILogger log)
    {
        _options = options;
        _time = time;
        _log = log;
        _queries = new SemaphoreSlim(options.QueriesMax);
        var root = options.Address.TrimEnd('/');
        var policy = options.RetentionPolicy.Length == 0 ? "" : $"&rp={Uri.EscapeDataString(options.RetentionPolicy)}";
        var database = Uri.EscapeDataString(options.Database);
        _write = new Uri(options.Api == InfluxApi.V2
            ? $"{root}/api/v2/write?org={Uri.EscapeDataString(options.Organisation)}&bucket={Uri.EscapeDataString(options.Bucket)}&precision=us"
            : $"{root}/write?db={database}{policy}&precision=u");
        _query = new Uri($"{root}/query?db={database}{policy}&epoch=u&chunked=true&chunk_size={ChunkRows}");
        _http = new HttpClient(new SocketsHttpHandler
        {
            // Names are looked up again now and then: a server may move.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = options.RequestTimeout,
            AutomaticDecompression = DecompressionMethods.GZip,
            MaxConnectionsPerServer = options.QueriesMax + options.WritesMax + 1,
            AllowAutoRedirect = false,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var (token, password) = (Secret(options.Token, options.TokenFile), Secret(options.Password, options.PasswordFile));
        if (token.Length > 0)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Token", token);
        }
        else if (options.User.Length > 0)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.User}:{password}")));
        }
    }

    public string Address => _options.Address;

    /// <summary>Sends lines of line protocol in one request. Sending the same lines again changes nothing.</summary>
    /// <exception cref="InfluxAwayException">It is not known whether they are stored.</exception>
    public async Task<WriteAnswer> WriteAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        var made = false;
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _write) { Content = Body(lines) };
            using var limit = Limit(cancellationToken);
            try
            {
                using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, limit.Token).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                {
                    return new WriteAnswer(WriteVerdict.Taken);
                }

                var reason = await ReasonAsync(response, limit.Token).ConfigureAwait(false);
                switch (response.StatusCode)
                {
                    case HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity:
                        return new WriteAnswer(WriteVerdict.Refused, reason, DroppedOf(reason));
                    case HttpStatusCode.RequestEntityTooLarge:
                        return new WriteAnswer(WriteVerdict.TooLarge, reason);
                    case HttpStatusCode.NotFound when !made && await TryCreateDatabaseAsync(cancellationToken).ConfigureAwait(false):
                        made = true;
                        continue;
                    default:
                        throw Away(response.StatusCode, reason);
                }
            }
            catch (Exception e) when (IsAway(e, cancellationToken))
            {
                throw NotReached(e);
            }
        }
    }

    /// <summary>
    /// Asks statements of InfluxQL, separated by semicolons; rows arrive in order of statement. When it throws, some rows may have been given already.
    /// </summary>
    /// <exception cref="InfluxAwayException">The server cannot be asked now.</exception>
    /// <exception cref="InfluxQueryException">A statement failed.</exception>
    public Task QueryAsync(string influxQl, InfluxRow row, CancellationToken cancellationToken) =>
        QueryAsync(influxQl, (stream, limit) => ReadAsync(stream, new InfluxAnswer(row), limit), cancellationToken);

    /// <summary>Asks one statement with a small answer: each row as its columns and tags by name.</summary>
    /// <exception cref="InfluxAwayException">The server cannot be asked now.</exception>
    /// <exception cref="InfluxQueryException">The statement failed.</exception>
    public async Task<List<Dictionary<string, JsonElement>>> AskTableAsync(string influxQl, CancellationToken cancellationToken)
    {
        var table = new List<Dictionary<string, JsonElement>>();
        await QueryAsync(influxQl, (stream, limit) => ReadTableAsync(stream, table, limit), cancellationToken).ConfigureAwait(false);
        return table;
    }

    private async Task QueryAsync(string influxQl, Func<Stream, RequestLimit, Task> read, CancellationToken cancellationToken)
    {
        await _queries.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            try
            {
                await AskAsync(influxQl, read, cancellationToken).ConfigureAwait(false);
            }
            catch (InfluxQueryException e) when (IsNoDatabase(e.Message))
            {
                // Nothing was given yet, so the question can be put again.
                if (!await TryCreateDatabaseAsync(cancellationToken).ConfigureAwait(false))
                {
                    throw Away(HttpStatusCode.NotFound, e.Message);
                }

                await AskAsync(influxQl, read, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _queries.Release();
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _queries.Dispose();
    }

    private async Task AskAsync(string influxQl, Func<Stream, RequestLimit, Task> read, CancellationToken cancellationToken)
    {
        using var limit = Limit(cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Post, _query) { Content = new FormUrlEncodedContent([KeyValuePair.Create("q", influxQl)]) };
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                var reason = await ReasonAsync(response, limit.Token).ConfigureAwait(false);
                throw response.StatusCode == HttpStatusCode.BadRequest || IsNoDatabase(reason) ? new InfluxQueryException(reason) : Away(response.StatusCode, reason);
            }

            var stream = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await read(stream, limit).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsAway(e, cancellationToken))
        {
            throw NotReached(e);
        }
    }

    /// <summary>Each chunk is a document on a line of its own; the limit of time begins anew with each piece that arrives.</summary>
    private static async Task ReadAsync(Stream stream, InfluxAnswer answer, RequestLimit limit)
    {
        var buffer = new byte[64 * 1024];
        var (length, searched) = (0, 0);
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), limit.Token).ConfigureAwait(false);
            limit.Restart();
            length += read;
            var start = 0;
            while (buffer.AsSpan(searched, length - searched).IndexOf((byte)'\n') is var found && found >= 0)
            {
                var end = searched + found;
                ReadChunk(buffer.AsSpan(start, end - start), answer);
                (start, searched) = (end + 1, end + 1);
            }

            if (read == 0)
            {
                ReadChunk(buffer.AsSpan(start, length - start), answer);
                break;
            }

            buffer.AsSpan(start, length - start).CopyTo(buffer);
            length -= start;
            searched = length;
            if (length == buffer.Length)
            {
                if (length >= ChunkBytesMax)
                {
                    throw new InfluxAwayException("gives an answer without line breaks: is the address that of InfluxDB?");
                }

                Array.Resize(ref buffer, 2 * length);
            }
        }

        if (answer.MoreFollows)
        {
            throw new InfluxAwayException("broke an answer off.");
        }
    }

    private static async Task ReadTableAsync(Stream stream, List<Dictionary<string, JsonElement>> table, RequestLimit limit)
    {
        var buffer = new byte[TableBytesMax];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, limit.Token).ConfigureAwait(false);
        if (length == buffer.Length)
        {
            throw new InfluxAwayException("gives a far longer answer than was asked for: is the address that of InfluxDB?");
        }

        try
        {
            foreach (var line in Encoding.UTF8.GetString(buffer, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                using var document = JsonDocument.Parse(line);
                foreach (var result in document.RootElement.GetProperty("results").EnumerateArray())
                {
                    if (result.TryGetProperty("error", out var error))
                    {
                        throw new InfluxQueryException(error.GetString() ?? "no reason given");
                    }

                    AddRows(result, table);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InfluxAwayException("gives an answer that is not one of InfluxQL: is the address that of InfluxDB?", e);
        }
    }

    private static void AddRows(JsonElement result, List<Dictionary<string, JsonElement>> table)
    {
        if (!result.TryGetProperty("series", out var all))
        {
            return;
        }

        foreach (var series in all.EnumerateArray())
        {
            List<string> columns = [.. series.GetProperty("columns").EnumerateArray().Select(column => column.GetString()!)];
            foreach (var values in series.TryGetProperty("values", out var rows) ? rows.EnumerateArray() : default)
            {
                var row = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var tag in series.TryGetProperty("tags", out var tags) ? tags.EnumerateObject() : default)
                {
                    row[tag.Name] = tag.Value.Clone();
                }

                foreach (var (column, value) in columns.Zip(values.EnumerateArray()))
                {
                    row[column] = value.Clone();
                }

                table.Add(row);
            }
        }
    }

    private static void ReadChunk(ReadOnlySpan<byte> chunk, InfluxAnswer answer)
    {
        if (chunk.Trim(" \r\t"u8).Length > 0)
        {
            answer.Read(chunk);
        }
    }

    /// <summary>InfluxDB 1.x makes a database when its user may; 2.x and 3.x do not by this way.</summary>
    private async Task<bool> TryCreateDatabaseAsync(CancellationToken cancellationToken)
    {
        if (_options.Api != InfluxApi.V1 || _options.RetentionPolicy.Length > 0)
        {
            return false;
        }

        try
        {
            await AskAsync($"CREATE DATABASE {Name(_options.Database)}", static (stream, limit) => ReadAsync(stream, new InfluxAnswer(static (_, _, _, _) => { }), limit), cancellationToken).ConfigureAwait(false);
            LogMade(_options.Database, _options.Address);
            return true;
        }
        catch (Exception e) when (e is InfluxQueryException or InfluxAwayException)
        {
            LogNotMade(e, _options.Database, _options.Address);
            return false;
        }
    }

    /// <summary>A name in InfluxQL.</summary>
    public static string Name(string name) => $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private ByteArrayContent Body(ReadOnlyMemory<byte> lines)
    {
        ByteArrayContent content;
        if (_options.Gzip)
        {
            using var packed = new MemoryStream(lines.Length / 4);
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            {
                gzip.Write(lines.Span);
            }

            content = new ByteArrayContent(packed.GetBuffer(), 0, (int)packed.Length);
            content.Headers.ContentEncoding.Add("gzip");
        }
        else
        {
            content = new ByteArrayContent(lines.ToArray());
        }

        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };
        return content;
    }

    private RequestLimit Limit(CancellationToken cancellationToken) => new(_options.RequestTimeout, _time, cancellationToken);

    private static bool IsAway(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private InfluxAwayException NotReached(Exception e) => e is OperationCanceledException
        ? new(string.Create(CultureInfo.InvariantCulture, $"does not answer within {_options.RequestTimeout}: see whether it is overloaded."), e)
        : new("cannot be reached: see that it runs and that the address is right.", e);

    private InfluxAwayException Away(HttpStatusCode status, string reason) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
            new($"does not let the hub in ({(int)status}: {reason}): check {InfluxOptions.Section}:User and Password, or Token, and that they may read and write the database."),
        HttpStatusCode.NotFound when _options.Api == InfluxApi.V2 =>
            new($"does not know the bucket or database ({reason}): make the bucket '{_options.Bucket}' and map the database '{_options.Database}' to it."),
        HttpStatusCode.NotFound =>
            new($"does not know the database ({reason}): make it with CREATE DATABASE {Name(_options.Database)}, or give the hub a user that may."),
        _ => new($"cannot serve now ({(int)status}: {reason})."),
    };

    private static bool IsNoDatabase(string reason) => reason.Contains("database not found", StringComparison.Ordinal);

    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        const int bytesMax = 16 * 1024;
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new byte[bytesMax];
            var length = await stream.ReadAtLeastAsync(buffer, bytesMax, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            try
            {
                using var document = JsonDocument.Parse(buffer.AsMemory(0, length));
                foreach (var name in new[] { "error", "message" })
                {
                    if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String)
                    {
                        return OneLine(text.GetString()!);
                    }
                }
            }
            catch (JsonException)
            {
                // A proxy answers in its own way.
            }

            return OneLine(length == 0 ? response.ReasonPhrase ?? "" : Encoding.UTF8.GetString(buffer, 0, length));
        }
    }

    private static string OneLine(string text)
    {
        const int charactersMax = 300;
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= charactersMax ? line : string.Concat(line.AsSpan(0, charactersMax), "…");
    }

    /// <summary>The count at the end of a reason such as "partial write: points beyond retention policy dropped=2".</summary>
    private static int? DroppedOf(string reason)
    {
        const string mark = "dropped=";
        var at = reason.LastIndexOf(mark, StringComparison.Ordinal);
        return at >= 0 && int.TryParse(reason.AsSpan(at + mark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
    }

    private static string Secret(string text, string file) => file.Length == 0 ? text : File.ReadLines(file).FirstOrDefault("").Trim();

    [LoggerMessage(40, LogLevel.Information, "Made the database {Database} on the InfluxDB at {Address}.")]
    private partial void LogMade(string database, string address);

    [LoggerMessage(41, LogLevel.Warning, "The database {Database} is not there on the InfluxDB at {Address} and cannot be made by this user.")]
    private partial void LogNotMade(Exception exception, string database, string address);

    /// <summary>Cancels when its time is over or the caller cancels, whichever is first.</summary>
    private sealed class RequestLimit : IDisposable
    {
        private readonly CancellationTokenSource _over;
        private readonly CancellationTokenSource _either;
        private readonly TimeSpan _time;

        public RequestLimit(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken)
        {
            _time = time;
            _over = new CancellationTokenSource(time, clock);
            _either = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, cancellationToken);
        }

        public CancellationToken Token => _either.Token;

        /// <summary>Gives the whole time once more.</summary>
        public void Restart() => _over.CancelAfter(_time);

        public void Dispose()
        {
            _either.Dispose();
            _over.Dispose();
        }
    }
}
