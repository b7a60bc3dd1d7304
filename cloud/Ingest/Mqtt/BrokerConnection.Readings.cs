using System.Text;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Edge.Contract.Topics;
using MQTTnet.Exceptions;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <content>
/// The short way of readings: publishes with quality of service 1 on the station's own topic are read where they stand in the receive buffer, all of one buffer are handed over as one
/// batch, and the connection goes on reading while it is being committed. Their acknowledgements leave when the batch is on disk, in the order in which the publishes came.
/// </content>
internal sealed partial class BrokerConnection
{
    /// <summary>Most memory of one connection's publishes that are not committed yet, bytes; one pack alone may have more.</summary>
    public const long UncommittedBytesMax = 1024 * 1024;

    private readonly BytesClaim _claim;

    // What has not been acknowledged, in order of arrival: batches, and publishes the library answers. Belongs to the output's lock.
    private readonly Queue<Unanswered> _order = new();
    private readonly SemaphoreSlim _changed = new(0);
    private int _changedRaised;
    private string _topicText = "";
    private byte[]? _topic;
    private string _municipality = "";
    private string _slug = "";
    private PackBatch? _batch;
    private int _publishes;
    private int _batches;
    private long _uncommitted;
    private string? _paused;

    /// <summary>Publishes of readings taken and not yet acknowledged.</summary>
    public int Unacknowledged => Volatile.Read(ref _publishes);

    /// <summary>From now on readings of this station come the short way. Called when the login has been confirmed, before anything else is received.</summary>
    private void OpenForReadings()
    {
        if (BrokerLogins.TryStation(User, out var municipality, out var slug) && HubTopic.Readings(municipality, slug) is var topic && BrokerRules.Publish(municipality, slug, topic) == PublishRight.Readings)
        {
            (_municipality, _slug, _topicText, _topic) = (municipality, slug, topic, Encoding.UTF8.GetBytes(topic));
            _ownAliases = new bool[TopicAliasMax + 1];
        }
    }

    /// <summary>Takes the publish at the front of what was received, if it is one of readings.</summary>
    /// <returns>Null when it goes the library's way; false when there is no room for it now.</returns>
    private bool? TryTakeReadings(in PacketHeader header, ReadOnlySpan<byte> body)
    {
        if (_topic is null || header.Type != MqttControlPacketType.Publish || header.QualityOfService != 1 || header.IsRetained
            || !ReadingsPublish.TryRead(body, CanRefuse, _topic, _ownAliases, out var publish))
        {
            return null;
        }

        if (!HasRoom(IngestPipeline.Expected(header.TotalBytes)))
        {
            return false;
        }

        if (_batch is null && !_intake.TryBegin(_municipality, _slug, Transport, out _batch))
        {
            // The library's way refuses it.
            _intake.Pipeline.Uncommitted.Return(IngestPipeline.Expected(header.TotalBytes));
            return null;
        }

        if (publish.TopicAlias != 0)
        {
            // With the topic beside it, or it would not have been known for ours.
            (_aliases[publish.TopicAlias], _ownAliases[publish.TopicAlias]) = (_topicText, true);
        }

        var before = _batch!.Bytes;
        _intake.Pipeline.Add(_batch, publish.PacketIdentifier, publish.Format, publish.Payload, header.TotalBytes);
        Interlocked.Add(ref _uncommitted, _batch.Bytes - before);
        Interlocked.Increment(ref _publishes);
        _readSinceReturn = true;
        return true;
    }

    private bool HasRoom(long bytes)
    {
        var uncommitted = Interlocked.Read(ref _uncommitted);
        return Pause(
            _intake.IsClosed ? "stopping"
            : Volatile.Read(ref _publishes) >= ReceiveMaximum || (uncommitted > 0 && uncommitted + bytes > UncommittedBytesMax) ? "connection"
            : _output.Unsent > ConnectionOutput.UnsentBytesMax ? Unsent
            : _intake.Pipeline.Uncommitted.TryTake(_claim, bytes) ? null
            : "hub");
    }

    /// <summary>Notes why nothing is taken now, null for nothing; true when there is no reason.</summary>
    private bool Pause(string? reason)
    {
        if (reason is not null && reason != _paused)
        {
            _instruments.ReadingPaused(reason);
        }

        _paused = reason;
        return reason is null;
    }

