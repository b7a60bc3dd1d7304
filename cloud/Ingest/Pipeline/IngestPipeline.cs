using Hub.Cloud.Ingest.Adapters;
using Hub.Cloud.Ingest.Quarantine;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest.Pipeline;

/// <summary>
/// Decodes packs, finds their datastreams, appends what can be taken and then keeps the rest in the quarantine. The append comes first: when the store cannot commit,
/// nothing at all has happened. A pack sent again because anything after it failed is found to be a duplicate by the store, and its refused records to be there
/// already by the quarantine; so no order of failures loses or doubles anything. Packs come one by one, or many of a station in one <see cref="PackBatch"/>.
/// </summary>
internal sealed class IngestPipeline : IIngest, IDisposable
{
    /// <summary>Refusals told to the sender.</summary>
    private const int RefusalsTold = 20;

    /// <summary>Most bytes one pack may leave in the quarantine record by record: base fields written into each record can make it more than the pack.</summary>
    private const int PackQuarantineBytesMax = 1024 * 1024;

    /// <summary>Entries handed to the quarantine at once when a batch has many.</summary>
    private const int QuarantineEntriesAtOnce = 1_000;

    /// <summary>Batches kept for the next use.</summary>
    private const int BatchesKept = 1_024;

    private readonly ISeries _series;
    private readonly QuarantineWriter _quarantine;
    private readonly IngestInstruments _instruments;
    private readonly ILogger<IngestPipeline> _logger;
    private readonly TimeProvider _time;
    private readonly IngestOptions _options;
    private readonly SemaphoreSlim _places;
    private readonly ObjectPool<PackBatch> _batches;

    public IngestPipeline(
        IStations stations,
        ISeries series,
        QuarantineWriter quarantine,
        IngestInstruments instruments,
        IOptions<IngestOptions> options,
        TimeProvider time,
        ILogger<IngestPipeline> logger)
    {
        _series = series;
        _quarantine = quarantine;
        _instruments = instruments;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _places = new SemaphoreSlim(_options.PacksInFlightMax, _options.PacksInFlightMax);
        _batches = new DefaultObjectPool<PackBatch>(new BatchPolicy(stations), BatchesKept);
        Uncommitted = new UncommittedBytes(_options.UncommittedBytesMax);
        instruments.Observe(Uncommitted);
    }

    /// <summary>What has been received and is not yet committed, of all transports.</summary>
    public UncommittedBytes Uncommitted { get; }

    /// <summary>True while <see cref="IngestOptions.PacksInFlightMax"/> packs, or <see cref="IngestOptions.UncommittedBytesMax"/> bytes, are being taken.</summary>
    public bool IsFull => _places.CurrentCount == 0 || Uncommitted.IsFull;

    /// <summary>Packs being taken one by one now.</summary>
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

    /// <summary>An empty batch for packs of a station that arrive now.</summary>
    public PackBatch Begin(Station station, string transport)
    {
        var batch = _batches.Get();
        batch.Begin(station, _time.GetUtcNow().UtcDateTime, transport);
        return batch;
    }

    /// <summary>
    /// What a pack of so many bytes is expected to need while it is on its way: itself and, a record of JSON being about as long as an observation, as much again for what is made of it.
    /// </summary>
    public static long Expected(int bytes) => 2L * bytes;

    /// <summary>Decodes a pack into a batch. What it is expected to need must have been taken from <see cref="Uncommitted"/>; what it needs beyond is added here.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="tag">Tells the pack from the others of the batch.</param>
    /// <param name="format">Encoding; null when unknown.</param>
    /// <param name="payload">The pack; copied.</param>
    /// <param name="bytes">Bytes as received, on which <see cref="Expected"/> was taken.</param>
    public void Add(PackBatch batch, ushort tag, PackFormat? format, ReadOnlySpan<byte> payload, int bytes)
    {
        var before = batch.ObservationCount;
        batch.AddCopy(tag, format, payload);
        Decode(batch, format, payload);
        batch.Bytes += Expected(bytes) + Beyond(bytes, batch.ObservationCount - before);
    }

