using CsCheck;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series.Tests;

/// <summary>Observations for the log's tests: plain ones as a city sends them, and any that the store takes.</summary>
internal static class LogRows
{
    private static readonly DateTime Start = new(2026, 10, 1, 0, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<double> AnyNumber = Gen.OneOf(
        Gen.Double.Where(double.IsFinite), Const(0.0, -0.0, double.MaxValue, double.MinValue, double.Epsilon, -double.Epsilon, 12.3));

    /// <summary>Anything that ObservationCheck lets in, the extremes often.</summary>
    public static readonly Gen<Observation> Any =
        from datastream in Gen.OneOf(Gen.Int[1, 50], Gen.Int[1, int.MaxValue], Const(1, int.MaxValue))
        from micros in Gen.OneOf(
            Gen.Long[EventTime.MinMicros, EventTime.MaxMicros], Gen.Long[1_790_000_000_000_000, 1_790_000_100_000_000], Const(EventTime.MinMicros, EventTime.MaxMicros, 0, -1))
        from result in AnyNumber
        from quality in Gen.OneOf(Gen.Const(0), Gen.Int)
        from raw in Gen.OneOf(Gen.Const(double.NaN), AnyNumber)
        from calibration in Gen.OneOf(Gen.Const(0), Gen.Int)
        from coverage in Gen.OneOf(Gen.Const(double.NaN), Gen.Double[0, 1], Const(0.0, -0.0, 1.0))
        from revision in Gen.OneOf(Gen.Const(0), Gen.Int)
        select new Observation(datastream, EventTime.Time(micros), result, (Quality)quality) { Raw = raw, Calibration = calibration, Coverage = coverage, Revision = revision };

    private static Gen<T> Const<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>Plain readings in order of arrival: stations one after the other, each with its five quantities of one minute.</summary>
    public static Observation[] City(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(i => new Observation(1 + (i % 10_000), Start.AddMinutes(i / 10_000).AddSeconds(i / 5 % 60), i % 977 / 10.0, Quality.Good))];

    /// <summary>The same to the last bit; any NaN is as good as another.</summary>
    public static bool Same(ReadOnlySpan<Observation> a, ReadOnlySpan<Observation> b)
    {
        if (a.Length != b.Length)
        {
            return false;
        }

        for (var i = 0; i < a.Length; i++)
        {
            if (!ObservationOrder.Same.Instance.Equals(a[i], b[i]) || a[i].PhenomenonTime.Kind != b[i].PhenomenonTime.Kind)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>A log in a folder, with what a replay found.</summary>
internal sealed class OpenedLog : IDisposable
{
    private OpenedLog(WriteAheadLog log, List<(long Segment, long Commit, Observation[] Rows)> groups) => (Log, Groups) = (log, groups);

    public WriteAheadLog Log { get; }

    public List<(long Segment, long Commit, Observation[] Rows)> Groups { get; }

    public static OpenedLog Open(string folder, long segmentBytesMax = 1 << 20, LogDisk? disk = null)
    {
        var groups = new List<(long, long, Observation[])>();
        return new OpenedLog(WriteAheadLog.Open(folder, segmentBytesMax, (segment, group) => groups.Add((segment, group.Commit, group.Rows.ToArray())), disk), groups);
    }

    public void Dispose() => Log.Dispose();
}
