using System.Numerics;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>Counts latencies from 1 us to an hour in steps of at most 1.6 %. One writer at a time.</summary>
internal sealed class LatencyHistogram
{
    private const int StepBits = 6;
    private readonly long[] _counts = new long[(64 - StepBits) << StepBits];

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>Adds one.</summary>
    public void Add(TimeSpan latency)
    {
        _counts[Index((ulong)Math.Max(0, latency.Ticks / TimeSpan.TicksPerMicrosecond))]++;
        Count++;
    }

    /// <summary>Adds all of another one.</summary>
    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>The latency that a share of all does not exceed, milliseconds; NaN when there are none.</summary>
    public double Milliseconds(double share)
    {
        var (rank, seen) = ((long)Math.Ceiling(share * Count), 0L);
        for (var i = 0; i < _counts.Length && Count > 0; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Value(i) / 1000.0;
            }
        }

        return double.NaN;
    }

    private static int Index(ulong micros)
    {
        var shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount(micros | 1) - StepBits);
        return (shift << StepBits) + (int)(micros >> shift);
    }

    private static double Value(int index)
    {
        var shift = Math.Max(0, (index >> StepBits) - 1);
        return (double)((ulong)(index - (shift << StepBits)) << shift);
    }
}
