using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hub.Tests.Kit;
using MQTTnet.Protocol;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>What carries MQTT.</summary>
public enum Wire
{
    Tcp,
    Tls,
    Ws,
    Wss,
}

/// <summary>A broker that listens on every wire, and the ways to it.</summary>
internal sealed class WireHost : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly string _certificate;

    private readonly X509Certificate2 _web;

    private WireHost(IngestHost host, TempFolder folder, X509Certificate2 web) => (Host, _folder, _certificate, _web) = (host, folder, web.Thumbprint, web);

    /// <summary>Every wire in MQTT 3.1.1 and 5.</summary>
    public static TheoryData<Wire, bool> All
    {
        get
        {
            var all = new TheoryData<Wire, bool>();
            foreach (var wire in Enum.GetValues<Wire>())
            {
                all.Add(wire, false);
                all.Add(wire, true);
            }

            return all;
        }
    }

    public IngestHost Host { get; }

    /// <summary>A clock that shows this day and stands: no patience of the hub ever ends by it. The library and the web server have their own.</summary>
    public static TimeProvider StandingClock() => new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());

    public static async Task<WireHost> StartAsync(Dictionary<string, string?>? settings = null, FakeStations? stations = null, TimeProvider? time = null)
    {
        var folder = new TempFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        await File.WriteAllTextAsync(folder.File("hub.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder.File("hub.key"), key.ExportPkcs8PrivateKeyPem());
        var all = new Dictionary<string, string?>(settings ?? [])
        {
            ["Hub:Mqtt:Tls:Endpoint"] = "127.0.0.1:0",
            ["Hub:Mqtt:Tls:CertificateFile"] = folder.File("hub.pem"),
            ["Hub:Mqtt:Tls:KeyFile"] = folder.File("hub.key"),
        };
        var web = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        return new WireHost(await IngestHost.StartAsync(all, stations: stations, time: time, web: web), folder, web);
    }

    /// <summary>Opens a connection and says nothing yet.</summary>
    public async Task<RawMqtt> OpenAsync(Wire wire, bool v5, int bufferBytes = 64 * 1024)
    {
        var (stream, socket) = await ConnectAsync(wire);
        return new RawMqtt(wire is Wire.Ws or Wire.Wss ? await RawWebSocket.OpenAsync(stream) : stream, v5, socket, bufferBytes);
    }

    /// <summary>Opens what is under MQTT, and under the WebSocket if there is one.</summary>
    public async Task<(Stream Stream, Socket Socket)> ConnectAsync(Wire wire)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", wire switch
        {
            Wire.Tcp => Host.Port,
            Wire.Tls => Host.Broker.BoundTlsEndpoint!.Port,
            Wire.Ws => Host.WebPorts.Http,
            _ => Host.WebPorts.Https,
        });
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (wire is Wire.Tls or Wire.Wss)
        {
            var tls = new SslStream(stream, false);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate) });
            stream = tls;
        }

        return (stream, socket);
    }

    /// <summary>Whether a certificate is the hub's.</summary>
    public bool IsOurs(X509Certificate? certificate) => certificate?.GetCertHashString() == _certificate;

    /// <summary>Opens a connection and logs in.</summary>
    public async Task<RawMqtt> LoginAsync(Wire wire, bool v5, string user = "braga/air-1", string? secret = null, string? clientId = null, ushort keepAlive = 0, bool clean = true, string? will = null)
    {
        var client = await OpenAsync(wire, v5);
        await client.SendAsync(client.Connect(user, secret ?? (user == "braga/air-1" ? IngestHost.Secret : IngestHost.OtherSecret), clientId ?? user, keepAlive, clean, will));
        await client.ExpectLoginAsync();
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _folder.Dispose();
        _web.Dispose();
    }
}

/// <summary>A packet as received.</summary>
internal readonly record struct RawPacket(byte First, byte[] Body)
{
    public MqttControlPacketType Type => (MqttControlPacketType)(First >> 4);

    /// <summary>Packet identifier of an acknowledgement.</summary>
    public ushort Identifier => BinaryPrimitives.ReadUInt16BigEndian(Body);

    /// <summary>Reason code of an acknowledgement of MQTT 5; 0 when left out.</summary>
    public byte Reason => Body.Length > 2 ? Body[2] : (byte)0;
}

/// <summary>An MQTT client that does what the test says and nothing by itself: it writes bytes, and reads packets.</summary>
internal sealed class RawMqtt(Stream stream, bool v5, Socket? socket = null, int bufferBytes = 64 * 1024) : IAsyncDisposable
{
    private readonly byte[] _buffer = new byte[bufferBytes];
    private int _start;
    private int _end;

    public bool V5 => v5;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public byte[] Connect(string? user, string secret, string clientId, ushort keepAlive = 0, bool clean = true, string? will = null)
    {
        var body = new List<byte>();
        Text(body, "MQTT");
        body.Add(v5 ? (byte)5 : (byte)4);
        body.Add((byte)((user is null ? 0 : 0xC0) | (clean ? 2 : 0) | (will is null ? 0 : 0x2C)));
        Number(body, keepAlive);
        if (v5)
        {
            // Session expiry of an hour, so that not clean means something.
            body.AddRange(clean ? [0] : [5, 0x11, 0, 0, 14, 16]);
        }

        Text(body, clientId);
        if (will is not null)
        {
            body.AddRange(v5 ? [0] : []);
            Text(body, will);
            Text(body, "gone");
        }

        if (user is not null)
        {
            Text(body, user);
            Text(body, secret);
        }

        return Packet(0x10, body);
    }

