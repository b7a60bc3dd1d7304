using System.Buffers.Binary;
using System.Numerics;

namespace Hub.Cloud.Series;

/// <summary>How the differences of a page are packed.</summary>
internal enum DeltaPacking
{
    /// <summary>In as few bits as they need: right for what hardly changes.</summary>
    Bits,

    /// <summary>In whole bytes, around one common smallest difference: takes more room, but the compressor then sees equal differences as equal bytes and gives the frequent ones fewer bits. Noise gets smaller so.</summary>
    Bytes,
}

/// <summary>
/// DELTA_BINARY_PACKED of Parquet: the first value, then per block the smallest difference and, in groups of 32, what each difference has above it, in the bits that the largest of the group needs.
/// A reader adds up what it finds, so a writer may take a smaller "smallest difference" and wider groups than necessary; <see cref="DeltaPacking.Bytes"/> does.
/// </summary>
internal static class DeltaEncoder
{
    /// <summary>Differences that share their number of bits.</summary>
    public const int Group = 32;

    public const int BitsBlock = 128;

    public const int BytesBlock = 1024;

    /// <summary>The most bytes so many values can take.</summary>
    public static int BytesMax(int count) => checked(80 + (((count / BitsBlock) + 1) * (10 + (BitsBlock / Group))) + (((count / Group) + 1) * Group * sizeof(long)));

    /// <summary>The most bytes that one value repeated so many times takes.</summary>
    public static int ConstantBytesMax(int count) => 40 + (((count / BitsBlock) + 1) * (1 + (BitsBlock / Group)));

    /// <summary>Encodes values; those of 32 bits wrap around in 32 bits. Returns the number of bytes.</summary>
    public static int Encode(ReadOnlySpan<long> values, PartType type, DeltaPacking packing, Span<byte> target)
    {
        var block = packing == DeltaPacking.Bits ? BitsBlock : BytesBlock;
        var common = packing == DeltaPacking.Bits ? long.MinValue : CommonSmallest(values, type);
        var at = Head(values.IsEmpty ? 0 : values[0], values.Length, block, target);
        Span<long> steps = stackalloc long[BytesBlock];
        for (var from = 1; from < values.Length; from += block)
        {
            var count = Math.Min(block, values.Length - from);
            var smallest = Steps(values, from, count, type, steps);
            if (packing == DeltaPacking.Bytes && common <= smallest)
            {
                smallest = common;
            }

            at += Signed(target[at..], smallest);
            at += PackBlock(steps[..count], smallest, type, packing, block / Group, target[at..]);
        }

        return at;
    }

    /// <summary>Encodes one value so many times.</summary>
    public static int EncodeConstant(long value, int count, Span<byte> target)
    {
        var at = Head(value, count, BitsBlock, target);
        for (var from = 1; from < count; from += BitsBlock)
        {
            target.Slice(at, 1 + (BitsBlock / Group)).Clear();
            at += 1 + (BitsBlock / Group);
        }

        return at;
    }

    private static int Head(long first, int count, int block, Span<byte> target)
    {
        var at = Unsigned(target, (ulong)block);
        at += Unsigned(target[at..], (ulong)(block / Group));
        at += Unsigned(target[at..], (ulong)count);
        return at + Signed(target[at..], first);
    }

    private static long Steps(ReadOnlySpan<long> values, int from, int count, PartType type, Span<long> steps)
    {
        var smallest = long.MaxValue;
        var previous = values[from - 1];
        for (var i = 0; i < count; i++)
        {
            var value = values[from + i];
            var step = type == PartType.Int32 ? (int)(value - previous) : unchecked(value - previous);
            previous = value;
            steps[i] = step;
            smallest = Math.Min(smallest, step);
        }

        return smallest;
    }

    private static int PackBlock(ReadOnlySpan<long> steps, long smallest, PartType type, DeltaPacking packing, int groups, Span<byte> target)
    {
        var widths = target[..groups];
        widths.Clear();
        var at = groups;
        Span<ulong> above = stackalloc ulong[Group];
        for (var group = 0; group * Group < steps.Length; group++)
        {
            var part = steps[(group * Group)..Math.Min((group + 1) * Group, steps.Length)];
            ulong all = 0;
            for (var i = 0; i < part.Length; i++)
            {
                var value = unchecked((ulong)(part[i] - smallest));
                above[i] = value = type == PartType.Int32 ? (uint)value : value;
                all |= value;
            }

            above[part.Length..].Clear();
            var width = 64 - BitOperations.LeadingZeroCount(all);
            width = packing == DeltaPacking.Bytes ? (width + 7) & ~7 : width;
            widths[group] = (byte)width;
            at += Pack(above, width, target[at..]);
        }

        return at;
    }

    private static int Pack(ReadOnlySpan<ulong> above, int width, Span<byte> target)
    {
        if (width == 8)
        {
            for (var i = 0; i < Group; i++)
            {
                target[i] = (byte)above[i];
            }
        }
        else if (width > 0)
        {
            ulong pending = 0;
            var bits = 0;
            var at = 0;
            foreach (var value in above)
            {
                pending |= value << bits;
                bits += width;
                if (bits >= 64)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(target[at..], pending);
                    at += sizeof(ulong);
                    bits -= 64;
                    pending = bits == 0 ? 0 : value >> (width - bits);
                }
            }

            if (bits > 0)
            {
                // 32 values of any width fill whole words of 32 bits.
                BinaryPrimitives.WriteUInt32LittleEndian(target[at..], (uint)pending);
            }
        }

        return Group * width / 8;
    }

    /// <summary>What to subtract from all differences of a page so that most fit into one byte: the middle one of a sample lands in the middle of the byte.</summary>
    private static long CommonSmallest(ReadOnlySpan<long> values, PartType type)
    {
        Span<long> sample = stackalloc long[63];
        var every = Math.Max(1, (values.Length - 1) / sample.Length);
        var count = 0;
        for (var i = 1; i < values.Length && count < sample.Length; i += every)
        {
            sample[count++] = unchecked(values[i] - values[i - 1]);
        }

        sample = sample[..count];
        sample.Sort();
        var middle = count == 0 ? 0 : sample[count / 2];
        return type == PartType.Int32 ? Math.Max(int.MinValue, middle - 128) : Math.Max(long.MinValue + 128, middle) - 128;
    }

    private static int Signed(Span<byte> target, long value) => Unsigned(target, (ulong)((value << 1) ^ (value >> 63)));

    private static int Unsigned(Span<byte> target, ulong value)
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
}
