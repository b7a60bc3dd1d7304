using CsCheck;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Transfer.Tests;

/// <summary>What is exported comes back the same to the last bit, in every format.</summary>
public sealed class RoundTripTests
{
    private static readonly string[] Properties = ["no2", "laeq", "vehicle_count"];

    private static readonly Gen<double> SomeResult = Gen.OneOf(Gen.Int[-500, 5000].Select(i => i / 10.0), Gen.Double.Where(double.IsFinite), Among(0.0, -0.0, double.Epsilon, double.MaxValue, double.MinValue, 0.1 + 0.2));

    private static readonly Gen<Observation> SomeObservation = Gen.Select(
        Gen.Int[1, 4],
        Gen.Long[0, 40].Select(i => new DateTime(2026, 3, 29, 0, 0, 0, DateTimeKind.Utc).AddTicks(i * 37 * TimeSpan.TicksPerMinute / 7 / 10 * 10)),
        SomeResult,
        Gen.Int[0, 511],
        Gen.Select(Gen.OneOf(SomeResult, Among(double.NaN)), Among(double.NaN, 0.0, 0.25, 1.0), Gen.Int[0, 3], Gen.Int[0, 2]),
        (stream, time, result, quality, rest) => new Observation(stream, time, result, (Quality)quality) { Raw = rest.Item1, Coverage = rest.Item2, Calibration = rest.Item3, Revision = rest.Item4 });

    [Theory]
    [InlineData(TransferFormat.Csv, "a.csv", true)]
    [InlineData(TransferFormat.Csv, "a.csv.gz", false)]
    [InlineData(TransferFormat.Parquet, "a.parquet", true)]
    [InlineData(TransferFormat.Lines, "a.lp", false)]
    [InlineData(TransferFormat.Lines, "a.lp.gz", false)]
    public async Task What_goes_out_comes_in_again(TransferFormat format, string name, bool history) =>
        await SomeObservation.Array[0, 60].SampleAsync(
            async drawn =>
            {
                // The one thing DuckDB's Parquet does not keep: it takes -0 and 0 for the same entry of a dictionary.
                var set = format == TransferFormat.Parquet ? [.. drawn.Select(o => o with { Result = o.Result + 0.0, Raw = o.Raw + 0.0 })] : drawn;
                using var bench = new TransferBench();
                await MakeDatastreamsAsync(bench);
                await bench.Series.AppendAsync(set, CancellationToken.None);
                var path = Path.Combine(bench.Folder, name);
                var exported = await bench.ExportAsync(TransferBench.All(path, format, history));
                var (before, lost) = (await ContentAsync(bench), Lost(bench));

                bench.RenewSeries();
                var imported = await bench.ImportAsync(null, path);
                Assert.Equal(exported.Rows, imported.Rows);
                Assert.Equal((0, 0), (imported.Refused, imported.RowsAside));
                Assert.Equal(before, await ContentAsync(bench));
                Assert.Equal(history ? lost : [], Lost(bench));

                // And once more: nothing changes.
                var again = await bench.ImportAsync(null, path);
                Assert.Equal((0, 0, exported.Rows), (again.Stored, again.Corrected, again.Duplicate));
                Assert.Equal(before, await ContentAsync(bench));
            },
            iter: format == TransferFormat.Parquet ? 15 : 100, threads: 1);

