using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Hub.Edge.Contract.Twin;
using Hub.Edge.Files;

namespace Hub.Edge.Update;

/// <summary>How an attempt at a download ended.</summary>
internal enum DownloadEnd
{
    /// <summary>The file is there, with the size and SHA-256 announced.</summary>
    Complete,

    /// <summary>Not now; what has come is kept.</summary>
    Later,

    /// <summary>Not what was announced; nothing is kept.</summary>
    Wrong,
}

/// <summary>The end of an attempt.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Problem">Why, one line; null when complete.</param>
/// <param name="Progressed">Whether bytes came.</param>
/// <param name="RetryAfter">What the server asked for.</param>
internal sealed record DownloadOutcome(DownloadEnd End, string? Problem = null, bool Progressed = false, TimeSpan? RetryAfter = null);

/// <summary>
/// Fetches one bundle in attempts, each of which goes on where the one before broke off, across restarts and power cuts: <c>{sha256}.part</c> holds what has come, <c>{sha256}.tag</c> the
/// server's name for it. What two attempts put together wrongly is found by the SHA-256. One attempt at a time.
/// </summary>
/// <param name="hub">Client for the hub's pages.</param>
/// <param name="others">Client for everybody else.</param>
/// <param name="pages">Where the secret may go.</param>
/// <param name="options">Limits.</param>
/// <param name="freeBytes">Free space of a folder's disk.</param>
/// <param name="time">Clock of pauses.</param>
internal sealed class BundleDownload(HttpMessageInvoker hub, HttpMessageInvoker others, HubPages pages, UpdateOptions options, Func<string, long> freeBytes, TimeProvider time) : IDisposable
{
    private const int RedirectsMax = 5;
    private const int BufferBytes = 32 * 1024;
    private const int FlushBytes = 1024 * 1024;
    private const int TagCharactersMax = 200;

    public void Dispose()
    {
        hub.Dispose();
        others.Dispose();
    }

    /// <summary>Path of the finished file.</summary>
    public static string PathOf(string folder, AgentBundle bundle) => Path.Combine(folder, bundle.Sha256 + ".part");

    /// <summary>One attempt.</summary>
    /// <param name="bundle">What is wanted.</param>
    /// <param name="folder">Where it goes.</param>
    /// <param name="progress">Told the bytes that are there and how many of them have just come, after each piece.</param>
    /// <param name="cancellationToken">Ends it; what has come is kept.</param>
    /// <exception cref="IOException">The disk refused.</exception>
    public async Task<DownloadOutcome> FetchAsync(AgentBundle bundle, string folder, Action<long, int> progress, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var path = PathOf(folder, bundle);
        var have = File.Exists(path) ? new FileInfo(path).Length : 0;
        if (have > bundle.Bytes)
        {
            Discard(path);
            have = 0;
        }

        if (have == bundle.Bytes)
        {
            return await CheckAsync(path, bundle, progressed: false, cancellationToken).ConfigureAwait(false);
        }

        if (freeBytes(folder) is var free && free < bundle.Bytes - have + UpdateDecisions.FreeBytesMin)
        {
            return new DownloadOutcome(DownloadEnd.Later, $"The disk has {free} bytes free; the bundle takes {bundle.Bytes - have} more and {UpdateDecisions.FreeBytesMin} are kept free.");
        }

        var came = have;
        using var stall = new CancellationTokenSource(options.StallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, cancellationToken);
        try
        {
            var (response, problem) = await AskAsync(new Uri(bundle.Address), path, have, either.Token).ConfigureAwait(false);
            if (response is null)
            {
                return new DownloadOutcome(DownloadEnd.Later, problem);
            }

            using (response)
            {
                var tag = response.Headers.ETag is { IsWeak: false } strong && strong.Tag.Length <= TagCharactersMax ? strong.Tag : null;
                var (verdict, why) = UpdateDecisions.JudgeAnswer(
                    response.StatusCode, response.Content.Headers.ContentRange, response.Content.Headers.ContentLength, tag, ReadTag(path), have, bundle.Bytes);
                switch (verdict)
                {
                    case ContentVerdict.Wrong:
                        Discard(path);
                        return new DownloadOutcome(DownloadEnd.Wrong, why);
                    case ContentVerdict.Later or ContentVerdict.Redirect:
                        return new DownloadOutcome(DownloadEnd.Later, why ?? "The server sent the station on too often.", RetryAfter: Asked(response.Headers.RetryAfter));
                    case ContentVerdict.Restart:
                        Discard(path);
                        have = came = 0;
                        break;
                }

                WriteTag(path, tag);
                var source = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
                await using (source.ConfigureAwait(false))
                {
                    var fits = await CopyAsync(source, path, have, bundle.Bytes, (there, count) => progress(came = there, count), stall, either.Token).ConfigureAwait(false);
                    if (!fits)
                    {
                        Discard(path);
                        return new DownloadOutcome(DownloadEnd.Wrong, $"The server sent more than the {bundle.Bytes} bytes announced.");
                    }
                }
            }

            return came < bundle.Bytes
                ? new DownloadOutcome(DownloadEnd.Later, $"The line broke after {came} of {bundle.Bytes} bytes.", came > have)
                : await CheckAsync(path, bundle, progressed: true, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DownloadOutcome(DownloadEnd.Later, $"The server was silent for {options.StallTimeout} after {came} of {bundle.Bytes} bytes.", came > have);
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            return new DownloadOutcome(DownloadEnd.Later, $"The line broke after {came} of {bundle.Bytes} bytes: {Innermost(e)}", came > have);
        }
    }

    /// <summary>Clients as the options want them: for the hub's pages with its authority, for others with the operating system's.</summary>
    public static (HttpMessageInvoker Hub, HttpMessageInvoker Others) Clients(System.Security.Cryptography.X509Certificates.X509Certificate2Collection? authorities)
    {
        var pinned = Handler();
        if (authorities is not null)
        {
            var policy = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
            {
                TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
                RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.AddRange(authorities);
            pinned.SslOptions.CertificateChainPolicy = policy;
        }

        return (new HttpMessageInvoker(pinned), new HttpMessageInvoker(Handler()));

        // Redirects are followed here, where it is known what may go where; compression would make ranges mean something else.
        static SocketsHttpHandler Handler() => new()
        {
            AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = System.Net.DecompressionMethods.None, MaxResponseHeadersLength = 32,
            ConnectTimeout = TimeSpan.FromSeconds(20), PooledConnectionLifetime = TimeSpan.FromMinutes(10), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
    }

    private async Task<(HttpResponseMessage? Response, string? Problem)> AskAsync(Uri address, string path, long have, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address) { Version = System.Net.HttpVersion.Version11 };
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
            request.Headers.TryAddWithoutValidation("User-Agent", "hub-agent");
            if (have > 0)
            {
                request.Headers.Range = new RangeHeaderValue(have, null);
                if (ReadTag(path) is { } tag)
                {
                    request.Headers.IfRange = new RangeConditionHeaderValue(tag);
                }
            }

            var isHub = UpdateDecisions.IsHub(address, pages);
            if (isHub && pages.Secret() is { Length: > 0 } secret)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{pages.UserName}:{secret}")));
            }

            var response = await (isHub ? hub : others).SendAsync(request, cancellationToken).ConfigureAwait(false);
            var (verdict, _) = UpdateDecisions.JudgeAnswer(response.StatusCode, null, null, null, null, 0, 0);
            if (verdict != ContentVerdict.Redirect || redirects == RedirectsMax)
            {
                return (response, null);
            }

            var next = UpdateDecisions.Redirect(address, response.Headers.Location);
            response.Dispose();
            if (next is null)
            {
                return (null, "The server sent the station to an address it may not go to: from https only to https, and never with a name or password in it.");
            }

            address = next;
        }
    }

