using System.Security.Cryptography.X509Certificates;
using Hub.Tests.Kit;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Formatter;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>Client certificates on the embedded broker.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly TestAuthority servers = new();
    private readonly TestAuthority clients = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        servers.Dispose();
        clients.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V500)]
    [InlineData(MqttProtocolVersion.V311)]
    public async Task A_station_logs_in_with_its_certificate_and_no_secret(MqttProtocolVersion version)
    {
        await using var host = await StartAsync();
        using var certificate = clients.IssueClient("braga/air-1");
        using var station = await ConnectAsync(Port(host), secret: "", version: version, more: With(certificate));
        Assert.True((await station.PublishAsync(version == MqttProtocolVersion.V500 ? Message(AirTopic, Packs.Temperatures(1)) : Message311(AirTopic, Packs.Temperatures(1)), Cancel)).IsSuccess);
        Assert.Single(await host.StoredAsync(host.Air, "bme280", "temperature"));
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_even_with_the_right_secret()
    {
        await using var host = await StartAsync();
        using var noise = clients.IssueClient("braga/noise-1");
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(Port(host), "braga/air-1", "", more: With(noise)));
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(Port(host), "braga/air-1", IngestHost.Secret, more: With(noise)));
        using var homonym = clients.IssueClient("aveiro/air-1");
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(Port(host), "braga/air-1", IngestHost.Secret, more: With(homonym)));
    }

    [Fact]
    public async Task A_certificate_lets_in_no_station_that_is_not_registered()
    {
        await using var host = await StartAsync();
        using var certificate = clients.IssueClient("braga/air-9");
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await LoginAsync(Port(host), "braga/air-9", "", more: With(certificate)));
        using var mine = clients.IssueClient("braga/air-1");
        await host.Stations.RemoveAsync(host.Air.Id, Cancel);
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await LoginAsync(Port(host), "braga/air-1", "", more: With(mine)));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_or_out_of_its_time_proves_nothing_and_the_secret_still_does()
    {
        await using var host = await StartAsync();
        var now = TimeProvider.System.GetUtcNow();
        using var stranger = servers.IssueClient("braga/air-1");
        using var old = clients.IssueClient("braga/air-1", until: now.AddDays(-1));
        using var early = clients.IssueClient("braga/air-1", from: now.AddDays(1));
        using var server = clients.Issue("braga/air-1");
        foreach (var certificate in new[] { stranger, old, early, server })
        {
            // The last is good for the authority, but its common name is no station's.
            Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(Port(host), "braga/air-1", "", more: With(certificate)));
            if (certificate != server)
            {
                Assert.Equal(MqttClientConnectResultCode.Success, await LoginAsync(Port(host), "braga/air-1", IngestHost.Secret, more: With(certificate)));
            }
        }
    }

    [Fact]
    public async Task Secrets_work_as_before_and_without_either_nobody_comes_in()
    {
        await using var host = await StartAsync();
        Assert.Equal(MqttClientConnectResultCode.Success, await LoginAsync(Port(host), "braga/air-1", IngestHost.Secret, more: With(null)));
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await LoginAsync(Port(host), "braga/air-1", "wrong", more: With(null)));
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(Port(host), "braga/air-1", "", more: With(null)));
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(host.Port, "braga/air-1", ""));
    }

    [Fact]
    public async Task Without_the_setting_a_certificate_opens_nothing()
    {
        await using var host = await StartAsync(withAuthority: false);
        using var certificate = clients.IssueClient("braga/air-1");
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(Port(host), "braga/air-1", "", more: With(certificate)));
    }

    [Fact]
    public async Task An_authority_file_that_cannot_be_used_stops_the_start_and_is_named()
    {
        await File.WriteAllTextAsync(folder.File("empty.pem"), "no certificate\n", Cancel);
        var settings = Settings(withAuthority: true);
        settings["Hub:Mqtt:Tls:ClientAuthorityFile"] = folder.File("empty.pem");
        Assert.Contains("Hub:Mqtt:Tls:ClientAuthorityFile", (await Assert.ThrowsAsync<BrokerStartException>(() => IngestHost.StartAsync(settings))).Message, StringComparison.Ordinal);
        settings["Hub:Mqtt:Tls:ClientAuthorityFile"] = folder.File("absent.pem");
        Assert.Contains("Hub:Mqtt:Tls:ClientAuthorityFile", (await Assert.ThrowsAsync<OptionsValidationException>(() => IngestHost.StartAsync(settings))).Message, StringComparison.Ordinal);
    }

    private static int Port(IngestHost host) => host.Broker.BoundTlsEndpoint!.Port;

    private static Action<MqttClientOptionsBuilder> With(X509Certificate2? certificate) => options => options.WithTlsOptions(tls =>
    {
        tls.UseTls().WithCertificateValidationHandler(_ => true);
        if (certificate is not null)
        {
            tls.WithClientCertificates([certificate]);
        }
    });

    private Dictionary<string, string?> Settings(bool withAuthority)
    {
        servers.IssueFiles(folder.File("hub.pem"), folder.File("hub.key"), "127.0.0.1");
        File.WriteAllText(folder.File("clients.pem"), clients.Pem);
        return new()
        {
            ["Hub:Mqtt:Tls:Endpoint"] = "127.0.0.1:0",
            ["Hub:Mqtt:Tls:CertificateFile"] = folder.File("hub.pem"),
            ["Hub:Mqtt:Tls:KeyFile"] = folder.File("hub.key"),
            ["Hub:Mqtt:Tls:ClientAuthorityFile"] = withAuthority ? folder.File("clients.pem") : "",
        };
    }

    private Task<IngestHost> StartAsync(bool withAuthority = true) => IngestHost.StartAsync(Settings(withAuthority));
}
