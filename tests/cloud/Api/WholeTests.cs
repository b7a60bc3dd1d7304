using System.Net.Http.Json;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Retention;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Api.Tests;

/// <summary>The API over the real Municipalities and Stations, composed as the server does: sign in, see what is private, lose the right again.</summary>
public sealed class WholeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_signs_in_with_a_password_and_sees_the_private_stations_of_their_municipality()
    {
        using var folder = new TempFolder();
        using var series = new MemorySeries();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("Hub:Data", folder.Path)]);
        builder.Services.AddHubMunicipalities(builder.Configuration).AddHubStations(builder.Configuration).AddHubFleet(builder.Configuration)
            .AddHubRetention(builder.Configuration).AddHubQualityControl(builder.Configuration).AddHubAudit(builder.Configuration).AddHubNotifications(builder.Configuration).AddHubApi(builder.Configuration);
        builder.Services.AddSingleton<ISeries>(series);
        builder.Services.AddSingleton<IAlerts, FakeAlerts>();
        builder.Services.AddSingleton<IAlarmHandling>(new FakeHandling(TimeProvider.System, static () => [], static _ => { }));
        builder.Services.AddSingleton<IQuarantine, FakeQuarantine>();
        builder.Services.AddSingleton<IAlarmTopic, NoTopic>();
        await using var app = builder.Build();
        app.UseAuthentication();
        app.MapHubApi();
        await app.Services.MigrateMunicipalitiesAsync(Cancel);
        await app.Services.MigrateStationsAsync(Cancel);
        await app.Services.MigrateNotificationsAsync(Cancel);
        await app.StartAsync(Cancel);

        var municipalities = app.Services.GetRequiredService<IMunicipalities>();
        await municipalities.SaveAsync(new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), Cancel);
        var stations = app.Services.GetRequiredService<IStations>();
        var (station, _) = await stations.RegisterAsync(new StationRegistration("braga", "escola", "Escola", 41.5, -8.4, Public: false), Cancel);
        var datastream = await stations.ResolveAsync(station.Id, "air", FakeStations.Quantity("no2"), 60, Cancel);
        await series.AppendAsync(new[] { new Observation(datastream, ApiHost.Now, 21.5, Quality.Good) }, Cancel);
        var password = await app.Services.GetRequiredService<IPeople>().AddAsync("ana@braga.pt", null, Role.Viewer, "braga", Cancel);

        using var client = app.GetTestClient();
        Assert.Equal(0, (await LatestAsync(client)).GetArrayLength());
        await ApiHost.ProblemAsync(await client.PostAsJsonAsync("/api/v1/sessions", new { userName = "ana@braga.pt", password = "wrong" }, Cancel), 401, "wrong-credentials");
        var answer = await client.PostAsJsonAsync("/api/v1/sessions", new { userName = "ana@braga.pt", password }, Cancel);
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        var session = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        client.DefaultRequestHeaders.Authorization = new(session.GetProperty("tokenType").GetString()!, session.GetProperty("accessToken").GetString());
        Assert.Equal(21.5, (await LatestAsync(client))[0].GetProperty("result").GetDouble());
        await ApiHost.ProblemAsync(await client.GetAsync("/api/v1/quarantine?municipality=braga", Cancel), 403, "not-allowed");

        await app.Services.GetRequiredService<IRoles>().RevokeAsync("ana@braga.pt", "braga", Cancel);
        await ApiHost.ProblemAsync(await client.GetAsync("/api/v1/observations/latest", Cancel), 401, "sign-in-needed");
    }

    private static async Task<JsonElement> LatestAsync(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonElement>("/api/v1/observations/latest", Cancel)).GetProperty("items");
}
