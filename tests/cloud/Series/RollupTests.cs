using CsCheck;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Figures folded from the rows of a rollup: deterministic to the last bit, and those of the observations but for rounding.</summary>
public sealed class RollupTests
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    private static readonly long Start = EventTime.Micros(new DateTime(2026, 10, 24, 22, 0, 0, DateTimeKind.Utc));

    private static readonly Statistic[] Foldable = [.. Enum.GetValues<Statistic>().Where(s => s != Statistic.Percentile)];

    /// <summary>Observations at seconds of 30 h around the end of summer time, results as of levels, flags and coverages now and then.</summary>
    private static readonly Gen<(long Micros, double Result, Quality Quality, double Coverage)[]> Sets = Gen.Select(
            Gen.Int[0, 30 * 3600],
            Gen.OneOf(Gen.Double[-40, 130], Gen.Const(0.0), Gen.Const(-0.0)),
            Gen.Frequency((9, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.Stuck))),
            Gen.Frequency((4, Gen.Const(double.NaN)), (1, Gen.Double[0, 1])))
        .Array[1, 300]
        .Select(set => set.DistinctBy(o => o.Item1).OrderBy(o => o.Item1).Select(o => (Start + (o.Item1 * 1_000_000L), o.Item2, o.Item3, o.Item4)).ToArray());

    /// <summary>Widths with cells of each resolution, of as many as the width and of fewer, in UTC and on local clocks; and two without.</summary>
    private static readonly BucketWidth[] AllWidths =
    [
        Utc(1), Utc(2), Utc(15), Utc(30), Utc(60), Utc(180), Utc(24 * 60), new(TimeSpan.FromDays(1), Lisbon), new(TimeSpan.FromDays(7), Lisbon), new(TimeSpan.FromMinutes(30), Lisbon),
        new(TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById("Asia/Kathmandu")), new(TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById("Australia/Lord_Howe")),
        new(TimeSpan.FromSeconds(90)), new(TimeSpan.FromSeconds(59)),
    ];

    private static readonly Gen<BucketWidth> Widths = Gen.Int[0, AllWidths.Length - 1].Select(i => AllWidths[i]);

    [Fact]
    public void A_cell_given_as_its_row_or_as_its_observations_is_the_same_to_the_last_bit() =>
        Gen.Select(Sets, Widths, Gen.Int[0, 40 * 3600], Gen.Int[0, 40 * 3600], Gen.Bool, Gen.Int[0, int.MaxValue]).Sample((set, every, from, to, without, seed) =>
        {
            foreach (var statistic in Foldable)
            {
                var query = new AggregateQuery(
                    1, EventTime.Time(Start + (from * 1_000_000L)), EventTime.Time(Start + (to * 1_000_000L)), every, statistic, without ? Quality.Stuck : Quality.Good)
                { Cadence = TimeSpan.FromSeconds(30) };
                var plain = new BucketFold(query, 100_000);
                if (plain.Cells is not { } cells)
                {
                    continue;
                }

                var rows = Rows(set, cells, RollupColumns.All);
                foreach (var (micros, result, quality, coverage) in set)
                {
                    plain.Add(micros, result, quality, coverage);
                }

                var random = new Random(seed);
                var mixed = new BucketFold(query, 100_000);
                foreach (var row in rows)
                {
                    if (random.Next(4) == 0 || !mixed.TryAdd(row))
                    {
                        foreach (var (micros, result, quality, coverage) in set.Where(o => o.Micros >= row.Start && o.Micros < row.End))
                        {
                            mixed.Add(micros, result, quality, coverage);
                        }
                    }
                }

                var whole = plain.Complete().Select(Bits).ToList();
                Assert.Equal(whole, mixed.Complete().Select(Bits));

                // And many at once, as far as they can stand for their observations.
                var runs = new BucketFold(query, 100_000);
                for (var at = 0; at < rows.Count;)
                {
                    var wanted = Math.Min(1 + random.Next(30), rows.Count - at);
                    var taken = random.Next(6) == 0 ? 0 : runs.Add(Span(statistic, [.. rows.Skip(at).Take(wanted)]));
                    at += taken;
                    if (taken < wanted)
                    {
                        var row = rows[at++];
                        foreach (var (micros, result, quality, coverage) in set.Where(o => o.Micros >= row.Start && o.Micros < row.End))
                        {
                            runs.Add(micros, result, quality, coverage);
                        }
                    }
                }

                Assert.Equal(whole, runs.Complete().Select(Bits));
            }
        });

    [Fact]
    public void Figures_folded_in_cells_are_those_of_the_definition_exact_where_nothing_is_rounded() =>
        Gen.Select(Sets, Widths).Sample((set, every) =>
        {
            foreach (var statistic in Foldable)
            {
                var query = new AggregateQuery(1, DateTime.MinValue, DateTime.MaxValue, every, statistic) { Cadence = TimeSpan.FromSeconds(30) };
                var folded = new BucketFold(query, 100_000);
                foreach (var (micros, result, quality, coverage) in set)
                {
                    folded.Add(micros, result, quality, coverage);
                }

                var buckets = folded.Complete();
                Assert.Equal(set.Length, buckets.Sum(b => b.Count));
                foreach (var other in buckets)
                {
                    var members = set.Where(o => o.Micros >= EventTime.Micros(other.Start) && o.Micros < EventTime.Micros(other.End)).ToArray();

                    // All additions one after the other, without cells.
                    var sums = default(BucketSums);
                    foreach (var (_, result, quality, coverage) in members)
                    {
                        sums.Add(statistic, result, quality, coverage);
                    }

                    var one = sums.ToBucket(statistic, EventTime.Micros(other.Start), EventTime.Micros(other.End), query.Cadence);
                    Assert.Equal(Exact(one), Exact(other));
                    Assert.Equal(one.Coverage, other.Coverage, 1e-12);
                    switch (statistic)
                    {
                        case Statistic.Count or Statistic.Min or Statistic.Max or Statistic.First or Statistic.Last:
                            Assert.Equal(BitConverter.DoubleToInt64Bits(one.Value), BitConverter.DoubleToInt64Bits(other.Value));
                            break;
                        case Statistic.Sum or Statistic.Mean:
                            // Relative to what was added up: of results of both signs little may be left.
                            Assert.Equal(one.Value, other.Value, Math.Max(1e-300, 1e-12 * members.Sum(o => Math.Abs(o.Result))));
                            break;
                        case Statistic.EnergyMean:
                            Assert.Equal(Math.Pow(10, one.Value / 10), Math.Pow(10, other.Value / 10), 1e-12 * Math.Pow(10, one.Value / 10));
                            break;
                        case Statistic.CircularMean when members.Length == 1 || Strength(members.Select(o => o.Result)) > 1e-3:
                            var turn = Math.Abs(one.Value - other.Value);
                            Assert.InRange(Math.Min(turn, 360 - turn), 0, 1e-9);
                            break;
                    }
                }
            }
        });

    [Fact]
    public void Sums_that_are_not_wanted_are_none_and_the_others_do_not_depend_on_them() =>
        Sets.Sample(set =>
        {
            var all = Rows(set, TimeSpan.FromMinutes(15), RollupColumns.All);
            Assert.Equal(
                all.Select(row => row with { EnergySum = double.NaN, East = double.NaN, North = double.NaN }), Rows(set, TimeSpan.FromMinutes(15), RollupColumns.None));
            Assert.Equal(set.Length, all.Sum(row => row.Count));
        });

    [Fact]
    public void What_cannot_be_folded_is_refused()
    {
        var query = new AggregateQuery(1, DateTime.MinValue, DateTime.MaxValue, Utc(30), Statistic.Mean);
        var row = Rows([(Start, 1, Quality.Good, double.NaN)], TimeSpan.FromMinutes(15), RollupColumns.All)[0];
        Assert.Throws<ArgumentException>(() => new BucketFold(query with { Statistic = Statistic.Percentile }, 10).TryAdd(row));
        Assert.Throws<ArgumentException>(() => new BucketFold(query with { Every = Utc(7) }, 10).TryAdd(row));
        Assert.Throws<ArgumentException>(() => new BucketFold(query with { Every = Utc(60) }, 10).TryAdd(row));
        Assert.Throws<ArgumentException>(() => new BucketFold(query, 10).TryAdd(row with { Start = row.Start + 1, End = row.End + 1 }));
        var fold = new BucketFold(query, 10);
        Assert.True(fold.TryAdd(row));
        Assert.Throws<ArgumentException>(() => fold.TryAdd(row));
        var mixed = new BucketFold(query, 10);
        mixed.Add(Start, 1, Quality.Good, double.NaN);
        Assert.Throws<ArgumentException>(() => mixed.TryAdd(row));

        // Among many as well: a later one that is not of the resolution, one that comes again, and one that comes late.
        var next = row with { Start = row.End, End = row.End + (row.End - row.Start) };
        Assert.Equal(2, new BucketFold(query, 10).Add(Span(Statistic.Mean, row, next)));
        foreach (var other in new[] { row, row with { Start = row.Start - (row.End - row.Start) }, next with { Start = next.Start + 1 } })
        {
            Assert.Throws<ArgumentException>(() => new BucketFold(query, 10).Add(Span(Statistic.Mean, row, other)));
        }
    }

    private static RollupSpan Span(Statistic statistic, params RollupRow[] rows) => new(
        rows[0].End - rows[0].Start,
        rows.Select(row => row.Start).ToArray(),
        rows.Select(row => RollupSpan.Halves(row.Count).Low).ToArray(),
        rows.Select(row => RollupSpan.Halves(row.Count).High).ToArray(),
        rows.Select(row => (int)row.Quality).ToArray(),
        rows.Select(row => row.Covered == row.Count ? double.NaN : row.Covered).ToArray(),
        rows.Select(row => row.Min).ToArray(),
        rows.Select(row => row.Max).ToArray(),
        rows.Select(row => statistic switch
        {
            Statistic.Sum or Statistic.Mean => row.Sum,
            Statistic.EnergyMean => row.EnergySum,
            Statistic.CircularMean => row.East,
            _ => row.First,
        }).ToArray(),
        rows.Select(row => statistic == Statistic.CircularMean ? row.North : row.Last).ToArray());

    private static BucketWidth Utc(int minutes) => new(TimeSpan.FromMinutes(minutes));

    private static List<RollupRow> Rows(IEnumerable<(long Micros, double Result, Quality Quality, double Coverage)> set, TimeSpan cells, RollupColumns columns)
    {
        List<RollupRow> rows = [];
        var fold = new RollupFold(cells, columns, rows.Add);
        foreach (var (micros, result, quality, coverage) in set)
        {
            fold.Add(micros, result, quality, coverage);
        }

        fold.Complete();
        return rows;
    }

    private static double Strength(IEnumerable<double> degrees) =>
        double.Hypot(degrees.Average(d => Math.Sin(double.DegreesToRadians(d))), degrees.Average(d => Math.Cos(double.DegreesToRadians(d))));

    private static (DateTime, DateTime, long, Quality, double, double) Exact(Bucket b) => (b.Start, b.End, b.Count, b.Quality, b.Min, b.Max);

    private static string Bits(Bucket b) => FormattableString.Invariant(
        $"{b.Start:O} {b.End:O} {BitConverter.DoubleToInt64Bits(b.Value):x} {b.Count} {b.Quality} {BitConverter.DoubleToInt64Bits(b.Min):x} {BitConverter.DoubleToInt64Bits(b.Max):x} {BitConverter.DoubleToInt64Bits(b.Coverage):x}");
}
