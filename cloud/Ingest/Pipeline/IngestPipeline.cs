using Hub.Cloud.Ingest.Adapters;
using Hub.Cloud.Ingest.Quarantine;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest.Pipeline;

/// <summary>
/// Decodes a pack, finds its datastreams, appends what can be taken and then keeps the rest in the quarantine. The append comes first: when the store cannot commit,
/// nothing at all has happened. A pack sent again because anything after it failed is found to be a duplicate by the store, and its refused records to be there
/// already by the quarantine; so no order of failures loses or doubles anything.
/// </summary>
internal sealed class IngestPipeline : IIngest, IDisposable
{
    /// <summary>Refusals told to the sender.</summary>
    private const int RefusalsTold = 20;

    /// <summary>Most bytes one pack may leave in the quarantine record by record: base fields written into each record can make it more than the pack.</summary>
    private const int PackQuarantineBytesMax = 1024 * 1024;

    private readonly IStations _stations;
    private readonly ISeries _series;
    private readonly QuarantineWriter _quarantine;
    private readonly IngestInstruments _instruments;
    private readonly ILogger<IngestPipeline> _logger;
    private readonly TimeProvider _time;
    private readonly IngestOptions _options;
    private readonly SemaphoreSlim _places;

    public IngestPipeline(
        IStations stations,
        ISeries series,
        QuarantineWriter quarantine,
        IngestInstruments instruments,
        IOptions<IngestOptions> options,
        TimeProvider time,
        ILogger<IngestPipeline> logger)
    {
        _stations = stations;
        _series = series;
        _quarantine = quarantine;
        _instruments = instruments;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _places = new SemaphoreSlim(_options.PacksInFlightMax, _options.PacksInFlightMax);
    }

    /// <summary>True while <see cref="IngestOptions.PacksInFlightMax"/> packs are being taken.</summary>
    public bool IsFull => _places.CurrentCount == 0;

    /// <summary>Packs being taken now.</summary>
    public int InFlight => _options.PacksInFlightMax - _places.CurrentCount;

    /// <inheritdoc/>
    public ValueTask<PackReceipt> AcceptAsync(ArrivedPack pack, CancellationToken cancellationToken) => TakeAsync(pack, keepRefused: true, null, cancellationToken);

    /// <summary>Takes what an adapter made of a foreign push, under the same rules as a pack.</summary>
    /// <param name="station">The authenticated station.</param>
    /// <param name="translation">What the adapter made of it.</param>
    /// <param name="receivedAt">UTC instant of arrival.</param>
    /// <param name="transport">The adapter's name; <c>release</c> for a push that comes out of the quarantine, whose refusals make no new entries.</param>
    /// <param name="cancellationToken">Ends the wait for a place.</param>
    public ValueTask<PackReceipt> AcceptAsync(Station station, Translation translation, DateTime receivedAt, string transport, CancellationToken cancellationToken) =>
        TakeAsync(new ArrivedPack(station, null, translation.Payload, receivedAt, transport), keepRefused: transport != QuarantineStore.Transport, translation, cancellationToken);

    /// <summary>Takes a pack that comes out of the quarantine: what is refused again is counted and told, but makes no new entries.</summary>
    public ValueTask<PackReceipt> ReleaseAsync(ArrivedPack pack, CancellationToken cancellationToken) => TakeAsync(pack, keepRefused: false, null, cancellationToken);

    public void Dispose() => _places.Dispose();

    private async ValueTask<PackReceipt> TakeAsync(ArrivedPack pack, bool keepRefused, Translation? translation, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        var draft = new PackDraft(_stations, pack.Station, pack.Format ?? PackFormat.Json);
        try
        {
            var started = _time.GetTimestamp();
            var receipt = await TakeAsync(pack, draft, keepRefused, translation, cancellationToken).ConfigureAwait(false);
            draft.Dispose();
            _instruments.PackTaken(pack.Transport, receipt, _time.GetElapsedTime(started));
            return receipt;
        }
        catch (SeriesUnavailableException exception)
        {
            _instruments.StoreUnavailable(pack.Transport);
            _logger.StoreUnavailable(exception, pack.Transport);
            throw;
        }
        finally
        {
            draft.Abandon();
            _places.Release();
        }
    }

