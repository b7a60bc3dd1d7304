using Microsoft.Extensions.Options;

namespace Hub.Cloud.QualityControl;

/// <summary>Settings of the QualityControl stage, section <c>Hub:QualityControl</c>. Read once at start. What is checked is declared by municipality and property, not here.</summary>
public sealed class QualityOptions
{
    /// <summary>The section these settings are bound from.</summary>
    public const string Section = "Hub:QualityControl";

    /// <summary>Time over which changes are gathered before they are judged, 1 s to 1 hour; default 30 s. Longer: less work, later flags.</summary>
    public TimeSpan Every { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Share of one processor that judging takes at most while it has work, 0.01 to 1; default 0.25. Smaller: a backlog takes longer, everything else is disturbed less.</summary>
    public double ProcessorShare { get; set; } = 0.25;

    /// <summary>Flagged stretches held in all, 1,000 to 10,000,000; default 1,000,000, 24 bytes of memory each. Past it further findings are refused and counted.</summary>
    public int FindingsMax { get; set; } = 1_000_000;

    /// <summary>Flagged stretches held of one datastream, 100 to 1,000,000; default 20,000. Past it further findings of it are refused and counted.</summary>
    public int FindingsPerDatastreamMax { get; set; } = 20_000;
}

/// <summary>Refuses settings outside the ranges stated on <see cref="QualityOptions"/>; each message names the full key.</summary>
internal sealed class QualityOptionsValidator : IValidateOptions<QualityOptions>
{
    public ValidateOptionsResult Validate(string? name, QualityOptions options)
    {
        var faults = new List<string>();
        Within(options.Every, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), nameof(options.Every));
        Within(options.ProcessorShare, 0.01, 1, nameof(options.ProcessorShare));
        Within(options.FindingsMax, 1_000, 10_000_000, nameof(options.FindingsMax));
        Within(options.FindingsPerDatastreamMax, 100, 1_000_000, nameof(options.FindingsPerDatastreamMax));
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Within<T>(T value, T min, T max, string key) where T : IComparable<T>
        {
            if (!(value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0))
            {
                faults.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{QualityOptions.Section}:{key} is {value}: it must be between {min} and {max}."));
            }
        }
    }
}
