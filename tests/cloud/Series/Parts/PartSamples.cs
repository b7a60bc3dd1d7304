using System.Runtime.InteropServices;
using CsCheck;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Rows of one datastream, as they are given to a writer.</summary>
internal sealed record PartRows(int Datastream, ObservationColumns Rows);

/// <summary>Rows for parts: arbitrary ones, and those of the workload that sizes are stated for.</summary>
internal static class PartSamples
{
    private const long MicrosPerMinute = 60_000_000;

    private static readonly double[] Odd =
    [
        0, -0.0, double.Epsilon, -double.Epsilon, double.MaxValue, double.MinValue, double.PositiveInfinity, double.NegativeInfinity, 1L << 53, (1L << 53) + 2.0, 0.1 + 0.2, 1e-9, 123456789.123456789,
        9007199254740991, 4503599627370495.5, 1e15 + 0.3, 1e22, 1.0 / 3, 0.05, 1e-10, 5e-324, 2.5, 1e300,
    ];

    /// <summary>Any rows: each datastream has a manner of its own (whole numbers, decimals, noise, odd values), gaps, missing values, jumps; order and keys as a part demands.</summary>
    public static Gen<List<PartRows>> Any(int datastreamsMax, int rowsMax) =>
        Gen.Select(Gen.Int[1, datastreamsMax], Gen.ULong, (count, seed) => Make(count, rowsMax, new Random((int)(seed ^ (seed >> 32)))));

    /// <summary>Writes a part. A datastream may be handed over in pieces.</summary>
    public static PartSummary Write(string path, IEnumerable<PartRows> rows, int bundleRows = PartFormat.BundleRows, int bundleRowsMax = PartFormat.BundleRowsMax, int groupRows = PartFormat.GroupRows)
    {
        using var writer = new PartWriter(path, bundleRows, bundleRowsMax, groupRows);
        foreach (var part in rows)
        {
            writer.Add(part.Datastream, part.Rows);
        }

        return writer.Complete();
    }

    /// <summary>Compares bit for bit; any NaN of raw and coverage is as good as another.</summary>
    public static void AssertSame(ObservationColumns expected, int from, int to, ObservationColumns actual, int actualFrom = 0)
    {
        Assert.True(actual.Count >= actualFrom + to - from, $"{actual.Count - actualFrom} rows, {to - from} expected");
        for (var i = 0; i < to - from; i++)
        {
            var (e, a) = (from + i, actualFrom + i);
            if (expected.Micros[e] != actual.Micros[a] || Bits(expected.Results[e], false) != Bits(actual.Results[a], false) || expected.Qualities[e] != actual.Qualities[a]
                || Bits(expected.Raws[e], true) != Bits(actual.Raws[a], true) || expected.Calibrations[e] != actual.Calibrations[a]
                || Bits(expected.Coverages[e], true) != Bits(actual.Coverages[a], true) || expected.Revisions[e] != actual.Revisions[a])
            {
                Assert.Fail($"row {e}: {Text(expected, e)} was written and {Text(actual, a)} came back");
            }
        }
    }

    /// <summary>Puts the pieces of a datastream together.</summary>
    public static List<PartRows> Joined(IEnumerable<PartRows> rows)
    {
        List<PartRows> joined = [];
        foreach (var part in rows)
        {
            if (joined.Count == 0 || joined[^1].Datastream != part.Datastream)
            {
                joined.Add(new PartRows(part.Datastream, new ObservationColumns()));
            }

            joined[^1].Rows.AddRange(part.Rows, 0, part.Rows.Count);
        }

        return joined;
    }

    /// <summary>
    /// One day of the workload that sizes are stated for: stations with five quantities each, one reading a minute at the station's second; daily curve with rush hours at 8 and 18 h, AR(1), sensor noise,
    /// rounded to one decimal, vehicles to whole numbers. Datastream = quantity x stations + station.
    /// </summary>
    public static IEnumerable<PartRows> City(int stations, bool isDetailed = false, int firstStation = 0)
    {
        const int Minutes = 1440;
        const long Start = 1_790_812_800_000_000;
        for (var quantity = 0; quantity < 5; quantity++)
        {
            for (var station = 0; station < stations; station++)
            {
                var random = new Random((quantity * 1_000_003) + station + firstStation);
                var second = new Random(station + firstStation).Next(60);
                var mean = 1 + (59 * random.NextDouble());
                var level = 0.0;
                var rows = new ObservationColumns();
                CollectionsMarshal.SetCount(rows.Micros, Minutes);
                for (var minute = 0; minute < Minutes; minute++)
                {
                    var value = Value(random, quantity, minute / 60.0, mean, ref level);
                    rows.Micros[minute] = Start + (minute * MicrosPerMinute) + (second * 1_000_000L);
                    var isPart = isDetailed && random.Next(50) == 0;
                    rows.Results.Add(isDetailed ? Math.Round((value * 1.08) - 0.4, 2) : value);
                    rows.Qualities.Add(isPart ? 128 : 0);
                    rows.Raws.Add(isDetailed ? value : double.NaN);
                    rows.Calibrations.Add(isDetailed ? 1 + (station % 4) : 0);
                    rows.Coverages.Add(isDetailed ? (isPart ? random.Next(60) / 60.0 : 1) : double.NaN);
                    rows.Revisions.Add(0);
                }

                yield return new PartRows((quantity * stations) + station, rows);
            }
        }
    }