    private async ValueTask<PackReceipt> TakeAsync(ArrivedPack pack, PackDraft draft, bool keepRefused, Translation? translation, CancellationToken cancellationToken)
    {
        if (translation is null)
        {
            Decode(pack, draft);
        }
        else
        {
            draft.Take(translation);
        }

        if (draft.HasWaiting)
        {
            await draft.ResolveAsync(cancellationToken).ConfigureAwait(false);
        }

        int stored = 0, corrected = 0, duplicate = 0;
        foreach (var outcome in await AppendAsync(pack, draft, cancellationToken).ConfigureAwait(false))
        {
            switch (outcome)
            {
                case AppendOutcome.Stored:
                    stored++;
                    break;
                case AppendOutcome.Corrected:
                    corrected++;
                    break;
                default:
                    duplicate++;
                    break;
            }
        }

        var refused = draft.Refused;
        var receipt = new PackReceipt(draft.Count + refused.Count, stored, corrected, duplicate, refused.Count);
        if (refused.Count == 0)
        {
            return receipt;
        }

        var complete = true;
        if (keepRefused)
        {
            var entries = Entries(pack, refused);
            complete = entries.TrueForAll(e => e.Complete);
            await _quarantine.AddAsync(entries, cancellationToken).ConfigureAwait(false);
        }

        return receipt with { Refusals = refused.Take(RefusalsTold).Select(r => r.Refusal).ToArray(), Complete = complete };
    }

    private async ValueTask<AppendOutcome[]> AppendAsync(ArrivedPack pack, PackDraft draft, CancellationToken cancellationToken)
    {
        if (draft.Count == 0)
        {
            return [];
        }

        try
        {
            return (await _series.AppendAsync(draft.Observations, cancellationToken).ConfigureAwait(false)).Outcomes;
        }
        catch (ArgumentException exception)
        {
            // The store is stricter than the contract: a bug of ours, but the sender would send this pack for ever.
            _logger.StoreRefused(exception, pack.Station.Municipality, pack.Station.Slug);
            draft.Clear();
            draft.Refuse(new Refusal(-1, RefusalReason.Value, $"The store refuses a value of the pack: {exception.Message}"), default);
            return [];
        }
    }

    private void Decode(ArrivedPack pack, PackDraft draft)
    {
        if (pack.Station.Id == 0)
        {
            draft.Refuse(new Refusal(-1, RefusalReason.Station, $"The station {pack.Station.Municipality}/{pack.Station.Slug} is not registered."), default);
            return;
        }

        if (pack.Format is not { } format)
        {
            draft.Refuse(new Refusal(-1, RefusalReason.Malformed, "The content type is neither application/senml+json nor application/senml+cbor."), default);
            return;
        }

        try
        {
            var sink = new PackSink(draft);
            var seen = ReadingPack.Decode(pack.Payload.Span, format, pack.ReceivedAt, ref sink);
            if (seen == 0)
            {
                draft.Refuse(new Refusal(-1, RefusalReason.Malformed, "The pack holds no record."), default);
            }
        }
#pragma warning disable CA1031 // A pack must never be able to stop the hub: whatever it does to the decoder, it hurts only itself.
        catch (Exception exception) when (exception is not OutOfMemoryException)
#pragma warning restore CA1031
        {
            _logger.DecoderFailed(exception, pack.Station.Municipality, pack.Station.Slug);
            draft.Clear();
            draft.Refuse(new Refusal(-1, RefusalReason.Malformed, "The pack cannot be decoded."), default);
        }
    }

    /// <summary>What the quarantine keeps of the refused records: a bounded number of single ones, and for all beyond the whole pack once.</summary>
    private List<QuarantineDraft> Entries(ArrivedPack pack, IReadOnlyList<RefusedRecord> refused)
    {
        var entries = new List<QuarantineDraft>();
        var bytes = 0;
        for (var i = 0; i < refused.Count; i++)
        {
            var (refusal, kept, isForeign) = refused[i];
            if (refusal.RecordIndex < 0)
            {
                entries.Add(new QuarantineDraft(pack, refusal, pack.Payload, false));
                continue;
            }

            bytes += kept.IsEmpty ? PackQuarantineBytesMax : kept.Length;
            if (entries.Count >= _options.QuarantinePackEntriesMax || bytes > PackQuarantineBytesMax || kept.IsEmpty)
            {
                entries.Add(new QuarantineDraft(pack, refusal with { Detail = $"{refused.Count - i} more records of this pack were refused; the first: {refusal.Detail}" }, pack.Payload, false));
                break;
            }

            // A reading that an adapter made and the station's limit refused is kept as a pack, whatever it came as.
            var single = isForeign ? pack : pack with { Format = pack.Format ?? PackFormat.Json };
            entries.Add(new QuarantineDraft(single, refusal, kept, Pinned: refusal.Reason is not (RefusalReason.Malformed or RefusalReason.TooLarge)));
        }

        return entries;
    }
}
