using System.Globalization;

namespace Hub.Cloud.Series.Tests;

/// <summary>
/// What a power cut may do to the end of the log: of a record that was being written nothing, a part, or other bytes are on the disk. Only behind what was acknowledged, and behind what an opening has
/// found and parts are made of: that was flushed. Nothing readable is left behind the torn place, because a record is begun only after the one before it was flushed.
/// </summary>
internal static class TornTail
{
    private const int GarbageMax = 300;

    /// <summary>Tears the newest segment; null when there is nothing that may be torn.</summary>
    /// <param name="folder">Folder of the log.</param>
    /// <param name="durable">Last commit that must stay.</param>
    /// <param name="draw">Decides how.</param>
    /// <returns>What was done.</returns>
    public static string? Tear(string folder, long durable, Random draw)
    {
        if (!Directory.Exists(folder) || Directory.GetFiles(folder, "*.log").Order(StringComparer.Ordinal).ToArray() is not [.., var newest] segments)
        {
            return null;
        }

        var (from, to, hasHead, records) = Measure(newest, durable);
        if (!hasHead || (records == 0 && draw.Next(2) == 0 && segments.Length > 1))
        {
            // A segment nothing was written to yet: its head may be what was not flushed, as long as the segment before it is there.
            return segments.Length > 1 ? TearHead(newest, draw) : null;
        }

        var at = draw.NextInt64(from, to + 1);
        using var file = new FileStream(newest, FileMode.Open, FileAccess.ReadWrite);
        var length = file.Length;
        file.SetLength(at);
        var how = draw.Next(3);
        if (how > 0)
        {
            file.Position = at;
            var bytes = new byte[draw.Next(1, GarbageMax)];
            if (how == 1)
            {
                draw.NextBytes(bytes);
            }
            else
            {
                // Bytes of an older record, as they may stand in blocks that are used again: their commit is behind them.
                file.Position = Math.Min(LogCodec.SegmentHeadBytes, at);
                _ = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                file.Position = at;
            }

            file.Write(bytes);
            if (draw.Next(2) == 0)
            {
                file.SetLength(Math.Max(file.Length, length));
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(newest)} at {at} of {length}, way {how}");
    }

    private static string TearHead(string path, Random draw)
    {
        var bytes = new byte[draw.Next(LogCodec.SegmentHeadBytes)];
        if (draw.Next(2) == 0)
        {
            draw.NextBytes(bytes);
        }

        File.WriteAllBytes(path, bytes);
        return $"the head of {Path.GetFileName(path)}";
    }

    /// <summary>Where what must stay ends, where everything ends, whether the segment has its head, and how many records.</summary>
    private static (long From, long To, bool HasHead, int Records) Measure(string path, long durable)
    {
        using var reader = new LogReader(long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture), path);
        var (from, records) = (reader.Offset, 0);
        while (reader.TryNext(out var group))
        {
            records++;
            from = group.Commit <= durable ? reader.Offset : from;
        }

        return (from, reader.Offset + reader.ReadRest().Bytes, reader.HasHead, records);
    }
}
