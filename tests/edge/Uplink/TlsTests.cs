using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hub.Tests.Kit;

namespace Hub.Edge.Uplink.Tests;

/// <summary>TLS with an authority of one's own: believed when named, and nothing else is.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_broker_of_the_named_authority_is_believed()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Hub:Tls", "true"), ("Agent:Hub:CaFile", _folder.File("ca.pem")));
        fixture.Broker.Certificate = Issue(_folder.File("ca.pem"), "127.0.0.1");
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
        fixture.Broker.Certificate = Issue(_folder.File("ca.pem"), "127.0.0.1");
        using var own = Issue(_folder.File("stations-ca.pem"), "127.0.0.2");
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
        fixture.Broker.Certificate = Issue(_folder.File("ca.pem"), "127.0.0.1", fromYear: 2090);
        fixture.Broker.Time = () => truth;
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20);
        if (known)
        {
            await Eventually.TrueAsync(
                () => fixture.Log.Count(line => line.StartsWith("Warning: Uplink: The line to the hub is down", StringComparison.Ordinal)) >= 2, "it tried again");
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
        var own = Issue(_folder.File("ca.pem"), what == "another name" ? "127.0.0.9" : "127.0.0.1");
        fixture.Broker.Certificate = what == "another authority" ? Issue(_folder.File("other.pem"), "127.0.0.1") : own;
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20);
        await Eventually.TrueAsync(() => fixture.Log.Count(line => line.StartsWith("Warning: Uplink: The line to the hub is down", StringComparison.Ordinal)) >= 2, "it tried again");
        Assert.Equal((0, 0, 20L), (fixture.Broker.Connects, fixture.Broker.Packs.Count, fixture.Outbox.Counters.Held));
    }

    private static X509Certificate2 Issue(string authorityFile, string address, int fromYear = 2020)
    {
        var from = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var until = new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=Test authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = authorityRequest.CreateSelfSigned(from, until);
        File.WriteAllText(authorityFile, authority.ExportCertificatePem());

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=hub", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, new DateTimeOffset(fromYear, 1, 1, 0, 0, 0, TimeSpan.Zero), until, [1, 2, 3, 4]);
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
