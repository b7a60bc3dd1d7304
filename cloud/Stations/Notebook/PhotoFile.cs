using System.Buffers.Binary;

namespace Hub.Cloud.Stations.Notebook;

/// <summary>
/// A photo without what a camera or a program wrote into it beside the picture: place, time, serial numbers, names, small copies, colour profiles, and whatever lies behind its end. The picture itself is not decoded or coded anew.
/// Only parts that are known to make up the picture are kept (JPEG: ITU-T T.81, JFIF 1.02; PNG: W3C third edition; WebP: RFC 9649); a file that cannot be read to its end is refused. Of a JPEG the way it has to be turned is kept.
/// </summary>
/// <param name="ContentType">What it is, by its content.</param>
/// <param name="Width">Pixels, as it is shown.</param>
/// <param name="Height">Pixels, as it is shown.</param>
/// <param name="Bytes">The file.</param>
public sealed record PhotoFile(string ContentType, int Width, int Height, byte[] Bytes)
{
    /// <summary>Most pixels of a photo.</summary>
    public const long PixelsMax = 100_000_000;

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    /// <summary>Reads a photo and takes off what is not the picture. Pure.</summary>
    /// <param name="file">The file as it came.</param>
    /// <exception cref="FormatException">It is none of the three kinds, is damaged, moves, or has too many pixels; the message says what.</exception>
    public static PhotoFile Clean(ReadOnlySpan<byte> file)
    {
        try
        {
            var photo = file.Length > 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff ? Jpeg(file)
                : file.StartsWith(PngSignature) ? Png(file)
                : file.Length > 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8) ? Webp(file)
                : throw new FormatException("It is no JPEG, PNG or WebP: its first bytes say so, whatever its name.");
            return photo.Width < 1 || photo.Height < 1 || (long)photo.Width * photo.Height > PixelsMax
                ? throw new FormatException($"It has {photo.Width} x {photo.Height} pixels; at most {PixelsMax / 1_000_000} million are taken.")
                : photo;
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new FormatException("It ends too early, or says a wrong length.");
        }
        catch (IndexOutOfRangeException)
        {
            throw new FormatException("It ends too early, or says a wrong length.");
        }
    }

    private static PhotoFile Jpeg(ReadOnlySpan<byte> file)
    {
        using MemoryStream kept = new(file.Length);
        kept.Write([0xff, 0xd8]);
        var (width, height, turn, at, scans) = (0, 0, 1, 2, 0);
        List<byte[]> tables = [];
        while (true)
        {
            if (file[at] != 0xff)
            {
                throw new FormatException("A JPEG has something between its segments that does not belong there.");
            }

            while (file[at] == 0xff)
            {
                at++;
            }

            var marker = file[at++];
            if (marker == 0xd9)
            {
                break;
            }

            if (marker is 0x00 or 0x01 or (>= 0xd0 and <= 0xd8))
            {
                throw new FormatException("A JPEG has a marker where none may be.");
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(file[at..]);
            if (length < 2)
            {
                throw new FormatException("A JPEG has a segment without a length.");
            }

            var body = file.Slice(at + 2, length - 2);
            at += length;
            switch (marker)
            {
                case >= 0xc0 and <= 0xcf and not (0xc4 or 0xc8 or 0xcc):
                    (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(body[1..]), BinaryPrimitives.ReadUInt16BigEndian(body[3..]));
                    Segment(kept, marker, body);
                    break;
                case 0xc4 or 0xcc or 0xdb or 0xdd:
                    Segment(kept, marker, body);
                    break;
                case 0xe1 when body.StartsWith("Exif\0\0"u8):
                    turn = TurnOf(body[6..]);
                    break;
                case 0xe0 when body.StartsWith("JFIF\0"u8):
                    // Without its small copy.
                    Segment(kept, marker, [.. body[..12], 0, 0]);
                    break;
                case 0xee when body.StartsWith("Adobe"u8):
                    // Says how the colours are to be understood.
                    Segment(kept, marker, body[..12]);
                    break;
                case 0xda:
                    scans++;
                    Segment(kept, marker, body);
                    var first = at;
                    while (file[at] != 0xff || file[at + 1] is 0x00 or (>= 0xd0 and <= 0xd7))
                    {
                        at++;
                    }

                    kept.Write(file[first..at]);
                    break;
                case >= 0xe0 and <= 0xef or 0xfe:
                    break;
                default:
                    throw new FormatException($"A JPEG has a segment of a kind (0x{marker:x2}) that no photo needs.");
            }
        }

        if (scans == 0 || width == 0)
        {
            throw new FormatException("A JPEG has no picture in it.");
        }

        kept.Write([0xff, 0xd9]);
        var bytes = kept.ToArray();
        if (turn == 1)
        {
            return new("image/jpeg", width, height, bytes);
        }

        // Only how it has to be turned: one field (0x0112) in a new block.
        byte[] exif = [.. "Exif\0\0MM\0*\0\0\0\u0008\0\u0001\u0001\u0012\0\u0003\0\0\0\u0001\0"u8, (byte)turn, 0, 0, 0, 0, 0, 0];
        var after = bytes[3] == 0xe0 ? 4 + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)) : 2;
        using MemoryStream turned = new(bytes.Length + exif.Length + 4);
        turned.Write(bytes.AsSpan(0, after));
        Segment(turned, 0xe1, exif);
        turned.Write(bytes.AsSpan(after));
        return turn >= 5 ? new("image/jpeg", height, width, turned.ToArray()) : new("image/jpeg", width, height, turned.ToArray());
    }

    private static void Segment(MemoryStream kept, byte marker, ReadOnlySpan<byte> body)
    {
        kept.Write([0xff, marker, (byte)((body.Length + 2) >> 8), (byte)(body.Length + 2)]);
        kept.Write(body);
    }

    /// <summary>The orientation (tag 0x0112 of the first directory; EXIF 2.32, 4.6.4): 1 to 8; 1 when it is not said, or the block cannot be read.</summary>
    private static int TurnOf(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 14 || (!tiff.StartsWith("II*\0"u8) && !tiff.StartsWith("MM\0*"u8)))
        {
            return 1;
        }

        var little = tiff[0] == (byte)'I';
        var directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2)
        {
            return 1;
        }

        var fields = tiff[(int)directory..];
        var count = Short(fields);
        for (var i = 0; i < count && fields.Length >= 14 + (12 * i); i++)
        {
            var field = fields[(2 + (12 * i))..];
            if (Short(field) == 0x0112)
            {
                return Short(field[8..]) is >= 1 and <= 8 and var turn ? turn : 1;
            }
        }

        return 1;

        int Short(ReadOnlySpan<byte> at) => little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
    }

    private static PhotoFile Png(ReadOnlySpan<byte> file)
    {
        using MemoryStream kept = new(file.Length);
        kept.Write(PngSignature);
        var (width, height, at, data) = (0, 0, 8, false);
        while (true)
        {
            var length = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(file[at..]), int.MaxValue);
            var whole = file.Slice(at, length <= file.Length ? length + 12 : int.MaxValue);
            var kind = System.Text.Encoding.Latin1.GetString(whole.Slice(4, 4));
            if (at == 8 != (kind == "IHDR"))
            {
                throw new FormatException("A PNG has to begin with its header, and have one.");
            }

            at += whole.Length;
            switch (kind)
            {
                case "IHDR":
                    (width, height) = (BinaryPrimitives.ReadInt32BigEndian(whole[8..]), BinaryPrimitives.ReadInt32BigEndian(whole[12..]));
                    kept.Write(whole);
                    break;
                case "PLTE" or "tRNS" or "gAMA" or "cHRM" or "sRGB" or "sBIT" or "bKGD" or "pHYs":
                    kept.Write(whole);
                    break;
                case "IDAT":
                    data = true;
                    kept.Write(whole);
                    break;
                case "acTL":
                    throw new FormatException("A PNG that moves is no photo.");
                case "IEND" when data:
                    kept.Write(whole);
                    return new("image/png", width, height, kept.ToArray());
                case { } critical when char.IsAsciiLetterUpper(critical[0]):
                    throw new FormatException($"A PNG has a part ({critical}) that no photo needs, or no picture in it.");
            }
        }
    }

    private static PhotoFile Webp(ReadOnlySpan<byte> file)
    {
        using MemoryStream kept = new(file.Length);
        kept.Write("RIFF\0\0\0\0WEBP"u8);
        var end = 8 + (long)BinaryPrimitives.ReadUInt32LittleEndian(file[4..]);
        if (end > file.Length)
        {
            throw new FormatException("A WebP ends too early.");
        }

        var (width, height, at, extended) = (0, 0, 12, -1);
        while (at + 8 <= end)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);
            var size = 8 + length + (length & 1);
            if (at + 8 + length > end)
            {
                throw new FormatException("A part of a WebP is longer than the file.");
            }

            var part = file.Slice(at, (int)Math.Min(size, end - at));
            var body = part.Slice(8, (int)length);
            at += (int)size;
            if (part.StartsWith("VP8X"u8))
            {
                if ((body[0] & 0x02) != 0)
                {
                    throw new FormatException("A WebP that moves is no photo.");
                }

                (width, height) = (1 + (body[4] | (body[5] << 8) | (body[6] << 16)), 1 + (body[7] | (body[8] << 8) | (body[9] << 16)));
                extended = (int)kept.Length;
                kept.Write(part);
            }
            else if (part.StartsWith("VP8 "u8) || part.StartsWith("VP8L"u8))
            {
                if (width == 0)
                {
                    (width, height) = part[3] == (byte)' '
                        ? (BinaryPrimitives.ReadUInt16LittleEndian(body[6..]) & 0x3fff, BinaryPrimitives.ReadUInt16LittleEndian(body[8..]) & 0x3fff)
                        : (1 + (body[1] | ((body[2] & 0x3f) << 8)), 1 + ((body[2] >> 6) | (body[3] << 2) | ((body[4] & 0x0f) << 10)));
                }

                kept.Write(part);
                var bytes = kept.ToArray();
                if (extended >= 0)
                {
                    // Of what it says it has only transparency is left.
                    bytes[extended + 8] &= 0x10;
                }

                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), (uint)(bytes.Length - 8));
                return new("image/webp", width, height, bytes);
            }
            else if (part.StartsWith("ALPH"u8) && extended >= 0)
            {
                kept.Write(part);
            }
        }

        throw new FormatException("A WebP has no picture in it.");
    }
}
