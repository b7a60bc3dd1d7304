using Hub.Cloud.Ingest.Adapters;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Ingest.Quarantine;

/// <summary>Looks into the quarantine and lets entries out of it.</summary>
internal sealed partial class QuarantineStore(
    IDbContextFactory<IngestDbContext> contexts,
    QuarantineWriter writer,
    IngestPipeline pipeline,
    AdapterSet adapters,
    IStations stations,
    IngestInstruments instruments,
    TimeProvider time) : IQuarantine
{
    /// <summary>Transport of readings that come out of the quarantine.</summary>
    public const string Transport = "release";

    private const int CountMax = 1_000;

    public async ValueTask<IReadOnlyList<QuarantinedRecord>> ListAsync(string? municipality, string? station, RefusalReason? reason, long? before, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(countMax, CountMax);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var query = context.Quarantine.AsNoTracking();
        if (municipality is not null)
        {
            query = query.Where(r => r.Municipality == municipality);
        }

        if (station is not null)
        {
            query = query.Where(r => r.Station == station);
        }

        if (reason is { } wanted)
        {
            query = query.Where(r => r.Reason == wanted);
        }

        if (before is { } id)
        {
            query = query.Where(r => r.Id < id);
        }

        var rows = await query.OrderByDescending(r => r.Id).Take(countMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(ToRecord);
    }

    public async ValueTask<QuarantinedRecord?> FindAsync(long id, CancellationToken cancellationToken) =>
        await RowAsync(id, cancellationToken).ConfigureAwait(false) is { } row ? ToRecord(row) : null;

    public async ValueTask<PackReceipt> ReleaseAsync(long id, CancellationToken cancellationToken)
    {
        var row = await RowAsync(id, cancellationToken).ConfigureAwait(false)
            ?? throw new KeyNotFoundException($"The quarantine has no entry {id}.");
        if (row.PayloadLength > row.Payload.Length)
        {
            return Refused(new Refusal(row.RecordIndex, RefusalReason.TooLarge, $"Only {row.Payload.Length} of {row.PayloadLength} bytes were kept, so the entry cannot be released."));
        }

        if (!stations.TryGet(row.Municipality, row.Station, out var station))
        {
            return Refused(new Refusal(-1, RefusalReason.Station, $"The station {row.Municipality}/{row.Station} is not registered."));
        }

        if (row.Format is null && adapters.Find(row.Transport) is { } adapter)
        {
            var push = AdapterEnvelope.Open(adapter, row.Payload, row.ReceivedAt);
            var translated = await pipeline.AcceptAsync(station, Translation.Of(adapter, push), push.ReceivedAt, Transport, cancellationToken).ConfigureAwait(false);
            return await ReleasedAsync(id, translated, cancellationToken).ConfigureAwait(false);
        }

        var format = row.Format;
        if (format is null && PackFormats.TryParse(null, row.Payload, out var guessed))
        {
            format = guessed;
        }

        // A whole pack may hold times relative to its arrival; a single record was freed of them, and a time once in the future may have come.
        var receivedAt = row.Pinned ? time.GetUtcNow().UtcDateTime : row.ReceivedAt;
        var receipt = await pipeline.ReleaseAsync(new ArrivedPack(station, format, row.Payload, receivedAt, Transport), cancellationToken).ConfigureAwait(false);
        return await ReleasedAsync(id, receipt, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<PackReceipt> ReleasedAsync(long id, PackReceipt receipt, CancellationToken cancellationToken)
    {
        if (receipt.Quarantined == 0 && await writer.RemoveAsync(id, cancellationToken).ConfigureAwait(false))
        {
            instruments.QuarantineReleased();
        }

        return receipt;
    }

    public async ValueTask<bool> DiscardAsync(long id, CancellationToken cancellationToken)
    {
        var found = await writer.RemoveAsync(id, cancellationToken).ConfigureAwait(false);
        if (found)
        {
            instruments.QuarantineDiscarded();
        }

        return found;
    }

    private static PackReceipt Refused(Refusal refusal) => new(1, 0, 0, 0, 1) { Refusals = [refusal] };

    private static QuarantinedRecord ToRecord(QuarantineRow row) => new(
        row.Id,
        row.Municipality,
        row.Station,
        row.ReceivedAt,
        row.Transport,
        row.Format,
        new Refusal(row.RecordIndex, row.Reason, row.Times == 1 ? row.Detail : $"{row.Detail} (Seen {row.Times} times, last {row.LastReceivedAt:yyyy-MM-dd'T'HH:mm:ss'Z'}.)"),
        row.Payload,
        row.PayloadLength);

    private async ValueTask<QuarantineRow?> RowAsync(long id, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await context.Quarantine.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, cancellationToken).ConfigureAwait(false);
    }
}