    /// <summary>Commits a batch: on completion each of its packs has its receipt and everything is on disk. Its bytes stay taken: the caller gives them back, whatever came of it.</summary>
    /// <exception cref="SeriesUnavailableException">None of its packs may be acknowledged; their senders will send again.</exception>
    public ValueTask CommitAsync(PackBatch batch, CancellationToken cancellationToken) => CommitAsync(batch, keepRefused: true, cancellationToken);

    /// <summary>Takes a committed batch back for the next use.</summary>
    public void Recycle(PackBatch batch) => _batches.Return(batch);

    public void Dispose() => _places.Dispose();

    private async ValueTask<PackReceipt> TakeAsync(ArrivedPack pack, bool keepRefused, Translation? translation, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var expected = Expected(pack.Payload.Length);
            await Uncommitted.TakeAsync(expected, cancellationToken).ConfigureAwait(false);
            var batch = _batches.Get();
            batch.Bytes = expected;
            try
            {
                batch.Begin(pack.Station, pack.ReceivedAt, pack.Transport);
                batch.Add(0, pack.Format, pack.Payload);
                if (translation is null)
                {
                    Decode(batch, pack.Format, pack.Payload.Span);
                }
                else
                {
                    batch.Take(translation);
                }

                batch.Bytes += Beyond(pack.Payload.Length, batch.ObservationCount);
                await CommitAsync(batch, keepRefused, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Uncommitted.Return(batch.Bytes);
            }

            // A batch that failed is left to the garbage collector: the store may still be reading its observations.
            var receipt = batch.ReceiptOf(0);
            Recycle(batch);
            return receipt;
        }
        finally
        {
            _places.Release();
        }
    }

    private async ValueTask CommitAsync(PackBatch batch, bool keepRefused, CancellationToken cancellationToken)
    {
        try
        {
            var started = _time.GetTimestamp();
            if (batch.HasWaiting)
            {
                await batch.ResolveAsync(cancellationToken).ConfigureAwait(false);
            }

            if (batch.ObservationCount > 0)
            {
                await AppendAsync(batch, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                SetReceipts(batch, []);
            }

            if (batch.RefusedCount > 0)
            {
                await RefuseAsync(batch, keepRefused, cancellationToken).ConfigureAwait(false);
            }

            _instruments.PacksTaken(batch, _time.GetElapsedTime(started));
        }
        catch (SeriesUnavailableException exception)
        {
            _instruments.StoreUnavailable(batch.Transport, batch.Count);
            _logger.StoreUnavailable(exception, batch.Transport);
            throw;
        }
    }

    /// <summary>Appends the observations of a batch and sets the receipts of its packs, without what was refused.</summary>
    private async ValueTask AppendAsync(PackBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            SetReceipts(batch, (await _series.AppendAsync(batch.Observations, cancellationToken).ConfigureAwait(false)).Outcomes);
            return;
        }
        catch (ArgumentException exception)
        {
            // The store is stricter than the contract: a bug of ours, but the sender would send this pack for ever.
            _logger.StoreRefused(exception, batch.Station.Municipality, batch.Station.Slug);
            if (batch.Count == 1)
            {
                RefuseByStore(batch, 0, exception);
                SetReceipts(batch, []);
                return;
            }
        }

        // Only the packs the store does not want may suffer: each alone.
        var outcomes = new List<AppendOutcome>(batch.ObservationCount);
        for (var pack = 0; pack < batch.Count; pack++)
        {
            if (batch.ObservationCountOf(pack) == 0)
            {
                continue;
            }

            try
            {
                var one = batch.Observations.Slice(batch.StartOf(pack), batch.ObservationCountOf(pack));
                outcomes.AddRange((await _series.AppendAsync(one, cancellationToken).ConfigureAwait(false)).Outcomes);
            }
            catch (ArgumentException exception)
            {
                RefuseByStore(batch, pack, exception);
            }
        }

        SetReceipts(batch, [.. outcomes]);
    }

