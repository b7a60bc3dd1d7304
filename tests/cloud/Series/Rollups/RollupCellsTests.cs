using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Cells in the long form of files and back: every bit.</summary>
public sealed class RollupCellsTests(ITestOutputHelper output)
{
    private const long Hour = 3_600_000_000;

    /// <summary>Sums of decimals with the rounding of many additions, sums near zero of large summands, sums that overflow, and numbers without any pattern.</summary>
    private static readonly Gen<double[]> SomeResults = Gen.OneOf(
        Gen.Int[-400, 1_300].Select(i => i / 10.0).Array[1, 80],
        Gen.Int[-3, 3].Select(i => i / 10.0).Array[1, 80],
        Gen.OneOf(Gen.Const(0.0), Gen.Const(-0.0), Gen.Const(0.1), Gen.Const(-0.1)).Array[1, 10],
        Gen.Double[-1e3, 1e3].Array[1, 80],
        Gen.OneOf(Gen.Const(1e16), Gen.Const(-1e16), Gen.Const(0.3)).Array[1, 10],
        Gen.OneOf(Gen.Const(double.MaxValue), Gen.Const(double.MinValue), Gen.Double).Where(double.IsFinite).Array[1, 6]);

    private static readonly Gen<RollupRow[]> SomeDay = Gen.Select(
            SomeResults, Gen.Frequency((9, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.Stuck))), Gen.Frequency((4, Gen.Const(double.NaN)), (1, Gen.Double[0, 1])), Gen.Bool)
        .Array[1, 24]
        .Select(cells => cells.Select((cell, i) => cell.Item4 || i == 0 ? Row(i * Hour, cell.Item1, cell.Item2, cell.Item3) : (RollupRow?)null).OfType<RollupRow>().ToArray());

    [Fact]
    public void What_is_written_is_read_to_the_last_bit_for_every_statistic()
    {
        using var folder = new TempFolder();
        Gen.Select(SomeDay, SomeDay).Sample((one, other) =>
        {
            var path = folder.File($"{Guid.NewGuid():N}.parquet");
            using (var writer = new PartWriter(path, 20, 40, 100))
            {
                foreach (var (datastream, rows) in new[] { (7, one), (8, other), (RollupCells.DatastreamMax, one) })
                {
                    for (var code = 0; code < RollupCells.CodeCount; code++)
                    {
                        var columns = new ObservationColumns();
                        RollupCells.Encode((RollupCode)code, rows, columns);
                        writer.Add(RollupCells.Key(datastream, (RollupCode)code), columns);
                    }
                }

                writer.Complete();
            }

            using var reader = PartReader.Open(path);
            reader.Verify(CancellationToken.None);
            var read = new RollupRows();
            foreach (var statistic in Enum.GetValues<Statistic>().Where(s => s != Statistic.Percentile))
            {
                foreach (var (datastream, rows) in new[] { (7, one), (8, other), (RollupCells.DatastreamMax, one) })
                {
                    read.Read(reader, datastream, 0, Hour, RollupCells.Needed(statistic));
                    Assert.Equal((1u, 0u), (read.Days, read.Lacking));
                    Assert.Equal(rows.Select(row => Bits(statistic, row)), Enumerable.Range(0, read.Count).Select(cell => Bits(statistic, read.At(cell))));
                }

                read.Read(reader, 6, 0, Hour, RollupCells.Needed(statistic));
                Assert.Equal(0, read.Count);
            }

            File.Delete(path);
        },
        iter: 300);
    }

    [Fact]
    public void Sums_of_decimals_cost_a_few_bits()
    {
        using var folder = new TempFolder();
        var random = new Random(4);
        var path = folder.File("month.parquet");
        const int datastreams = 200;
        using (var writer = new PartWriter(path))
        {
            for (var datastream = 1; datastream <= datastreams; datastream++)
            {
                var level = 100 + random.Next(300);
                var rows = Enumerable.Range(0, 720).Select(i => Row(i * Hour, [.. Enumerable.Range(0, 60).Select(_ => (level += random.Next(-2, 3)) / 10.0)], Quality.Good, double.NaN)).ToArray();
                var columns = new ObservationColumns();
                RollupCells.Encode(RollupCode.Sum, rows, columns);
                writer.Add(RollupCells.Key(datastream, RollupCode.Sum), columns);
            }

            var bytes = writer.Complete().Bytes / (720.0 * datastreams);
            output.WriteLine($"{bytes:0.00} bytes a sum of sixty");
            Assert.InRange(bytes, 0.5, 3.5);
        }
    }

    private static RollupRow Row(long start, double[] results, Quality quality, double coverage)
    {
        RollupRow? found = null;
        var fold = new RollupFold(TimeSpan.FromHours(1), RollupColumns.All, row => found = row);
        for (var i = 0; i < results.Length; i++)
        {
            fold.Add(start + i, results[i], quality, coverage);
        }

        fold.Complete();
        return found!.Value;
    }

    private static string Bits(Statistic statistic, in RollupRow row)
    {
        var fold = new BucketFold(new AggregateQuery(1, DateTime.MinValue, DateTime.MaxValue, new BucketWidth(TimeSpan.FromHours(1)), statistic) { Cadence = TimeSpan.FromMinutes(1) }, 1);
        Assert.True(fold.TryAdd(row));
        var bucket = Assert.Single(fold.Complete());
        return FormattableString.Invariant(
            $"{row.Start} {row.End} {row.Count} {row.Quality} {Word(row.Covered)} {Word(row.Min)} {Word(row.Max)} {Word(bucket.Value)} {Word(statistic is Statistic.Sum or Statistic.Mean ? row.Sum : statistic is Statistic.First ? row.First : 0)}");
    }

    private static string Word(double value) => double.IsNaN(value) ? "NaN" : BitConverter.DoubleToInt64Bits(value).ToString("x", System.Globalization.CultureInfo.InvariantCulture);
}
