using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>Where the time series are kept.</summary>
public enum SeriesStore
{
    /// <summary>In the hub's own folder.</summary>
    Embedded,

    /// <summary>On an InfluxDB, with the settings of <see cref="InfluxOptions"/>.</summary>
    Influx,
}

/// <summary>Settings of the embedded store, section <c>Hub:Series</c>. Read once at start.</summary>
public sealed class SeriesOptions
{
    /// <summary>The section these settings are bound from.</summary>
    public const string Section = "Hub:Series";

    internal const int BucketsMaxDefault = 1_000_000;

    /// <summary>What <see cref="Rollups"/> says, ascending; what is no resolution is left out (the validator has refused it).</summary>
    internal ImmutableArray<TimeSpan> RollupResolutions => [.. Words(Rollups).Select(static word => Resolution(word)).OfType<TimeSpan>().Distinct().Order()];

    internal static string[] Words(string rollups) => rollups.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    internal static TimeSpan? Resolution(string word) =>
        TimeSpan.TryParse(word, CultureInfo.InvariantCulture, out var width) && Series.Rollups.Resolutions.Contains(width) ? width : null;

    /// <summary>Where the time series are kept; default Embedded.</summary>
    public SeriesStore Store { get; set; }

    /// <summary>Folder of the store. Default: <c>series</c>. A relative path lies in the folder named by <c>Hub:Data</c>. One hub at a time.</summary>
    public string Folder { get; set; } = "series";

    /// <summary>
    /// Observations waiting to be committed, 1,000 to 10,000,000; default 200,000. Past it <see cref="ISeries.AppendAsync"/> waits for its turn. A single call with more is let in when
    /// the queue is empty.
    /// </summary>
    public int QueueObservationsMax { get; set; } = 200_000;

    /// <summary>Observations in one group commit, 1 to 1,000,000; default 50,000. One call is never divided, so a larger call makes a larger group. Larger: more throughput, longer stalls.</summary>
    public int GroupObservationsMax { get; set; } = 50_000;

    /// <summary>Stored keys held in memory to recognise duplicates and corrections, 0 to 50,000,000; default 2,000,000, about 80 bytes each. Smaller: more look-ups in the store, never a wrong answer.</summary>
    public int KnownKeysMax { get; set; } = 2_000_000;

    /// <summary>Days of a datastream taken into memory for one group commit, 0 to 100,000; default 64. Past it the group's keys are looked up one by one, in one query.</summary>
    public int KnownDaysLoadedMax { get; set; } = 64;

    /// <summary>
    /// Observations in memory before they are written as parts, 1 to 10,000,000; default 400,000, about 60 bytes each. Up to twice as many are in memory while parts are written. Larger:
    /// fewer and larger parts, more memory, a longer start after a crash.
    /// </summary>
    public int FlushObservationsMax { get; set; } = 400_000;

    /// <summary>Age of the oldest observation in memory at which it is written as parts, 1 s to 1 day; default 1 hour.</summary>
    public TimeSpan FlushAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Size of the write-ahead log at which memory is written as parts, MiB, 1 to 4,096; default 128.</summary>
    public int LogMegabytesMax { get; set; } = 128;

