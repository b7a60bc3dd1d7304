using Microsoft.Extensions.Options;

namespace Hub.Cloud.Stations;

/// <summary>Settings of the Stations stage, section <c>Hub:Stations</c>. Read once at start; a change needs a restart.</summary>
public sealed class StationsOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Stations";

    /// <summary>
    /// Most datastreams one station may have, 1 to 100,000; default 1,000. Past it a reading that would need a new datastream is refused with
    /// <see cref="StationLimitException"/>: a station with a faulty name generator then hurts only itself. Larger costs memory, some 300 bytes each.
    /// </summary>
    public int DatastreamsMax { get; set; } = 1_000;

    /// <summary>Most stations of the whole hub, 1 to 1,000,000; default 20,000. Past it registration is refused with <see cref="StationLimitException"/>.</summary>
    public int StationsMax { get; set; } = 20_000;
}

internal sealed class StationsOptionsValidator : IValidateOptions<StationsOptions>
{
    public ValidateOptionsResult Validate(string? name, StationsOptions options)
    {
        List<string> failures = [];
        if (options.DatastreamsMax is < 1 or > 100_000)
        {
            failures.Add($"{StationsOptions.Section}:{nameof(StationsOptions.DatastreamsMax)} is {options.DatastreamsMax}; it must be 1 to 100000.");
        }

        if (options.StationsMax is < 1 or > 1_000_000)
        {
            failures.Add($"{StationsOptions.Section}:{nameof(StationsOptions.StationsMax)} is {options.StationsMax}; it must be 1 to 1000000.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
