using Hub.Cloud.Series;

namespace Hub.Cloud.Transfer.Migration;

/// <summary>
/// Count and checksum of observations in their order: equal exactly where the observations are, bit for bit (any NaN is as good as another), but for one chance in 2^64. Not against an adversary.
/// </summary>
internal struct SeriesChecksum
{
    private ulong _sum;

    /// <summary>Observations so far.</summary>
    public long Count { get; private set; }

    /// <summary>The checksum so far.</summary>
    public readonly ulong Value => _sum;

    /// <summary>The checksum of one observation.</summary>
    public static ulong Of(in Observation observation)
    {
        var sum = default(SeriesChecksum);
        sum.Add(observation);
        return sum.Value;
    }

    /// <summary>Adds the next observation; its datastream does not count.</summary>
    public void Add(in Observation observation)
    {
        Count++;
        Mix((ulong)observation.PhenomenonTime.Ticks);
        Mix(Bits(observation.Result));
        Mix(((ulong)(uint)(int)observation.Quality << 32) | (uint)observation.Calibration);
        Mix(Bits(observation.Raw));
        Mix(Bits(observation.Coverage));
        Mix((uint)observation.Revision);
    }

    private static ulong Bits(double value) => double.IsNaN(value) ? ulong.MaxValue : BitConverter.DoubleToUInt64Bits(value);

    // SplitMix64's finaliser over the running value: every bit of what came before takes part in every bit after.
    private void Mix(ulong value)
    {
        var mixed = (_sum ^ value) + 0x9e3779b97f4a7c15UL;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebUL;
        _sum = mixed ^ (mixed >> 31);
    }
}
