namespace Hub.Cloud.Series;

/// <summary>Definition levels of one bit in Parquet's RLE/bit-packed hybrid: for each row whether it has a value (1) or lacks it (0).</summary>
internal static class LevelRuns
{
    /// <summary>Encodes levels of 0 and 1; returns the number of bytes.</summary>
    public static int Encode(ReadOnlySpan<byte> levels, Span<byte> target)
    {
        var at = 0;
        for (var row = 0; row < levels.Length;)
        {
            var run = RunAt(levels, row);
            if (run >= 8 || row + run == levels.Length)
            {
                at += EncodeRun(levels[row], run, target[at..]);
                row += run;
                continue;
            }

            var start = row;
            do
            {
                row += 8;
            }
            while (row < levels.Length && RunAt(levels, row) < 16);
            at += Unsigned(target[at..], (((uint)(row - start) / 8) << 1) | 1);
            row = Math.Min(row, levels.Length);
            for (var from = start; from < row; from += 8)
            {
                var bits = 0;
                for (var i = from; i < Math.Min(from + 8, row); i++)
                {
                    bits |= levels[i] << (i - from);
                }

                target[at++] = (byte)bits;
            }
        }

        return at;
    }

    /// <summary>Encodes one level for so many rows.</summary>
    public static int EncodeRun(byte level, int rows, Span<byte> target)
    {
        var at = Unsigned(target, (uint)rows << 1);
        target[at++] = level;
        return at;
    }

    /// <summary>Decodes exactly as many levels as the target has room for; returns how many are 1. The bytes may be damaged.</summary>
    public static int Decode(ReadOnlySpan<byte> bytes, Span<byte> levels)
    {
        var at = 0;
        var row = 0;
        var defined = 0;
        while (row < levels.Length)
        {
            var head = Unsigned(bytes, ref at);
            var left = levels.Length - row;
            if ((head & 1) == 0)
            {
                var run = head >> 1;
                var level = at < bytes.Length ? bytes[at++] : throw Wrong();
                if (run == 0 || run > (uint)left || level > 1)
                {
                    throw Wrong();
                }

                levels.Slice(row, (int)run).Fill(level);
                defined += level * (int)run;
                row += (int)run;
                continue;
            }

            var groups = head >> 1;
            if (groups == 0 || groups > ((uint)left + 7) / 8 || groups > (uint)(bytes.Length - at))
            {
                throw Wrong();
            }

            for (var group = 0; group < groups; group++)
            {
                int bits = bytes[at++];
                for (var i = 0; i < 8 && row < levels.Length; i++, row++)
                {
                    levels[row] = (byte)((bits >> i) & 1);
                    defined += levels[row];
                }
            }
        }

        return at == bytes.Length ? defined : throw Wrong();
    }

    private static int RunAt(ReadOnlySpan<byte> levels, int row)
    {
        var rest = levels[row..];
        var run = rest.IndexOfAnyExcept(rest[0]);
        return run < 0 ? rest.Length : run;
    }

    private static int Unsigned(Span<byte> target, uint value)
    {
        var at = 0;
        while (value >= 0x80)
        {
            target[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[at++] = (byte)value;
        return at;
    }

    private static uint Unsigned(ReadOnlySpan<byte> bytes, ref int at)
    {
        uint value = 0;
        for (var shift = 0; shift < 32; shift += 7)
        {
            var next = at < bytes.Length ? bytes[at++] : throw Wrong();
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Wrong();
    }

    private static InvalidDataException Wrong() => new("its definition levels do not fit its rows");
}
