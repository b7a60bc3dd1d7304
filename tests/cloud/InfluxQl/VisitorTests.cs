using System.Net.Http.Headers;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Microsoft.Extensions.DependencyInjection;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>Everybody sees public stations, people with a role their municipality's private ones too; wrong credentials are refused, and those that were right no longer count when the person changes.</summary>
public sealed class VisitorTests
{
    private const string Password = "correct horse battery";

    private const string Stations = "SHOW TAG VALUES FROM observation WITH KEY = station";

    [Fact]
    public async Task Whoever_asks_sees_what_their_role_lets_them_see()
    {
        await using var host = await StartAsync();
        Assert.Equal("observation  [\"key\",\"value\"]\n[\"station\",\"cais\"]\n[\"station\",\"centro\"]\n", await host.LinesAsync(Stations));
        var seen = "observation  [\"key\",\"value\"]\n[\"station\",\"cais\"]\n[\"station\",\"centro\"]\n[\"station\",\"escola\"]\n";
        Assert.Equal(seen, await host.LinesAsync(Stations, client: host.Client("ana", Password)));
        Assert.Equal(seen, await host.LinesAsync(Stations, $"u=ana&p={Uri.EscapeDataString(Password)}"));
        Assert.DoesNotContain("escola", await host.LinesAsync(Stations, client: host.Client("rui", Password)), StringComparison.Ordinal);

        var (_, token) = await host.Services.GetRequiredService<ISignIn>().IssueTokenAsync("ana", Password, TestContext.Current.CancellationToken);
        var client = host.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token!.AccessToken);
        Assert.Equal(seen, await host.LinesAsync(Stations, client: client));

        // What one may not see is not counted either.
        Assert.Equal("observation  [\"time\",\"count\"]\n[1774569600000,2]\n", await host.LinesAsync("SELECT count(result) FROM observation WHERE time >= '2026-03-27'"));
        Assert.Equal("observation  [\"time\",\"count\"]\n[1774569600000,3]\n", await host.LinesAsync("SELECT count(result) FROM observation WHERE time >= '2026-03-27'", client: host.Client("ana", Password)));
        Assert.Equal("", await host.LinesAsync("SELECT last(result) FROM observation WHERE station = 'escola'"));
        Assert.DoesNotContain("escola", await host.LinesAsync("SELECT * FROM station"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_credentials_are_refused_and_count_towards_the_lock_out()
    {
        await using var host = await StartAsync();
        foreach (var client in new[] { host.Client("ana", "wrong"), host.Client("nobody", Password), host.Client() })
        {
            if (client.DefaultRequestHeaders.Authorization is null)
            {
                client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "made up");
            }

            using var answer = await client.GetAsync(new Uri("/query?q=SHOW+DATABASES", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(401, (int)answer.StatusCode);
            Assert.Equal("Basic realm=\"InfluxDB\"", answer.Headers.WwwAuthenticate.ToString());
            Assert.Equal("{\"error\":\"authorization failed\"}", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(401, (await host.AskAsync(Stations, client: host.Client("ana", "wrong"))).Status);
        }

        // Locked out: the right password is refused as well.
        Assert.Equal(401, (await host.AskAsync(Stations, client: host.Client("ana", Password))).Status);
    }

    [Fact]
    public async Task Credentials_that_were_right_end_with_the_password_or_the_role()
    {
        await using var host = await StartAsync();
        Assert.Contains("escola", await host.LinesAsync(Stations, client: host.Client("ana", Password)), StringComparison.Ordinal);
        Assert.Contains("escola", await host.LinesAsync(Stations, client: host.Client("ana", Password)), StringComparison.Ordinal);
        await host.Services.GetRequiredService<IRoles>().RevokeAsync("ana", "braga", TestContext.Current.CancellationToken);
        Assert.DoesNotContain("escola", await host.LinesAsync(Stations, client: host.Client("ana", Password)), StringComparison.Ordinal);

        await using var scope = host.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IPeople>().ResetPasswordAsync("ana", "another password of hers", TestContext.Current.CancellationToken);
        Assert.Equal(401, (await host.AskAsync(Stations, client: host.Client("ana", Password))).Status);
        Assert.Equal(200, (await host.AskAsync(Stations, client: host.Client("ana", "another password of hers"))).Status);
    }

    private static async Task<QlHost> StartAsync()
    {
        var host = await QlHost.StartAsync();
        var (centro, escola, cais) = (await host.AddAsync("braga", "centro"), await host.AddAsync("braga", "escola", isPublic: false), await host.AddAsync("aveiro", "cais"));
        foreach (var station in new[] { centro, escola, cais })
        {
            await host.AppendAsync(new Observation(await host.AddAsync(station, "ops", "no2", 60), TwoStores.Begin, station.Id, default));
        }

        await using var scope = host.Services.CreateAsyncScope();
        var people = scope.ServiceProvider.GetRequiredService<IPeople>();
        await people.AddAsync("ana", Password, Role.Viewer, "braga", TestContext.Current.CancellationToken);
        await people.AddAsync("rui", Password, Role.Administrator, "aveiro", TestContext.Current.CancellationToken);
        return host;
    }
}
