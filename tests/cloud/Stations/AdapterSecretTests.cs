using System.Text;
using Hub.Tests.Kit;

namespace Hub.Cloud.Stations.Tests;

public sealed class AdapterSecretTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task It_opens_its_adapter_of_its_station_and_nothing_else()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (centro, own) = await host.RegisterAsync();
        var (aveiro, _) = await host.RegisterAsync("aveiro");
        var secret = await host.Adapters.IssueAsync(centro.Id, "airrohr", TimeSpan.Zero, Cancel);
        var other = await host.Adapters.IssueAsync(aveiro.Id, "airrohr", TimeSpan.Zero, Cancel);
        var telraam = await host.Adapters.IssueAsync(centro.Id, "telraam", TimeSpan.Zero, Cancel);
        Assert.Equal(["airrohr", "telraam"], host.Adapters.AdaptersOf(centro.Id));
        Assert.True(Opens(host, "braga", "airrohr", secret, out var who));
        Assert.Equal(centro, who);
        Assert.False(Opens(host, "braga", "telraam", secret, out _));
        Assert.False(Opens(host, "braga", "things-stack", secret, out _));
        Assert.False(Opens(host, "aveiro", "airrohr", secret, out _));
        Assert.False(Opens(host, "braga", "airrohr", other, out _));
        Assert.False(Opens(host, "braga", "airrohr", telraam, out _));
        Assert.False(Opens(host, "braga", "airrohr", own, out _));
        Assert.False(Opens(host, "braga", "airrohr", "", out _));
        Assert.False(Opens(host, "evora", "airrohr", secret, out _));

        // Neither is it a login: not of the station, and not on an external broker.
        Assert.False(host.Stations.Authenticate("braga", "centro", Encoding.UTF8.GetBytes(secret), out _));
        Assert.Equal(2, host.Credentials.Current.Count);
    }

    [Fact]
    public async Task It_is_rotated_with_an_overlap_and_survives_a_restart()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (centro, own) = await host.RegisterAsync();
        var first = await host.Adapters.IssueAsync(centro.Id, "airrohr", TimeSpan.FromDays(1), Cancel);
        var second = await host.Adapters.IssueAsync(centro.Id, "airrohr", TimeSpan.FromHours(1), Cancel);
        Assert.True(Opens(host, "braga", "airrohr", first, out _));
        Assert.True(Opens(host, "braga", "airrohr", second, out _));

        await using var again = await StationsHost.StartAsync(folder, host.Time);
        Assert.True(Opens(again, "braga", "airrohr", first, out _));
        host.Time.Advance(TimeSpan.FromHours(1));
        Assert.False(Opens(again, "braga", "airrohr", first, out _));
        Assert.True(Opens(again, "braga", "airrohr", second, out _));
        Assert.True(again.Stations.Authenticate("braga", "centro", Encoding.UTF8.GetBytes(own), out _));

        // A third ends the first at once, overlap or not.
        var third = await again.Adapters.IssueAsync(centro.Id, "airrohr", TimeSpan.FromDays(90), Cancel);
        Assert.Equal([false, true, true], new[] { first, second, third }.Select(s => Opens(again, "braga", "airrohr", s, out _)));
    }

    [Fact]
    public async Task It_ends_when_it_is_revoked_and_with_its_station()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (centro, _) = await host.RegisterAsync();
        var secret = await host.Adapters.IssueAsync(centro.Id, "airrohr", TimeSpan.Zero, Cancel);
        var kept = await host.Adapters.IssueAsync(centro.Id, "telraam", TimeSpan.Zero, Cancel);
        Assert.True(await host.Adapters.RevokeAsync(centro.Id, "airrohr", Cancel));
        Assert.False(await host.Adapters.RevokeAsync(centro.Id, "airrohr", Cancel));
        Assert.False(Opens(host, "braga", "airrohr", secret, out _));
        Assert.True(Opens(host, "braga", "telraam", kept, out _));

        await host.Stations.RemoveAsync(centro.Id, Cancel);
        Assert.False(Opens(host, "braga", "telraam", kept, out _));
        Assert.Empty(host.Adapters.AdaptersOf(centro.Id));
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await host.Adapters.IssueAsync(centro.Id, "telraam", TimeSpan.Zero, Cancel));
        Assert.Equal(0L, await ScalarAsync("SELECT count(*) FROM stations_adapter_credential"));

        // The slug is free again, for somebody else: no old secret opens it.
        await host.RegisterAsync();
        Assert.False(Opens(host, "braga", "telraam", kept, out _));
        await using var again = await StationsHost.StartAsync(folder, host.Time);
        Assert.False(Opens(again, "braga", "telraam", kept, out _));
    }

    [Fact]
    public async Task Only_the_hash_is_stored_and_names_obey_their_rule()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (centro, _) = await host.RegisterAsync();
        var secret = await host.Adapters.IssueAsync(centro.Id, "airrohr", TimeSpan.Zero, Cancel);
        var stored = (string)(await ScalarAsync("SELECT \"Hash\" FROM stations_adapter_credential"))!;
        Assert.StartsWith("$7$", stored, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, stored, StringComparison.Ordinal);
        foreach (var name in (string[])["", "Airrohr", "a/b", "-x", new string('a', 65)])
        {
            var wrong = await Assert.ThrowsAsync<ArgumentException>(async () => await host.Adapters.IssueAsync(centro.Id, name, TimeSpan.Zero, Cancel));
            Assert.Contains("Adapter", wrong.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await host.Adapters.IssueAsync(centro.Id, "airrohr", TimeSpan.FromDays(91), Cancel));
    }

    private static bool Opens(StationsHost host, string municipality, string adapter, string secret, out Station? who) =>
        host.Adapters.Authenticate(municipality, "centro", adapter, Encoding.UTF8.GetBytes(secret), out who);

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = Hub.Tests.Kit.PostgreSql.OnPostgreSql.Connection($"Data Source={folder.File("hub.db")}");
        await connection.OpenAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync(Cancel);
    }
}
