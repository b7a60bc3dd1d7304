using System.Data;
using System.Data.Common;
using System.Threading.Channels;
using Hub.Cloud.Database;
using Hub.Cloud.Series;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest.Quarantine;

/// <summary>
/// The one writer of quarantine entries: packs that wait together share one transaction and one fsync. Keeps each station within its limits by evicting its
/// oldest entries in the same transaction.
/// </summary>
internal sealed class QuarantineWriter : IAsyncDisposable
{
    /// <summary>Packs that may wait; past it callers wait to enqueue.</summary>
    private const int PacksWaitingMax = 256;

    /// <summary>Entries after which a transaction takes no further pack.</summary>
    private const int EntriesPerCommit = 5_000;

    /// <summary>The rows of a <see cref="QuarantineScope"/>.</summary>
    private const string ScopeCondition = """
        "Municipality" = @municipality AND (@station IS NULL OR "Station" = @station) AND (@reason IS NULL OR "Reason" = @reason) AND "Id" > @after AND "Id" <= @upTo
        """;

    /// <summary>What a row costs beside its payload, bytes: text, keys and indexes, roughly.</summary>
    private const int RowOverheadBytes = 512;

    private readonly IDbContextFactory<IngestDbContext> _contexts;
    private readonly IngestOptions _options;
    private readonly IngestInstruments _instruments;
    private readonly ILogger<QuarantineWriter> _logger;
    private readonly Channel<Job> _jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(PacksWaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly Dictionary<string, Usage> _pools = new(StringComparer.Ordinal);
    private readonly Task _loop;

    public QuarantineWriter(IDbContextFactory<IngestDbContext> contexts, IOptions<IngestOptions> options, IngestInstruments instruments, ILogger<QuarantineWriter> logger)
    {
        _contexts = contexts;
        _options = options.Value;
        _instruments = instruments;
        _logger = logger;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Keeps the entries; on completion they are on disk. Safe for concurrent callers.</summary>
    /// <exception cref="SeriesUnavailableException">They could not be written: nothing may be acknowledged.</exception>
    public async ValueTask AddAsync(IReadOnlyList<QuarantineDraft> entries, CancellationToken cancellationToken)
    {
        var job = new Job(entries.Select(e => e.ToRow()).ToArray());
        try
        {
            await _jobs.Writer.WriteAsync(job, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException exception)
        {
            throw new SeriesUnavailableException("The hub is stopping: the quarantine takes nothing any more.", exception);
        }

        await job.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes one entry; false when there is none.</summary>
    public async ValueTask<bool> RemoveAsync(long id, CancellationToken cancellationToken) => await AskAsync(new Job([]) { Remove = id }, cancellationToken).ConfigureAwait(false);

    /// <summary>Removes all entries that are meant, in one transaction; how many there were.</summary>
    public async ValueTask<long> RemoveAllAsync(QuarantineScope scope, CancellationToken cancellationToken)
    {
        var job = new Job([]) { RemoveAll = scope };
        await AskAsync(job, cancellationToken).ConfigureAwait(false);
        return job.Removed;
    }

    private async ValueTask<bool> AskAsync(Job job, CancellationToken cancellationToken)
    {
        try
        {
            await _jobs.Writer.WriteAsync(job, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException exception)
        {
            throw new SeriesUnavailableException("The hub is stopping: the quarantine changes nothing any more.", exception);
        }

        return await job.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var batch = new List<Job>();
        while (await _jobs.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.Clear();
            var entries = 0;
            while (entries < EntriesPerCommit && _jobs.Reader.TryRead(out var job))
            {
                batch.Add(job);
                entries += Math.Max(1, job.Rows.Length);
            }

            try
            {
                await CommitAsync(batch).ConfigureAwait(false);
                batch.ForEach(job => job.Done.TrySetResult(job.Found));
            }
#pragma warning disable CA1031 // Whatever went wrong, the callers must hear of it and the writer must live on.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _pools.Clear();
                _logger.WriteFailed(exception, batch.Count);
                var failure = new SeriesUnavailableException("The quarantine cannot be written: is the disk of the hub's database full or read-only?", exception);
                batch.ForEach(job => job.Done.TrySetException(failure));
            }
        }
    }

    private async Task CommitAsync(List<Job> batch)
    {
        await using var context = await _contexts.CreateDbContextAsync().ConfigureAwait(false);
        await using var transaction = await context.Database.BeginTransactionAsync().ConfigureAwait(false);
        var connection = context.Database.GetDbConnection();
        var raw = transaction.GetDbTransaction();
        var evicted = 0L;
        await using (var insert = InsertCommand(connection, raw))
        {
            foreach (var job in batch)
            {
                job.Found = job.Remove is { } id && await RemoveAsync(connection, raw, "\"Id\" = @id", command => command.Give("@id", id)).ConfigureAwait(false) > 0;
                if (job.RemoveAll is { } scope)
                {
                    job.Removed = await RemoveAsync(connection, raw, ScopeCondition, command => FillScope(command, scope)).ConfigureAwait(false);
                }

                foreach (var row in job.Rows)
                {
                    var usage = await UsageOfAsync(connection, raw, row.Pool).ConfigureAwait(false);
                    Fill(insert, row);
                    if (Convert.ToInt64(await insert.ExecuteScalarAsync().ConfigureAwait(false), System.Globalization.CultureInfo.InvariantCulture) == 1)
                    {
                        usage.Entries++;
                        usage.Bytes += row.Payload.Length + RowOverheadBytes;
                    }
                }
            }

            foreach (var pool in batch.SelectMany(job => job.Rows).Select(row => row.Pool).Distinct(StringComparer.Ordinal))
            {
                evicted += await EvictAsync(connection, raw, pool).ConfigureAwait(false);
            }
        }

        await transaction.CommitAsync().ConfigureAwait(false);
        if (evicted > 0)
        {
            _instruments.QuarantineEvicted(evicted);
            _logger.Evicted(evicted);
        }
    }

    private static DbCommand InsertCommand(DbConnection connection, DbTransaction transaction)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            """
            INSERT INTO ingest_quarantine
                ("Municipality", "Station", "Pool", "ReceivedAt", "LastReceivedAt", "Times", "Transport", "Format", "RecordIndex", "Reason", "Detail", "Payload", "PayloadLength", "Pinned", "Hash")
            VALUES (@municipality, @station, @pool, @at, @at, 1, @transport, @format, @index, @reason, @detail, @payload, @length, @pinned, @hash)
            ON CONFLICT ("Municipality", "Station", "Hash") DO UPDATE SET "Times" = ingest_quarantine."Times" + 1, "LastReceivedAt" = excluded."LastReceivedAt"
            RETURNING "Times"
            """;
        return command;
    }

    private static void Fill(DbCommand command, QuarantineRow row)
    {
        command.Parameters.Clear();
        command.Give("@municipality", row.Municipality);
        command.Give("@station", row.Station);
        command.Give("@pool", row.Pool);
        command.Give("@at", (row.ReceivedAt - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        command.Give("@transport", row.Transport);
        command.Give("@format", row.Format?.ToString(), DbType.String);
        command.Give("@index", row.RecordIndex);
        command.Give("@reason", row.Reason.ToString());
        command.Give("@detail", row.Detail);
        command.Give("@payload", row.Payload);
        command.Give("@length", row.PayloadLength);
        command.Give("@pinned", row.Pinned);
        command.Give("@hash", row.Hash);
    }

    private static void FillScope(DbCommand command, QuarantineScope scope)
    {
        command.Give("@municipality", scope.Municipality);
        command.Give("@station", scope.Station, DbType.String);
        command.Give("@reason", scope.Reason?.ToString(), DbType.String);
        command.Give("@after", scope.After);
        command.Give("@upTo", scope.UpTo);
    }

    /// <summary>Removes rows and takes them off what their pools hold; how many there were.</summary>
    private async Task<long> RemoveAsync(DbConnection connection, DbTransaction transaction, string condition, Action<DbCommand> fill)
    {
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // The condition is one of two constants; values are parameters.
        command.CommandText = $"DELETE FROM ingest_quarantine WHERE {condition} RETURNING \"Pool\", CAST(length(\"Payload\") AS bigint)";
#pragma warning restore CA2100
        fill(command);
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        var count = 0L;
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            count++;
            if (_pools.TryGetValue(reader.GetString(0), out var usage))
            {
                usage.Entries--;
                usage.Bytes -= reader.GetInt64(1) + RowOverheadBytes;
            }
        }

        return count;
    }

    private async Task<Usage> UsageOfAsync(DbConnection connection, DbTransaction transaction, string pool)
    {
        if (_pools.TryGetValue(pool, out var known))
        {
            return known;
        }

        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT count(*), CAST(coalesce(sum(length(\"Payload\")), 0) AS bigint) FROM ingest_quarantine WHERE \"Pool\" = @pool";
        command.Give("@pool", pool);
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        await reader.ReadAsync().ConfigureAwait(false);
        var usage = new Usage { Entries = reader.GetInt64(0) };
        usage.Bytes = reader.GetInt64(1) + usage.Entries * RowOverheadBytes;
        _pools[pool] = usage;
        return usage;
    }

    /// <summary>Removes the pool's oldest entries until it is within both limits.</summary>
    private async Task<long> EvictAsync(DbConnection connection, DbTransaction transaction, string pool)
    {
        var usage = _pools[pool];
        var evicted = 0L;
        while (usage.Entries > _options.QuarantineEntriesMax || (usage.Bytes > _options.QuarantineBytesMax && usage.Entries > 0))
        {
            var count = Math.Clamp(usage.Entries - _options.QuarantineEntriesMax, 1, 1_000);
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText =
                """
                DELETE FROM ingest_quarantine WHERE "Id" IN (SELECT "Id" FROM ingest_quarantine WHERE "Pool" = @pool ORDER BY "Id" LIMIT @count) RETURNING CAST(length("Payload") AS bigint)
                """;
            command.Give("@pool", pool);
            command.Give("@count", count);
            await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
            var before = evicted;
            while (await reader.ReadAsync().ConfigureAwait(false))
            {
                evicted++;
                usage.Entries--;
                usage.Bytes -= reader.GetInt64(0) + RowOverheadBytes;
            }

            if (evicted == before)
            {
                throw new InvalidOperationException($"The quarantine of '{pool}' holds no row although {usage.Entries} are counted.");
            }
        }

        return evicted;
    }

    private sealed class Usage
    {
        public long Entries { get; set; }

        public long Bytes { get; set; }
    }

    private sealed class Job(QuarantineRow[] rows)
    {
        public QuarantineRow[] Rows { get; } = rows;

        public long? Remove { get; init; }

        public QuarantineScope? RemoveAll { get; init; }

        /// <summary>Rows that <see cref="RemoveAll"/> found.</summary>
        public long Removed { get; set; }

        public bool Found { get; set; }

        public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
