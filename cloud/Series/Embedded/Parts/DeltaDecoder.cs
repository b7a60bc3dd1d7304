using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// Reads DELTA_BINARY_PACKED in the shape that <see cref="DeltaEncoder"/> writes (groups of 32), forward only: values that are not wanted are added up without being stored. The bytes may be damaged.
/// Behind them the buffer has <see cref="Slack"/> further bytes, because bits are fetched eight bytes at a time. Values of 32 bits come with what wrapped around above their 32 bits: cast them.
/// </summary>
internal ref struct DeltaDecoder
{
    /// <summary>Bytes of the buffer that may be read, and are not used, behind the values.</summary>
    public const int Slack = 16;

    private const int Group = DeltaEncoder.Group;
    private const int BlockMax = 65_536;
    private readonly ReadOnlySpan<byte> _buffer;
    private readonly int _length;
    private readonly int _groups;
    private int _next;
    private int _widths;
    private int _data;
    private int _group;
    private int _inGroup = Group;
    private int _left;
    private int _width;
    private long _smallest;
    private long _value;
    private bool _first = true;

    /// <param name="buffer">The bytes, followed by the slack.</param>
    /// <param name="length">How many of them are the encoded values.</param>
    /// <param name="count">How many values there have to be.</param>
    /// <exception cref="InvalidDataException">The bytes do not begin with this number of values.</exception>
    public DeltaDecoder(ReadOnlySpan<byte> buffer, int length, int count)
    {
        if (buffer.Length - Slack < length)
        {
            throw new ArgumentException("The buffer has no slack behind the values.", nameof(buffer));
        }

        _buffer = buffer;
        _length = length;
        var block = Unsigned();
        var groups = Unsigned();
        var total = Unsigned();
        if (block is 0 or > BlockMax || block % Group != 0 || groups != block / Group || total != (ulong)count)
        {
            throw new InvalidDataException($"it says {total} values in blocks of {block} and {groups} groups where {count} values are expected");
        }

        _value = Signed();
        _groups = (int)groups;
        _group = _groups;
        _left = count;
    }

    /// <summary>Whether all values were taken and nothing stands behind them.</summary>
    public readonly bool IsAtEnd => _left == 0 && _next == _length;

    /// <summary>Passes over values.</summary>
    public void Skip(int count)
    {
        for (var done = First(count, default, store: false); done < count;)
        {
            var take = Enter(count - done);
            Sum(take);
            _inGroup += take;
            done += take;
        }
    }

    /// <summary>Reads the next values.</summary>
    public void Read(scoped Span<long> target)
    {
        for (var done = First(target.Length, target, store: true); done < target.Length;)
        {
            var take = Enter(target.Length - done);
            Unpack(target.Slice(done, take));
            _inGroup += take;
            done += take;
        }
    }

    /// <summary>Rows [start, end) of the values from one to another in a column of 32 bits in ascending order; an empty range when none is there. To be called first.</summary>
    public (int Start, int End) Find(int smallest, int largest)
    {
        if (_left == 0 || (int)_value > largest)
        {
            return (0, 0);
        }

        var start = (int)_value >= smallest ? 0 : -1;
        var count = _left;
        var row = First(count, default, store: false);
        while (row < count)
        {
            var take = Enter(count - row);
            if (_width == 0 && _smallest == 0)
            {
                // The usual case: rows of one datastream.
                row += take;
                _inGroup = take;
                continue;
            }

            for (; _inGroup < take; _inGroup++, row++)
            {
                _value += _smallest + (long)Above(_inGroup);
                if ((int)_value > largest)
                {
                    return start < 0 ? (0, 0) : (start, row);
                }

                start = (int)_value >= smallest && start < 0 ? row : start;
            }
        }

        return start < 0 ? (0, 0) : (start, row);
    }

    /// <summary>Takes the first value, which stands before all groups; checks that there are as many as wanted and counts them as taken.</summary>
    private int First(int wanted, scoped Span<long> target, bool store)
    {
        if (wanted > _left)
        {
            throw new InvalidDataException($"it has {_left} further values where {wanted} are expected");
        }

        _left -= wanted;
        if (!_first || wanted == 0)
        {
            return 0;
        }

        _first = false;
        if (store)
        {
            target[0] = _value;
        }

        return 1;
    }

    /// <summary>Goes to the next group when this one is used up; how many values to take from it.</summary>
    private int Enter(int wanted)
    {
        if (_inGroup >= Group)
        {
            if (++_group >= _groups)
            {
                _smallest = Signed();
                _widths = _next;
                _next += _groups;
                _group = 0;
            }

            if (_next > _length)
            {
                throw TooShort();
            }

            _width = _buffer[_widths + _group];
            _data = _next;
            _next += _width * Group / 8;
            if (_width > 64 || _next > _length)
            {
                throw TooShort();
            }

            _inGroup = 0;
        }

        return Math.Min(Group - _inGroup, wanted);
    }

    private void Unpack(scoped Span<long> target)
    {
        var value = _value;
        var smallest = _smallest;
        if (_width == 0)
        {
            for (var i = 0; i < target.Length; i++)
            {
                value += smallest;
                target[i] = value;
            }
        }
        else if (_width == 8)
        {
            var bytes = _buffer.Slice(_data + _inGroup, target.Length);
            for (var i = 0; i < target.Length; i++)
            {
                value += smallest + bytes[i];
                target[i] = value;
            }
        }
        else if (_width <= 57)
        {
            ref var data = ref Unsafe.Add(ref MemoryMarshal.GetReference(_buffer), _data);
            var mask = (1UL << _width) - 1;
            var bit = _inGroup * _width;
            for (var i = 0; i < target.Length; i++)
            {
                value += smallest + (long)((Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref data, bit >> 3)) >> (bit & 7)) & mask);
                target[i] = value;
                bit += _width;
            }
        }
        else
        {
            for (var i = 0; i < target.Length; i++)
            {
                value += smallest + (long)Above(_inGroup + i);
                target[i] = value;
            }
        }

        _value = value;
    }

    private void Sum(int count)
    {
        var sum = 0UL;
        if (_width == 8 && count == Group)
        {
            // Eight bytes at a time, in four lanes of 16 bits: the sum of 32 bytes fits into one lane.
            ref var data = ref Unsafe.Add(ref MemoryMarshal.GetReference(_buffer), _data);
            var lanes = 0UL;
            for (var i = 0; i < Group; i += sizeof(ulong))
            {
                var word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref data, i));
                lanes += (word & 0x00FF00FF00FF00FF) + ((word >> 8) & 0x00FF00FF00FF00FF);
            }

            sum = unchecked(lanes * 0x0001000100010001) >> 48;
        }
        else if (_width is > 0 and <= 57)
        {
            ref var data = ref Unsafe.Add(ref MemoryMarshal.GetReference(_buffer), _data);
            var mask = (1UL << _width) - 1;
            var bit = _inGroup * _width;
            for (var i = 0; i < count; i++)
            {
                sum += (Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref data, bit >> 3)) >> (bit & 7)) & mask;
                bit += _width;
            }
        }
        else if (_width > 0)
        {
            for (var i = 0; i < count; i++)
            {
                sum += Above(_inGroup + i);
            }
        }

        _value += (_smallest * count) + (long)sum;
    }

    /// <summary>What a value of the group has above the smallest difference; of any width.</summary>
    private readonly ulong Above(int index)
    {
        if (_width == 0)
        {
            return 0;
        }

        var bit = index * _width;
        ref var data = ref Unsafe.Add(ref MemoryMarshal.GetReference(_buffer), _data + (bit >> 3));
        var shift = bit & 7;
        var word = Unsafe.ReadUnaligned<ulong>(ref data) >> shift;
        if (shift + _width > 64)
        {
            word |= (ulong)Unsafe.Add(ref data, 8) << (64 - shift);
        }

        return _width == 64 ? word : word & ((1UL << _width) - 1);
    }

    private long Signed()
    {
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Unsigned()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = _next < _length ? _buffer[_next++] : throw TooShort();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("a number in its values does not end");
    }

    private static InvalidDataException TooShort() => new("its values end too early");
}
