using System.Net;
using System.Text;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api.Tests;

/// <summary>What operators change over HTTP is on record, for administrators.</summary>
public sealed class AuditTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_corrected_calibration_is_on_record_before_and_after()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(new Observation(host.Pm10, ApiHost.Now.AddMinutes(-1), 20, Quality.Good) { Raw = 18, Calibration = 3 });
        using (var client = host.Client("Operator@braga"))
        {
            using var body = new StringContent("""{"calibration":3,"gain":2,"offset":1}""", Encoding.UTF8, "application/json");
            Assert.Equal(HttpStatusCode.OK, (await client.PostAsync($"/api/v1/datastreams/{host.Pm10}/recalibrations", body, Cancel)).StatusCode);
        }

        var page = await host.GetAsync("/api/v1/audit?municipality=braga", "Administrator@braga");
        Assert.Equal(["calibration-corrected", "calibration-correcting"], ApiHost.Texts(page, "action"));
        var entry = page.GetProperty("items")[0];
        Assert.Equal($"datastream {host.Pm10}", entry.GetProperty("subject").GetString());
        Assert.Equal((1, 2.0), (entry.GetProperty("details").GetProperty("corrected").GetInt32(), entry.GetProperty("details").GetProperty("gain").GetDouble()));
        Assert.Empty(ApiHost.Texts(await host.GetAsync("/api/v1/audit?municipality=aveiro", "Administrator@*"), "action"));
    }

    [Fact]
    public async Task It_comes_in_parts_and_by_action()
    {
        await using var host = await ApiHost.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            await host.Audit.NoteAsync(new("braga", i % 2 == 0 ? "rule-saved" : "rule-removed", $"rule {i}", "ana", "{}"), Cancel);
        }

        var page = await host.GetAsync("/api/v1/audit?municipality=braga&limit=3", "Administrator@braga");
        Assert.Equal(["rule 4", "rule 3", "rule 2"], ApiHost.Texts(page, "subject"));
        Assert.Equal(["rule 1", "rule 0"], ApiHost.Texts(await host.GetAsync(page.GetProperty("next").GetString()!, "Administrator@braga"), "subject"));
        Assert.Equal(["rule 3", "rule 1"], ApiHost.Texts(await host.GetAsync("/api/v1/audit?municipality=braga&action=rule-removed", "Administrator@braga"), "subject"));
    }

    [Fact]
    public async Task It_is_for_administrators()
    {
        await using var host = await ApiHost.StartAsync();
        await host.ProblemAsync("/api/v1/audit?municipality=braga", 401, "sign-in-needed");
        await host.ProblemAsync("/api/v1/audit?municipality=braga", 403, "not-allowed", "Operator@braga");
        await host.ProblemAsync("/api/v1/audit", 400, "bad-parameter", "Administrator@*");
    }
}