    /// <summary>Hands the publishes gathered over to be committed, and goes on.</summary>
    private void HandOver()
    {
        if (_batch is not { } batch)
        {
            return;
        }

        _batch = null;
        lock (_output.Gate)
        {
            _order.Enqueue(new Unanswered(batch, 0));
            _batches++;
        }

        _ = CommitAsync(batch);
    }

    private async Task CommitAsync(PackBatch batch)
    {
        var bytes = batch.Bytes;
        var failure = await _intake.CommitAsync(batch).ConfigureAwait(false);
        Interlocked.Add(ref _uncommitted, -bytes);
        if (failure is { } reason)
        {
            _intake.End();
            await SendAwayAsync(reason).ConfigureAwait(false);
            return;
        }

        lock (_output.Gate)
        {
            batch.IsDone = true;
            Answer();
        }

        _output.Flush();
        _intake.End();
        Changed();
    }

    /// <summary>Notes that the library will answer a publish; those after it are answered after that. The caller has made sure that no batch is before it.</summary>
    private void ExpectAnswer(ushort packetIdentifier)
    {
        lock (_output.Gate)
        {
            _order.Enqueue(new Unanswered(null, packetIdentifier));
        }
    }

    /// <summary>Notes that the library has answered a publish. The caller holds the output's lock.</summary>
    private void Answered(ushort packetIdentifier)
    {
        if (_order.TryPeek(out var first) && first.Batch is null && first.PacketIdentifier == packetIdentifier)
        {
            _order.Dequeue();
            Answer();
        }
    }

    /// <summary>Acknowledges what is on disk, up to the first that is not. The caller holds the output's lock.</summary>
    private void Answer()
    {
        while (_order.TryPeek(out var first) && first.Batch is { IsDone: true } batch)
        {
            _order.Dequeue();
            for (var pack = 0; pack < batch.Count; pack++)
            {
                Acknowledge(batch.TagOf(pack), batch.ReceiptOf(pack));
            }

            Interlocked.Add(ref _publishes, -batch.Count);
            _batches--;
            _intake.Pipeline.Recycle(batch);
        }
    }

    private void Acknowledge(ushort packetIdentifier, in PackReceipt receipt)
    {
        if (receipt.Quarantined == 0 || !CanRefuse)
        {
            _output.AddPubAck(packetIdentifier);
            return;
        }

        var ack = new MqttPubAckPacket { PacketIdentifier = packetIdentifier, ReasonCode = PublishAnswer.Code(receipt) };
        if (_explains)
        {
            (ack.ReasonString, ack.UserProperties) = (PublishAnswer.Reason(receipt), PublishAnswer.Properties(receipt));
        }

        _output.Add(ack);
    }

    /// <summary>Whether a batch of this connection is not acknowledged yet.</summary>
    private bool HasBatches()
    {
        lock (_output.Gate)
        {
            return _batches > 0;
        }
    }

    /// <summary>Ends the connection without acknowledging, so that its client keeps what it sent and sends it again.</summary>
    private async Task SendAwayAsync(MqttDisconnectReasonCode reason)
    {
        try
        {
            if (CanRefuse)
            {
                using var patience = new CancellationTokenSource(FarewellPatience, _time);
                await SendPacketAsync(new MqttDisconnectPacket { ReasonCode = reason }, patience.Token).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is MqttCommunicationException or OperationCanceledException or ObjectDisposedException)
        {
            // It has left already, or does not listen.
        }

        try
        {
            await _sentAway.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The connection has ended meanwhile.
        }
    }

    /// <summary>Wakes the reader: something it may be waiting for has changed.</summary>
    private void Changed()
    {
        if (Interlocked.Exchange(ref _changedRaised, 1) == 0)
        {
            _changed.Release();
        }
    }

    /// <summary>Waits for <see cref="Changed"/>; false when the time is over first.</summary>
    private async ValueTask<bool> WaitForChangeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!await _changed.WaitAsync(patience, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        Volatile.Write(ref _changedRaised, 0);
        return true;
    }

    /// <summary>A batch that is not acknowledged, or (without one) a publish that the library answers.</summary>
    private readonly record struct Unanswered(PackBatch? Batch, ushort PacketIdentifier);
}
