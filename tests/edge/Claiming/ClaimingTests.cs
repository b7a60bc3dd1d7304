using Hub.Edge.Contract.Claims;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Claiming.Tests;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ClaimingTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly WatchedTime _time = new(new DateTimeOffset(2026, 11, 26, 5, 0, 0, TimeSpan.Zero));
    private readonly Lines _progress = new();
    private ClaimDesk _desk = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Station => _folder.File("station.yaml");

    private string Secret => File.ReadAllText(_folder.File("secret")).TrimEnd('\n');

    public async ValueTask InitializeAsync() => _desk = await ClaimDesk.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _desk.DisposeAsync();
        await _progress.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_new_machine_becomes_the_station()
    {
        var pendingSeen = false;
        _desk.Before = () => pendingSeen = File.Exists(_folder.File("secret.claim"));
        var reply = await ClaimAsync(Order());
        Assert.Equal(_desk.Reply, reply);
        var request = Assert.Single(_desk.Requests);
        Assert.Equal((ClaimDesk.Code, "hub-agent 0.1.0"), (request.Code, request.Agent));

        // On disk before the hub knew it, and nobody else's to read.
        Assert.True(pendingSeen);
        Assert.Equal(request.Secret, Secret);
        Assert.Equal(43, Secret.Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.File("secret")));
        Assert.Equal(["secret", "station.yaml"], Names());
        Assert.Equal(
            """
            municipality: "braga"
            station: "rotunda"
            name: "Rotunda"
            location: { latitude: 41.5503, longitude: -8.4229 }
            hub: { address: "127.0.0.1", port: 1883, tls: false, secretFile: secret }
            sensors:
              - { name: board, kind: board }

            """,
            File.ReadAllText(Station));
    }

    [Fact]
    public async Task A_profile_keeps_its_comments_and_sensors()
    {
        var profile = _folder.File("mine.yaml");
        await File.WriteAllTextAsync(
            profile,
            "# Mine.\nmunicipality: m\nhub:\n  address: old\n  port: 1\nstation: s\nsensors:\n# one\n- { name: air, kind: sds011 }\nlocation:\n  # here\n  latitude: 1\n  longitude: 2\n", Stop);
        _desk.Reply = _desk.Reply with { Name = "Praça: \"do\" Município #1\\", Authority = "-----BEGIN CERTIFICATE-----\n" };
        await ClaimAsync(Order() with { Profile = profile });
        Assert.Equal(
            """"
            # Mine.
            name: "Praça: \"do\" Município #1\\"
            municipality: "braga"
            hub: { address: "127.0.0.1", port: 1883, tls: false, secretFile: secret, caFile: hub-ca.pem }
            station: "rotunda"
            sensors:
            # one
            - { name: air, kind: sds011 }
            location: { latitude: 41.5503, longitude: -8.4229 }

            """",
            await File.ReadAllTextAsync(Station, Stop));
        Assert.Equal(_desk.Reply.Authority, await File.ReadAllTextAsync(_folder.File("hub-ca.pem"), Stop));
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("none-such")]
    public async Task A_profile_the_hub_names_is_only_ever_one_of_the_folder(string name)
    {
        await File.WriteAllTextAsync(_folder.File("secret.yaml"), "sensors: []\n", Stop);
        var profiles = Directory.CreateDirectory(_folder.File("profiles")).FullName;
        _desk.Reply = _desk.Reply with { Profile = name };
        await ClaimAsync(Order() with { ProfilesFolder = profiles });
        Assert.Contains("begins with none", _progress.ToString(), StringComparison.Ordinal);
        Assert.Contains("kind: board", await File.ReadAllTextAsync(Station, Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_profile_that_is_not_good_costs_no_code()
    {
        var profile = _folder.File("mine.yaml");
        await File.WriteAllTextAsync(profile, "sensors: [ { name: air, kind: nose } ]\n", Stop);
        var refused = await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order() with
        {
            Profile = profile,
            Check = file => File.ReadAllText(file).Contains("nose", StringComparison.Ordinal) ? [$"{file}:1:25: unknown kind"] : [],
        }));
        Assert.Contains($"{profile}:1:25: unknown kind", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_desk.Requests);
        Assert.Equal(["mine.yaml"], Names());
    }

    [Fact]
    public async Task A_lost_answer_loses_nothing()
    {
        _desk.Instead.Enqueue(_desk.TakeAndHangUpAsync);
        await Assert.ThrowsAsync<ClaimUnansweredException>(() => ClaimAsync(Order()));
        Assert.Equal(["secret.claim"], Names());
        await ClaimAsync(Order());
        Assert.Equal(2, _desk.Requests.Count);
        Assert.Equal(_desk.ClaimedWith, Secret);
    }

    [Theory]
    [InlineData("hub-ca.pem")]
    [InlineData("hub-ca.pem", "secret")]
    [InlineData("hub-ca.pem", "secret", "station.yaml")]
    [InlineData("hub-ca.pem.new", "secret.new", "station.yaml.new")]
    public async Task Cut_off_while_writing_the_same_command_goes_on(params string[] written)
    {
        _desk.Reply = _desk.Reply with { Authority = "-----BEGIN CERTIFICATE-----\n" };
        _desk.Instead.Enqueue(_desk.TakeAndHangUpAsync);
        await Assert.ThrowsAsync<ClaimUnansweredException>(() => ClaimAsync(Order()));
        foreach (var file in written)
        {
            await File.WriteAllTextAsync(_folder.File(file), "of the attempt before", Stop);
        }

        await ClaimAsync(Order() with { Force = written.Contains("station.yaml") });
        Assert.Equal(_desk.ClaimedWith, Secret);
        Assert.StartsWith("municipality: \"braga\"", await File.ReadAllTextAsync(Station, Stop), StringComparison.Ordinal);
        Assert.Equal(written.Contains("station.yaml") ? ["hub-ca.pem", "secret", "station.yaml", "station.yaml.before"] : ["hub-ca.pem", "secret", "station.yaml"], Names().Where(n => !n.EndsWith(".new", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Another_code_is_another_claim_with_another_secret()
    {
        await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order() with { Code = "0000-0000-0000" }));
        await ClaimAsync(Order());
        Assert.Equal(2, _desk.Requests.Select(request => request.Secret).Distinct().Count());
    }

    [Fact]
    public async Task A_code_that_is_not_taken_is_said_and_leaves_no_station()
    {
        var refused = await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order() with { Code = "0000-0000-0000", Patience = TimeSpan.FromHours(1) }));
        Assert.Contains("new one", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["secret.claim"], Names());
    }

    [Fact]
    public async Task A_station_is_not_made_another_one_by_accident()
    {
        await File.WriteAllTextAsync(Station, "mine", Stop);
        Assert.Contains("--force", (await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order()))).Message, StringComparison.Ordinal);
        Assert.Empty(_desk.Requests);
        await ClaimAsync(Order() with { Force = true });
        Assert.Equal("mine", await File.ReadAllTextAsync(_folder.File("station.yaml.before"), Stop));
    }

    [Theory]
    [InlineData("http://hub.example.pt", "https only")]
    [InlineData("ftp://hub.example.pt", "not the address")]
    [InlineData("hub.example.pt", "not the address")]
    [InlineData("https://user:secret@hub.example.pt", "not the address")]
    public async Task The_secret_goes_nowhere_unprotected(string hub, string said) =>
        Assert.Contains(said, (await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order() with { Hub = hub }))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        _desk.Instead.Enqueue(context =>
        {
            context.Response.Redirect("http://127.0.0.1:1/claim/v1");
            return Task.CompletedTask;
        });
        Assert.Contains("status 302", (await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_a_hub_is_said()
    {
        _desk.Reply = _desk.Reply with { Station = "No Slug" };
        Assert.Contains("address of a hub", (await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_that_is_not_there_yet_is_tried_again_with_growing_pauses()
    {
        _desk.Instead.Enqueue(context => Say(context, 503, null));
        _desk.Instead.Enqueue(context => Say(context, 429, "20"));
        var claim = ClaimAsync(Order() with { Patience = TimeSpan.FromMinutes(5) });
        await PauseAsync(TimeSpan.FromSeconds(2));
        await PauseAsync(TimeSpan.FromSeconds(20));
        await claim;
        Assert.Contains("status 503", _progress.ToString(), StringComparison.Ordinal);
        Assert.Contains("in 20 s", _progress.ToString(), StringComparison.Ordinal);
        Assert.Single(_desk.Requests.Select(request => request.Secret).Distinct());

        static Task Say(Microsoft.AspNetCore.Http.HttpContext context, int status, string? after)
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = after;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Patience_ends()
    {
        await _desk.DisposeAsync();
        var claim = ClaimAsync(Order() with { Patience = TimeSpan.FromSeconds(5) });
        await PauseAsync(TimeSpan.FromSeconds(2));
        Assert.Contains("in 2 s", _progress.ToString(), StringComparison.Ordinal);
        Assert.Contains("the same command goes on", (await Assert.ThrowsAsync<ClaimUnansweredException>(() => claim)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_authority_given_is_believed()
    {
        using var ours = new TestAuthority();
        using var theirs = new TestAuthority();
        await using var desk = await ClaimDesk.OpenAsync(ours);
        await File.WriteAllTextAsync(_folder.File("ours.pem"), ours.Pem, Stop);
        await File.WriteAllTextAsync(_folder.File("theirs.pem"), theirs.Pem, Stop);
        foreach (var wrong in new[] { null, "theirs.pem" })
        {
            var refused = await Assert.ThrowsAsync<ClaimRefusedException>(() => ClaimAsync(Order() with { Hub = desk.Address, AuthorityFile = wrong is null ? null : _folder.File(wrong) }));
            Assert.Contains("--ca", refused.Message, StringComparison.Ordinal);
        }

        Assert.Empty(desk.Requests);
        await ClaimAsync(Order() with { Hub = desk.Address, AuthorityFile = _folder.File("ours.pem") });
        Assert.Equal(desk.ClaimedWith, Secret);
    }

    [Theory]
    [InlineData(1970, true)]
    [InlineData(2026, false)]
    public async Task A_machine_that_believes_it_is_1970_can_be_claimed_all_the_same(int year, bool claimed)
    {
        // The library checks certificates against the machine's real clock: one that is not valid yet stands for one seen from 1970.
        using var ours = new TestAuthority();
        await using var desk = await ClaimDesk.OpenAsync(ours, DateTimeOffset.Parse("2090-01-01T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
        await File.WriteAllTextAsync(_folder.File("ours.pem"), ours.Pem, Stop);
        var time = new FakeTimeProvider(new DateTimeOffset(year, 6, 1, 0, 0, 0, TimeSpan.Zero));
        var claim = new StationClaim(time, new MachineName(_folder.Path)).ClaimAsync(Order() with { Hub = desk.Address, AuthorityFile = _folder.File("ours.pem") }, _progress, Stop);
        if (claimed)
        {
            await claim;
        }
        else
        {
            await Assert.ThrowsAsync<ClaimRefusedException>(() => claim);
        }
    }

    [Fact]
    public void The_machine_says_its_name()
    {
        Assert.Null(new MachineName(_folder.Path).Read());
        Directory.CreateDirectory(_folder.File("proc/device-tree"));
        File.WriteAllText(_folder.File("proc/device-tree/model"), "Raspberry Pi Zero 2 W Rev 1.0\0");
        File.WriteAllText(_folder.File("proc/device-tree/serial-number"), "00000000a1b2c3d4\0");
        Assert.Equal("Raspberry Pi Zero 2 W Rev 1.0 00000000a1b2c3d4", new MachineName(_folder.Path).Read());
    }

    private ClaimingOptions Order() => new()
    {
        Hub = _desk.Address, Code = "7k3m q9xt 2hwb", StationFile = Station, Agent = "hub-agent 0.1.0", Check = _ => [],
    };

    private Task<ClaimReply> ClaimAsync(ClaimingOptions order) => new StationClaim(_time, new MachineName(_folder.Path)).ClaimAsync(order, _progress, Stop);

    /// <summary>Waits until an attempt has failed and this pause is being made, and lets it pass.</summary>
    private async Task PauseAsync(TimeSpan pause)
    {
        await Eventually.TrueAsync(() => _time.Begun(pause) == 1, "an attempt failed");
        _time.Advance(pause);
    }

    /// <summary>What is written is read by another thread.</summary>
    private sealed class Lines : StringWriter
    {
        private readonly Lock _gate = new();

        public override Task WriteLineAsync(string? value)
        {
            lock (_gate)
            {
                base.WriteLine(value);
            }

            return Task.CompletedTask;
        }

        public override string ToString()
        {
            lock (_gate)
            {
                return base.ToString();
            }
        }
    }

    private string[] Names() => [.. Directory.GetFiles(_folder.Path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
}
