using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>A station to speak for.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="Slug">Slug.</param>
/// <param name="Secret">Its secret; null where nobody asks.</param>
internal sealed record LoadStation(string Municipality, string Slug, string? Secret);

/// <summary>
/// One connection of a load generator: a raw socket that publishes packs of its station with QoS 1 and takes the PUBACKs. What a receive brings is answered with one send. Either a closed loop
/// (<see cref="RunAsync"/>: so many unacknowledged, always) or an open one (<see cref="ListenAsync"/> with <see cref="TryPublish"/> by somebody who keeps time).
/// </summary>
internal sealed class LoadConnection : IDisposable
{
    private const int InFlightMax = 256;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly LoadStation _station;
    private readonly int _version;
    private readonly PackWriter _packs;
    private readonly byte[] _received = new byte[16 * 1024];
    private readonly byte[] _outgoing;

    // When the packet with an identifier left (timestamp); 0 when it is free. Identifiers are 1 to InFlightMax.
    private readonly long[] _sentAt = new long[InFlightMax + 1];
    private int _receivedCount;
    private int _nextIdentifier;
    private long _acknowledged;

    public LoadConnection(LoadStation station, int version, PackWriter packs)
    {
        (_station, _version, _packs) = (station, version, packs);
        _outgoing = new byte[InFlightMax * packs.BytesMax];
    }

    /// <summary>Latencies since the last look, while <see cref="LoadControl.Measuring"/>.</summary>
    public LatencyHistogram Latencies { get; private set; } = new();

    /// <summary>PUBACKs received.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>What it publishes.</summary>
    public PackWriter Packs => _packs;

    /// <summary>The station it speaks for.</summary>
    public LoadStation Station => _station;

    /// <summary>Connects and logs in.</summary>
    /// <exception cref="InvalidOperationException">The broker refused.</exception>
    public async Task ConnectAsync(int port, CancellationToken stop)
    {
        await _socket.ConnectAsync(IPAddress.Loopback, port, stop);
        var user = _station.Secret is null ? null : $"{_station.Municipality}/{_station.Slug}";
        await _socket.SendAsync(MqttBytes.Connect(_version, $"load-{_station.Slug}", user, _station.Secret), stop);
        while (true)
        {
            await ReceiveAsync(stop);
            if (MqttBytes.TryTake(_received.AsSpan(0, _receivedCount), out var kind, out var body, out var length))
            {
                if (kind != 0x20 || body[1] != 0)
                {
                    throw new InvalidOperationException($"{_station.Slug}: CONNECT was answered with {kind:X2} {Convert.ToHexString(body)}.");
                }

                Drop(length);
                return;
            }
        }
    }

    /// <summary>Publishes with a number of packs unacknowledged until the control says stop or <paramref name="packsMax"/> are sent, and takes the last PUBACK.</summary>
    public async Task RunAsync(LoadControl control, int window, long packsMax, CancellationToken stop)
    {
        var (inFlight, free, left) = (0, window, packsMax);
        while (true)
        {
            var bytes = 0;
            var now = TimeProvider.System.GetTimestamp();
            for (; free > 0 && left > 0 && !control.Stopped; free--, left--, inFlight++)
            {
                bytes += _packs.Write(_outgoing.AsSpan(bytes), Identifier(now));
            }

            for (var sent = 0; sent < bytes;)
            {
                sent += await _socket.SendAsync(_outgoing.AsMemory(sent, bytes - sent), stop);
            }

            if (inFlight == 0)
            {
                return;
            }

            await ReceiveAsync(stop);
            var acknowledged = TakeAcknowledgements(control.Measuring);
            (free, inFlight) = (free + acknowledged, inFlight - acknowledged);
        }
    }

    /// <summary>Takes PUBACKs until cancelled.</summary>
    public async Task ListenAsync(LoadControl control, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await ReceiveAsync(stop);
                TakeAcknowledgements(control.Measuring);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Publishes one pack now, beside <see cref="ListenAsync"/>; false when as many as can be told apart are unacknowledged. One caller at a time.</summary>
    public bool TryPublish()
    {
        if (Volatile.Read(ref _sentAt[(_nextIdentifier % InFlightMax) + 1]) != 0)
        {
            return false;
        }

        var length = _packs.Write(_outgoing, Identifier(TimeProvider.System.GetTimestamp()));
        for (var sent = 0; sent < length;)
        {
            sent += _socket.Send(_outgoing.AsSpan(sent, length - sent));
        }

        return true;
    }

    /// <summary>The latencies since the last call.</summary>
    public LatencyHistogram TakeLatencies()
    {
        var taken = Latencies;
        Latencies = new LatencyHistogram();
        return taken;
    }

    public void Dispose() => _socket.Dispose();

    private ushort Identifier(long now)
    {
        var identifier = (ushort)((_nextIdentifier++ % InFlightMax) + 1);
        Volatile.Write(ref _sentAt[identifier], now);
        return identifier;
    }

    private async ValueTask ReceiveAsync(CancellationToken stop)
    {
        var count = await _socket.ReceiveAsync(_received.AsMemory(_receivedCount), stop);
        if (count == 0)
        {
            throw new InvalidOperationException($"{_station.Slug}: the broker closed the connection after {Acknowledged} acknowledgements.");
        }

        _receivedCount += count;
    }

    private int TakeAcknowledgements(bool measuring)
    {
        var now = TimeProvider.System.GetTimestamp();
        var (taken, at) = (0, 0);
        while (MqttBytes.TryTake(_received.AsSpan(at, _receivedCount - at), out var kind, out var body, out var length))
        {
            // Reason codes from 0x80 on are refusals; below are kinds of success, such as "nobody subscribed".
            if (kind != 0x40 || (body.Length > 2 && body[2] >= 0x80))
            {
                throw new InvalidOperationException($"{_station.Slug}: a pack was answered with {kind:X2} {Convert.ToHexString(body)}.");
            }

            var identifier = BinaryPrimitives.ReadUInt16BigEndian(body);
            var sentAt = identifier is >= 1 and <= InFlightMax ? Volatile.Read(ref _sentAt[identifier]) : 0;
            if (sentAt == 0)
            {
                throw new InvalidOperationException($"{_station.Slug}: PUBACK {identifier} for nothing that was published.");
            }

            Volatile.Write(ref _sentAt[identifier], 0);
            if (measuring)
            {
                Latencies.Add(TimeProvider.System.GetElapsedTime(sentAt, now));
            }

            taken++;
            at += length;
        }

        Drop(at);
        Volatile.Write(ref _acknowledged, _acknowledged + taken);
        return taken;
    }

    private void Drop(int count)
    {
        _received.AsSpan(count, _receivedCount - count).CopyTo(_received);
        _receivedCount -= count;
    }
}

/// <summary>What all connections of a load look at.</summary>
internal sealed class LoadControl
{
    private volatile bool _stopped;
    private volatile bool _measuring;

    /// <summary>No more packs are to be sent.</summary>
    public bool Stopped { get => _stopped; set => _stopped = value; }

    /// <summary>Latencies are counted.</summary>
    public bool Measuring { get => _measuring; set => _measuring = value; }
}
