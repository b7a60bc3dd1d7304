using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Text;
using Hub.Tests.Kit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What stands in for InfluxDB where a real one cannot be brought to say what is tested. It takes what it is not told to refuse, and knows nothing when asked.</summary>
internal sealed class FakeInflux : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, (long Time, string Claim)> _claims = [];
    private long _clock;

    public FakeInflux()
    {
        var port = FreePort.Next();
        Address = FormattableString.Invariant($"http://127.0.0.1:{port}");
        _listener.Prefixes.Add(Address + "/");
        _listener.Start();
        _ = ServeAsync();
    }

    public string Address { get; }

    /// <summary>Answer to a write of these lines; null takes them all. What is refused may be taken in part with <see cref="Taken"/>.</summary>
    public Func<string[], Task<(int Status, string Body)?>> OnWrite { get; set; } = static _ => Task.FromResult<(int, string)?>(null);

    /// <summary>Answer to a question; null says that there is nothing. Others are answered meanwhile.</summary>
    public Func<string, (int Status, string Body)?> OnQuery { get; set; } = static _ => null;

    /// <summary>Lines taken, without the commit's notes.</summary>
    public ConcurrentDictionary<string, bool> Taken { get; } = [];

    public ConcurrentQueue<(string Target, string? Authorization, string? Encoding, int Lines)> Writes { get; } = [];

    public ConcurrentQueue<string> Questions { get; } = [];

    /// <summary>Answer to a claim on the lease, which arrives in any case; null says that it did.</summary>
    public Func<string, (int Status, string Body)?> OnClaim { get; set; } = static _ => null;

    /// <summary>The last claim of each hub, as it was written, with a time of this server's own.</summary>
    private string LastClaims()
    {
        var series = _claims.Values.OrderBy(one => one.Time).Select(one =>
        {
            var words = one.Claim.Split(',', ' ', '=');
            return $$"""{"tags":{"owner":"{{words[2]}}"},"columns":["time","state","began","lasts"],"values":[[{{one.Time}},{{words[4].TrimEnd('i')}},{{words[6].TrimEnd('i')}},{{words[8].TrimEnd('i')}}]]}""";
        });
        return $$"""{"results":[{"statement_id":0,"series":[{{string.Join(',', series)}}]}]}""";
    }

    public void Take(IEnumerable<string> lines)
    {
        foreach (var line in lines.Where(line => !line.StartsWith("observation_commit ", StringComparison.Ordinal)))
        {
            Taken[line] = true;
        }
    }

    /// <summary>Nobody waits for the loop: a listener that is closed while it begins to wait for a request never tells that one.</summary>
    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                _ = Task.Run(() => AnswerAsync(context));
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                break;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            var (status, body) = await DecideAsync(context.Request);
            context.Response.StatusCode = status;

            // With its length: the listener ends an empty body without one by bytes that the next answer on the connection would begin with.
            var bytes = Encoding.UTF8.GetBytes(body);
            context.Response.ContentLength64 = bytes.Length;
            await context.Response.OutputStream.WriteAsync(bytes);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            // The client has gone.
        }
    }

    private async Task<(int Status, string Body)> DecideAsync(HttpListenerRequest request)
    {
        var encoding = request.Headers["Content-Encoding"];
        var input = encoding == "gzip" ? new GZipStream(request.InputStream, CompressionMode.Decompress) : request.InputStream;
        using var reader = new StreamReader(input);
        var text = await reader.ReadToEndAsync();
        if (request.Url!.AbsolutePath.EndsWith("/query", StringComparison.Ordinal))
        {
            var question = WebUtility.UrlDecode(text["q=".Length..]);
            if (question.Contains("observation_lease", StringComparison.Ordinal))
            {
                return (200, LastClaims() + "\n");
            }

            Questions.Enqueue(question);
            return OnQuery(question) ?? (200, """{"results":[{"statement_id":0}]}""" + "\n");
        }

        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines is [var claim] && claim.StartsWith("observation_lease,", StringComparison.Ordinal))
        {
            _claims[claim.Split(',', ' ', '=')[2]] = (Interlocked.Increment(ref _clock), claim);
            return OnClaim(claim) ?? (204, "");
        }

        Writes.Enqueue((request.Url.PathAndQuery, request.Headers["Authorization"], encoding, lines.Length));
        if (await OnWrite(lines) is { } refusal)
        {
            return refusal;
        }

        Take(lines);
        return (204, "");
    }
}
