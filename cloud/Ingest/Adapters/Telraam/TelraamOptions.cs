using System.Globalization;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest.Adapters.Telraam;

/// <summary>Rows the hub asks the Telraam API for.</summary>
public enum TelraamFormat
{
    /// <summary>One row an hour (any API key).</summary>
    PerHour,

    /// <summary>One row a quarter of an hour (Telraam S2 with an advanced API key).</summary>
    PerQuarter,
}

/// <summary>One counter whose reports the hub fetches.</summary>
public sealed class TelraamCounter
{
    /// <summary>Station that receives the counts, <c>municipality/station</c>.</summary>
    public string Station { get; set; } = "";

    /// <summary>Telraam's number of the street segment, as in the address of its page.</summary>
    public long Segment { get; set; }

    /// <summary>Rows asked for (default per hour).</summary>
    public TelraamFormat Format { get; set; }

    /// <summary>The owner's API key; or <see cref="ApiKeyFile"/>.</summary>
    public string? ApiKey { get; set; }

    /// <summary>File that holds the API key; read at each poll, so that a key can be changed without a restart.</summary>
    public string? ApiKeyFile { get; set; }
}

/// <summary>Settings of the fetching of Telraam reports, bound from <c>Hub:Ingest:Telraam</c> and checked before start. Off unless enabled.</summary>
public sealed class TelraamOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Ingest:Telraam";

    /// <summary>Whether the hub asks the API at all (default false).</summary>
    public bool Enabled { get; set; }

    /// <summary>Address of the API, https, or http on this machine (default <c>https://telraam-api.net</c>).</summary>
    public string Address { get; set; } = "https://telraam-api.net";

    /// <summary>Time between two polls of all counters, 1 min to 24 h (default 15 min).</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How far back a counter without readings, or one that was away, is asked for, 1 h to 90 days (default 7 days). What is older is not fetched.</summary>
    public TimeSpan Lookback { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How much before the newest stored row is asked for again, because Telraam still changes young rows, 0 to 7 days (default 24 h).</summary>
    public TimeSpan Overlap { get; set; } = TimeSpan.FromHours(24);

    /// <summary>First wait after a failure, doubled for each further one, 1 s to 1 h (default 1 min).</summary>
    public TimeSpan RetryMin { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest wait after a failure, <see cref="RetryMin"/> to 24 h (default 1 h).</summary>
    public TimeSpan RetryMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The counters, at most 100.</summary>
    public IList<TelraamCounter> Counters { get; } = [];
}

internal sealed class TelraamOptionsValidator : IValidateOptions<TelraamOptions>
{
    private const int CountersMax = 100;

    public ValidateOptionsResult Validate(string? name, TelraamOptions options)
    {
        var faults = new List<string>();
        Require(
            Uri.TryCreate(options.Address, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)),
            nameof(options.Address),
            "an https address: the API key travels with every request");
        Require(In(options.Interval, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)), nameof(options.Interval), "00:01:00 to 1.00:00:00");
        Require(In(options.Lookback, TimeSpan.FromHours(1), TimeSpan.FromDays(90)), nameof(options.Lookback), "01:00:00 to 90.00:00:00");
        Require(In(options.Overlap, TimeSpan.Zero, TimeSpan.FromDays(7)), nameof(options.Overlap), "00:00:00 to 7.00:00:00");
        Require(In(options.RetryMin, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), nameof(options.RetryMin), "00:00:01 to 01:00:00");
        Require(In(options.RetryMax, options.RetryMin, TimeSpan.FromDays(1)), nameof(options.RetryMax), $"{TelraamOptions.Section}:{nameof(options.RetryMin)} to 1.00:00:00");
        Require(options.Counters.Count <= CountersMax, nameof(options.Counters), string.Create(CultureInfo.InvariantCulture, $"at most {CountersMax} counters"));
        Require(!options.Enabled || options.Counters.Count > 0, nameof(options.Counters), $"at least one counter while {TelraamOptions.Section}:{nameof(options.Enabled)} is true");
        for (var i = 0; i < options.Counters.Count; i++)
        {
            var counter = options.Counters[i];
            var key = string.Create(CultureInfo.InvariantCulture, $"{nameof(options.Counters)}:{i}:");
            Require(Mqtt.BrokerLogins.TryStation(counter.Station, out _, out _), key + nameof(counter.Station), "municipality/station, such as braga/rotunda");
            Require(counter.Segment > 0, key + nameof(counter.Segment), "Telraam's number of the segment, such as 9000001234");
            Require(string.IsNullOrEmpty(counter.ApiKey) != string.IsNullOrEmpty(counter.ApiKeyFile), key + nameof(counter.ApiKey), $"given, or {nameof(counter.ApiKeyFile)}, and not both");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        static bool In(TimeSpan value, TimeSpan from, TimeSpan to) => value >= from && value <= to;

        void Require(bool good, string key, string range)
        {
            if (!good)
            {
                faults.Add($"{TelraamOptions.Section}:{key} must be {range}.");
            }
        }
    }
}
