namespace Hub.Cloud.QualityControl.Checks;

/// <summary>
/// Largest or smallest value of a window that only moves forward: each value comes in and goes out once, however wide the window is (a queue of those that no later one has made idle).
/// </summary>
/// <param name="values">What the window moves over; its values do not change meanwhile.</param>
/// <param name="isLargest">True for the largest, false for the smallest.</param>
internal sealed class SlidingExtreme(double[] values, bool isLargest)
{
    // A ring of indices, ascending; their values descend to the largest that came last, or ascend to the smallest.
    private int[] _ring = new int[16];
    private int _head;
    private int _count;

    /// <summary>The extreme; only while the window is not empty.</summary>
    public double Value => values[_ring[_head]];

    /// <summary>Moves the end of the window to behind an index.</summary>
    public void Add(int index)
    {
        while (_count > 0 && (isLargest ? values[Last] <= values[index] : values[Last] >= values[index]))
        {
            _count--;
        }

        if (_count == _ring.Length)
        {
            var larger = new int[_count * 2];
            _ring.AsSpan(_head).CopyTo(larger);
            _ring.AsSpan(0, _head).CopyTo(larger.AsSpan(_count - _head));
            (_ring, _head) = (larger, 0);
        }

        _ring[(_head + _count++) & (_ring.Length - 1)] = index;
    }

    /// <summary>Moves the begin of the window to an index.</summary>
    public void RemoveBefore(int index)
    {
        while (_count > 0 && _ring[_head] < index)
        {
            _head = (_head + 1) & (_ring.Length - 1);
            _count--;
        }
    }

    /// <summary>Empties the window.</summary>
    public void Clear() => _count = 0;

    private int Last => _ring[(_head + _count - 1) & (_ring.Length - 1)];
}
