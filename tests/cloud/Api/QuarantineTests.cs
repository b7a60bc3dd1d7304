using Hub.Cloud.Municipalities;
using Hub.Edge.Contract.Encoding;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Api.Tests;

public sealed class QuarantineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_operators_of_the_municipality_see_its_quarantine()
    {
        await using var host = await FurnishedAsync();
        await host.ProblemAsync("/api/v1/quarantine", 401, "sign-in-needed");
        await host.ProblemAsync("/api/v1/quarantine/1", 401, "sign-in-needed");
        await host.ProblemAsync("/api/v1/quarantine?municipality=braga", 403, "not-allowed", "Viewer@braga");
        await host.ProblemAsync("/api/v1/quarantine?municipality=braga", 403, "not-allowed", "Administrator@aveiro");
        await host.ProblemAsync("/api/v1/quarantine", 400, "bad-parameter", "Operator@braga");
        await host.ProblemAsync("/api/v1/quarantine/3", 404, "unknown-quarantined-record", "Operator@braga");
        Assert.Equal(["2", "1"], ApiHost.Texts(await host.GetAsync("/api/v1/quarantine?municipality=braga", "Operator@braga"), "id"));
        Assert.Equal(["3", "2", "1"], ApiHost.Texts(await host.GetAsync("/api/v1/quarantine", "Operator@*"), "id"));
    }

    [Fact]
    public async Task Records_are_filtered_and_given_in_parts_with_their_bytes()
    {
        await using var host = await FurnishedAsync();
        Assert.Equal(["1"], ApiHost.Texts(await host.GetAsync("/api/v1/quarantine?municipality=braga&reason=unknown-quantity", "Operator@braga"), "id"));
        await host.ProblemAsync("/api/v1/quarantine?municipality=braga&reason=nonsense", 400, "bad-parameter", "Operator@braga");
        var first = await host.GetAsync("/api/v1/quarantine?municipality=braga&limit=1", "Operator@braga");
        Assert.Equal(["2"], ApiHost.Texts(first, "id"));
        Assert.Equal(["1"], ApiHost.Texts(await host.GetAsync(first.GetProperty("next").GetString()!, "Operator@braga"), "id"));
        var text = await host.GetAsync("/api/v1/quarantine/1", "Operator@braga");
        Assert.Equal("[{\"n\":\"é\"}]", text.GetProperty("payloadText").GetString());
        var binary = await host.GetAsync("/api/v1/quarantine/2", "Operator@braga");
        Assert.Equal(JsonValueKind.Null, binary.GetProperty("payloadText").ValueKind);
        Assert.Equal([0xff, 0x00], binary.GetProperty("payloadBase64").GetBytesFromBase64());
    }

    [Fact]
    public async Task Release_and_discard_are_for_operators_too()
    {
        await using var host = await FurnishedAsync();
        using var stranger = host.Client("Operator@aveiro");
        await ApiHost.ProblemAsync(await stranger.PostAsync("/api/v1/quarantine/1/release", null, Cancel), 404, "unknown-quarantined-record");
        await ApiHost.ProblemAsync(await stranger.DeleteAsync("/api/v1/quarantine/1", Cancel), 404, "unknown-quarantined-record");
        Assert.Equal(3, host.Quarantine.Records.Count);

        using var client = host.Client("Operator@braga");
        var released = await client.PostAsync("/api/v1/quarantine/1/release", null, Cancel);
        var receipt = JsonDocument.Parse(await released.Content.ReadAsStringAsync(Cancel)).RootElement;
        Assert.Equal((1, 1), (receipt.GetProperty("received").GetInt32(), receipt.GetProperty("stored").GetInt32()));
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/api/v1/quarantine/2", Cancel)).StatusCode);
        await ApiHost.ProblemAsync(await client.DeleteAsync("/api/v1/quarantine/2", Cancel), 404, "unknown-quarantined-record");
        Assert.Equal([3L], host.Quarantine.Records.Keys);
    }

    [Theory]
    [InlineData("{\"userName\":\"ana\",\"password\":\"x\"}", SignInOutcome.Refused, 401, "wrong-credentials")]
    [InlineData("{\"userName\":\"ana\",\"password\":\"x\"}", SignInOutcome.Busy, 429, "busy")]
    [InlineData("{\"userName\":\"ana\"}", SignInOutcome.Accepted, 400, "bad-body")]
    [InlineData("null", SignInOutcome.Accepted, 400, "bad-body")]
    [InlineData("", SignInOutcome.Accepted, 400, "bad-body")]
    [InlineData("[1,2", SignInOutcome.Accepted, 400, "bad-body")]
    [InlineData("{\"userName\":1,\"password\":\"x\"}", SignInOutcome.Accepted, 400, "bad-body")]
    public async Task A_session_that_is_not_to_be_is_refused(string body, SignInOutcome outcome, int status, string code)
    {
        await using var host = await ApiHost.StartAsync();
        host.SignIn.Outcome = outcome;
        using var client = host.Client();
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/sessions", new StringContent(body, Encoding.UTF8, "application/json"), Cancel), status, code);
    }

    private static async Task<ApiHost> FurnishedAsync()
    {
        var host = await ApiHost.StartAsync();
        host.Quarantine.Add(1, "braga", "centro", RefusalReason.UnknownQuantity, "[{\"n\":\"é\"}]"u8.ToArray());
        host.Quarantine.Add(2, "braga", "escola", RefusalReason.Malformed, [0xff, 0x00]);
        host.Quarantine.Add(3, "aveiro", "ria", RefusalReason.Unit, "[]"u8.ToArray());
        return host;
    }
}
