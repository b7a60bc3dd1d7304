using Hub.Cloud.Series;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Transfer;

/// <summary>How observations are written in a file.</summary>
public enum TransferFormat
{
    /// <summary>A table of text: one row per line, plain or gzip.</summary>
    Csv,

    /// <summary>Apache Parquet.</summary>
    Parquet,

    /// <summary>InfluxDB line protocol, plain or gzip; also what <c>influx_inspect export</c> writes.</summary>
    Lines,
}

/// <summary>What is to be imported.</summary>
public sealed record ImportRequest
{
    /// <summary>The files, in the order they are read. 1 or more.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Mapping file (README.md, "Mapping"); null for files the hub exported itself.</summary>
    public string? Mapping { get; init; }

    /// <summary>Format of all files; null tells it from each name and from the mapping.</summary>
    public TransferFormat? Format { get; init; }

    /// <summary>CSV file for what is refused; replaced when it is there, gone at the end when nothing was refused.</summary>
    public required string ReportFile { get; init; }

    /// <summary>Folder for the note of how far an import has come; the same request goes on from there. Removed when all is in.</summary>
    public required string ProgressFolder { get; init; }

    /// <summary>Reads and checks everything and stores nothing, no datastream either.</summary>
    public bool DryRun { get; init; }

    /// <summary>Observations per append, 1 to 200,000; default 50,000. Larger: fewer commits, more memory (64 bytes each, twice).</summary>
    public int BatchObservations { get; init; } = 50_000;
}

/// <summary>
/// What an import came to, over all files and, after it was interrupted, over all its parts: values = stored + duplicate + corrected + refused values, counted one by one;
/// a row that cannot be read, or whose time or station is wrong, is one refusal.
/// </summary>
public sealed record ImportSummary
{
    /// <summary>Rows read, headings not counted.</summary>
    public long Rows { get; init; }

    /// <summary>Rows no target of the mapping asks for.</summary>
    public long RowsAside { get; init; }

    /// <summary>Fields that say "no value".</summary>
    public long Missing { get; init; }

    /// <summary>Values that do not count because of a condition of the mapping (<c>onlyWhere</c>).</summary>
    public long LeftOut { get; init; }

    /// <summary>Observations that were new. In a dry run: that are good.</summary>
    public long Stored { get; init; }

    /// <summary>Observations that were there already.</summary>
    public long Duplicate { get; init; }

    /// <summary>Observations that won against another value for their time.</summary>
    public long Corrected { get; init; }

    /// <summary>What was refused.</summary>
    public long Refused { get; init; }

    /// <summary>The same by reason.</summary>
    public IReadOnlyDictionary<RefusalReason, long> RefusedBy { get; init; } = new Dictionary<RefusalReason, long>();

    /// <summary>Refusals counted but not listed, because the report is full.</summary>
    public long ReportRowsLeftOut { get; init; }

    /// <summary>Datastreams values went to; in a dry run those included that would be made.</summary>
    public int Datastreams { get; init; }

    /// <summary>Rows an earlier, interrupted import had done; 0 for one that began anew.</summary>
    public long RowsResumed { get; init; }
}

/// <summary>What is to be exported.</summary>
public sealed record ExportRequest
{
    /// <summary>UTC, inclusive.</summary>
    public required DateTime From { get; init; }

    /// <summary>UTC, exclusive.</summary>
    public required DateTime To { get; init; }

    /// <summary>Slug of the only municipality wanted; null for all.</summary>
    public string? Municipality { get; init; }

    /// <summary>Slug of the only station wanted; null for all.</summary>
    public string? Station { get; init; }

    /// <summary>The only observed property wanted; null for all.</summary>
    public string? Property { get; init; }

    /// <summary>How it is written.</summary>
    public required TransferFormat Format { get; init; }

    /// <summary>File to write; it appears whole or not at all, and with gzip where its name ends in <c>.gz</c> (not Parquet).</summary>
    public required string Path { get; init; }

    /// <summary>Where to write instead of <see cref="Path"/>; left open. Not for Parquet.</summary>
    public Stream? Output { get; init; }

    /// <summary>Also the values that lost against another one for their time, right behind it.</summary>
    public bool History { get; init; }

    /// <summary>Instead of observations the rollups of days of which nothing else is kept (<see cref="ISeries.CondensedDaysAsync"/>), of days that begin in the stretch; CSV only (README.md, "Export").</summary>
    public bool Rollups { get; init; }
}

