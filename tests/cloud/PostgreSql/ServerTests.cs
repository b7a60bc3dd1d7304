using Hub.Cloud.Database;
using Hub.Tests.Kit;
using Hub.Tests.Kit.PostgreSql;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Hub.Cloud.PostgreSql.Tests;

/// <summary>How a PostgreSQL is named in the settings, and what an operator reads when it cannot be used.</summary>
public sealed class ServerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Host=db;Database=hub;Username=hub", true)]
    [InlineData("database=hub; SERVER = db", true)]
    [InlineData("postgresql://hub@db/hub", true)]
    [InlineData("postgres://db", true)]
    [InlineData("Data Source=hub.db;Cache=Shared", false)]
    [InlineData("/srv/Host=x/hub.db", false)]
    [InlineData("hub.db", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Which_database_it_is_can_be_seen(string? setting, bool isPostgreSql) => Assert.Equal(isPostgreSql, DatabaseSetting.IsPostgreSql(setting));

    [Theory]
    [InlineData("Host=db;Database=city;Username=hub;Password=pst", "db:5432", "VerifyFull")]
    [InlineData("Host=db;Database=city;Username=hub;Password=pst;SSL Mode=Disable", "db:5432", "Disable")]
    [InlineData("Host=127.0.0.1;Port=5433;Database=city;Username=hub;Password=pst", "127.0.0.1:5433", "Prefer")]
    [InlineData("postgresql://hub:pst@db.example.org:5433/city?sslmode=verify-ca&application_name=city", "db.example.org:5433", "VerifyCA")]
    [InlineData("postgresql://hub:p%73t@localhost/city", "localhost:5432", "Prefer")]
    public void It_is_told_without_its_password_and_what_leaves_the_machine_is_encrypted(string setting, string place, string ssl)
    {
        var read = Assert.IsType<DatabaseSetting.PostgreSql>(DatabaseSetting.Read(Settings(setting)));
        Assert.Equal($"PostgreSQL at {place}, database city, user hub", read.Description);
        var builder = new NpgsqlConnectionStringBuilder(read.ConnectionString);
        Assert.Equal(("pst", ssl), (builder.Password, builder.SslMode.ToString()));
    }

    [Fact]
    public void The_password_comes_from_a_file()
    {
        File.WriteAllText(_folder.File("password"), "with = and ; in it\n");
        var read = DatabaseSetting.Read(Settings("Host=db;Database=hub;Username=hub", _folder.File("password")));
        Assert.Equal("with = and ; in it", new NpgsqlConnectionStringBuilder(read.ConnectionString).Password);
    }

    [Theory]
    [InlineData("Host=db;Database=hub", null, "Username=")]
    [InlineData("Host=db;Username=hub;Pasword=topsecret", null, "no connection string")]
    [InlineData("postgresql://hub@db:port/hub", null, "no connection string")]
    [InlineData("Host=db;Username=hub", "nowhere", "Hub:DatabasePasswordFile")]
    [InlineData("Host=db;Username=hub", "", "is empty")]
    public void What_is_wrong_is_said_with_what_to_do(string setting, string? file, string expected)
    {
        File.WriteAllText(_folder.File("empty"), "\n");
        var path = file is null ? null : _folder.File(file.Length == 0 ? "empty" : file);
        var message = Assert.Throws<InvalidDataException>(() => DatabaseSetting.Read(Settings(setting, path))).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("topsecret", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_cannot_be_used_is_one_line_with_what_to_do()
    {
        var builder = new NpgsqlConnectionStringBuilder(await OnPostgreSql.NewDatabaseAsync());
        Assert.Null(await HubDatabase.ProbeAsync(Settings(builder.ConnectionString), Stop));
        var cases = new (Action<NpgsqlConnectionStringBuilder> Change, string Expected)[]
        {
            (b => b.Password = "not the right one", "Check the user in Hub:Database"),
            (b => b.Database = "nobody_made_it", "createdb"),
            (b => b.Port = FreePort.Next(), "Check that the server runs"),
            (b => b.SslMode = SslMode.VerifyFull, "SSL Mode=Disable"),
        };
        foreach (var (change, expected) in cases)
        {
            var changed = new NpgsqlConnectionStringBuilder(builder.ConnectionString) { Pooling = false };
            change(changed);
            var said = await HubDatabase.ProbeAsync(Settings(changed.ConnectionString), Stop);
            Assert.NotNull(said);
            Assert.StartsWith($"PostgreSQL at 127.0.0.1:{changed.Port}, database {changed.Database}, user hub cannot be", said, StringComparison.Ordinal);
            Assert.Contains(expected, said, StringComparison.Ordinal);
            Assert.DoesNotContain(changed.Password!, said, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', said);
        }
    }

    [Fact]
    public async Task A_second_hub_is_kept_off_until_the_first_has_gone()
    {
        var settings = Settings(await OnPostgreSql.NewDatabaseAsync());
        var time = new FakeTimeProvider();
        var first = await OneHub.HoldAsync(settings, time, Stop);
        Assert.NotNull(first);
        await RefusedAsync(settings, time);
        await first.DisposeAsync();
        var next = OneHub.HoldAsync(settings, time, Stop);
        await PassAsync(time, next, "the next has it");
        await (await next)!.DisposeAsync();
    }

    [Fact]
    public async Task A_hub_whose_database_was_restarted_keeps_a_second_one_off_again()
    {
        var database = await OnPostgreSql.NewDatabaseAsync();
        var settings = Settings(database);
        await using var first = await OneHub.HoldAsync(settings, TimeProvider.System, Stop);
        Assert.NotNull(first);
        Assert.True(await first.StillAsync(Stop));
        await using var administrator = new NpgsqlConnection(database);
        await administrator.OpenAsync(Stop);
        var name = await EndHoldersAsync(administrator);
        Assert.True(await first.StillAsync(Stop));
        await RefusedAsync(settings, new FakeTimeProvider());

        // A connection of its own that the server does not yet know to be lost is no other hub.
        await EndHoldersAsync(administrator);
        await using var lost = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false, ApplicationName = name }.ConnectionString);
        await lost.OpenAsync(Stop);
        await using var lockAgain = lost.CreateCommand();
        lockAgain.CommandText = "SELECT pg_try_advisory_lock(1752523368)";
        Assert.Equal(true, await lockAgain.ExecuteScalarAsync(Stop));
        Assert.False(await first.StillAsync(Stop));
        await Eventually.TrueAsync(() => first.StillAsync(Stop), "the lost connection has ended");
    }

    [Fact]
    public async Task A_hub_that_was_replaced_while_its_database_was_restarted_is_told_to_end()
    {
        var database = await OnPostgreSql.NewDatabaseAsync();
        var settings = Settings(database);
        await using var first = await OneHub.HoldAsync(settings, TimeProvider.System, Stop);
        await using var administrator = new NpgsqlConnection(database);
        await administrator.OpenAsync(Stop);
        await EndHoldersAsync(administrator);
        await using var second = await OneHub.HoldAsync(settings, TimeProvider.System, Stop);
        Assert.Contains("Another hub serves", (await Assert.ThrowsAsync<InvalidDataException>(() => first!.StillAsync(Stop))).Message, StringComparison.Ordinal);
        Assert.True(await second!.StillAsync(Stop));
    }

    /// <summary>Lets time pass until something has ended, well or badly.</summary>
    private static Task PassAsync(FakeTimeProvider time, Task until, string what) => Eventually.TrueAsync(
        () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return until.IsCompleted;
        },
        what);

    /// <summary>Another hub tries as long as it does, and is told why it may not start.</summary>
    private static async Task RefusedAsync(IConfiguration settings, FakeTimeProvider time)
    {
        var refused = OneHub.HoldAsync(settings, time, Stop);
        await PassAsync(time, refused, "the second has given up");
        Assert.Contains("Another hub serves", (await Assert.ThrowsAsync<InvalidDataException>(() => refused)).Message, StringComparison.Ordinal);
    }

    /// <summary>What a restart of the server does to the hubs on a database; returns the last one's name, once all have gone.</summary>
    private static async Task<string> EndHoldersAsync(NpgsqlConnection administrator)
    {
        const string Holders = "FROM pg_stat_activity WHERE application_name LIKE 'hub (serves)%' AND datname = current_database()";
        await using var end = administrator.CreateCommand();
        end.CommandText = $"SELECT application_name, pg_terminate_backend(pid) {Holders}";
        var name = (string)(await end.ExecuteScalarAsync(Stop))!;
        await Eventually.TrueAsync(
            async () =>
            {
                await using var left = administrator.CreateCommand();
                left.CommandText = $"SELECT count(*) {Holders}";
                return (long)(await left.ExecuteScalarAsync(Stop))! == 0;
            },
            "no hub is connected");
        return name;
    }

    private static IConfiguration Settings(string database, string? passwordFile = null) =>
        new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", database), new("Hub:DatabasePasswordFile", passwordFile)]).Build();
}
