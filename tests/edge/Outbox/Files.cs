using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Outbox.Tests;

/// <summary>Outboxes on files; without a delay unless a test gives one, so that an append is on disk when it completes.</summary>
internal static class Files
{
    public static FileOutbox Open(string folder, long bytesMax = 64L << 20, int segmentBytesMax = 4 << 20, TimeSpan? ageMax = null, TimeProvider? time = null, TimeSpan writeDelay = default) =>
        FileOutbox.Open(
            new OutboxOptions { Folder = folder, BytesMax = bytesMax, SegmentBytesMax = segmentBytesMax, AgeMax = ageMax ?? TimeSpan.FromDays(30), WriteDelay = writeDelay },
            time ?? TimeProvider.System,
            NullLogger.Instance);

    public static string[] Segments(string folder) => [.. Directory.GetFiles(folder, "*.seg").Order(StringComparer.Ordinal)];

    public static long SegmentBytes(string folder) => Segments(folder).Sum(path => new FileInfo(path).Length);
}
