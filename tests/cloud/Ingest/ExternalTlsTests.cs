using Hub.Tests.Kit;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>The hub as a client of a real Mosquitto over TLS, with an authority of the test's own.</summary>
public sealed class ExternalTlsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _root = new();
    private readonly TestAuthority _authority;

    public ExternalTlsTests()
    {
        _authority = new TestAuthority(_root);
        File.WriteAllText(_folder.File("ca.pem"), _root.Pem);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        _root.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Readings_come_through_a_broker_whose_authority_is_named()
    {
        await using var broker = await Mosquitto.StartAsync(_authority, null, ("braga/air-1", IngestHost.Secret));
        await using var host = await IngestHost.StartAsync(Settings(broker));
        await Eventually.TrueAsync(() => host.External.IsConnected, $"the hub is connected: {string.Join('\n', host.Warnings)}");
        using var station = await ConnectAsync(broker.Port, more: o => o.WithTlsOptions(t => t.UseTls().WithCertificateValidationHandler(_ => true)));
        Assert.True((await station.PublishAsync(Message(AirTopic, Packs.Temperatures(10)), Cancel)).IsSuccess);
        await Eventually.TrueAsync(() => host.Counters.Stored == 10, "the readings are stored");
    }

    [Theory]
    [InlineData("another authority")]
    [InlineData("another name")]
    public async Task Another_broker_gets_no_password_and_is_tried_until_it_is_the_right_one(string what)
    {
        using var other = new TestAuthority();
        await using var broker = await Mosquitto.StartAsync(_authority, null, ("braga/air-1", IngestHost.Secret));
        await broker.StopAsync();
        broker.Certify(what == "another authority" ? other : _authority, what == "another name" ? "127.0.0.9" : "127.0.0.1");
        await broker.RunAsync();
        await using var host = await IngestHost.StartAsync(Settings(broker));
        await Eventually.TrueAsync(() => host.Warnings.Count(Refusal) >= 2, "the hub has tried again and says why it does not connect");
        Assert.False(host.External.IsConnected);
        await broker.StopAsync();
        Assert.DoesNotContain(broker.Lines, line => line.Contains("as hub-1", StringComparison.Ordinal));
        broker.Certify(_authority, "127.0.0.1");
        await broker.RunAsync();
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");

        bool Refusal(string line) => line.Contains("The broker's certificate is not accepted", StringComparison.Ordinal) && line.Contains(_folder.File("ca.pem"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_an_authority_is_said_and_read_again_when_it_has_one()
    {
        await File.WriteAllTextAsync(_folder.File("ca.pem"), "not a certificate", Cancel);
        await using var broker = await Mosquitto.StartAsync(_authority, null);
        await using var host = await IngestHost.StartAsync(Settings(broker));
        await Eventually.TrueAsync(
            () => host.Warnings.Any(line => line.Contains($"Hub:Mqtt:External:CertificateAuthorityFile '{_folder.File("ca.pem")}' holds no certificate", StringComparison.Ordinal)),
            "the hub says what is wrong");
        await File.WriteAllTextAsync(_folder.File("ca.pem"), _root.Pem, Cancel);
        await Eventually.TrueAsync(() => host.External.IsConnected, "the hub is connected");
    }

    private Dictionary<string, string?> Settings(Mosquitto broker)
    {
        var settings = broker.HubSettings();
        settings["Hub:Mqtt:External:Tls"] = "true";
        settings["Hub:Mqtt:External:CertificateAuthorityFile"] = _folder.File("ca.pem");
        return settings;
    }
}
