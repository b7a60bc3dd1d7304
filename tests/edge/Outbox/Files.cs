using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Outbox.Tests;

/// <summary>Outboxes on files; without a delay unless a test gives one, so that an append is on disk when it completes, and without a journal.</summary>
internal static class Files
{
    public static FileOutbox Open(string folder, long bytesMax = 64L << 20, int segmentBytesMax = 4 << 20, TimeSpan? ageMax = null, TimeProvider? time = null, TimeSpan writeDelay = default) =>
        FileOutbox.Open(
            new OutboxOptions
            {
                Folder = folder, BytesMax = bytesMax, SegmentBytesMax = segmentBytesMax, AgeMax = ageMax ?? TimeSpan.FromDays(30), WriteDelay = writeDelay, JournalFolder = OutboxOptions.NoJournal,
            },
            time ?? TimeProvider.System,
            NullLogger.Instance);

    /// <summary>As it is by default, with the journal in a folder of the test.</summary>
    public static FileOutbox OpenWithJournal(string folder, string journal, TimeProvider time, TimeSpan? writeDelay = null, int segmentBytesMax = 4 << 20, ILogger? logger = null) =>
        FileOutbox.Open(
            new OutboxOptions { Folder = folder, SegmentBytesMax = segmentBytesMax, WriteDelay = writeDelay, JournalFolder = journal }, time, logger ?? NullLogger.Instance);

    public static string[] Segments(string folder) => [.. Directory.GetFiles(folder, "*.seg").Order(StringComparer.Ordinal)];

    public static long SegmentBytes(string folder) => Segments(folder).Sum(path => new FileInfo(path).Length);
}
