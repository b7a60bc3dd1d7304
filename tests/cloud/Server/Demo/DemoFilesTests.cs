using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Server.Demo;
using Hub.Cloud.Stations;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.Server.Tests.Demo;

public sealed class DemoFilesTests
{
    private static readonly DateTime Now = new(2026, 3, 29, 1, 2, 3, 456, DateTimeKind.Utc);

    private static string Folder => Path.Combine(Repository.Root, "firmware-config", "demo");

    [Fact]
    public void The_repositorys_files_are_three_municipalities_of_four_stations()
    {
        var files = DemoFiles.Read(Folder);

        Assert.Equal(["aveiro", "braga", "evora"], files.Municipalities.Select(m => m.Slug).Order());
        Assert.Equal(12, files.Stations.Select(s => (s.Municipality, s.Station)).Distinct().Count());
        Assert.All(files.Municipalities, m => Assert.Equal(4, files.Stations.Count(s => s.Municipality == m.Slug)));
        Assert.All(files.Stations, s => Assert.True(File.Exists(s.File) && s.Name.Length > 0 && s.Attribution.Length > 0, s.Station));
        Assert.NotEmpty(files.Rules);
        Assert.All(files.Rules, r => Assert.True(r.Station is null || files.Stations.Any(s => s.Municipality == r.Municipality && s.Station == r.Station), r.Slug));
    }

    [Fact]
    public async Task The_stages_accept_them_and_a_second_start_changes_nothing()
    {
        using var folder = new TempFolder();
        var files = DemoFiles.Read(Folder);
        var state = DemoState.Load(folder.File("demo.json"), Now);
        var settings = HubConfiguration.Build(
            [
                new("Hub:Data", folder.Path), new("Hub:Http:Endpoint", "0"), new("Hub:Mqtt:Endpoint", "0"),
                new("Hub:Notifications:Webhook:AllowPrivateTargets", "true"),
            ],
            null,
            []);
        var stop = TestContext.Current.CancellationToken;
        await using var app = await HubHost.StartAsync(settings, _ => { }, stop, (services, cancellation) => Demonstration.SeedAsync(services, files, state, "http://127.0.0.1:1/", cancellation));
        var passwords = new Dictionary<string, string>(state.Passwords);
        var secrets = new Dictionary<string, string>(state.StationSecrets);

        await Demonstration.SeedAsync(app.Services, files, state, "http://127.0.0.1:2/", stop);

        Assert.Equal(3, app.Services.GetRequiredService<IMunicipalities>().All.Count);
        Assert.Equal(12, app.Services.GetRequiredService<IStations>().All.Count);
        Assert.Equal(files.Rules.Count, app.Services.GetRequiredService<IAlerts>().Rules(null).Count);
        Assert.Equal(12, secrets.Count);
        Assert.Equal(passwords, state.Passwords);
        Assert.Equal(secrets, state.StationSecrets);
        await app.StopAsync(stop);
    }

    [Fact]
    public void Missing_or_damaged_files_are_one_line()
    {
        using var folder = new TempFolder();
        Assert.Contains("Build the hub again", Assert.Throws<StartException>(() => DemoFiles.Read(folder.File("nothing"))).Message, StringComparison.Ordinal);
        File.WriteAllText(folder.File("municipalities.yaml"), "municipalities: [");
        Assert.Throws<StartException>(() => DemoFiles.Read(folder.Path));
        File.WriteAllText(folder.File("municipalities.yaml"), "");
        Assert.Throws<StartException>(() => DemoFiles.Read(folder.Path));
    }

    [Theory]
    [InlineData("7d", "7.00:00:00")]
    [InlineData("7", "7.00:00:00")]
    [InlineData("0d", "00:00:00")]
    [InlineData("3660d", "3660.00:00:00")]
    [InlineData("all", "all")]
    [InlineData("ALL", "all")]
    public void History_is_days_or_all(string text, string expected) => Assert.Equal(expected, Demonstration.ParseHistory(text));

    [Theory]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("-1d")]
    [InlineData("1.5d")]
    [InlineData("3661d")]
    [InlineData("7 days")]
    [InlineData("99999999999d")]
    public void Any_other_history_is_one_line(string text) =>
        Assert.Contains("--history", Assert.Throws<StartException>(() => Demonstration.ParseHistory(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_state_survives_a_restart_for_its_owner_only()
    {
        using var folder = new TempFolder();
        var file = folder.File("demo.json");
        var state = DemoState.Load(file, Now);
        state.Passwords["admin"] = "é secreto";
        state.StationSecrets["braga/a"] = "s";
        File.WriteAllText(file + ".new", "left by a killed start, readable by everyone");
        state.Save(file);

        var again = DemoState.Load(file, Now.AddDays(1));

        Assert.Equal(new DateTime(2026, 3, 29, 1, 2, 3, DateTimeKind.Utc), again.StartedAt);
        Assert.Equal(DateTimeKind.Utc, again.StartedAt.Kind);
        Assert.Equal((state.WebhookSecret, state.ReaderSecret), (again.WebhookSecret, again.ReaderSecret));
        Assert.Equal(state.Passwords, again.Passwords);
        Assert.Equal(state.StationSecrets, again.StationSecrets);
        Assert.Equal([file], Directory.GetFiles(folder.Path));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"startedAt":"2026-03-29T01:02:03Z","readerSecret":"a","webhookSecret":"short"}""")]
    [InlineData("""{"startedAt":"2026-03-29T01:02:03Z","readerSecret":"a","webhookSecret":"whsec_QUJD","passwords":null}""")]
    public void A_damaged_state_is_one_line(string content)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("demo.json"), content);

        var line = Assert.Throws<StartException>(() => DemoState.Load(folder.File("demo.json"), Now)).Message;

        Assert.Contains("demo.json", line, StringComparison.Ordinal);
        Assert.Contains("Remove the folder", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }
}
