using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Outbox;

/// <summary>Settings of the outbox, configuration section <c>Agent:Outbox</c>. Read once at start.</summary>
public sealed class OutboxOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Agent:Outbox";

    /// <summary>Smallest allowed <see cref="BytesMax"/>, 64 KiB.</summary>
    public const long BytesMaxLowest = 64 * 1024;

    /// <summary>Folder of the segment files; created when missing, used by one process at a time. Default <c>outbox</c>.</summary>
    [DataType("path")]
    public string Folder { get; set; } = "outbox";

    /// <summary>
    /// Bytes on disk, 64 KiB to 1 TiB, default 512 MiB (about 10 million readings). Past it the oldest segment is dropped and counted: a larger
    /// limit survives a longer outage, a smaller one leaves room on the card.
    /// </summary>
    public long BytesMax { get; set; } = 512L * 1024 * 1024;

    /// <summary>
    /// How long a reading may wait for the hub, counted from when it was taken, 1 minute to 10 years, default 30 days. Past it, it is dropped
    /// and counted, up to 1/32 of this limit late, because whole segments are dropped.
    /// </summary>
    public TimeSpan AgeMax { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How long what is taken, and what is released, may wait in memory before it is written to disk, 0 to 1 hour; 160 waiting readings are written at once. Left out, it is 15
    /// minutes where there is a <see cref="JournalFolder"/>, and 0 where there is none. It is what a power cut can lose of what the hub has not acknowledged; a kill, a crash or
    /// an update of the agent loses nothing of it while the journal stands. Longer spares the card: what the hub acknowledges before is never written. With 0 every reading is on
    /// disk before it counts as taken.
    /// </summary>
    public TimeSpan? WriteDelay { get; set; }

    /// <summary>
    /// Folder in memory-backed storage (tmpfs) in which the agent keeps, in a folder of its own that no other user can read, a journal of what is not on disk yet. Default
    /// <c>/dev/shm</c>; <c>none</c> for none. Where it is not in memory, or not safe, there is none, and the log says why. A folder that systemd makes (<c>RuntimeDirectory</c>) must be kept over
    /// restarts (<c>RuntimeDirectoryPreserve</c>).
    /// </summary>
    [DataType("path-absolute")]
    public string JournalFolder { get; set; } = "/dev/shm";

    /// <summary>What <see cref="JournalFolder"/> says where no journal is wanted.</summary>
    public const string NoJournal = "none";

    /// <summary>
    /// Bytes of one segment file, 4 KiB to 64 MiB, default 4 MiB, never more than an eighth of <see cref="BytesMax"/>. It is the grain of dropping
    /// and deleting: larger means fewer files, smaller frees and drops in smaller steps.
    /// </summary>
    public int SegmentBytesMax { get; set; } = 4 * 1024 * 1024;
}

/// <summary>Checks <see cref="OutboxOptions"/> before the agent starts; messages name the full key.</summary>
internal sealed class OutboxOptionsValidator : IValidateOptions<OutboxOptions>
{
    public ValidateOptionsResult Validate(string? name, OutboxOptions options)
    {
        var failures = new List<string>();
        if (string.IsNullOrWhiteSpace(options.Folder))
        {
            failures.Add($"{OutboxOptions.Section}:Folder is empty; give a folder, for instance \"outbox\".");
        }

        if (options.BytesMax is < OutboxOptions.BytesMaxLowest or > 1L << 40)
        {
            failures.Add($"{OutboxOptions.Section}:BytesMax is {options.BytesMax}; give {OutboxOptions.BytesMaxLowest} to {1L << 40} bytes.");
        }

        if (options.AgeMax < TimeSpan.FromMinutes(1) || options.AgeMax > TimeSpan.FromDays(3653))
        {
            failures.Add($"{OutboxOptions.Section}:AgeMax is {options.AgeMax}; give 00:01:00 to 3653.00:00:00.");
        }

        if (options.JournalFolder != OutboxOptions.NoJournal && !Path.IsPathRooted(options.JournalFolder))
        {
            failures.Add($"{OutboxOptions.Section}:JournalFolder is '{options.JournalFolder}'; give a path from the root, for instance \"/dev/shm\", or {OutboxOptions.NoJournal}.");
        }

        if (options.WriteDelay < TimeSpan.Zero || options.WriteDelay > TimeSpan.FromHours(1))
        {
            failures.Add($"{OutboxOptions.Section}:WriteDelay is {options.WriteDelay}; give 00:00:00 to 01:00:00.");
        }

        if (options.SegmentBytesMax is < 4 * 1024 or > 64 * 1024 * 1024)
        {
            failures.Add($"{OutboxOptions.Section}:SegmentBytesMax is {options.SegmentBytesMax}; give {4 * 1024} to {64 * 1024 * 1024} bytes.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
