using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Tests.Kit;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;
using static Hub.Cloud.Ingest.Tests.MqttTest;

namespace Hub.Cloud.Ingest.Tests;

public sealed class BrokerLoginTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Anonymous_and_wrong_logins_are_refused_with_their_codes()
    {
        await using var host = await IngestHost.StartAsync();
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(host.Port, null, ""));
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(host.Port, null, "", version: MqttProtocolVersion.V311));
        foreach (var (user, secret) in ((string, string)[])[
            ("braga/air-1", "wrong"), ("braga/air-1", IngestHost.OtherSecret), ("braga/nobody", IngestHost.Secret), ("braga", IngestHost.Secret),
            ("/", "x"), ("braga/", "x"), ("/air-1", "x"), ("braga/air-1/x", IngestHost.Secret), ("reader", "x"), ("braga/air-1|x", IngestHost.Secret)])
        {
            Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await LoginAsync(host.Port, user, secret));
            Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await LoginAsync(host.Port, user, secret, version: MqttProtocolVersion.V311));
        }

        Assert.Equal(22, host.Counters.RefusedLogins);
    }

    [Fact]
    public async Task Any_client_identifier_will_do_and_none_reaches_anothers_session()
    {
        await using var host = await IngestHost.StartAsync();
        using var agent = await ConnectAsync(host.Port, more: o => o.WithCleanStart(false).WithSessionExpiryInterval(3600));
        using var noise = await ConnectAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret, clientId: "braga/air-1");
        using var noise2 = await ConnectAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret, clientId: "braga/air-1|x");
        using var manual = await ConnectAsync(host.Port, clientId: "mosq-123456");
        using var manual2 = await ConnectAsync(host.Port, clientId: "mosq-123456", user: "braga/noise-1", secret: IngestHost.OtherSecret);
        foreach (var client in (IMqttClient[])[agent, noise, noise2, manual, manual2])
        {
            await client.PingAsync(Cancel);
        }

        Assert.True((await manual.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).IsSuccess);
        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, (await noise.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).ReasonCode);
    }

    [Fact]
    public async Task The_same_station_twice_takes_its_own_session_over()
    {
        await using var host = await IngestHost.StartAsync();
        using var first = await ConnectAsync(host.Port);
        var gone = new TaskCompletionSource<MqttClientDisconnectReason>();
        first.DisconnectedAsync += e =>
        {
            gone.TrySetResult(e.Reason);
            return Task.CompletedTask;
        };
        using var second = await ConnectAsync(host.Port);
        Assert.Equal(MqttClientDisconnectReason.SessionTakenOver, await gone.Task.WaitAsync(Eventually.Limit, Cancel));
        Assert.True((await second.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).IsSuccess);
    }

    [Fact]
    public async Task An_empty_client_identifier_is_given_one()
    {
        await using var host = await IngestHost.StartAsync();
        using var client = new MqttClientFactory().CreateMqttClient();
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", host.Port).WithProtocolVersion(MqttProtocolVersion.V500).WithCredentials("braga/air-1", IngestHost.Secret).WithClientId("").Build();
        var result = await client.ConnectAsync(options, Cancel);
        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        Assert.Equal(32, result.AssignedClientIdentifier.Length);
        Assert.Equal((BrokerConnection.ReceiveMaximum, (uint)BrokerConnection.PacketBytesMax, BrokerConnection.TopicAliasMax), (result.ReceiveMaximum, result.MaximumPacketSize, result.TopicAliasMaximum));
    }

    [Fact]
    public async Task Only_the_stations_own_session_outlives_its_connection()
    {
        await using var host = await IngestHost.StartAsync();
        foreach (var (clientId, kept) in ((string, bool)[])[("braga/air-1", true), ("other", false)])
        {
            using (var client = await ConnectAsync(host.Port, clientId: clientId, more: o => o.WithCleanStart(false).WithSessionExpiryInterval(3600)))
            {
                await client.SubscribeAsync("hub/v1/braga/air-1/command/#", MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
                await client.DisconnectAsync(cancellationToken: Cancel);
            }

            await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 0, "the connection is gone");
            using var back = new MqttClientFactory().CreateMqttClient();
            var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", host.Port).WithProtocolVersion(MqttProtocolVersion.V500)
                .WithCredentials("braga/air-1", IngestHost.Secret).WithClientId(clientId).WithCleanStart(false).WithSessionExpiryInterval(3600).Build();
            Assert.Equal(kept, (await back.ConnectAsync(options, Cancel)).IsSessionPresent);
            await back.DisconnectAsync(cancellationToken: Cancel);
            await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 0, "the connection is gone");
        }
    }

    [Fact]
    public async Task A_command_sent_while_the_station_is_away_waits_for_it()
    {
        await using var host = await IngestHost.StartAsync();
        using (var client = await ConnectAsync(host.Port, more: o => o.WithCleanStart(false).WithSessionExpiryInterval(3600)))
        {
            await client.SubscribeAsync("hub/v1/braga/air-1/command/#", MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
            await client.DisconnectAsync(cancellationToken: Cancel);
        }

        await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 0, "the connection is gone");
        await host.Publisher.PublishAsync("hub/v1/braga/air-1/command/restart", Packs.Bytes("now"), "text/plain", retain: false, Cancel);
        using var back = new MqttClientFactory().CreateMqttClient();
        var got = new TaskCompletionSource<string>();
        back.ApplicationMessageReceivedAsync += e =>
        {
            got.TrySetResult($"{e.ApplicationMessage.Topic} {e.ApplicationMessage.ConvertPayloadToString()}");
            return Task.CompletedTask;
        };
        await back.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", host.Port).WithProtocolVersion(MqttProtocolVersion.V500)
            .WithCredentials("braga/air-1", IngestHost.Secret).WithClientId("braga/air-1").WithCleanStart(false).WithSessionExpiryInterval(3600).Build(), Cancel);
        Assert.Equal("hub/v1/braga/air-1/command/restart now", await got.Task.WaitAsync(Eventually.Limit, Cancel));
    }

    [Fact]
    public async Task A_will_may_only_be_the_stations_own_status_and_comes_when_the_station_dies()
    {
        await using var host = await IngestHost.StartAsync();
        foreach (var topic in (string[])["hub/v1/braga/noise-1/status", "hub/v1/braga/alarms/x/y", "hub/v1/braga/air-1/readings", "x"])
        {
            Assert.Equal(MqttClientConnectResultCode.NotAuthorized, await LoginAsync(host.Port, "braga/air-1", IngestHost.Secret, more: o => o.WithWillTopic(topic).WithWillPayload("off")));
        }

        const string status = "hub/v1/braga/air-1/status";
        var station = await ConnectAsync(host.Port, more: o => o.WithWillTopic(status).WithWillPayload("offline").WithWillRetain().WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce));
        await station.PublishAsync(Message(status, Packs.Bytes("online"), retain: true), Cancel);
        Assert.Equal("online", await RetainedAsync(host, status));
        station.Dispose();
        await Eventually.TrueAsync(async () => await RetainedAsync(host, status) == "offline", "the will is kept");
    }

    [Fact]
    public async Task Status_survives_a_restart_of_the_hub_and_desired_configuration_reaches_the_station()
    {
        using var folder = new TempFolder();
        var stations = new FakeStations();
        stations.Add("braga", "air-1", IngestHost.Secret);
        const string status = "hub/v1/braga/air-1/status";
        const string desired = "hub/v1/braga/air-1/config/desired";
        await using (var host = await IngestHost.StartAsync(folder: folder, stations: stations))
        {
            using var station = await ConnectAsync(host.Port);
            await station.PublishAsync(Message(status, Packs.Bytes("online"), retain: true), Cancel);
            await station.PublishAsync(Message("hub/v1/braga/air-1/config/reported", Packs.Bytes("old"), retain: true), Cancel);
            await station.PublishAsync(Message("hub/v1/braga/air-1/config/reported", [], retain: true), Cancel);
            await host.Publisher.PublishAsync(desired, Packs.Bytes("every 60 s"), "text/plain", retain: true, Cancel);
        }

        await using var again = await IngestHost.StartAsync(folder: folder, stations: stations);
        using var back = await ConnectAsync(again.Port);
        var got = new TaskCompletionSource<MqttApplicationMessage>();
        back.ApplicationMessageReceivedAsync += e =>
        {
            got.TrySetResult(e.ApplicationMessage);
            return Task.CompletedTask;
        };
        await back.SubscribeAsync(desired, MqttQualityOfServiceLevel.AtLeastOnce, Cancel);
        var message = await got.Task.WaitAsync(Eventually.Limit, Cancel);
        Assert.Equal(("every 60 s", "text/plain", true), (message.ConvertPayloadToString(), message.ContentType, message.Retain));
        Assert.Equal("online", await RetainedAsync(again, status));
        Assert.Null(await RetainedAsync(again, "hub/v1/braga/air-1/config/reported"));
        var large = await back.PublishAsync(Message(status, new byte[70_000], retain: true), Cancel);
        Assert.Equal(MqttClientPublishReasonCode.QuotaExceeded, large.ReasonCode);
    }

    [Fact]
    public async Task Stations_and_readers_hear_their_alarms_and_nothing_else()
    {
        await using var host = await IngestHost.StartAsync(new()
        {
            ["Hub:Mqtt:Readers:0:User"] = "dashboard",
            ["Hub:Mqtt:Readers:0:Secret"] = "a-secret-for-the-wall",
            ["Hub:Mqtt:Readers:0:Municipalities:0"] = "braga",
            ["Hub:Mqtt:Readers:1:User"] = "other",
            ["Hub:Mqtt:Readers:1:SecretSha256"] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes("sixteen-or-more-letters"))),
            ["Hub:Mqtt:Readers:1:Municipalities:0"] = "aveiro",
        });
        using var station = await ConnectAsync(host.Port);
        using var reader = await ConnectAsync(host.Port, "dashboard", "a-secret-for-the-wall");
        using var other = await ConnectAsync(host.Port, "other", "sixteen-or-more-letters");
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, await LoginAsync(host.Port, "dashboard", "wrong"));

        foreach (var (client, allowed, refused) in ((IMqttClient, string[], string[])[])[
            (station, ["hub/v1/braga/alarms/#", "hub/v1/braga/alarms/+/air-1", "hub/v1/braga/air-1/command/#", "hub/v1/braga/air-1/config/desired"],
                ["#", "hub/#", "hub/v1/+/alarms/#", "hub/v1/braga/#", "hub/v1/braga/+/readings", "hub/v1/braga/noise-1/command/#", "hub/v1/braga/air-1/status", "hub/v1/aveiro/alarms/#", "$share/x/hub/v1/braga/alarms/#", "$SYS/#", "+/v1/braga/alarms/#"]),
            (reader, ["hub/v1/braga/alarms/#", "hub/v1/braga/alarms/pm/+"], ["#", "hub/v1/aveiro/alarms/#", "hub/v1/braga/air-1/command/#", "hub/v1/+/alarms/#"]),
            (other, ["hub/v1/aveiro/alarms/#"], ["hub/v1/braga/alarms/#"])])
        {
            foreach (var filter in allowed)
            {
                Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, (await SubscribeAsync(client, filter)));
            }

            foreach (var filter in refused)
            {
                var expected = filter.StartsWith("$share", StringComparison.Ordinal) ? MqttClientSubscribeResultCode.SharedSubscriptionsNotSupported : MqttClientSubscribeResultCode.NotAuthorized;
                Assert.Equal(expected, await SubscribeAsync(client, filter));
            }
        }

        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, (await reader.PublishAsync(Message("hub/v1/braga/alarms/pm/air-1", Packs.Bytes("false alarm")), Cancel)).ReasonCode);
        var heard = new ConcurrentQueue<string>();
        foreach (var (client, name) in ((IMqttClient, string)[])[(station, "station"), (reader, "reader"), (other, "other")])
        {
            client.ApplicationMessageReceivedAsync += e =>
            {
                heard.Enqueue($"{name} {e.ApplicationMessage.Topic} {e.ApplicationMessage.ContentType}");
                return Task.CompletedTask;
            };
        }

        await host.Publisher.PublishAsync("hub/v1/braga/alarms/pm/air-1", Packs.Bytes("{}"), "application/json", retain: false, Cancel);
        await host.Publisher.PublishAsync("hub/v1/aveiro/alarms/pm/air-1", Packs.Bytes("{}"), "application/json", retain: false, Cancel);
        await Eventually.TrueAsync(() => heard.Distinct().Count() == 3, "everyone has heard their alarm");
        Assert.Equal(
            ["other hub/v1/aveiro/alarms/pm/air-1 application/json", "reader hub/v1/braga/alarms/pm/air-1 application/json", "station hub/v1/braga/alarms/pm/air-1 application/json"],
            heard.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task One_user_cannot_take_all_connections_nor_all_filters()
    {
        await using var host = await IngestHost.StartAsync(new() { ["Hub:Mqtt:ConnectionsPerUserMax"] = "2", ["Hub:Mqtt:ConnectionsMax"] = "4" });
        using var one = await ConnectAsync(host.Port, clientId: "1");
        using (await ConnectAsync(host.Port, clientId: "2"))
        {
            Assert.Equal(MqttClientConnectResultCode.QuotaExceeded, await LoginAsync(host.Port, "braga/air-1", IngestHost.Secret, "3"));
            Assert.Equal(MqttClientConnectResultCode.ServerUnavailable, await LoginAsync(host.Port, "braga/air-1", IngestHost.Secret, "3", MqttProtocolVersion.V311));

            // Two that are there and two that are still leaving would be all there may be.
            await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 2, "the refused ones are gone");
            using var noise = await ConnectAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret);
            using var four = await ConnectAsync(host.Port, "aveiro/air-1", IngestHost.OtherSecret);
            await Assert.ThrowsAnyAsync<Exception>(() => LoginAsync(host.Port, "braga/noise-1", IngestHost.OtherSecret, "5"));
        }

        await Eventually.TrueAsync(() => host.Broker.ConnectionCount == 1, "all but the first are gone");
        using var again = await ConnectAsync(host.Port, clientId: "2");
        for (var i = 0; i < 64; i++)
        {
            Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, await SubscribeAsync(again, $"hub/v1/braga/air-1/command/c{i}"));
        }

        Assert.Equal(MqttClientSubscribeResultCode.QuotaExceeded, await SubscribeAsync(again, "hub/v1/braga/air-1/command/one-more"));
        await again.UnsubscribeAsync("hub/v1/braga/air-1/command/c7", Cancel);
        Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, await SubscribeAsync(again, "hub/v1/braga/air-1/command/one-more"));
    }

    [Fact]
    public async Task With_a_certificate_the_broker_speaks_tls()
    {
        using var folder = new TempFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        await File.WriteAllTextAsync(folder.File("hub.pem"), certificate.ExportCertificatePem(), Cancel);
        await File.WriteAllTextAsync(folder.File("hub.key"), key.ExportPkcs8PrivateKeyPem(), Cancel);
        await using var host = await IngestHost.StartAsync(new()
        {
            ["Hub:Mqtt:Endpoint"] = "",
            ["Hub:Mqtt:Tls:Endpoint"] = "0.0.0.0:0",
            ["Hub:Mqtt:Tls:CertificateFile"] = folder.File("hub.pem"),
            ["Hub:Mqtt:Tls:KeyFile"] = folder.File("hub.key"),
        });
        Assert.Null(host.Broker.BoundEndpoint);
        var port = host.Broker.BoundTlsEndpoint!.Port;
        using var client = await ConnectAsync(port, more: o => o.WithTlsOptions(t => t.UseTls().WithCertificateValidationHandler(e => e.Certificate.GetCertHashString() == certificate.Thumbprint)));
        Assert.True((await client.PublishAsync(Message(AirTopic, Packs.Temperatures(100)), Cancel)).IsSuccess);

        // Someone who does not speak TLS there hurts nobody.
        using (var stray = new TcpClient())
        {
            await stray.ConnectAsync("127.0.0.1", port, Cancel);
            await stray.GetStream().WriteAsync(Packs.Bytes("GET / HTTP/1.0\r\n\r\n"), Cancel);
            Assert.True(await stray.GetStream().ReadAsync(new byte[100], Cancel) < 100);
        }

        Assert.True((await client.PublishAsync(Message(AirTopic, Packs.Temperatures(1)), Cancel)).IsSuccess);
    }

    [Fact]
    public async Task A_busy_port_is_said_in_one_line()
    {
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var exception = await Assert.ThrowsAsync<BrokerStartException>(() => IngestHost.StartAsync(new() { ["Hub:Mqtt:Endpoint"] = $"127.0.0.1:{port}" }));
        Assert.Contains($"Hub:Mqtt:Endpoint 127.0.0.1:{port}: the port is in use", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public async Task Open_to_the_network_without_tls_is_refused_at_start()
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => IngestHost.StartAsync(new() { ["Hub:Mqtt:Endpoint"] = "0.0.0.0:0" }));
        Assert.Contains("Hub:Mqtt:Endpoint 0.0.0.0:0 would be open to the network without TLS", exception.Message, StringComparison.Ordinal);
    }

    private static async Task<MqttClientSubscribeResultCode> SubscribeAsync(IMqttClient client, string filter) =>
        (await client.SubscribeAsync(filter, MqttQualityOfServiceLevel.AtLeastOnce, Cancel)).Items.Single().ResultCode;

    private static async Task<string?> RetainedAsync(IngestHost host, string topic)
    {
        await using var context = await host.ContextAsync();
        return context.Retained.Where(r => r.Topic == topic).Select(r => r.Payload).AsEnumerable().Select(Encoding.UTF8.GetString).SingleOrDefault();
    }
}
