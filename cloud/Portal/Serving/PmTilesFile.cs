using System.Globalization;

namespace Hub.Cloud.Portal.Serving;

/// <summary>A PMTiles archive on the disk.</summary>
internal static class PmTilesFile
{
    // https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md, "Header"
    private const int HeaderBytes = 127;
    private const int VersionAt = 7;
    private const int DataOffsetAt = 56;
    private const int DataLengthAt = 64;
    private const int InternalCompressionAt = 97;
    private const int TileCompressionAt = 98;
    private const int TileTypeAt = 99;

    /// <summary>Why a file cannot be drawn, as the end of a sentence; null when it can.</summary>
    public static string? WhatIsWrong(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var header = new byte[HeaderBytes];
            if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || !header.AsSpan(0, VersionAt).SequenceEqual("PMTiles"u8))
            {
                return "which is no PMTiles archive: it does not begin as one (\"PMTiles\" and a header of 127 bytes).";
            }

            if (header[VersionAt] != 3)
            {
                return string.Create(CultureInfo.InvariantCulture, $"which is a PMTiles archive of version {header[VersionAt]}; the pages draw version 3 (convert it with: pmtiles convert).");
            }

            if (header[TileTypeAt] is < 1 or > 5)
            {
                return string.Create(CultureInfo.InvariantCulture, $"which has tiles of an unknown kind ({header[TileTypeAt]} at byte {TileTypeAt}); the pages draw MVT, PNG, JPEG, WebP and AVIF.");
            }

            if (header[InternalCompressionAt] is not (1 or 2) || header[TileCompressionAt] is not (0 or 1 or 2))
            {
                return "which is compressed in a way that browsers cannot unpack: use gzip or none.";
            }

            var end = BitConverter.ToUInt64(header, DataOffsetAt) + BitConverter.ToUInt64(header, DataLengthAt);
            return end > (ulong)file.Length ? string.Create(CultureInfo.InvariantCulture, $"which is cut off: it has {file.Length} bytes and should have {end}.") : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return "which cannot be read: " + exception.Message;
        }
    }
}