    private static double Value(Random random, int quantity, double hour, double mean, ref double level)
    {
        var rush = Math.Exp(-(hour - 8) * (hour - 8) / 4) + Math.Exp(-(hour - 18) * (hour - 18) / 4);
        switch (quantity)
        {
            case 0:
                level = (0.98 * level) + (0.40 * Normal(random));
                return Math.Round(Math.Max(0, 12 + (6 * rush) + level + (0.20 * Normal(random))), 1);
            case 1:
                level = (0.97 * level) + (0.80 * Normal(random));
                return Math.Round(Math.Max(0, 25 + (20 * rush) + level + (0.40 * Normal(random))), 1);
            case 2:
                level = (0.70 * level) + (1.2 * Normal(random));
                return Math.Round(58 + (8 * rush) + level, 1);
            case 3:
                return Poisson(random, mean * (0.3 + rush));
            default:
                level = (0.995 * level) + (0.04 * Normal(random));
                return Math.Round(15 - (5 * Math.Cos((hour - 3) / 24 * 2 * Math.PI)) + level + (0.05 * Normal(random)), 1) + 0.0;
        }
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static int Poisson(Random random, double mean)
    {
        var (limit, product, count) = (Math.Exp(-mean), 1.0, 0);
        do
        {
            count++;
            product *= random.NextDouble();
        }
        while (product > limit);
        return count - 1;
    }

    private static List<PartRows> Make(int count, int rowsMax, Random random)
    {
        List<PartRows> all = [];
        long next = random.Next(4) == 0 ? int.MinValue : random.Next(-3, 100);
        for (var i = 0; i < count && next <= int.MaxValue; i++)
        {
            var datastream = (int)next;
            var rows = MakeRows(random, 1 + random.Next(rowsMax));
            if (random.Next(4) == 0 && rows.Count > 1)
            {
                // In two pieces.
                var cut = random.Next(1, rows.Count);
                var (first, second) = (new ObservationColumns(), new ObservationColumns());
                first.AddRange(rows, 0, cut);
                second.AddRange(rows, cut, rows.Count);
                all.Add(new PartRows(datastream, first));
                all.Add(new PartRows(datastream, second));
            }
            else
            {
                all.Add(new PartRows(datastream, rows));
            }

            next += random.Next(8) switch
            {
                0 => Math.Clamp(int.MaxValue - next, 1, int.MaxValue),
                1 => random.Next(1, 1 << 20),
                _ => 1,
            };
        }

        return all;
    }

    private static ObservationColumns MakeRows(Random random, int count)
    {
        var rows = new ObservationColumns();
        var (result, raw, coverage) = (random.Next(6), random.Next(8), random.Next(6));
        var (quality, calibration, revision) = (random.Next(4), random.Next(4), random.Next(4));
        var micros = random.Next(5) switch { 0 => EventTime.MinMicros, 1 => EventTime.MaxMicros - (count * 3_000_000L), _ => 1_790_812_800_000_000 };
        for (var i = 0; i < count && micros <= EventTime.MaxMicros; i++)
        {
            rows.Micros.Add(micros);
            rows.Results.Add(Any(random, result, i));
            rows.Qualities.Add(Any(random, quality) & int.MaxValue);
            rows.Raws.Add(raw < 2 || (raw == 2 && random.Next(3) == 0) ? double.NaN : Any(random, raw - 2, i));
            rows.Calibrations.Add(Any(random, calibration));
            rows.Coverages.Add(coverage switch { 0 => double.NaN, 1 => 1, 2 => random.Next(61) / 60.0, 3 => random.NextDouble(), 4 => random.Next(2) == 0 ? double.NaN : 0.5, _ => 0 });
            rows.Revisions.Add(Any(random, revision));
            micros += random.Next(100) == 0 ? random.NextInt64(1, 1 + ((EventTime.MaxMicros - micros) / 50)) : 1_000_000 + (random.Next(3) == 0 ? random.Next(1_000_000) : 0);
        }

        return rows;
    }

    private static double Any(Random random, int manner, int row) => manner switch
    {
        0 => row / 10 % 40,
        1 => Math.Round(20 + (30 * random.NextDouble()), 1),
        2 => Math.Round((random.NextDouble() - 0.5) * 1e6, random.Next(10)),
        3 => random.NextDouble(),
        4 => Odd[random.Next(Odd.Length)],
        _ => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)),
    };

    private static int Any(Random random, int manner) => manner switch
    {
        0 => 0,
        1 => 7,
        2 => random.Next(10) == 0 ? random.Next(512) : 0,
        _ => (int)random.NextInt64(int.MinValue, 1L + int.MaxValue),
    };

    private static long Bits(double value, bool anyNaN) => anyNaN && double.IsNaN(value) ? long.MinValue : BitConverter.DoubleToInt64Bits(value);

    private static string Text(ObservationColumns rows, int row) =>
        $"({rows.Micros[row]}, {rows.Results[row]:R}, {rows.Qualities[row]}, {rows.Raws[row]:R}, {rows.Calibrations[row]}, {rows.Coverages[row]:R}, {rows.Revisions[row]})";
}
