using System.Diagnostics.CodeAnalysis;

namespace Hub.Edge.Contract.Quantities;

/// <summary>Fixed table from short UTF-8 keys to values, looked up without allocating. Immutable; safe from any thread.</summary>
internal sealed class Utf8Table<TValue>
    where TValue : class
{
    private readonly byte[]?[] _keys;
    private readonly TValue?[] _values;
    private readonly int _mask;

    public Utf8Table(IReadOnlyCollection<TValue> values, Func<TValue, byte[]> key)
    {
        // At most half full, so that a miss ends after a step or two.
        int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(values.Count * 2) + 1);
        _keys = new byte[size][];
        _values = new TValue[size];
        _mask = size - 1;
        foreach (TValue value in values)
        {
            byte[] bytes = key(value);
            int slot = (int)(Hash(bytes) & (uint)_mask);
            while (_keys[slot] is { } taken)
            {
                if (taken.AsSpan().SequenceEqual(bytes))
                {
                    throw new ArgumentException("The key " + System.Text.Encoding.UTF8.GetString(bytes) + " occurs twice.", nameof(values));
                }

                slot = (slot + 1) & _mask;
            }

            _keys[slot] = bytes;
            _values[slot] = value;
        }
    }

    public bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out TValue? value)
    {
        int slot = (int)(Hash(key) & (uint)_mask);
        while (_keys[slot] is { } candidate)
        {
            if (key.SequenceEqual(candidate))
            {
                value = _values[slot]!;
                return true;
            }

            slot = (slot + 1) & _mask;
        }

        value = null;
        return false;
    }

    // FNV-1a, 32 bits. The table is fixed and small, so a hostile key can only miss.
    private static uint Hash(ReadOnlySpan<byte> key)
    {
        uint hash = 2166136261;
        foreach (byte b in key)
        {
            hash = (hash ^ b) * 16777619;
        }

        return hash;
    }
}
