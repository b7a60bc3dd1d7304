using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Transfer.Tests;

/// <summary>A bad row hurts only itself, and the report says where it is, what is wrong and what to do.</summary>
public sealed class BadRowsTests
{
    private const string Mapping =
        """
        sources:
          - timeColumn: time
            period: "00:15:00"
            missing: ["-99"]
            targets:
              - station: "{station}"
                sensor: "{sensor}"
                coverageColumn: coverage
                qualityColumn: quality
                revisionColumn: revision
                columns:
                  - { column: value, quantity: "{quantity}", unit: "{unit}" }
        """;

    public static TheoryData<string, RefusalReason, string, string, string> Rows => new()
    {
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,12a,,,", RefusalReason.Value, "value", "12a", "Not a finite number" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,NaN,,,", RefusalReason.Value, "value", "NaN", "Not a finite number" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,1e999,,,", RefusalReason.Value, "value", "1e999", "Not a finite number" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,kg/m3,1e308,,,", RefusalReason.Value, "value", "1e308", "Too large" },
        { "braga/rotunda,air,01.01.2026 00:00,no2,ug/m3,12,,,", RefusalReason.Time, "time", "01.01.2026 00:00", "timeFormat" },
        { "braga/rotunda,air,,no2,ug/m3,12,,,", RefusalReason.Time, "time", "", "timeFormat" },
        { "braga/rotunda,air,1999-12-31T23:59Z,no2,ug/m3,12,,,", RefusalReason.Time, "time", "1999-12-31T23:59Z", "from 2000 to 2099" },
        { "braga/rotunda,air,2100-01-01T00:00Z,no2,ug/m3,12,,,", RefusalReason.Time, "time", "2100-01-01T00:00Z", "from 2000 to 2099" },
        { "braga/rotunda,air,2026-11-27T12:00:01Z,no2,ug/m3,12,,,", RefusalReason.Time, "time", "2026-11-27T12:00:01Z", "24 h in the future" },
        { "braga/rotunda,air,2026-01-01T00:00Z,n02,ug/m3,12,,,", RefusalReason.UnknownQuantity, "value", "12", "'n02' is not in the catalogue" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ppb,12,,,", RefusalReason.Unit, "value", "12", "1 ppb of NO2 is 1.9125" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,furlong,12,,,", RefusalReason.Unit, "value", "12", "'furlong' is no SenML symbol" },
        { "braga/rotunda,air,2026-01-01T00:00Z,relative_humidity,%,12,,,", RefusalReason.Unit, "value", "12", "taken for a percentage" },
        { "braga/rotunda,Air 1,2026-01-01T00:00Z,no2,ug/m3,12,,,", RefusalReason.Name, "{sensor}", "Air 1", "a-z 0-9 -" },
        { "braga/nowhere,air,2026-01-01T00:00Z,no2,ug/m3,12,,,", RefusalReason.Station, "{station}", "braga/nowhere", "hub station add" },
        { "rotunda,air,2026-01-01T00:00Z,no2,ug/m3,12,,,", RefusalReason.Station, "{station}", "rotunda", "under stations" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,12,high,,", RefusalReason.FieldType, "coverage", "high", "share of the period" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,12,-0.5,,", RefusalReason.FieldType, "coverage", "-0.5", "share of the period" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,12,,splendid,", RefusalReason.FieldType, "quality", "splendid", "warming-up" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,12,,,1.5", RefusalReason.FieldType, "revision", "1.5", "whole number" },
        { "braga/rotunda,air,2026-01-01T00:00Z", RefusalReason.Malformed, "", "\"braga/rotunda,air,2026-01-01T00:00Z\"", "3 fields where the mapping needs 9" },
        { "braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,\"12,,,", RefusalReason.Malformed, "", "\"braga/rotunda,air,2026-01-01T00:00Z,no2,ug/m3,\"\"12,,,\"", "quote" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_bad_row_is_refused_with_its_place_and_its_neighbours_go_in(string row, RefusalReason reason, string column, string value, string detail)
    {
        using var bench = new TransferBench();
        var file = bench.Write(
            "a.csv",
            $"""
            station,sensor,time,quantity,unit,value,coverage,quality,revision
            braga/rotunda,air,2026-01-01T00:15Z,no2,ug/m3,10,,,
            {row}
            braga/rotunda,air,2026-01-01T00:30Z,no2,ug/m3,11,0.75,out-of-range stuck,2

            """);
        var summary = await bench.ImportAsync(Mapping, file);

        Assert.Equal((3, 2, 1), (summary.Rows, summary.Stored, summary.Refused));
        Assert.Equal(reason, Assert.Single(summary.RefusedBy).Key);
        var line = Assert.Single(bench.Report());
        Assert.StartsWith($"a.csv,3,{column},{value},", line, StringComparison.Ordinal);
        Assert.Contains(detail, line, StringComparison.Ordinal);
        var kept = await bench.AllOfAsync(bench.Stations.Find("braga/rotunda", "air", "no2", 900)!.Id);
        Assert.Equal([10, 11], kept.Select(o => o.Result));
        Assert.Equal((Quality.OutOfRange | Quality.Stuck, 0.75, 2), (kept[1].Quality, kept[1].Coverage, kept[1].Revision));
    }

    [Fact]
    public async Task One_bad_field_of_a_wide_row_leaves_the_others()
    {
        using var bench = new TransferBench();
        var file = bench.Write("a.csv", "time;NO2;O3;T\n2026-01-01 00:00;1,5;oops;-3,25\n2026-01-01 00:30;;-99;4\n");
        var summary = await bench.ImportAsync(
            """
            sources:
              - delimiter: ";"
                decimalComma: true
                missing: ["-99"]
                timeColumn: time
                targets:
                  - station: braga/rotunda
                    sensor: air
                    columns: [{ column: NO2, quantity: no2 }, { column: O3, quantity: o3 }, { column: T, quantity: temperature }]
            """,
            file);

        Assert.Equal((2, 3, 1, 2), (summary.Rows, summary.Stored, summary.Refused, summary.Missing));
        Assert.Equal("a.csv,2,O3,oops,value,\"Not a finite number. Correct it, or name it under missing when it means \"\"no value\"\".\"", Assert.Single(bench.Report()));
        Assert.Equal([-3.25, 4], (await bench.ValuesAsync("braga/rotunda", "air", "temperature", 0)).Select(v => v.Result));

        // A datastream is made at its first value: nothing of ozone was good.
        Assert.Null(bench.Stations.Find("braga/rotunda", "air", "o3", 0));
    }

    [Fact]
    public async Task A_value_that_is_not_plausible_is_kept_and_flagged_unless_it_was_checked_before()
    {
        using var bench = new TransferBench();
        const string Text = "sources: [{{ timeColumn: time, {0} targets: [{{ station: braga/rotunda, sensor: air, columns: [{{ column: v, quantity: temperature, unit: K }}] }}] }}]";
        var file = bench.Write("a.csv", "time,v\n2026-01-01,273.15\n2026-01-02,900\n");
        await bench.ImportAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, Text, ""), file);
        var stored = await bench.AllOfAsync(1);
        Assert.Equal([(0.0, Quality.Good), (626.85, Quality.OutOfRange)], stored.Select(o => (Math.Round(o.Result, 9), o.Quality)));

