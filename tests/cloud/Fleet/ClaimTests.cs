using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Hub.Cloud.Fleet.Claims;
using Hub.Cloud.Ingest;
using Hub.Edge.Contract.Claims;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static Hub.Cloud.Fleet.Tests.FleetHost;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>How a new station says whose it is.</summary>
public sealed class ClaimTests : IDisposable
{
    private static readonly string Mine = new('m', 43);
    private static readonly string Other = new('o', 43);

    private readonly World world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task A_code_and_a_secret_make_it_the_station()
    {
        await using var hub = await StartAsync(world);
        var issued = await hub.Fleet.IssueClaimAsync(hub.Air, "air-basic", "ana", Cancel);
        Assert.Equal(hub.Now.AddDays(7), issued.ExpiresAt);
        var (status, body) = await ClaimAsync(hub, issued.Code, Mine);
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.True(ClaimReply.TryRead(Encoding.UTF8.GetBytes(body), out var reply, out _));
        Assert.Equal(new ClaimReply("braga", "air-1", "Rotunda", 41.5503, -8.4229, "hub.example.pt", 8883, true, null, "air-basic"), reply);
        Assert.True(hub.Stations.Authenticate("braga", "air-1", Encoding.UTF8.GetBytes(Mine), out _));
        Assert.False(hub.Stations.Authenticate("braga", "air-1", Encoding.UTF8.GetBytes(world.Secret!), out _));
        var state = await hub.Fleet.ClaimOfAsync(hub.Air.Id, Cancel);
        Assert.Equal((hub.Now, "hub-agent 0.1.0, Pi 00aa", "ana"), (state!.UsedAt, state.UsedBy, state.IssuedBy));
    }