    private static void RefuseByStore(PackBatch batch, int pack, ArgumentException exception) =>
        batch.RefuseWhole(pack, new Refusal(-1, RefusalReason.Value, $"The store refuses a value of the pack: {exception.Message}"));

    private static void SetReceipts(PackBatch batch, ReadOnlySpan<AppendOutcome> outcomes)
    {
        for (var pack = 0; pack < batch.Count; pack++)
        {
            int stored = 0, corrected = 0, duplicate = 0;
            var count = batch.ObservationCountOf(pack);
            foreach (var outcome in outcomes[..count])
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

            outcomes = outcomes[count..];
            var refused = batch.RefusedOf(pack).Count;
            batch.SetReceipt(pack, new PackReceipt(count + refused, stored, corrected, duplicate, refused));
        }
    }

    /// <summary>Keeps what was refused, and adds the refusals to the receipts.</summary>
    private async ValueTask RefuseAsync(PackBatch batch, bool keepRefused, CancellationToken cancellationToken)
    {
        List<QuarantineDraft> waiting = [];
        for (var pack = 0; pack < batch.Count; pack++)
        {
            var refused = batch.RefusedOf(pack);
            if (refused.Count == 0)
            {
                continue;
            }

            var complete = true;
            if (keepRefused)
            {
                var entries = Entries(batch.PackOf(pack), refused);
                complete = entries.TrueForAll(e => e.Complete);
                waiting.AddRange(entries);
                if (waiting.Count >= QuarantineEntriesAtOnce)
                {
                    await _quarantine.AddAsync(waiting, cancellationToken).ConfigureAwait(false);
                    waiting = [];
                }
            }

            batch.SetReceipt(pack, batch.ReceiptOf(pack) with { Refusals = refused.Take(RefusalsTold).Select(r => r.Refusal).ToArray(), Complete = complete });
        }

        if (waiting.Count > 0)
        {
            await _quarantine.AddAsync(waiting, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Counts what a pack needs beyond what was expected of it.</summary>
    private long Beyond(int bytes, int observations)
    {
        var beyond = bytes + ((long)observations * PackBatch.ObservationBytes) - Expected(bytes);
        if (beyond <= 0)
        {
            return 0;
        }

        Uncommitted.Add(beyond);
        return beyond;
    }

    /// <summary>Decodes the pack a batch was given last.</summary>
    private void Decode(PackBatch batch, PackFormat? known, ReadOnlySpan<byte> payload)
    {
        var station = batch.Station;
        if (station.Id == 0)
        {
            batch.Refuse(new Refusal(-1, RefusalReason.Station, $"The station {station.Municipality}/{station.Slug} is not registered."), default);
            return;
        }

        if (known is not { } format)
        {
            batch.Refuse(new Refusal(-1, RefusalReason.Malformed, "The content type is neither application/senml+json nor application/senml+cbor."), default);
            return;
        }

        try
        {
            var sink = new PackSink(batch);
            var seen = ReadingPack.Decode(payload, format, batch.ReceivedAt, ref sink);
            if (seen == 0)
            {
                batch.Refuse(new Refusal(-1, RefusalReason.Malformed, "The pack holds no record."), default);
            }
        }
#pragma warning disable CA1031 // A pack must never be able to stop the hub: whatever it does to the decoder, it hurts only itself.
        catch (Exception exception) when (exception is not OutOfMemoryException)
#pragma warning restore CA1031
        {
            _logger.DecoderFailed(exception, station.Municipality, station.Slug);
            batch.RefuseWhole(batch.Count - 1, new Refusal(-1, RefusalReason.Malformed, "The pack cannot be decoded."));
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

    private sealed class BatchPolicy(IStations stations) : PooledObjectPolicy<PackBatch>
    {
        public override PackBatch Create() => new(stations);

        public override bool Return(PackBatch obj)
        {
            obj.Clear();
            return true;
        }
    }
}