        bench.RenewSeries();
        await bench.ImportAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, Text, "checked: true,"), file);
        Assert.All(await bench.AllOfAsync(1), o => Assert.Equal(Quality.Good, o.Quality));
    }

    [Fact]
    public async Task A_station_that_is_full_refuses_what_is_too_much_and_takes_the_rest()
    {
        using var bench = new TransferBench();
        bench.Stations.DatastreamsMax = 1;
        var file = bench.Write("a.csv", "time,a,b\n2026-01-01,1,2\n2026-01-02,3,4\n");
        var summary = await bench.ImportAsync(
            "sources: [{ timeColumn: time, targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: a, quantity: no2 }, { column: b, quantity: o3 }] }] }]", file);

        Assert.Equal((2, 2), (summary.Stored, summary.Refused));
        Assert.All(bench.Report(), line => Assert.Contains("limit of 1 datastreams", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dry_run_says_the_same_and_stores_nothing()
    {
        using var bench = new TransferBench();
        var file = bench.Write("a.csv", "station,sensor,time,quantity,unit,value,coverage,quality,revision\nbraga/rotunda,air,2026-01-01,no2,ug/m3,1,,,\nbraga/rotunda,air,2026-01-02,no2,ug/m3,x,,,\nbraga/rotunda,air,2026-01-03,o3,ug/m3,1,,,\n");
        var request = bench.Request(Mapping, file);
        var dry = await bench.ImportAsync(request with { DryRun = true });
        var report = bench.Report();

        Assert.Empty(bench.Stations.Datastreams);
        Assert.Equal(0, bench.Series.LastCommit);
        Assert.False(Directory.Exists(request.ProgressFolder));
        var wet = await bench.ImportAsync(request);
        Assert.Equal(report, bench.Report());
        Assert.Equal((wet.Rows, wet.Stored, wet.Refused, wet.Datastreams), (dry.Rows, dry.Stored, dry.Refused, dry.Datastreams));
    }

    [Fact]
    public async Task A_report_of_an_earlier_import_does_not_stay_when_nothing_is_refused()
    {
        using var bench = new TransferBench();
        File.WriteAllText(bench.ReportFile, "what was refused last year\n");
        await bench.ImportAsync("sources: [{ timeColumn: time, targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: v, quantity: no2 }] }] }]", bench.Write("a.csv", "time,v\n2026-01-01,1\n"));
        Assert.False(File.Exists(bench.ReportFile));
    }
}