/// <summary>What an export came to.</summary>
/// <param name="Rows">Observations written, or cells of rollups.</param>
/// <param name="Datastreams">Datastreams they are of.</param>
/// <param name="Nameless">Datastreams left out because the hub's database does not know them: the series belong to another database.</param>
/// <param name="Bytes">Size of what was written.</param>
public sealed record ExportSummary(long Rows, int Datastreams, int Nameless, long Bytes)
{
    /// <summary>Days of the datastreams asked for, beginning in the stretch, of which only rollups are kept: of their observations at most what came later is in the file.</summary>
    public long Condensed { get; init; }
}

/// <summary>What is to be copied from store to store.</summary>
/// <param name="From">Read only.</param>
/// <param name="To">Appended to; what is there stays.</param>
/// <param name="CursorFile">Note of how far each datastream has come; the same file goes on from there. Removed when all is copied and verified.</param>
public sealed record MigrationRequest(ISeries From, ISeries To, string CursorFile)
{
    /// <summary>Observations per append, 1 to 200,000; default 50,000.</summary>
    public int BatchObservations { get; init; } = 50_000;
}

/// <summary>What a migration came to.</summary>
/// <param name="Datastreams">Datastreams of the source.</param>
/// <param name="Observations">Their observations.</param>
/// <param name="History">Their values that lost, copied as well.</param>
/// <param name="Resumed">Datastreams an earlier, interrupted migration had copied.</param>
/// <param name="Differences">What the verification found to differ, one line per datastream, at most 100; empty when the target holds everything.</param>
public sealed record MigrationSummary(int Datastreams, long Observations, long History, int Resumed, IReadOnlyList<string> Differences)
{
    /// <summary>Observations and values in history, not in the counts above, whose time the target cannot hold (<see cref="ISeries.Times"/>): they are in the source only.</summary>
    public long Outside { get; init; }

    /// <summary>Days of datastreams of which the source keeps rollups without their observations (<see cref="ISeries.CondenseAsync"/>), and the target now the same.</summary>
    public long Condensed { get; init; }

    /// <summary>Those of which the target holds observations, or other rollups: they stay as they are, and the source's rollups are in the source only.</summary>
    public long CondensedOwn { get; init; }

    /// <summary>Those that the target cannot hold: outside its times, or it keeps no rollups alone (<see cref="ISeries.CanCondense"/>). They are in the source only.</summary>
    public long CondensedOutside { get; init; }
}

/// <summary>How far a transfer has come.</summary>
/// <param name="What">What is being read or written now, for people.</param>
/// <param name="Share">Share of all of it, 0 to 1.</param>
/// <param name="Rows">Rows or observations so far.</param>
public readonly record struct TransferProgress(string What, double Share, long Rows);

/// <summary>
/// Observations in from files and out to files. For tools: one call at a time, while nothing else appends. Memory is bounded whatever the size of the files.
/// </summary>
public interface ITransfer
{
    /// <summary>
    /// Reads files into the series. Rows that cannot be taken are refused one by one, into the report, and the rest goes in. The same files again give duplicates only. Cancelled or killed,
    /// the same request goes on where the last commit was.
    /// </summary>
    /// <param name="request">What to import.</param>
    /// <param name="progress">Told after every few thousand rows, on the caller's context.</param>
    /// <param name="cancellationToken">Stops after the append under way.</param>
    /// <exception cref="TransferException">A file, the mapping or the report cannot be used: one line that says where and what to do. What was committed stays.</exception>
    Task<ImportSummary> ImportAsync(ImportRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Writes observations to a file, datastream by datastream, each in order of time.</summary>
    /// <param name="request">What to export.</param>
    /// <param name="progress">Told after every few thousand rows.</param>
    /// <param name="cancellationToken">Stops; nothing is left behind.</param>
    /// <exception cref="TransferException">The file cannot be written.</exception>
    Task<ExportSummary> ExportAsync(ExportRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken);
}

/// <summary>Copies a store into another one. For tools: one call at a time, while nothing else appends to either.</summary>
public interface ISeriesMigration
{
    /// <summary>
    /// Copies rollups that are kept without observations, then observations and history of every datastream, as far as the target can hold their times, then reads both stores again and compares counts and checksums. The source is never changed. Cancelled or killed, the same request goes on.
    /// </summary>
    /// <exception cref="TransferException">The cursor file cannot be used.</exception>
    /// <exception cref="SeriesUnavailableException">A store cannot be asked, or the target cannot commit.</exception>
    Task<MigrationSummary> MigrateAsync(MigrationRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken);
}

/// <summary>Something the user can mend; the message says where and how, in one line.</summary>
public sealed class TransferException : Exception
{
    /// <summary>Creates the exception.</summary>
    public TransferException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}
