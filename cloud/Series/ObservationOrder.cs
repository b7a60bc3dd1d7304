namespace Hub.Cloud.Series;

/// <summary>Which of two values for one key wins: decided by the values alone, so that the order of arrival cannot matter.</summary>
internal static class ObservationOrder
{
    /// <summary>Above zero when <paramref name="a"/> wins, below zero when <paramref name="b"/> does, zero when they are the same bit for bit (any NaN is as good as another).</summary>
    public static int Compare(in Observation a, in Observation b)
    {
        var order = a.Revision.CompareTo(b.Revision);
        order = order != 0 ? order : Total(a.Result).CompareTo(Total(b.Result));
        order = order != 0 ? order : ((int)a.Quality).CompareTo((int)b.Quality);
        order = order != 0 ? order : a.Calibration.CompareTo(b.Calibration);
        order = order != 0 ? order : Total(a.Raw).CompareTo(Total(b.Raw));
        return order != 0 ? order : Total(a.Coverage).CompareTo(Total(b.Coverage));
    }

    /// <summary>IEEE 754 total order as an integer: -0 below +0, and "not stated" (NaN) below every number.</summary>
    private static long Total(double value)
    {
        if (double.IsNaN(value))
        {
            return long.MinValue;
        }

        var bits = BitConverter.DoubleToInt64Bits(value);
        return bits ^ ((bits >> 63) & long.MaxValue);
    }

    /// <summary>Same key and same value, bit for bit.</summary>
    internal sealed class Same : IEqualityComparer<Observation>
    {
        public static readonly Same Instance = new();

        public bool Equals(Observation x, Observation y) => x.Datastream == y.Datastream && x.PhenomenonTime == y.PhenomenonTime && Compare(x, y) == 0;

        public int GetHashCode(Observation obj) => HashCode.Combine(obj.Datastream, obj.PhenomenonTime, obj.Revision, obj.Result);
    }
}