    /// <summary>A PUBLISH; an alias without a topic is sent with an empty one.</summary>
    public byte[] Publish(ushort identifier, byte[] payload, string? topic = MqttTest.AirTopic, int qos = 1, bool retain = false, bool duplicate = false, ushort alias = 0, byte[]? properties = null)
    {
        var body = new List<byte>();
        Text(body, topic ?? "");
        if (qos > 0)
        {
            Number(body, identifier);
        }

        if (v5)
        {
            List<byte> all = [.. properties ?? [], .. alias > 0 ? (byte[])[0x23, (byte)(alias >> 8), (byte)alias] : []];
            Length(body, all.Count);
            body.AddRange(all);
        }

        body.AddRange(payload);
        return Packet((byte)(0x30 | (duplicate ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)), body);
    }

    public byte[] Subscribe(ushort identifier, string filter)
    {
        var body = new List<byte>();
        Number(body, identifier);
        body.AddRange(v5 ? [0] : []);
        Text(body, filter);
        body.Add(1);
        return Packet(0x82, body);
    }

    public static byte[] PubRel(ushort identifier) => [0x62, 2, (byte)(identifier >> 8), (byte)identifier];

    public static byte[] Ping => [0xC0, 0];

    public static byte[] Goodbye => [0xE0, 0];

    public static byte[] Packet(byte first, List<byte> body)
    {
        var packet = new List<byte> { first };
        Length(packet, body.Count);
        return [.. packet, .. body];
    }

    /// <summary>Sends packets in one go.</summary>
    public async Task SendAsync(params byte[][] packets)
    {
        await stream.WriteAsync(packets.SelectMany(p => p).ToArray(), Cancel);
        await stream.FlushAsync(Cancel);
    }

    /// <summary>The next packet; null when the hub has closed the connection.</summary>
    public async Task<RawPacket?> ReceiveAsync()
    {
        while (true)
        {
            if (TryParse() is { } packet)
            {
                return packet;
            }

            if (_start > 0)
            {
                _buffer.AsSpan(_start.._end).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            try
            {
                var count = await stream.ReadAsync(_buffer.AsMemory(_end), Cancel).AsTask().WaitAsync(Eventually.Limit, Cancel);
                if (count == 0)
                {
                    return null;
                }

                _end += count;
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>The next packet, which must be of a type.</summary>
    public async Task<RawPacket> ExpectAsync(MqttControlPacketType type)
    {
        var packet = await ReceiveAsync() ?? throw new Xunit.Sdk.XunitException($"The connection was closed; {type} was expected.");
        Assert.Equal(type, packet.Type);
        return packet;
    }

    public async Task ExpectLoginAsync() => Assert.Equal(0, (await ExpectAsync(MqttControlPacketType.ConnAck)).Body[1]);

    /// <summary>The next acknowledgements must be those of these publishes, in this order.</summary>
    public async Task ExpectAcksAsync(params IEnumerable<int> identifiers)
    {
        foreach (var identifier in identifiers)
        {
            var ack = await ExpectAsync(MqttControlPacketType.PubAck);
            Assert.Equal((identifier, 0), (ack.Identifier, ack.Reason));
        }
    }

    /// <summary>Says nothing until the hub ends the connection.</summary>
    public async Task CutOffAsync()
    {
        while (await ReceiveAsync() is not null)
        {
        }
    }

    /// <summary>The connection must be closed now; in MQTT 5 with a reason.</summary>
    public async Task ExpectEndAsync(MqttDisconnectReasonCode reason)
    {
        if (v5)
        {
            var packet = await ExpectAsync(MqttControlPacketType.Disconnect);
            Assert.Equal(reason, (MqttDisconnectReasonCode)packet.Body[0]);
        }

        Assert.Null(await ReceiveAsync());
    }

    /// <summary>Says that nothing more comes, and goes on listening.</summary>
    public async Task EndSendingAsync()
    {
        if (stream is RawWebSocket web)
        {
            await web.CloseAsync();
            return;
        }

        if (stream is SslStream tls)
        {
            await tls.ShutdownAsync();
        }

        socket?.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Closes without a word, as a process that is killed does.</summary>
    public void Kill()
    {
        socket?.Close(0);
        stream.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await stream.DisposeAsync();
        }
        catch (IOException)
        {
            // Closed from the other side.
        }
    }

    private RawPacket? TryParse()
    {
        var (length, at) = (0, _start + 1);
        for (var shift = 0; at < _end; shift += 7)
        {
            var next = _buffer[at++];
            length |= (next & 0x7f) << shift;
            if ((next & 0x80) == 0)
            {
                if (_end - at < length)
                {
                    return null;
                }

                var packet = new RawPacket(_buffer[_start], _buffer[at..(at + length)]);
                _start = at + length;
                return packet;
            }
        }

        return null;
    }

    private static void Text(List<byte> body, string text)
    {
        Number(body, Encoding.UTF8.GetByteCount(text));
        body.AddRange(Encoding.UTF8.GetBytes(text));
    }

    private static void Number(List<byte> body, int number) => body.AddRange([(byte)(number >> 8), (byte)number]);

    private static void Length(List<byte> body, int length)
    {
        do
        {
            body.Add((byte)(length > 127 ? (length & 0x7f) | 0x80 : length));
            length >>= 7;
        }
        while (length > 0);
    }
}
