using System.Net;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Api.Tests;

/// <summary>The duty roster over HTTP, over the real book.</summary>
public sealed class DutyTests
{
    private const string Address = "/api/v1/duty/braga";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_roster_is_made_read_and_removed_and_that_is_on_record()
    {
        var (host, ana) = await StartAsync();
        await using var _ = host;
        await host.ProblemAsync(Address, 404, "no-duty-roster", "Operator@braga");
        using var client = host.Client("Operator@braga");
        var body = $$"""{"severityMin":"warning","steps":[{"afterMinutes":0,"onDuty":[{"subscriber":{{ana}},"schedule":""}]},{"afterMinutes":15,"onDuty":[{"subscriber":{{ana}}}]}],"repeatCount":2}""";
        using (var saved = await PutAsync(client, body))
        {
            Assert.Equal(HttpStatusCode.OK, saved.StatusCode);
        }

        var read = await host.GetAsync(Address, "Operator@braga");
        Assert.Equal(("warning", 15, ana), (read.GetProperty("severityMin").GetString(), read.GetProperty("steps")[1].GetProperty("afterMinutes").GetInt32(), read.GetProperty("steps")[1].GetProperty("onDuty")[0].GetProperty("subscriber").GetInt32()));
        Assert.Equal(2, read.GetProperty("repeatCount").GetInt32());

        // On record as the API answers it.
        Assert.Equal(read.GetRawText(), JsonElement.Parse(host.Audit.Entries[0].Note.Details).GetRawText(), ignoreWhiteSpaceDifferences: true);
        using (var gone = await client.DeleteAsync(Address, Cancel))
        {
            Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        }

        await host.ProblemAsync(Address, 404, "no-duty-roster", "Operator@braga");
        Assert.Equal(["duty-saved", "duty-removed"], host.Audit.Entries.Select(entry => entry.Note.Action));
    }

    [Fact]
    public async Task Nobody_else_sees_or_changes_it()
    {
        var (host, ana) = await StartAsync();
        await using var _ = host;
        await host.ProblemAsync(Address, 401, "sign-in-needed");
        await host.ProblemAsync(Address, 403, "not-allowed", "Viewer@braga Operator@aveiro");
        await host.ProblemAsync("/api/v1/duty/nowhere", 404, "unknown-municipality", "Operator@*");
        using var stranger = host.Client("Operator@aveiro");
        await ApiHost.ProblemAsync(await PutAsync(stranger, $$"""{"severityMin":"alert","steps":[{"afterMinutes":0,"onDuty":[{"subscriber":{{ana}}}]}]}"""), 403, "not-allowed");
        await ApiHost.ProblemAsync(await stranger.DeleteAsync(Address, Cancel), 403, "not-allowed");
        Assert.Empty(host.Audit.Entries);
    }

    [Theory]
    [InlineData("""{"severityMin":"dire","steps":[]}""", "severityMin is")]
    [InlineData("""{"steps":[]}""", "severityMin is")]
    [InlineData("""{"severityMin":"alert"}""", "steps must be 1 to 10")]
    [InlineData("""{"severityMin":"alert","steps":[{"afterMinutes":0,"onDuty":[{"subscriber":1}]}],"repeatCount":11}""", "repeatCount must be 0 to 10")]
    [InlineData("""{"severityMin":"alert","steps":[null]}""", "steps[0].afterMinutes must be zero")]
    [InlineData("""{"severityMin":"alert","steps":[{"afterMinutes":0,"onDuty":[null]}]}""", "steps[0].onDuty[0].subscriber 0 is no subscriber")]
    [InlineData("""{"severityMin":"alert","steps":[{"afterMinutes":5,"onDuty":[{"subscriber":1}]}]}""", "steps[0].afterMinutes must be zero")]
    [InlineData("""{"severityMin":"alert","steps":[{"afterMinutes":0,"onDuty":[]}]}""", "steps[0].onDuty must be 1 to 50 people")]
    [InlineData("""{"severityMin":"alert","steps":[{"afterMinutes":0,"onDuty":[{"subscriber":99}]}]}""", "steps[0].onDuty[0].subscriber 99 is no subscriber")]
    [InlineData("""{"severityMin":"alert","steps":[{"afterMinutes":0,"onDuty":[{"subscriber":1,"schedule":"mo-"}]}]}""", "steps[0].onDuty[0].schedule")]
    [InlineData("""{"severityMin":"alert","steps":[{"afterMinutes":0,"onDuty":[{"subscriber":1}]}],"more":1}""", "Expected a JSON object")]
    public async Task What_is_wrong_is_refused_with_its_member(string body, string reason)
    {
        var (host, _) = await StartAsync();
        await using var _1 = host;
        using var client = host.Client("Operator@braga");
        var problem = await ApiHost.ProblemAsync(await PutAsync(client, body), 400, "bad-body");
        Assert.StartsWith(reason, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await host.ProblemAsync(Address, 404, "no-duty-roster", "Operator@braga");
    }

    private static async Task<(ApiHost Host, int Ana)> StartAsync()
    {
        var host = await ApiHost.StartAsync();
        await host.MigrateNotificationsAsync();
        var ana = await host.Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Mail, "ana@example.org", "pt", null, Severity.Information, ""), Cancel);
        return (host, ana.Id);
    }

    private static async Task<HttpResponseMessage> PutAsync(HttpClient client, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await client.PutAsync(Address, content, Cancel);
    }
}
