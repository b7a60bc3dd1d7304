namespace Hub.Tests.Benchmarks.Series;

/// <summary>The questions of the comparison. Times are UTC, [From, To).</summary>
internal enum QuestionKind
{
    /// <summary>The latest value of every series.</summary>
    LatestOfAll,

    /// <summary>All readings of one series in 24 h.</summary>
    Range,

    /// <summary>Hourly means of one series over the whole span.</summary>
    HourlyOfOne,

    /// <summary>Hourly means of each of <see cref="Contender.Many"/> series over 24 h.</summary>
    HourlyOfMany,

    /// <summary>The ten stations with the highest mean of PM2.5 over 24 h.</summary>
    TopTen,
}

/// <summary>A question.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Station">The station, or the first of a hundred in a row; the quantity is PM2.5.</param>
/// <param name="From">Inclusive.</param>
/// <param name="To">Exclusive.</param>
internal readonly record struct Question(QuestionKind Kind, int Station, DateTime From, DateTime To);

/// <summary>
/// A store in the comparison. Opened once, written by several writers at once, settled, asked one question at a time, disposed.
/// </summary>
internal abstract class Contender(CityWorkload workload) : IAsyncDisposable
{
    /// <summary>Name in the table.</summary>
    public abstract string Name { get; }

    /// <summary>Whether a write is on disk when it is answered.</summary>
    public abstract bool IsDurable { get; }

    /// <summary>What the store's own process needs; this process when it is embedded.</summary>
    public abstract ProcessFigures Figures { get; }

    /// <summary>Bytes on disk now, without what does not grow with the readings.</summary>
    public abstract long Bytes { get; }

    /// <summary>Of <see cref="Bytes"/>, those of the readings themselves: value, quality, calibration; without what only makes questions faster.</summary>
    public virtual long ReadingsBytes => Bytes;

    /// <summary>Series of <see cref="QuestionKind.HourlyOfMany"/>: 100, or one of each station where there are fewer.</summary>
    public int Many => Math.Min(100, workload.Stations);

    /// <summary>The least that an answer to <see cref="AskAsync"/> is for each row: 1 where rows are counted, a few bytes where bytes are.</summary>
    public abstract int SizePerRowMin { get; }

    /// <summary>The workload that is written.</summary>
    protected CityWorkload Workload => workload;

    /// <summary>Starts it, empty.</summary>
    public abstract Task OpenAsync();

    /// <summary>A writer: a call returns when the visits are taken, durably where <see cref="IsDurable"/>. Each writer is called one call after another.</summary>
    public abstract Func<ReadOnlyMemory<Visit>, Task> Writer();

    /// <summary>Waits until what it does with the data in the background is done.</summary>
    public abstract Task SettleAsync();

    /// <summary>Asks, reads the whole answer; the rows (embedded) or bytes (servers) of it.</summary>
    public abstract Task<long> AskAsync(Question question);

    /// <summary>Number of readings of one series and their mean in [from, to), to check against what was written.</summary>
    public abstract Task<(long Count, double Mean)> CheckAsync(int station, DateTime from, DateTime to);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Waits until the size has not changed for a while.</summary>
    protected async Task SteadyAsync(TimeSpan still, TimeSpan limit)
    {
        var from = TimeProvider.System.GetTimestamp();
        var (size, since) = (Bytes, from);
        while (TimeProvider.System.GetElapsedTime(since) < still && TimeProvider.System.GetElapsedTime(from) < limit)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            if (Bytes is var now && now != size)
            {
                (size, since) = (now, TimeProvider.System.GetTimestamp());
            }
        }
    }

    /// <summary>Bytes of the files of a folder; one that vanishes meanwhile counts nothing.</summary>
    internal static long FolderBytes(string folder, Func<string, bool>? counts = null)
    {
        long bytes = 0;
        foreach (var file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = 0 }))
        {
            try
            {
                bytes += counts is null || counts(file) ? new FileInfo(file).Length : 0;
            }
            catch (FileNotFoundException)
            {
            }
        }

        return bytes;
    }
}
