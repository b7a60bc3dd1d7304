using System.Text;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;

namespace Hub.Cloud.Stations.Tests;

public sealed class SecretTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_hash_written_by_mosquitto_passwd_is_understood()
    {
        // Written by mosquitto_passwd 2.0.11 for the password "a secret of the street".
        var stored = StationSecret.Parse(Golden.MosquittoPasswdHash);
        Assert.True(stored.Verify(Encoding.UTF8.GetBytes(Golden.MosquittoPasswdSecret)));
        Assert.False(stored.Verify(Encoding.UTF8.GetBytes(Golden.MosquittoPasswdSecret + "x")));
    }

    [Fact]
    public void A_secret_is_256_random_bits_and_matches_only_itself()
    {
        var secrets = Enumerable.Range(0, 50).Select(_ => StationSecret.Generate()).ToArray();
        Assert.Equal(50, secrets.Distinct().Count());
        Assert.All(secrets, s => Assert.Equal(32, System.Buffers.Text.Base64Url.DecodeFromChars(s).Length));
        var stored = StationSecret.Parse(StationSecret.Hash(secrets[0]));
        Assert.True(stored.Verify(Encoding.UTF8.GetBytes(secrets[0])));
        Assert.All(secrets[1..], s => Assert.False(stored.Verify(Encoding.UTF8.GetBytes(s))));
        Assert.False(stored.Verify([]));
        Assert.False(StationSecret.Decoy.Verify([]));
        Assert.False(stored.Verify(new byte[10_000]));
    }

    [Fact]
    public void What_is_longer_than_any_secret_is_not_taken_for_an_empty_one()
    {
        var empty = StationSecret.Parse(StationSecret.Hash(string.Empty));
        Assert.False(empty.Verify(new byte[257]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("$6$101$AAAA$AAAA")]
    [InlineData("$7$0$AAAA$AAAA")]
    [InlineData("$7$101$AAAA$AAAA")]
    [InlineData("$7$101$!!$AAAA")]
    public void Stored_text_of_another_form_is_refused(string text) => Assert.Throws<FormatException>(() => StationSecret.Parse(text));

    [Fact]
    public async Task Only_the_right_secret_of_the_right_station_opens()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (centro, secret) = await host.RegisterAsync();
        var (_, other) = await host.RegisterAsync("aveiro");
        Assert.True(Opens(host, "braga", "centro", secret, out var who));
        Assert.Equal(centro, who);
        Assert.False(Opens(host, "braga", "centro", other, out _));
        Assert.False(Opens(host, "aveiro", "centro", secret, out _));
        Assert.False(Opens(host, "braga", "nenhuma", secret, out _));
        Assert.False(Opens(host, "braga", "centro", "", out _));
        Assert.False(Opens(host, "braga", "centro", secret + " ", out _));
        Assert.False(Opens(host, "braga", "centro", secret.ToUpperInvariant(), out _));
    }

    [Fact]
    public async Task The_old_secret_lives_through_the_overlap_and_no_longer_across_a_restart_too()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, first) = await host.RegisterAsync();
        var second = await host.Stations.RotateSecretAsync(station.Id, TimeSpan.FromHours(1), Cancel);
        Assert.True(Opens(host, "braga", "centro", first, out _));
        Assert.True(Opens(host, "braga", "centro", second, out _));

        await using var again = await StationsHost.StartAsync(folder, host.Time);
        Assert.True(Opens(again, "braga", "centro", first, out _));
        host.Time.Advance(TimeSpan.FromHours(1));
        Assert.False(Opens(again, "braga", "centro", first, out _));
        Assert.False(Opens(host, "braga", "centro", first, out _));
        Assert.True(Opens(again, "braga", "centro", second, out _));
    }

    [Fact]
    public async Task Rotating_twice_ends_the_first_secret_at_once_and_no_overlap_ends_the_old_one_at_once()
    {
        await using var host = await StationsHost.StartAsync(folder);
        var (station, first) = await host.RegisterAsync();
        var second = await host.Stations.RotateSecretAsync(station.Id, TimeSpan.FromHours(1), Cancel);
        var third = await host.Stations.RotateSecretAsync(station.Id, TimeSpan.Zero, Cancel);
        Assert.False(Opens(host, "braga", "centro", first, out _));
        Assert.False(Opens(host, "braga", "centro", second, out _));
        Assert.True(Opens(host, "braga", "centro", third, out _));
    }

    [Fact]
    public async Task The_secret_itself_is_nowhere_in_the_database()
    {
        Assert.SkipWhen(Hub.Tests.Kit.PostgreSql.OnPostgreSql.IsOn, "It looks into a file.");
        string secret;
        await using (var host = await StationsHost.StartAsync(folder))
        {
            (_, secret) = await host.RegisterAsync();
        }

        // While somebody has it open no file of the database goes, whoever else closes what lies idle.
        await using var open = new SqliteConnection($"Data Source={folder.File("hub.db")};Pooling=False");
        await open.OpenAsync(Cancel);
        await using (var command = open.CreateCommand())
        {
            command.CommandText = "PRAGMA schema_version";
            await command.ExecuteScalarAsync(Cancel);
        }

        var files = Directory.GetFiles(folder.Path);
        Assert.Contains(folder.File("hub.db"), files);
        Assert.All(files, file =>
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret))));
    }

    private static bool Opens(StationsHost host, string municipality, string station, string secret, out Station? who) =>
        host.Stations.Authenticate(municipality, station, Encoding.UTF8.GetBytes(secret), out who);
}