    [Fact]
    public async Task An_export_takes_what_was_asked_for_and_nothing_else()
    {
        using var bench = new TransferBench();
        await MakeDatastreamsAsync(bench);
        var noon = new DateTime(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);
        await bench.Series.AppendAsync(
            Enumerable.Range(1, 4).SelectMany(d => Enumerable.Range(0, 3).Select(h => new Observation(d, noon.AddHours(h), (10 * d) + h, Quality.Good))).Append(new Observation(99, noon, 1, Quality.Good)).ToArray(), CancellationToken.None);
        var path = Path.Combine(bench.Folder, "a.csv");

        var summary = await bench.ExportAsync(TransferBench.All(path, TransferFormat.Csv) with { From = noon.AddHours(1), To = noon.AddHours(2), Municipality = "braga" });
        Assert.Equal(
            [
                "municipality,station,sensor,property,period,phenomenonTime,result,unit,quality,calibration,raw,coverage,revision",
                "braga,rotunda,s,laeq,60,2026-05-01T13:00:00Z,21,dB,,0,,,0",
                "braga,rotunda,s,no2,60,2026-05-01T13:00:00Z,11,ug/m3,,0,,,0",
                "braga,rotunda,s,vehicle_count,60,2026-05-01T13:00:00Z,31,count,,0,,,0",
            ],
            await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal((3, 3, new FileInfo(path).Length), (summary.Rows, summary.Datastreams, summary.Bytes));

        Assert.Equal((12, 4, 1), await bench.ExportAsync(TransferBench.All(path, TransferFormat.Csv)) is var all ? (all.Rows, all.Datastreams, all.Nameless) : default);
        Assert.Equal(3, (await bench.ExportAsync(TransferBench.All(path, TransferFormat.Csv) with { Municipality = "evora", Station = "rossio", Property = "no2" })).Rows);
        Assert.Empty(Directory.EnumerateFiles(bench.Folder, "*.part"));
    }

    [Fact]
    public async Task Days_of_which_only_rollups_are_kept_are_told_and_can_be_exported()
    {
        using var bench = new TransferBench();
        await MakeDatastreamsAsync(bench);
        var day = new DateTime(2026, 5, 1, 0, 0, 0, DateTimeKind.Utc);
        Observation[] set =
        [
            new(1, day.AddMinutes(1), 7.5, Quality.Good), new(1, day.AddMinutes(20), 100_000, Quality.Stuck) { Coverage = 0.5 }, new(1, day.AddDays(1), 8, Quality.Good), new(4, day.AddHours(3), 2, Quality.Good), new(2, day, 50, Quality.Good), new(99, day, 1, Quality.Good),
        ];
        await bench.Series.AppendAsync(set, CancellationToken.None);
        bench.Series.Keeps = static (datastream, statistic) => datastream == 1 && statistic == Statistic.EnergyMean;
        await bench.Series.CondenseAsync([1, 4, 99], day, day.AddDays(1), CancellationToken.None);
        var path = Path.Combine(bench.Folder, "a.csv");
        var plain = await bench.ExportAsync(TransferBench.All(path, TransferFormat.Csv));
        Assert.Equal((2, 2), (plain.Rows, plain.Condensed));
        Assert.Equal(1, (await bench.ExportAsync(TransferBench.All(path, TransferFormat.Csv) with { Municipality = "braga" })).Condensed);
        var rollups = TransferBench.All(path, TransferFormat.Csv) with { Rollups = true };
        var summary = await bench.ExportAsync(rollups);
        Assert.Equal((6, 2, 1, 2, new FileInfo(path).Length), (summary.Rows, summary.Datastreams, summary.Nameless, summary.Condensed, summary.Bytes));
        Assert.Equal(
            [
                "municipality,station,sensor,property,period,start,width,of,count,unit,quality,covered,sum,min,max,first,last,energySum,east,north",
                "braga,rotunda,s,no2,60,2026-05-01T00:00:00Z,3600,all,2,ug/m3,stuck,1.5,100007.5,7.5,100000,7.5,100000,Infinity,,",
                "braga,rotunda,s,no2,60,2026-05-01T00:00:00Z,3600,unflagged,1,ug/m3,,1,7.5,7.5,7.5,7.5,7.5,5.623413251903491,,",
                "braga,rotunda,s,no2,60,2026-05-01T00:00:00Z,900,all,1,ug/m3,,1,7.5,7.5,7.5,7.5,7.5,5.623413251903491,,",
                "braga,rotunda,s,no2,60,2026-05-01T00:15:00Z,900,all,1,ug/m3,stuck,0.5,100000,100000,100000,100000,100000,Infinity,,",
                "evora,rossio,t,no2,0,2026-05-01T03:00:00Z,3600,all,1,ug/m3,,1,2,2,2,2,2,,,",
                "evora,rossio,t,no2,0,2026-05-01T03:00:00Z,900,all,1,ug/m3,,1,2,2,2,2,2,,,",
            ],
            await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(0, (await bench.ExportAsync(rollups with { From = day.AddHours(1) })).Rows);
        var failure = await Assert.ThrowsAsync<TransferException>(() => bench.ExportAsync(rollups with { Format = TransferFormat.Parquet }));
        Assert.Contains("exported as csv", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(bench.Folder, "*.part"));
    }

    [Fact]
    public async Task An_export_that_fails_leaves_nothing_behind()
    {
        using var bench = new TransferBench();
        await MakeDatastreamsAsync(bench);
        await bench.Series.AppendAsync(new[] { new Observation(1, new DateTime(2026, 5, 1, 0, 0, 0, DateTimeKind.Utc), 1, Quality.Good) }, CancellationToken.None);
        var folder = Path.Combine(bench.Folder, "absent");
        foreach (var (format, name) in new[] { (TransferFormat.Csv, "a.csv"), (TransferFormat.Parquet, "a.parquet"), (TransferFormat.Lines, "a.lp") })
        {
            var failure = await Assert.ThrowsAsync<TransferException>(() => bench.ExportAsync(TransferBench.All(Path.Combine(folder, name), format)));
            Assert.Contains("cannot be written", failure.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder));
        }
    }

    private static async Task MakeDatastreamsAsync(TransferBench bench)
    {
        foreach (var property in Properties)
        {
            QuantityCatalogue.TryGet(property, out var quantity);
            await bench.Stations.ResolveAsync(1, "s", quantity!, 60, CancellationToken.None);
        }

        QuantityCatalogue.TryGet("no2", out var other);
        await bench.Stations.ResolveAsync(2, "t", other!, 0, CancellationToken.None);
    }

    private static async Task<List<string>> ContentAsync(TransferBench bench)
    {
        var rows = new List<string>();
        for (var datastream = 1; datastream <= 4; datastream++)
        {
            rows.AddRange((await bench.AllOfAsync(datastream)).Select(Text));
        }

        return rows;
    }

    private static List<string> Lost(TransferBench bench) => [.. bench.Series.History.Select(Text).Order(StringComparer.Ordinal)];

    private static string Text(Observation o) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{o.Datastream} {o.PhenomenonTime.Ticks} {BitConverter.DoubleToInt64Bits(o.Result):x} {(int)o.Quality} {(double.IsNaN(o.Raw) ? 0 : BitConverter.DoubleToInt64Bits(o.Raw)):x} {double.IsNaN(o.Raw)} {o.Calibration} {o.Coverage} {o.Revision}");

    private static Gen<T> Among<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