    [Fact]
    public async Task The_same_claim_again_is_answered_again_and_another_secret_is_not()
    {
        await using var hub = await StartAsync(world);
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        Assert.Equal(HttpStatusCode.Created, (await ClaimAsync(hub, code, Mine)).Status);
        hub.Time.Advance(TimeSpan.FromDays(30));
        Assert.Equal(HttpStatusCode.OK, (await ClaimAsync(hub, code.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), Mine)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await ClaimAsync(hub, code, Other)).Status);
        Assert.True(hub.Stations.Authenticate("braga", "air-1", Encoding.UTF8.GetBytes(Mine), out _));
    }

    [Fact]
    public async Task Unknown_over_ended_replaced_and_used_are_told_in_the_same_words()
    {
        await using var hub = await StartAsync(world);
        var used = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        await ClaimAsync(hub, used, Mine);
        var first = await ClaimAsync(hub, used, Other);
        var replaced = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        var ended = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        Assert.True(await hub.Fleet.RevokeClaimAsync(hub.Air, "ana", Cancel));
        Assert.False(await hub.Fleet.RevokeClaimAsync(hub.Air, "ana", Cancel));
        var over = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        hub.Time.Advance(TimeSpan.FromDays(7));
        foreach (var code in new[] { used, replaced, ended, over, "0000-0000-0000", "not a code", "" })
        {
            Assert.Equal(first, await ClaimAsync(hub, code, Other));
        }

        Assert.Equal(HttpStatusCode.NotFound, first.Status);
    }

    [Fact]
    public async Task A_code_is_stored_so_that_it_cannot_be_read()
    {
        await using var hub = await StartAsync(world);
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        await using var context = await hub.ContextAsync();
        var row = await context.Claims.SingleAsync(Cancel);
        Assert.DoesNotContain(code.Replace("-", "", StringComparison.Ordinal), row.CodeHash, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(64, row.CodeHash.Length);
    }

    [Fact]
    public async Task A_crash_between_secret_and_code_is_made_good_by_the_same_claim()
    {
        await using var hub = await StartAsync(world);
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        await hub.Secrets.TakeAsync(hub.Air.Id, Mine, Cancel);
        Assert.Equal(HttpStatusCode.Created, (await ClaimAsync(hub, code, Mine)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await ClaimAsync(hub, code, Other)).Status);
    }

    [Fact]
    public async Task Of_two_at_once_with_one_code_one_gets_it()
    {
        await using var hub = await StartAsync(world);
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => ClaimAsync(hub, code, new string((char)('a' + i), 43))));
        Assert.Single(answers, a => a.Status == HttpStatusCode.Created);
        Assert.Equal(5, answers.Count(a => a.Status == HttpStatusCode.NotFound));
    }

    [Theory]
    [InlineData("""{"code":"0000-0000-0000","secret":"short","agent":"a"}""", "application/json", "secret")]
    [InlineData("""{"code":"0000-0000-0000","agent":"a"}""", "application/json", "secret")]
    [InlineData("{", "application/json", "")]
    [InlineData("{}", "text/plain", "application/json")]
    public async Task A_wrong_request_is_told_what_is_wrong(string body, string type, string says)
    {
        await using var hub = await StartAsync(world);
        var (status, text) = await PostAsync(hub, new StringContent(body, Encoding.UTF8, type));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(says, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_too_large_is_refused_and_a_plain_one_from_elsewhere_too()
    {
        await using var hub = await StartAsync(world);
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(hub, new StringContent(new string(' ', ClaimRequest.BytesMax + 1), Encoding.UTF8, "application/json"))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(hub, Body(code, Mine), "http://hub.example.pt", "192.0.2.1")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(hub, Body(code, Mine), "http://hub.example.pt", null)).Status);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(hub, Body(code, Mine), "http://127.0.0.1", "127.0.0.1")).Status);
    }

    [Fact]
    public async Task Whoever_guesses_is_slowed_down_and_others_are_not()
    {
        await using var hub = await StartAsync(world, settings: ("Hub:Fleet:ClaimFailuresPerAddressMax", "3"));
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(hub, Body("0000-0000-0000", Mine), remote: "2001:db8::1")).Status);
        }

        // The same network, and even with the right code.
        using var client = hub.Client();
        using var request = Request(Body(code, Mine), "https://hub.example.pt", "2001:db8::2");
        using var answer = await client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(TimeSpan.FromMinutes(10), answer.Headers.RetryAfter!.Delta);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(hub, Body("0000-0000-0000", Mine), remote: "2001:db8:1::1")).Status);
        hub.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(hub, Body(code, Mine), remote: "2001:db8::2")).Status);
    }

    [Fact]
    public async Task Without_a_broker_to_go_to_the_code_is_not_used_up()
    {
        await using var hub = await StartAsync(world);
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        hub.Broker.Endpoints = [new BrokerEndpoint("127.0.0.1", 1883, false)];
        var (status, text) = await ClaimAsync(hub, code, Mine);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("Hub:Mqtt:Tls:Endpoint", text, StringComparison.Ordinal);
        hub.Broker.Endpoints = [new BrokerEndpoint("", 8883, true)];
        Assert.Equal(HttpStatusCode.Created, (await ClaimAsync(hub, code, Mine)).Status);
    }

    [Fact]
    public async Task The_authority_is_told_without_the_key_that_lies_beside_it()
    {
        using var authority = new TestAuthority();
        authority.IssueFiles(world.Folder.File("hub.pem"), world.Folder.File("hub.key"), "hub.example.pt");
        await File.WriteAllTextAsync(world.Folder.File("ca.pem"), authority.Pem + "\n" + await File.ReadAllTextAsync(world.Folder.File("hub.key"), Cancel), Cancel);
        await using var hub = await StartAsync(world, settings: [("Hub:Public:AuthorityFile", world.Folder.File("ca.pem")), ("Hub:Public:Mqtt", "mqtt.example.pt:443")]);
        var code = (await hub.Fleet.IssueClaimAsync(hub.Air, null, "ana", Cancel)).Code;
        var (_, body) = await ClaimAsync(hub, code, Mine);
        Assert.True(ClaimReply.TryRead(Encoding.UTF8.GetBytes(body), out var reply, out _));
        Assert.Equal(("mqtt.example.pt", 443, true), (reply.Address, reply.Port, reply.Tls));
        Assert.Equal(authority.Pem.Trim(), reply.Authority!.Trim());
        Assert.DoesNotContain("PRIVATE", body, StringComparison.Ordinal);
        Assert.InRange(body.Length, 1, ClaimRequest.BytesMax);
    }

    [Theory]
    [InlineData("Hub:Public:Mqtt", "nowhere")]
    [InlineData("Hub:Public:AuthorityFile", "/nonexistent.pem")]
    [InlineData("Hub:Fleet:ClaimValid", "00:00:01")]
    [InlineData("Hub:Fleet:CommandExpiry", "00:00:01")]
    [InlineData("Hub:Fleet:ClaimsPerMinuteMax", "0")]
    public async Task A_setting_out_of_range_stops_the_start_and_is_named(string key, string value)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(world, settings: (key, value)));
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", ":8883:tls 127.0.0.1:1883", "hub.example", false, "hub.example:8883:tls")]
    [InlineData("", ":8883:tls 127.0.0.1:1883", "localhost", true, "localhost:8883:tls")]
    [InlineData("", "127.0.0.1:1883", "localhost", true, "127.0.0.1:1883")]
    [InlineData("", "127.0.0.1:1883", "hub.example", false, "")]
    [InlineData("", "127.0.0.1:8883:tls", "hub.example", false, "")]
    [InlineData("", "192.0.2.7:8883:tls", "hub.example", false, "192.0.2.7:8883:tls")]
    [InlineData("", "broker.example:1883", "hub.example", false, "")]
    [InlineData("mqtt.example:8884", "127.0.0.1:1883", "hub.example", false, "mqtt.example:8884:tls")]
    [InlineData("", "", "hub.example", true, "")]
    public void Where_a_claimant_finds_the_broker(string set, string broker, string host, bool local, string expected)
    {
        BrokerEndpoint[] endpoints = [.. broker.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split(':')).Select(p => new BrokerEndpoint(p[0], int.Parse(p[1], System.Globalization.CultureInfo.InvariantCulture), p.Length > 2))];
        var found = ClaimAddress.Of(new PublicOptions { Mqtt = set }, endpoints, host, local);
        Assert.Equal(expected, found is null ? "" : FormattableString.Invariant($"{found.Host}:{found.Port}{(found.Tls ? ":tls" : "")}"));
    }

    [Fact]
    public void The_gate_remembers_a_bounded_number_of_addresses_and_the_whole_hub_has_a_limit_too()
    {
        var time = new FakeTimeProvider(Start);
        var gate = new ClaimGate(3, 1_000_000, time);
        for (var i = 0; i < ClaimGate.AddressesMax + 100; i++)
        {
            gate.TryEnter(new IPAddress(i + 1), out _);
        }

        // Those past the limit share one account, which is used up.
        Assert.False(gate.TryEnter(new IPAddress(0x7f00_0000L + ClaimGate.AddressesMax), out _));
        Assert.True(gate.TryEnter(new IPAddress(1), out _));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.True(gate.TryEnter(new IPAddress(0x7f00_0000L), out _));

        var narrow = new ClaimGate(1_000, 10, time);
        for (var i = 0; i < 10; i++)
        {
            Assert.True(narrow.TryEnter(new IPAddress(i + 1), out _));
            narrow.Succeeded(new IPAddress(i + 1));
        }

        Assert.False(narrow.TryEnter(new IPAddress(99), out var wait));
        Assert.Equal(TimeSpan.FromMinutes(1), wait);
        time.Advance(wait);
        Assert.True(narrow.TryEnter(new IPAddress(99), out _));
    }

    private static StringContent Body(string code, string secret) =>
        new(Encoding.UTF8.GetString(new ClaimRequest(code, secret, "hub-agent 0.1.0", "Pi 00aa").ToUtf8()), Encoding.UTF8, "application/json");

    private static HttpRequestMessage Request(HttpContent body, string origin, string? remote)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, origin + "/claim/v1") { Content = body };
        if (remote is not null)
        {
            request.Headers.Add("Test-Remote", remote);
        }

        return request;
    }

    private static Task<(HttpStatusCode Status, string Body)> ClaimAsync(FleetHost hub, string code, string secret) => PostAsync(hub, Body(code, secret));

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(FleetHost hub, HttpContent body, string origin = "https://hub.example.pt", string? remote = "192.0.2.1")
    {
        using var client = hub.Client();
        using var request = Request(body, origin, remote);
        using var answer = await client.SendAsync(request, Cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }
}
