using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Outbox.Tests;

internal static class Files
{
    public static FileOutbox Open(string folder, long bytesMax = 64L << 20, int segmentBytesMax = 4 << 20, TimeSpan? ageMax = null, TimeProvider? time = null) =>
        FileOutbox.Open(
            new OutboxOptions { Folder = folder, BytesMax = bytesMax, SegmentBytesMax = segmentBytesMax, AgeMax = ageMax ?? TimeSpan.FromDays(30) },
            time ?? TimeProvider.System,
            NullLogger.Instance);

    public static string[] Segments(string folder) => [.. Directory.GetFiles(folder, "*.seg").Order(StringComparer.Ordinal)];

    public static long SegmentBytes(string folder) => Segments(folder).Sum(path => new FileInfo(path).Length);
}
