using Microsoft.Extensions.Options;

namespace Hub.Cloud.Ingest;

/// <summary>Settings of the way in, bound from <c>Hub:Ingest</c> and checked before start.</summary>
public sealed class IngestOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Ingest";

    /// <summary>
    /// Most packs taken one by one at once, 1 to 65,536 (default 512): those over HTTP, from adapters, from an external broker, and MQTT publishes of readings with another quality of
    /// service than 1. Past it MQTT waits (senders feel it as TCP back-pressure) and HTTP answers 503. Publishes with quality of service 1 are bounded by
    /// <see cref="UncommittedBytesMax"/> alone.
    /// </summary>
    public int PacksInFlightMax { get; set; } = 512;

    /// <summary>
    /// Most bytes received and not yet committed, over all connections and transports, 1 MiB to 16 GiB (default 64 MiB): packs as they came, and the observations made of them. Past it
    /// MQTT connections are not read from, first come, first served, and HTTP answers 503. More lets a slow disk be ridden out; what is in it is sent again when the hub dies.
    /// </summary>
    public long UncommittedBytesMax { get; set; } = 64L * 1024 * 1024;

    /// <summary>Most quarantine entries of one station, 1 to 1,000,000 (default 10,000). Past it the station's oldest entries are evicted and counted.</summary>
    public int QuarantineEntriesMax { get; set; } = 10_000;

    /// <summary>Most bytes of quarantine entries of one station, 1 MiB to 16 GiB (default 64 MiB). Past it the station's oldest entries are evicted and counted.</summary>
    public long QuarantineBytesMax { get; set; } = 64L * 1024 * 1024;

    /// <summary>Most entries one pack may leave in the quarantine, 1 to 10,000 (default 1,000); what is refused beyond is kept in one entry that holds the pack.</summary>
    public int QuarantinePackEntriesMax { get; set; } = 1_000;

    /// <summary>
    /// File of an operator's own that declares further models of devices for the adapter of The Things Stack, or replaces models of the hub's own table (default none). Same
    /// form as cloud/Ingest/Adapters/ThingsStack/devices.json; read at start, at most 1 MiB.
    /// </summary>
    public string? ThingsStackDevices { get; set; }

    /// <summary>What an HTTP sender is told to wait while the store cannot commit, 1 s to 1 h (default 10 s).</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(10);
}

internal sealed class IngestOptionsValidator : IValidateOptions<IngestOptions>
{
    public ValidateOptionsResult Validate(string? name, IngestOptions options)
    {
        var faults = new List<string>();
        Require(options.PacksInFlightMax is >= 1 and <= 65_536, nameof(options.PacksInFlightMax), "1 to 65536");
        Require(options.UncommittedBytesMax is >= 1L << 20 and <= 16L << 30, nameof(options.UncommittedBytesMax), "1048576 to 17179869184 bytes");
        Require(options.QuarantineEntriesMax is >= 1 and <= 1_000_000, nameof(options.QuarantineEntriesMax), "1 to 1000000");
        Require(options.QuarantineBytesMax is >= 1L << 20 and <= 16L << 30, nameof(options.QuarantineBytesMax), "1048576 to 17179869184 bytes");
        Require(options.QuarantinePackEntriesMax is >= 1 and <= 10_000, nameof(options.QuarantinePackEntriesMax), "1 to 10000");
        Require(options.QuarantinePackEntriesMax <= options.QuarantineEntriesMax, nameof(options.QuarantinePackEntriesMax), $"at most {IngestOptions.Section}:{nameof(options.QuarantineEntriesMax)}");
        Require(options.RetryAfter >= TimeSpan.FromSeconds(1) && options.RetryAfter <= TimeSpan.FromHours(1), nameof(options.RetryAfter), "00:00:01 to 01:00:00");
        try
        {
            Adapters.ThingsStack.DeviceTable.Load(options.ThingsStackDevices);
        }
        catch (InvalidDataException exception)
        {
            faults.Add($"{IngestOptions.Section}:{nameof(options.ThingsStackDevices)}: {exception.Message}");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Require(bool good, string key, string range)
        {
            if (!good)
            {
                faults.Add($"{IngestOptions.Section}:{key} must be {range}.");
            }
        }
    }
}
