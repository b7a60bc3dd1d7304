using System.Text;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet.Exceptions;
using MQTTnet.Packets;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>A station that says goodbye has not been lost, however soon it is gone afterwards.</summary>
public sealed class GoodbyeTests
{
    private const string Status = "hub/v1/braga/air-1/status";
    private const int Words = 300;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_cannot_be_sent_any_more_does_not_end_what_is_still_to_be_read(bool v5)
    {
        await using var host = await IngestHost.StartAsync();
        var intake = new ReadingsIntake(host.Pipeline, host.Stations, host.Services.GetRequiredService<IngestInstruments>(), NullLogger.Instance, default);
        await using var wire = new HeldWire();
        using var connection = new BrokerConnection(new ConnectionWire(wire, EmbeddedBroker.Transport, false, null, null, new ClientCertificates()), intake, TimeProvider.System) { User = "braga/air-1" };
        var client = new RawMqtt(Stream.Null, v5);
        wire.Feed(client.Connect("braga/air-1", IngestHost.Secret, "x", will: Status));
        Assert.IsType<MqttConnectPacket>(await connection.ReceivePacketAsync(Cancel));
        await connection.SendPacketAsync(new MqttConnAckPacket(), Cancel);
        wire.IsBroken = true;
        await connection.SendPacketAsync(new MqttPublishPacket { Topic = "hub/v1/braga/air-1/command/identify" }, Cancel);
        await connection.SendPacketAsync(new MqttPubAckPacket { PacketIdentifier = 1 }, Cancel);
        wire.Feed(client.Publish(7, "stopped"u8.ToArray(), Status, retain: true), RawMqtt.Goodbye);
        Assert.Equal(7, Assert.IsType<MqttPublishPacket>(await connection.ReceivePacketAsync(Cancel)).PacketIdentifier);
        Assert.IsType<MqttDisconnectPacket>(await connection.ReceivePacketAsync(Cancel));
        wire.End();
        Assert.Null(await connection.ReceivePacketAsync(Cancel));
    }

    [Fact]
    public async Task A_login_whose_answer_cannot_be_sent_is_none()
    {
        await using var host = await IngestHost.StartAsync();
        var intake = new ReadingsIntake(host.Pipeline, host.Stations, host.Services.GetRequiredService<IngestInstruments>(), NullLogger.Instance, default);
        await using var wire = new HeldWire { IsBroken = true };
        using var connection = new BrokerConnection(new ConnectionWire(wire, EmbeddedBroker.Transport, false, null, null, new ClientCertificates()), intake, TimeProvider.System);
        wire.Feed(new RawMqtt(Stream.Null, v5: true).Connect("braga/air-1", IngestHost.Secret, "x"));
        Assert.IsType<MqttConnectPacket>(await connection.ReceivePacketAsync(Cancel));
        await Assert.ThrowsAsync<MqttCommunicationException>(() => connection.SendPacketAsync(new MqttConnAckPacket(), Cancel));
    }

    [Theory]
    [InlineData(Wire.Tcp, false)]
    [InlineData(Wire.Tcp, true)]
    [InlineData(Wire.Tls, true)]
    public async Task The_last_word_of_a_station_that_closes_without_reading_is_its_own(Wire wire, bool v5)
    {
        await using var wires = await WireHost.StartAsync();
        var listener = new Listener();
        using var subscription = wires.Host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        for (var round = 0; round < 5; round++)
        {
            // The first acknowledgement makes the station's side reset the connection, while most of what it said is still to be read here.
            await using (var station = await wires.LoginAsync(wire, v5, will: Status))
            {
                var last = Encoding.UTF8.GetBytes($"stopped {round}");
                await station.SendAsync([.. Enumerable.Range(1, Words).Select(i => station.Publish((ushort)i, i == Words ? last : "here"u8.ToArray(), Status, retain: true)), RawMqtt.Goodbye]);
            }

            await Eventually.TrueAsync(() => wires.Host.Broker.ConnectionCount == 0, "the connection has ended");

            // Not the one of the round before, behind which nothing may have been heard yet.
            await Eventually.TrueAsync(
                () => listener.Texts.LastOrDefault() is { } text && text != "braga/air-1 Status: here" && text != $"braga/air-1 Status: stopped {round - 1}", "the last word is heard");
            Assert.Equal($"braga/air-1 Status: stopped {round}", listener.Texts.Last());
        }
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.Tls)]
    public async Task One_that_is_gone_without_a_goodbye_is_lost(Wire wire)
    {
        await using var wires = await WireHost.StartAsync();
        var listener = new Listener();
        using var subscription = wires.Host.Services.GetRequiredService<IStationMessages>().Subscribe(listener);
        await using (var station = await wires.LoginAsync(wire, v5: true, will: Status))
        {
            await station.SendAsync([.. Enumerable.Range(1, Words).Select(i => station.Publish((ushort)i, "here"u8.ToArray(), Status, retain: true))]);
        }

        await Eventually.TrueAsync(() => listener.Texts.LastOrDefault() == "braga/air-1 Status: gone", "the will is heard, last of all");
    }
}
