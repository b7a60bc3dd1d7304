using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hub.Tests.Kit;

namespace Hub.Edge.Uplink.Tests;

/// <summary>TLS with an authority of one's own: believed when named, and nothing else is.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new();

    public TlsTests() => File.WriteAllText(_folder.File("ca.pem"), _authority.Pem);

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_broker_of_the_named_authority_is_believed()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Hub:Tls", "true"), ("Agent:Hub:CaFile", _folder.File("ca.pem")));
        fixture.Broker.Certificate = _authority.Issue("127.0.0.1");
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20);
        await fixture.ReleasedAsync(20);
        fixture.AssertTaken(20);
    }

    [Fact]
    public async Task A_broker_that_asks_is_shown_the_stations_certificate_and_no_secret_is_needed()
    {
        await using var fixture = new UplinkFixture(
            null, ("Agent:Hub:Tls", "true"), ("Agent:Hub:CaFile", _folder.File("ca.pem")), ("Agent:Hub:Secret", ""),
            ("Agent:Hub:CertificateFile", _folder.File("station.pem")), ("Agent:Hub:KeyFile", _folder.File("station.key")));
        using var stations = new TestAuthority();
        fixture.Broker.Certificate = _authority.Issue("127.0.0.1");
        using var own = stations.Issue("127.0.0.2");
        await File.WriteAllTextAsync(_folder.File("station.pem"), own.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder.File("station.key"), own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        fixture.Broker.ClientThumbprints = [];
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20);
        await fixture.ReleasedAsync(20);
        fixture.AssertTaken(20);
        Assert.Contains(own.Thumbprint, fixture.Broker.ClientThumbprints);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_certificate_that_is_not_valid_yet_is_let_pass_only_while_the_station_does_not_know_the_time(bool known)
    {
        var truth = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        var machine = new Outbox.Tests.FakeMachine(known ? truth : DateTimeOffset.UnixEpoch) { IsSynchronised = known };
        using var clock = new Outbox.StationClock(machine, TimeProvider.System);
        await using var fixture = new UplinkFixture(null, ("Agent:Hub:Tls", "true"), ("Agent:Hub:CaFile", _folder.File("ca.pem"))) { Clock = clock };
        fixture.Broker.Certificate = _authority.Issue(new DateTimeOffset(2090, 1, 1, 0, 0, 0, TimeSpan.Zero), "127.0.0.1");
        fixture.Broker.Time = () => truth;
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20);
        if (known)
        {
            await Eventually.TrueAsync(
                () => fixture.Log.Count(line => line.StartsWith("Warning: Uplink: The hub's certificate is not accepted", StringComparison.Ordinal)) >= 2, "it tried again");
            Assert.Equal((0, 20L), (fixture.Broker.Connects, fixture.Outbox.Counters.Held));
        }
        else
        {
            await fixture.ReleasedAsync(20);
            fixture.AssertTaken(20);
        }
    }

    [Theory]
    [InlineData("another authority")]
    [InlineData("another name")]
    public async Task Another_broker_gets_neither_secret_nor_readings(string what)
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Hub:Tls", "true"), ("Agent:Hub:CaFile", _folder.File("ca.pem")));
        using var other = new TestAuthority();
        fixture.Broker.Certificate = what == "another authority" ? other.Issue("127.0.0.1") : _authority.Issue("127.0.0.9");
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20);
        var said = $"Warning: Uplink: The hub's certificate is not accepted: it must be for '127.0.0.1' and of an authority in '{_folder.File("ca.pem")}'";
        await Eventually.TrueAsync(() => fixture.Log.Count(line => line.StartsWith(said, StringComparison.Ordinal)) >= 2, "it tried again");
        Assert.Equal((0, 0, 20L), (fixture.Broker.Connects, fixture.Broker.Packs.Count, fixture.Outbox.Counters.Held));
    }

    [Fact]
    public async Task A_file_without_an_authority_is_said_and_read_again_when_it_has_one()
    {
        await File.WriteAllTextAsync(_folder.File("ca.pem"), "not a certificate", UplinkFixture.Cancel);
        await using var fixture = new UplinkFixture(null, ("Agent:Hub:Tls", "true"), ("Agent:Hub:CaFile", _folder.File("ca.pem")));
        fixture.Broker.Certificate = _authority.Issue("127.0.0.1");
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20);
        await Eventually.TrueAsync(() => fixture.Log.Any(line => line.Contains($"Agent:Hub:CaFile '{_folder.File("ca.pem")}' holds no certificate", StringComparison.Ordinal)), "it says what is wrong");
        await File.WriteAllTextAsync(_folder.File("ca.pem"), _authority.Pem, UplinkFixture.Cancel);
        await fixture.ReleasedAsync(20);
        fixture.AssertTaken(20);
    }
}
