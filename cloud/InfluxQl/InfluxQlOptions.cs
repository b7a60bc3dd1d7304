using Microsoft.Extensions.Options;

namespace Hub.Cloud.InfluxQl;

/// <summary>Settings of the InfluxQl stage, section <c>Hub:InfluxQl</c>. Read once at start; a change needs a restart.</summary>
public sealed class InfluxQlOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:InfluxQl";

    /// <summary>Whether <c>/query</c> and <c>/ping</c> answer at all; default true. Without it they are not found.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Name of the one database there is, 1 to 64 letters, digits, <c>_</c> and <c>-</c>; default <c>hub</c>, as the store on InfluxDB has it.</summary>
    public string Database { get; set; } = "hub";

    /// <summary>Observations that one question may read, 1,000 to 1,000,000,000; default 20,000,000. More is refused with what to ask instead. What the store has folded costs less.</summary>
    public long RowsReadMax { get; set; } = 20_000_000;

    /// <summary>Points held in memory for one question until a figure can be made of them, 1,000 to 20,000,000, about 50 B each; default 2,000,000.</summary>
    public long PointsHeldMax { get; set; } = 2_000_000;

    /// <summary>Rows of one answer, 100 to 10,000,000; default 500,000. More is refused, and never cut off.</summary>
    public long PointsMax { get; set; } = 500_000;

    /// <summary>Questions that read more than 100,000 observations answered at once, 1 to 64; default 2. Four times as many wait for their turn, more are refused.</summary>
    public int QueriesMax { get; set; } = 2;

    /// <summary>Time for all statements of a question, 1 second to 10 minutes; default 30 seconds. Past it the question is given up.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a user name and password that were right are not checked again, 0 to 15 minutes; default 1 minute. A new password or other roles count at once all the same. Zero checks every question, which takes tens
    /// of milliseconds of a processor each.
    /// </summary>
    public TimeSpan CredentialsKept { get; set; } = TimeSpan.FromMinutes(1);
}

internal sealed class InfluxQlOptionsValidator : IValidateOptions<InfluxQlOptions>
{
    public ValidateOptionsResult Validate(string? name, InfluxQlOptions options)
    {
        List<string> failures = [];
        if (options.Database.Length is < 1 or > 64 || options.Database.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-')))
        {
            failures.Add($"{InfluxQlOptions.Section}:{nameof(options.Database)} is '{options.Database}'; it must be 1 to 64 letters, digits, _ and -.");
        }

        Within(nameof(options.RowsReadMax), options.RowsReadMax, 1_000, 1_000_000_000);
        Within(nameof(options.PointsHeldMax), options.PointsHeldMax, 1_000, 20_000_000);
        Within(nameof(options.PointsMax), options.PointsMax, 100, 10_000_000);
        Within(nameof(options.QueriesMax), options.QueriesMax, 1, 64);
        Between(nameof(options.Timeout), options.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Between(nameof(options.CredentialsKept), options.CredentialsKept, TimeSpan.Zero, TimeSpan.FromMinutes(15));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Within(string key, long value, long least, long most)
        {
            if (value < least || value > most)
            {
                failures.Add($"{InfluxQlOptions.Section}:{key} is {value}; it must be {least} to {most}.");
            }
        }

        void Between(string key, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most)
            {
                failures.Add($"{InfluxQlOptions.Section}:{key} is {value:c}; it must be {least:c} to {most:c}.");
            }
        }
    }
}
