using Microsoft.Extensions.Options;

namespace Hub.Cloud.Api;

/// <summary>Settings of the Api stage, section <c>Hub:Api</c>. Read once at start; a change needs a restart.</summary>
public sealed class ApiOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Api";

    /// <summary>Listeners to <c>/api/v1/live</c> at once, 1 to 100,000; default 1,000. Past it a listener is answered 503 <c>too-many-listeners</c>.</summary>
    public int LiveClientsMax { get; set; } = 1_000;

    /// <summary>Shortest time between two events of one datastream to one listener, 100 ms to 1 minute; default 500 ms. What comes in between is coalesced to the newest.</summary>
    public TimeSpan LiveInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Silence after which a listener gets a heartbeat, 1 second to 5 minutes; default 15 seconds.</summary>
    public TimeSpan LiveHeartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Longest life of a stream to somebody signed in, 1 minute to 1 day; default 15 minutes. Their program connects again by itself and is asked again who it is: so
    /// roles that were taken away end here too.
    /// </summary>
    public TimeSpan LiveSignedInMax { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Observations that one question for buckets may read, 1,000 to 1,000,000,000,000; default 20,000,000 (38 years of a minute's cadence). More is refused with what to ask instead. Estimated
    /// from the stretch and the cadence of the datastream; a cell of a rollup that may answer instead counts as five, which matters where readings are rare. Observations as they are stored come in pages and have no such limit.
    /// </summary>
    public long QueryRowsMax { get; set; } = 20_000_000;

    /// <summary>Time the store may take to answer, 1 second to 10 minutes; default 30 seconds. Past it the query is cancelled and answered 504 <c>query-timeout</c>; what the caller takes to read is not counted.</summary>
    public TimeSpan QueryTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Questions that read more than 100,000 observations answered at once, 1 to 64; default 2. Four times as many wait for their turn, more are answered 503 <c>too-many-queries</c>: so
    /// that whoever asks for years of everything does not hold up those who look at a day, nor what is being stored.
    /// </summary>
    public int QueriesMax { get; set; } = 2;
}

internal sealed class ApiOptionsValidator : IValidateOptions<ApiOptions>
{
    public ValidateOptionsResult Validate(string? name, ApiOptions options)
    {
        List<string> failures = [];
        if (options.LiveClientsMax is < 1 or > 100_000)
        {
            failures.Add($"{ApiOptions.Section}:{nameof(options.LiveClientsMax)} is {options.LiveClientsMax}; it must be 1 to 100000.");
        }

        Between(nameof(options.LiveInterval), options.LiveInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        Between(nameof(options.LiveHeartbeat), options.LiveHeartbeat, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        Between(nameof(options.LiveSignedInMax), options.LiveSignedInMax, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1));
        Between(nameof(options.QueryTimeout), options.QueryTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        if (options.QueryRowsMax is < 1_000 or > 1_000_000_000_000)
        {
            failures.Add($"{ApiOptions.Section}:{nameof(options.QueryRowsMax)} is {options.QueryRowsMax}; it must be 1000 to 1000000000000.");
        }

        if (options.QueriesMax is < 1 or > 64)
        {
            failures.Add($"{ApiOptions.Section}:{nameof(options.QueriesMax)} is {options.QueriesMax}; it must be 1 to 64.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Between(string key, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most)
            {
                failures.Add($"{ApiOptions.Section}:{key} is {value:c}; it must be {least:c} to {most:c}.");
            }
        }
    }
}