    /// <summary>Time after the end of a UTC day until its parts are merged into one, 0 to 30 days; default 1 day. What comes later is merged too, each time it has been quiet for ten minutes.</summary>
    public TimeSpan SettleAfter { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Rollups that are kept, widths of their cells divided by commas: any of 00:01:00, 00:15:00 and 01:00:00; empty for none. Default 01:00:00: finer ones take more room than they save time. Only how fast
    /// a question is answered depends on them, never a figure. One of a minute is kept of datastreams on days with more than 2,880 observations.
    /// </summary>
    public string Rollups { get; set; } = "01:00:00";

    /// <summary>Parts of one day before they are merged in any case, 1 to 1,000; default 16. Smaller: faster questions about the present day, more rewriting.</summary>
    public int PartsPerDayMax { get; set; } = 16;

    /// <summary>Parts kept open for reading, 1 to 100,000; default 256: a file handle and the part's index each. More are opened and closed as needed.</summary>
    public int OpenPartsMax { get; set; } = 256;

    /// <summary>Queries at the same time, 1 to 64; default 4. More wait for their turn.</summary>
    public int QueriesMax { get; set; } = 4;

    /// <summary>Buckets in one answer, of all its datastreams together, 1 to 10,000,000; default 1,000,000. A question with more is refused.</summary>
    public int BucketsMax { get; set; } = BucketsMaxDefault;

    /// <summary>
    /// Observations that one question about many datastreams may read, 100,000 to 1,000,000,000,000; default 1,000,000,000: the hours of 20,000 datastreams over a year. A cell of a rollup counts as five. Estimated before anything
    /// is read; a question with more is refused. The embedded store's; on InfluxDB such a question is one to the server for each datastream.
    /// </summary>
    public long QuestionRowsMax { get; set; } = 1_000_000_000;

    /// <summary>Time between two attempts to recover after a failed commit, 10 ms to 10 min; default 5 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Room on the disk kept for deletions, MiB, 0 (none) to 4,096; default 16. Deleting writes before it gives room back, so on a disk that is full it would be impossible without.
    /// </summary>
    public int ReserveMegabytes { get; set; } = 16;

    /// <summary>Time a clean stop may take to commit what is queued, 0 to 10 min; default 10 s. What is left after it is refused, not acknowledged.</summary>
    public TimeSpan StopWithin { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Puts a relative folder into the data folder.</summary>
internal sealed class SeriesFolderSetup(IConfiguration configuration) : IPostConfigureOptions<SeriesOptions>
{
    public void PostConfigure(string? name, SeriesOptions options)
    {
        if (!string.IsNullOrWhiteSpace(options.Folder) && !Path.IsPathRooted(options.Folder) && configuration["Hub:Data"] is { Length: > 0 } data)
        {
            options.Folder = Path.GetFullPath(Path.Combine(data, options.Folder));
        }
    }
}

/// <summary>Refuses settings outside the ranges stated on <see cref="SeriesOptions"/>; each message names the full key.</summary>
internal sealed class SeriesOptionsValidator : IValidateOptions<SeriesOptions>
{
    public ValidateOptionsResult Validate(string? name, SeriesOptions options)
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(options.Folder))
        {
            faults.Add($"{SeriesOptions.Section}:Folder is empty: give the folder of the time series.");
        }
        else if (!Path.IsPathRooted(options.Folder))
        {
            faults.Add($"{SeriesOptions.Section}:Folder is the relative path '{options.Folder}' and Hub:Data is not set: set Hub:Data or give an absolute path.");
        }

        Within(options.QueueObservationsMax, 1_000, 10_000_000, nameof(options.QueueObservationsMax));
        Within(options.GroupObservationsMax, 1, 1_000_000, nameof(options.GroupObservationsMax));
        Within(options.KnownKeysMax, 0, 50_000_000, nameof(options.KnownKeysMax));
        Within(options.KnownDaysLoadedMax, 0, 100_000, nameof(options.KnownDaysLoadedMax));
        Within(options.FlushObservationsMax, 1, 10_000_000, nameof(options.FlushObservationsMax));
        Within(options.FlushAfter, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), nameof(options.FlushAfter));
        Within(options.LogMegabytesMax, 1, 4_096, nameof(options.LogMegabytesMax));
        Within(options.SettleAfter, TimeSpan.Zero, TimeSpan.FromDays(30), nameof(options.SettleAfter));
        faults.AddRange(SeriesOptions.Words(options.Rollups).Where(static word => SeriesOptions.Resolution(word) is null).Select(static word =>
            $"{SeriesOptions.Section}:Rollups names '{word}': it must name any of 00:01:00, 00:15:00 and 01:00:00, divided by commas, or be empty."));
        Within(options.PartsPerDayMax, 1, 1_000, nameof(options.PartsPerDayMax));
        Within(options.OpenPartsMax, 1, 100_000, nameof(options.OpenPartsMax));
        Within(options.QueriesMax, 1, 64, nameof(options.QueriesMax));
        Within(options.BucketsMax, 1, 10_000_000, nameof(options.BucketsMax));
        Within(options.QuestionRowsMax, 100_000, 1_000_000_000_000, nameof(options.QuestionRowsMax));
        Within(options.RetryAfter, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(10), nameof(options.RetryAfter));
        Within(options.ReserveMegabytes, 0, 4_096, nameof(options.ReserveMegabytes));
        Within(options.StopWithin, TimeSpan.Zero, TimeSpan.FromMinutes(10), nameof(options.StopWithin));
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Within<T>(T value, T min, T max, string key) where T : IComparable<T>
        {
            if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
            {
                faults.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{SeriesOptions.Section}:{key} is {value}: it must be between {min} and {max}."));
            }
        }
    }
}
