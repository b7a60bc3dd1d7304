using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CsCheck;
using Hub.Edge.Contract.Twin;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Update.Tests;

public sealed class DownloadTests : IAsyncDisposable
{
    private const string Secret = "s3cret-of-the-station";
    private readonly TempFolder _folder = new();
    private readonly RawServer _server = new();
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(300_000);
    private readonly List<long> _progress = [];

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_whole_file_arrives_in_one_go()
    {
        _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _content);

        Assert.Equal(new DownloadOutcome(DownloadEnd.Complete, Progressed: true), await FetchAsync());
        Assert.Equal(_content, await FileAsync());
        Assert.Equal(_content.Length, _progress[^1]);
        Assert.Equal("identity", RawServer.Header(_server.Requests.Single(), "Accept-Encoding"));
        Assert.Null(RawServer.Header(_server.Requests.Single(), "Range"));

        // Asked again, it is there: nobody is asked.
        Assert.Equal(DownloadEnd.Complete, (await FetchAsync()).End);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task Broken_off_anywhere_it_goes_on_there_also_in_another_process()
    {
        int[] breaks = [1, 70_000, 40_000, 0, 100_000, int.MaxValue];
        _server.Answer = (number, request, stream) => RawServer.SendAsync(request, stream, _content, break_: breaks[number]);

        // Each attempt is a client of its own, as after a kill.
        foreach (var _ in breaks[..^1])
        {
            Assert.Equal(DownloadEnd.Later, (await FetchAsync()).End);
        }

        Assert.Equal(DownloadEnd.Complete, (await FetchAsync()).End);
        Assert.Equal(_content, await FileAsync());
        Assert.Equal([null, 1, 70_001, 110_001, 110_001, 210_001], _server.Requests.Select(RawServer.From));
        Assert.All(_server.Requests.Skip(1), request => Assert.Equal("\"one\"", RawServer.IfRange(request)));
    }

    [Fact]
    public async Task A_part_that_a_power_cut_has_hurt_is_found_and_fetched_again()
    {
        _server.Answer = (number, request, stream) => RawServer.SendAsync(request, stream, _content, break_: number == 0 ? 100_000 : int.MaxValue);
        await FetchAsync();
        await using (var file = File.OpenWrite(BundleDownload.PathOf(_folder.Path, Bundle())))
        {
            file.Position = 50_000;
            file.Write(new byte[10_000]);
        }

        Assert.Equal(DownloadEnd.Wrong, (await FetchAsync()).End);
        Assert.Equal(DownloadEnd.Complete, (await FetchAsync()).End);
        Assert.Equal([null, 100_000, null], _server.Requests.Select(RawServer.From));
    }

