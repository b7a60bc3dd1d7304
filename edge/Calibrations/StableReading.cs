using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Calibrations;

/// <summary>
/// Notices when an instrument under a reference has settled: of the last values the two halves have the same mean within a quarter of the tolerance, and none is further than three tolerances from
/// the mean of all. A quarter, because an instrument that comes slowly still has several times as far to go as it moved. Pure; one caller at a time.
/// </summary>
/// <param name="quantity">What is measured.</param>
/// <param name="needed">Values that are looked at, <see cref="NeededMin"/> to <see cref="NeededMax"/>.</param>
internal sealed class StableReading(Quantity quantity, int needed)
{
    /// <summary>Fewest values that say anything.</summary>
    public const int NeededMin = 5;

    /// <summary>Most values that are looked at.</summary>
    public const int NeededMax = 1000;

    /// <summary>Values that are looked at where nobody said how many.</summary>
    public const int NeededDefault = 12;

    private readonly Queue<(double Value, DateTime At)> last = new(needed);

    /// <summary>Values looked at now, up to the number needed.</summary>
    public int Count => last.Count;

    /// <summary>How far the halves are apart, canonical unit; NaN below two values.</summary>
    public double Drift { get; private set; } = double.NaN;

    /// <summary>Largest distance from the mean; NaN without values.</summary>
    public double Reach { get; private set; } = double.NaN;

    /// <summary>How far the halves may be apart, canonical unit.</summary>
    public double DriftMax { get; private set; }

    /// <summary>True when it has settled.</summary>
    public bool IsStable => last.Count == needed && Drift <= DriftMax && Reach <= 12 * DriftMax;

    /// <summary>Takes the next value.</summary>
    public void Add(double value, DateTime at)
    {
        if (last.Count == needed)
        {
            last.Dequeue();
        }

        last.Enqueue((value, at));
        double mean = last.Average(entry => entry.Value);
        DriftMax = Tolerances.Of(quantity, mean) / 4;
        Reach = last.Max(entry => Math.Abs(entry.Value - mean));
        int half = last.Count / 2;
        Drift = half == 0 ? double.NaN : Math.Abs(last.Take(half).Average(entry => entry.Value) - last.Skip(last.Count - half).Average(entry => entry.Value));
    }

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        last.Clear();
        (Drift, Reach) = (double.NaN, double.NaN);
    }

    /// <summary>Statistics of the values looked at; there is at least one.</summary>
    public RawStatistics Statistics() => Of([.. last], energy: false);

    /// <summary>Statistics of values in the order they came.</summary>
    public static RawStatistics Of(IReadOnlyList<(double Value, DateTime At)> values, bool energy)
    {
        double mean = values.Average(entry => entry.Value);
        double deviation = values.Count < 2 ? 0 : Math.Sqrt(values.Sum(entry => (entry.Value - mean) * (entry.Value - mean)) / (values.Count - 1));
        return new RawStatistics(
            values.Count, energy ? 10 * Math.Log10(values.Average(entry => Math.Pow(10, entry.Value / 10))) : mean, deviation, values.Min(entry => entry.Value), values.Max(entry => entry.Value), values[0].At, values[^1].At);
    }
}
