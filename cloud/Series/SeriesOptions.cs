using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>Settings of the embedded store, section <c>Hub:Series</c>. Read once at start.</summary>
public sealed class SeriesOptions
{
    /// <summary>The section these settings are bound from.</summary>
    public const string Section = "Hub:Series";

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

    /// <summary>Memory the database may use, MiB, 64 to 65,536; default 256. Sorting beyond it spills to the store's folder.</summary>
    public int MemoryMegabytesMax { get; set; } = 256;

    /// <summary>Threads of the database, 1 to 64; default 2.</summary>
    public int Threads { get; set; } = 2;

    /// <summary>Size of the database's write-ahead log that triggers a checkpoint, MiB, 1 to 4,096; default 64. Larger: rarer stalls, more memory, a longer start after a crash.</summary>
    public int CheckpointMegabytes { get; set; } = 64;

    /// <summary>Queries at the same time, 1 to 64; default 4. More wait for their turn.</summary>
    public int QueriesMax { get; set; } = 4;

    /// <summary>Buckets in one answer, 1 to 10,000,000; default 1,000,000. A question with more is refused.</summary>
    public int BucketsMax { get; set; } = 1_000_000;

    /// <summary>Time between two attempts to recover after a failed commit, 10 ms to 10 min; default 5 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(5);

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
        Within(options.MemoryMegabytesMax, 64, 65_536, nameof(options.MemoryMegabytesMax));
        Within(options.Threads, 1, 64, nameof(options.Threads));
        Within(options.CheckpointMegabytes, 1, 4_096, nameof(options.CheckpointMegabytes));
        Within(options.QueriesMax, 1, 64, nameof(options.QueriesMax));
        Within(options.BucketsMax, 1, 10_000_000, nameof(options.BucketsMax));
        Within(options.RetryAfter, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(10), nameof(options.RetryAfter));
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