    [Fact]
    public async Task Content_that_changes_between_two_parts_is_never_put_together()
    {
        var other = RandomNumberGenerator.GetBytes(_content.Length);

        // First a server that knows what If-Range means, then one that does not.
        _server.Answer = (number, request, stream) => number switch
        {
            0 => RawServer.SendAsync(request, stream, other, "\"other\"", 100_000),
            1 => RawServer.SendAsync(request, stream, _content, "\"one\"", 50_000),
            2 => RawServer.SendAsync(request.Replace("If-Range: ", "X: ", StringComparison.Ordinal), stream, other, "\"other\""),
            _ => RawServer.SendAsync(request, stream, _content),
        };

        Assert.Equal(DownloadEnd.Later, (await FetchAsync()).End);
        Assert.Equal(DownloadEnd.Later, (await FetchAsync()).End);
        Assert.Equal(50_000, new FileInfo(BundleDownload.PathOf(_folder.Path, Bundle())).Length);
        var changed = await FetchAsync();
        Assert.Equal((DownloadEnd.Wrong, "The server's file has changed since the download was begun."), (changed.End, changed.Problem));
        Assert.Equal(DownloadEnd.Complete, (await FetchAsync()).End);
        Assert.Equal(_content, await FileAsync());
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 300001\r\n\r\n", DownloadEnd.Wrong, "has 300001 bytes; 300000 were announced")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", DownloadEnd.Wrong, "has 5 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello", DownloadEnd.Later, "broke after 5 of 300000 bytes")]
    [InlineData("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-299999/300000\r\nContent-Length: 299993\r\n\r\n", DownloadEnd.Wrong, "another part than it was asked for")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", DownloadEnd.Later, "does not have the bundle (404)")]
    [InlineData("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", DownloadEnd.Later, "does not give the bundle to this station (401)")]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", DownloadEnd.Later, "answered 500")]
    [InlineData("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n", DownloadEnd.Wrong, "shorter than announced")]
    [InlineData("no HTTP at all\r\n\r\n", DownloadEnd.Later, "The line broke")]
    [InlineData("", DownloadEnd.Later, "The line broke")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/f\r\nContent-Length: 0\r\n\r\n", DownloadEnd.Later, "may not go to")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", DownloadEnd.Later, "too often")]
    [InlineData("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", DownloadEnd.Later, "may not go to")]
    internal async Task What_a_server_answers_wrongly_is_named(string answer, DownloadEnd end, string problem)
    {
        _server.Answer = (_, _, stream) => RawServer.WriteAsync(stream, answer);
        var outcome = await FetchAsync();

        Assert.Equal(end, outcome.End);
        Assert.Contains(problem, outcome.Problem, StringComparison.Ordinal);
        Assert.InRange(_server.Requests.Count, 1, 6);
    }

    [Fact]
    public async Task A_server_without_a_length_that_never_ends_is_left_at_the_size_announced()
    {
        _server.Answer = async (_, _, stream) =>
        {
            await RawServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while (true)
            {
                await stream.WriteAsync(new byte[10_000]);
            }
        };
        var outcome = await FetchAsync();

        Assert.Equal((DownloadEnd.Wrong, $"The server sent more than the {_content.Length} bytes announced."), (outcome.End, outcome.Problem));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Another_file_of_the_same_size_is_wrong_and_not_kept()
    {
        _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, new byte[_content.Length]);
        var outcome = await FetchAsync();

        Assert.Equal(DownloadEnd.Wrong, outcome.End);
        Assert.Contains("was announced", outcome.Problem, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_silent_server_is_given_up_and_what_came_is_kept()
    {
        var time = new FakeTimeProvider();
        _server.Answer = async (_, request, stream) =>
        {
            await RawServer.SendAsync(request, stream, _content, break_: 30_000);
            await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
        };
        var fetching = FetchAsync(time);
        await Eventually.TrueAsync(() => { lock (_progress) { return _progress is [.., 30_000]; } }, "the first bytes are there");
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(61));
                return fetching.IsCompleted;
            },
            "the silence is noticed");

        var outcome = await fetching;
        Assert.Equal((DownloadEnd.Later, true), (outcome.End, outcome.Progressed));
        Assert.Contains("silent for 00:01:00 after 30000", outcome.Problem, StringComparison.Ordinal);
        Assert.Equal(30_000, new FileInfo(BundleDownload.PathOf(_folder.Path, Bundle())).Length);
    }

    [Fact]
    public async Task The_secret_goes_to_the_hubs_pages_and_to_nobody_else_also_behind_a_redirect()
    {
        await using var elsewhere = new RawServer { Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _content) };
        _server.Answer = (_, _, stream) => RawServer.WriteAsync(stream, $"HTTP/1.1 302 Found\r\nLocation: {elsewhere.Address}f\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal(DownloadEnd.Complete, (await FetchAsync()).End);
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"braga/rotunda:{Secret}")), RawServer.Header(_server.Requests.Single(), "Authorization"));
        Assert.Null(RawServer.Header(elsewhere.Requests.Single(), "Authorization"));
        Assert.DoesNotContain(Secret, new HubPages(_server.Address, "braga/rotunda", () => Secret).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hubs_authority_is_pinned_and_no_redirect_leads_out_of_https()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        using var certificate = authority.Issue("127.0.0.1");
        await using var secured = new RawServer { Certificate = certificate, Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _content) };
        var bundle = TestBundle.Announce(_content, $"{secured.Address}b");

        var unknown = await FetchAsync(bundle, _folder.Path, TimeProvider.System, long.MaxValue / 2, secured.Address, stranger.Pem);
        Assert.Equal(DownloadEnd.Later, unknown.End);
        Assert.Contains("certificate", unknown.Problem, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(DownloadEnd.Later, (await FetchAsync(bundle, _folder.Path, TimeProvider.System, long.MaxValue / 2, secured.Address)).End);

        // Pinned for the hub's pages only.
        Assert.Equal(DownloadEnd.Later, (await FetchAsync(bundle, _folder.Path, TimeProvider.System, long.MaxValue / 2, new Uri("https://hub.invalid"), authority.Pem)).End);
        Assert.Empty(secured.Requests);

        _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _content);
        secured.Answer = (_, _, stream) => RawServer.WriteAsync(stream, $"HTTP/1.1 307 Elsewhere\r\nLocation: {_server.Address}\r\nContent-Length: 0\r\n\r\n");
        Assert.Contains("from https only to https", (await FetchAsync(bundle, _folder.Path, TimeProvider.System, long.MaxValue / 2, secured.Address, authority.Pem)).Problem, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);

        secured.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _content);
        Assert.Equal(DownloadEnd.Complete, (await FetchAsync(bundle, _folder.Path, TimeProvider.System, long.MaxValue / 2, secured.Address, authority.Pem)).End);
        Assert.All(secured.Requests, request => Assert.NotNull(RawServer.Header(request, "Authorization")));
    }

    [Fact]
    public async Task A_bandwidth_is_kept_to_by_waiting()
    {
        var time = new FakeTimeProvider();
        _server.Answer = (_, request, stream) => RawServer.SendAsync(request, stream, _content);
        var fetching = FetchAsync(Bundle(), _folder.Path, time, long.MaxValue / 2, bandwidth: 10_000);
        await Eventually.TrueAsync(
            () =>
            {
                if (fetching.IsCompleted)
                {
                    return true;
                }

                // Never more than the bandwidth allows, and the piece that is waited for.
                lock (_progress)
                {
                    Assert.InRange(_progress.LastOrDefault(), 0, ((long)(time.GetUtcNow() - new FakeTimeProvider().GetUtcNow()).TotalSeconds * 10_000) + 32 * 1024);
                }

                time.Advance(TimeSpan.FromSeconds(1));
                return false;
            },
            "it is there");

        Assert.Equal(DownloadEnd.Complete, (await fetching).End);
        Assert.InRange(time.GetUtcNow() - new FakeTimeProvider().GetUtcNow(), TimeSpan.FromSeconds(29), TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task Retry_after_is_heeded()
    {
        _server.Answer = (_, _, stream) => RawServer.WriteAsync(stream, "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(TimeSpan.FromMinutes(2), (await FetchAsync()).RetryAfter);
    }

    [Fact]
    public async Task Without_room_on_the_disk_nobody_is_asked()
    {
        var outcome = await FetchAsync(freeBytes: UpdateDecisions.FreeBytesMin + _content.Length - 1);

        Assert.Equal(DownloadEnd.Later, outcome.End);
        Assert.Contains("bytes free", outcome.Problem, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public void Broken_off_at_random_it_ends_with_the_same_bytes() =>
        Gen.Select(Gen.Int[1, 30_000], Gen.Int[0, 5_000].Array[0, 6], Gen.Bool).Sample(
            (size, breaks, tagged) => RunAsync(size, breaks, tagged).GetAwaiter().GetResult(), iter: 30, threads: 1);

    private async Task RunAsync(int size, int[] breaks, bool tagged)
    {
        using var folder = new TempFolder();
        await using var server = new RawServer();
        var content = RandomNumberGenerator.GetBytes(size);
        server.Answer = (number, request, stream) => RawServer.SendAsync(request, stream, content, tagged ? "\"t\"" : null, number < breaks.Length ? breaks[number] : int.MaxValue);
        var bundle = TestBundle.Announce(content, server.Address.ToString());
        var sent = 0;
        while ((await FetchAsync(bundle, folder.Path, TimeProvider.System, long.MaxValue / 2)).End != DownloadEnd.Complete)
        {
            Assert.InRange(++sent, 1, breaks.Length);
        }

        Assert.Equal(content, await File.ReadAllBytesAsync(BundleDownload.PathOf(folder.Path, bundle)));
    }

    private AgentBundle Bundle() => TestBundle.Announce(_content, $"{_server.Address}agents/v1/bundles/x");

    private Task<byte[]> FileAsync() => File.ReadAllBytesAsync(BundleDownload.PathOf(_folder.Path, Bundle()), TestContext.Current.CancellationToken);

    private Task<DownloadOutcome> FetchAsync(TimeProvider? time = null, long freeBytes = long.MaxValue / 2) => FetchAsync(Bundle(), _folder.Path, time ?? TimeProvider.System, freeBytes);

    private async Task<DownloadOutcome> FetchAsync(AgentBundle bundle, string folder, TimeProvider time, long freeBytes, Uri? own = null, string? authority = null, long bandwidth = 0)
    {
        X509Certificate2Collection? authorities = authority is null ? null : [X509Certificate2.CreateFromPem(authority)];
        var (hub, others) = BundleDownload.Clients(authorities);
        var pages = new HubPages(own ?? _server.Address, "braga/rotunda", () => Secret);

        // Where time passes in steps, it is the server's silence only in the test that is about it.
        var options = bandwidth > 0 ? new UpdateOptions { Bandwidth = bandwidth, StallTimeout = TimeSpan.FromDays(1) } : new UpdateOptions();
        using var download = new BundleDownload(hub, others, pages, options, _ => freeBytes, time);
        return await download.FetchAsync(
            bundle,
            folder,
            (bytes, _) =>
            {
                lock (_progress)
                {
                    _progress.Add(bytes);
                }
            },
            TestContext.Current.CancellationToken);
    }
}
