using System.Text;
using Hub.Tests.Kit;

namespace Hub.Cloud.Stations.Tests;

/// <summary>Secrets that begin at the station, and rotations that are undone.</summary>
public sealed class StationSecretsTests : IDisposable
{
    private static readonly string Own = new('s', 43);

    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    [Fact]
    public async Task A_secret_of_the_stations_own_ends_every_one_before_and_survives_a_restart()
    {
        string first, second;
        await using (var host = await StationsHost.StartAsync(folder))
        {
            (var station, first) = await host.RegisterAsync();
            second = await host.Stations.RotateSecretAsync(station.Id, TimeSpan.FromDays(1), Cancel);
            await host.Secrets.TakeAsync(station.Id, Own, Cancel);
            Assert.False(LogsIn(host, first) || LogsIn(host, second));
            Assert.True(LogsIn(host, Own));
            Assert.StartsWith("$7$101$", Assert.Single(host.Credentials.Current).Hash, StringComparison.Ordinal);
        }

        await using var next = await StationsHost.StartAsync(folder);
        Assert.True(LogsIn(next, Own));
        Assert.False(LogsIn(next, first) || LogsIn(next, second));
    }

    [Theory]
    [InlineData("too-short-0123456789012345678901")]
    [InlineData("with a space 01234567890123456789")]
    [InlineData("with-ünicode-01234567890123456789")]
    public async Task A_secret_that_breaks_its_rule_is_refused_and_not_repeated(string secret)
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, _) = await host.RegisterAsync();
        var given = secret.Length == 32 && !secret.Contains(' ', StringComparison.Ordinal) ? secret[..31] : secret;
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await host.Secrets.TakeAsync(station.Id, given, Cancel));
        Assert.DoesNotContain(given, refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Secrets.TakeAsync(station.Id, new string('x', 257), Cancel));
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await host.Secrets.TakeAsync(99, Own, Cancel));
    }

    [Fact]
    public async Task A_rotation_is_undone_only_while_its_secret_is_in_force()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, first) = await host.RegisterAsync();
        Assert.False(await host.Secrets.TakeBackAsync(station.Id, host.Secrets.MarkOf(station.Id)!, true, Cancel));
        var second = await host.Stations.RotateSecretAsync(station.Id, TimeSpan.FromHours(1), Cancel);
        var mark = host.Secrets.MarkOf(station.Id)!;
        host.Time.Advance(TimeSpan.FromHours(2));
        Assert.False(LogsIn(host, first));
        Assert.True(await host.Secrets.TakeBackAsync(station.Id, mark, true, Cancel));
        Assert.True(LogsIn(host, first));
        Assert.False(LogsIn(host, second));
        host.Time.Advance(TimeSpan.FromDays(400));
        Assert.True(LogsIn(host, first));
        Assert.False(await host.Secrets.TakeBackAsync(station.Id, mark, true, Cancel));
        await host.Stations.RotateSecretAsync(station.Id, TimeSpan.FromHours(1), Cancel);
        Assert.False(await host.Secrets.TakeBackAsync(station.Id, mark, true, Cancel));
    }

    [Fact]
    public async Task It_is_known_which_secret_was_used_last()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, first) = await host.RegisterAsync();
        Assert.Equal(SecretUse.None, host.Secrets.LastUse(station.Id));
        Assert.True(LogsIn(host, first));
        Assert.Equal(SecretUse.Current, host.Secrets.LastUse(station.Id));
        var second = await host.Stations.RotateSecretAsync(station.Id, TimeSpan.FromHours(1), Cancel);
        Assert.Equal(SecretUse.None, host.Secrets.LastUse(station.Id));
        Assert.True(LogsIn(host, first));
        Assert.False(LogsIn(host, "wrong"));
        Assert.Equal(SecretUse.Previous, host.Secrets.LastUse(station.Id));
        Assert.True(LogsIn(host, second));
        Assert.Equal(SecretUse.Current, host.Secrets.LastUse(station.Id));
    }

    [Theory]
    [InlineData(true, false, false, SecretUse.None)]
    [InlineData(true, true, false, SecretUse.Current)]
    [InlineData(false, true, false, SecretUse.Current)]
    [InlineData(true, false, true, SecretUse.None)]
    [InlineData(false, false, true, SecretUse.Current)]
    [InlineData(false, false, false, SecretUse.None)]
    public async Task What_is_known_of_a_secret_after_its_rotation_was_undone(bool sent, bool usedMeanwhile, bool usedBefore, SecretUse known)
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, first) = await host.RegisterAsync();
        Assert.Equal(usedBefore, usedBefore && LogsIn(host, first));
        await host.Stations.RotateSecretAsync(station.Id, TimeSpan.FromHours(1), Cancel);
        Assert.Equal(usedMeanwhile, usedMeanwhile && LogsIn(host, first));
        Assert.True(await host.Secrets.TakeBackAsync(station.Id, host.Secrets.MarkOf(station.Id)!, sent, Cancel));
        Assert.Equal(known, host.Secrets.LastUse(station.Id));
    }

    private static bool LogsIn(StationsHost host, string secret) => host.Stations.Authenticate("braga", "centro", Encoding.UTF8.GetBytes(secret), out _);
}
