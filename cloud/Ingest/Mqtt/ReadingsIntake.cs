using System.Globalization;
using System.Text;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Logging;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>
/// What all connections share for taking readings past the library's sessions: who may, the pipeline, and what is on its way, so that stopping can wait for it. Safe for concurrent callers.
/// </summary>
/// <param name="pipeline">Where readings go.</param>
/// <param name="stations">Who may send them.</param>
/// <param name="instruments">Counts.</param>
/// <param name="logger">Told of what should not happen.</param>
/// <param name="stopping">Gives up what is on its way: nothing of it is acknowledged.</param>
internal sealed class ReadingsIntake(IngestPipeline pipeline, IStations stations, IngestInstruments instruments, ILogger logger, CancellationToken stopping)
{
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _batches;
    private volatile bool _closed;

    /// <summary>The pipeline.</summary>
    public IngestPipeline Pipeline => pipeline;

    /// <summary>Counts.</summary>
    public IngestInstruments Instruments => instruments;

    /// <summary>True once no more readings are taken this way.</summary>
    public bool IsClosed => _closed;

    /// <summary>Begins a batch of a station; false when the station is not registered any more, or the hub is stopping.</summary>
    public bool TryBegin(string municipality, string slug, string transport, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PackBatch? batch)
    {
        batch = null;
        if (!stations.TryGet(municipality, slug, out var station))
        {
            return false;
        }

        Interlocked.Increment(ref _batches);
        if (_closed)
        {
            End();
            return false;
        }

        batch = pipeline.Begin(station, transport);
        return true;
    }

    /// <summary>Commits a batch and gives its bytes back, whatever comes of it.</summary>
    /// <returns>Null when all of it is on disk: its packs may be acknowledged. Otherwise why the connection must be ended without acknowledging.</returns>
    public async ValueTask<MqttDisconnectReasonCode?> CommitAsync(PackBatch batch)
    {
        var bytes = batch.Bytes;
        try
        {
            await pipeline.CommitAsync(batch, stopping).ConfigureAwait(false);
            return null;
        }
        catch (SeriesUnavailableException)
        {
            return MqttDisconnectReasonCode.ServerBusy;
        }
        catch (OperationCanceledException)
        {
            return MqttDisconnectReasonCode.ServerShuttingDown;
        }
#pragma warning disable CA1031 // Anything else is a bug, and must not acknowledge either.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            logger.PackFailed(exception);
            return MqttDisconnectReasonCode.ImplementationSpecificError;
        }
        finally
        {
            pipeline.Uncommitted.Return(bytes);
        }
    }

    /// <summary>Tells that a batch begun has been dealt with: acknowledged, or given up.</summary>
    public void End()
    {
        if (Interlocked.Decrement(ref _batches) == 0 && _closed)
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>Takes nothing more, and waits until everything begun has been dealt with. Called once.</summary>
    public Task CloseAsync()
    {
        Interlocked.Increment(ref _batches);
        _closed = true;
        End();
        return _drained.Task;
    }
}

/// <summary>What an MQTT 5 sender is told of a pack that was not taken as a whole. Pure functions.</summary>
internal static class PublishAnswer
{
    /// <summary>Longest reason told, characters.</summary>
    private const int ReasonMax = 600;

    /// <summary>
    /// The reason code. A pack of which part could not even be kept must not count as delivered. MQTT 3.1.1 has no word for that and gets a plain acknowledgement: closing the
    /// connection would make the station send the same bad pack for ever, and nothing after it.
    /// </summary>
    public static MqttPubAckReasonCode Code(in PackReceipt receipt) =>
        receipt is { AllRefused: true, Complete: false } ? MqttPubAckReasonCode.PayloadFormatInvalid : MqttPubAckReasonCode.Success;

    /// <summary>The reason in words.</summary>
    public static string Reason(in PackReceipt receipt)
    {
        var first = receipt.Refusals.Count > 0 ? receipt.Refusals[0] : null;
        var text = $"{receipt.Quarantined} of {receipt.Received} records are in the quarantine; the first: {first?.Reason}: {first?.Detail}";
        return text.Length <= ReasonMax ? text : text[..ReasonMax];
    }

    /// <summary>The counts.</summary>
    public static List<MqttUserProperty> Properties(in PackReceipt receipt)
    {
        return
        [
            Property("received", receipt.Received),
            Property("stored", receipt.Stored),
            Property("corrected", receipt.Corrected),
            Property("duplicate", receipt.Duplicate),
            Property("quarantined", receipt.Quarantined),
        ];

        static MqttUserProperty Property(string name, int value) => new(name, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
    }
}