    private async Task<bool> CopyAsync(Stream source, string path, long have, long whole, Action<long, int> came, CancellationTokenSource stall, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var (at, flushed, started) = (have, have, time.GetTimestamp());
        try
        {
            while (true)
            {
                stall.CancelAfter(options.StallTimeout);
                var read = await source.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                if (at + read > whole)
                {
                    return false;
                }

                RandomAccess.Write(file, buffer.AsSpan(0, read), at);
                at += read;
                came(at, read);
                if (at - flushed >= FlushBytes)
                {
                    RandomAccess.FlushToDisk(file);
                    flushed = at;
                }

                if (UpdateDecisions.Throttle(at - have, time.GetElapsedTime(started), options.Bandwidth) is var wait && wait > TimeSpan.Zero)
                {
                    stall.CancelAfter(Timeout.InfiniteTimeSpan);
                    await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
                }
            }

            return true;
        }
        finally
        {
            RandomAccess.FlushToDisk(file);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<DownloadOutcome> CheckAsync(string path, AgentBundle bundle, bool progressed, CancellationToken cancellationToken)
    {
        string sum;
        var file = File.OpenRead(path);
        await using (file.ConfigureAwait(false))
        {
            sum = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
        }

        if (sum == bundle.Sha256)
        {
            return new DownloadOutcome(DownloadEnd.Complete, Progressed: progressed);
        }

        Discard(path);
        return new DownloadOutcome(DownloadEnd.Wrong, $"The file has SHA-256 {sum}; {bundle.Sha256} was announced.", progressed);
    }

    private TimeSpan? Asked(RetryConditionHeaderValue? header) => header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : null);

    private static void Discard(string path)
    {
        File.Delete(path);
        File.Delete(TagPath(path));
    }

    private static string TagPath(string path) => Path.ChangeExtension(path, ".tag");

    private static string? ReadTag(string path)
    {
        var file = TagPath(path);
        if (!File.Exists(file) || new FileInfo(file).Length > 4 * TagCharactersMax)
        {
            return null;
        }

        var text = File.ReadAllText(file);
        return EntityTagHeaderValue.TryParse(text, out var tag) && !tag.IsWeak ? tag.Tag : null;
    }

    private static void WriteTag(string path, string? tag)
    {
        if (tag is null)
        {
            File.Delete(TagPath(path));
        }
        else
        {
            DurableFile.Replace(TagPath(path), Encoding.UTF8.GetBytes(tag));
        }
    }

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception.Message.ReplaceLineEndings(" ");
    }
}
