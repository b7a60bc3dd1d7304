using System.IO.Compression;
using System.Text;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Replay;
using Hub.Tests.Kit;

namespace Hub.Edge.Sensors.Tests;

public sealed class ReadingFilesTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Latin1_umlauts_in_a_station_name_are_found()
    {
        ReplayTable table = Demo.Read(Demo.Options("ostluft", "ol_nox_covid19_2020.csv.gz", "Zch_Heubeeribüel"));
        Assert.Equal(["nox", "no2"], table.Columns.Select(column => column.Property));
    }

    [Fact]
    public void Series_that_is_not_there_is_refused_with_those_that_are()
    {
        SensorException failure = Assert.Throws<SensorException>(() => Demo.Read(Demo.Options("ostluft", "ol_nox_covid19_2020.csv.gz", "Zch_Nirgends")));
        Assert.Contains("ol_nox_covid19_2020.csv.gz", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Zch_Heubeeribüel", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gases_are_converted_at_20_degrees()
    {
        ReplayTable table = Demo.Read(Demo.Options("ostluft", "Zch_Stampfenbachstrasse_min30_2017.csv.gz"));
        double First(string property) => table.Values[table.Columns.ToList().FindIndex(column => column.Property == property)];
        Assert.Equal(0.31287 * 1.1644, First("co"), 1e-9);
        Assert.Equal(20.1657 * 1.9125, First("no2"), 1e-9);
        Assert.Equal(0.71217 * 1.9953, First("o3"), 1e-9);
        Assert.Equal(76.37508, First("pm10"), 1e-9);
        Assert.Equal(new DateTime(2016, 12, 31, 23, 0, 0), new DateTime(table.Starts[0]));
    }

    [Fact]
    public void Doubled_hour_in_Montreal_is_told_apart_by_the_order_of_the_rows()
    {
        foreach (string file in new[] { "raw-data-2024East15.csv.gz", "raw-data-2024West15.csv.gz" })
        {
            ReplayTable table = Demo.Read(Demo.Options("telraam", file));
            for (int row = 1; row < table.Count; row++)
            {
                Assert.True(table.Starts[row] > table.Starts[row - 1], $"{file}: row {row} goes back to {new DateTime(table.Starts[row]):O}.");
            }

            // 01:00 to 01:45 in summer time (UTC-4), then again in winter time (UTC-5), as far as the counter has rows.
            HashSet<long> starts = [.. table.Starts];
            var summer = new DateTime(2024, 11, 3, 5, 0, 0);
            Assert.Equal(8, Enumerable.Range(0, 8).Count(quarter => starts.Contains(summer.AddMinutes(15 * quarter).Ticks)));
        }
    }

    [Fact]
    public void Poor_uptime_is_flagged_and_coverage_kept()
    {
        ReplayTable table = Demo.Read(Demo.Options("telraam", "raw-data-2024West15.csv.gz"));
        Assert.Equal(1452, table.Qualities!.Count(quality => quality == Quality.Incomplete));
        Assert.True(table.Qualities!.Zip(table.Coverages!).Where(row => row.First == Quality.Incomplete).All(row => row.Second <= 0.6f));
    }

    [Fact]
    public void Repeats_in_Aarhus_stay_where_the_publisher_had_them()
    {
        ReplayTable table = Demo.Read(Demo.Options("citypulse", "AarhusTrafficData158595.csv.gz"));
        long late = new DateTime(2014, 8, 18, 1, 10, 0).Ticks;
        int[] rows = [.. Enumerable.Range(0, table.Count).Where(row => table.Starts[row] == late)];
        Assert.Equal(3, rows.Length);
        Assert.Equal(rows[0] + 1, rows[1]);
        Assert.Equal(new DateTime(2014, 8, 24, 23, 30, 0).Ticks, table.Starts[rows[2] - 1]);
    }

    [Fact]
    public void Newest_first_is_turned_round_with_its_values()
    {
        ReplayTable table = Demo.Read(Demo.Options("opensensemap", "pm25_berlin.csv.gz", "6398c664a7390d001b5e0744"));
        Assert.True(table.Starts.Zip(table.Starts.Skip(1)).All(pair => pair.First <= pair.Second));
        Assert.Equal(new DateTime(2023, 3, 1, 8, 24, 34, 572), new DateTime(table.Starts[^1]));
        Assert.Equal(4.2, table.Values[^1]);
    }

    [Fact]
    public void Described_table_with_decimal_comma_two_time_columns_and_markers_is_read()
    {
        ReplaySensorOptions options = Csv("""
            Periodo di misura
            Data ; Ora;Livello;"n veicoli"; Copertura
            01-06-2016;00:00;"63,5";12;1
            01-06-2016;01:00;-99;3;0.5
            01-06-2016;02:00;;0;
            01-06-2016;03:00;-1,5e1;0;1.7
            """, csv =>
        {
            csv.Delimiter = ";";
            csv.Encoding = "latin-1";
            csv.HeadingLines = 2;
            csv.DecimalComma = true;
            csv.Missing.Add("-99");
            csv.TimeColumn = "Data";
            csv.TimeColumnSecond = "Ora";
            csv.TimeFormat = "dd-MM-yyyy HH:mm";
            csv.CoverageColumn = "Copertura";
            csv.Columns.Add(new CsvColumnOptions { Column = "Livello", Quantity = "temperature", Factor = 2, Offset = 1 });
            csv.Columns.Add(new CsvColumnOptions { Column = "#4", Quantity = "vehicle_count", OnlyWhere = "n veicoli", OnlyAbove = 1 });
        });
        ReplayTable table = Demo.Read(options);
        Assert.Equal(4, table.RowsRead);
        Assert.Equal([128, 12, double.NaN, 3, -29, double.NaN], table.Values);
        Assert.Equal([1f, 0.5f, 1f], table.Coverages!);
        Assert.Equal(new ReplayColumn("temperature", "Livello", 2, 2, 0), table.Columns[0]);
        Assert.Equal(new ReplayColumn("vehicle_count", "#4", 2, 0, 2), table.Columns[1]);
    }

    [Fact]
    public void Hour_that_never_was_is_left_out_and_counted()
    {
        ReplaySensorOptions options = Csv("t,v\n2018-03-25 01:00,1\n2018-03-25 02:00,2\n2018-03-25 03:00,3\n", Simple);
        options.Zone = "Europe/Rome";
        ReplayTable table = Demo.Read(options);
        Assert.Equal([1.0, 3.0], table.Values);
        Assert.Equal(1, table.RowsNowhere);
        Assert.Equal(TimeSpan.TicksPerHour, table.Starts[1] - table.Starts[0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Doubled_hour_is_resolved_in_both_directions(bool newestFirst)
    {
        string[] rows = ["2018-10-28 01:30,1", "2018-10-28 02:00,2", "2018-10-28 02:30,3", "2018-10-28 02:00,4", "2018-10-28 02:30,5", "2018-10-28 03:00,6"];
        ReplaySensorOptions options = Csv("t,v\n" + string.Join("\n", newestFirst ? rows.Reverse() : rows), csv =>
        {
            Simple(csv);
            csv.NewestFirst = newestFirst;
        });
        options.Zone = "Europe/Rome";
        ReplayTable table = Demo.Read(options);
        Assert.Equal([1, 2, 3, 4, 5, 6], table.Values);
        Assert.All(table.Starts.Zip(table.Starts.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(30).Ticks, pair.Second - pair.First));
    }

    [Fact]
    public void Stamp_at_the_end_of_the_period_gives_its_start()
    {
        ReplaySensorOptions options = Csv("t,v\n2018-01-01 01:00,1\n", Simple);
        options.Stamp = ReplayStamp.End;
        options.Period = TimeSpan.FromHours(1);
        Assert.Equal(new DateTime(2018, 1, 1).Ticks, Assert.Single(Demo.Read(options).Starts));
    }

    [Theory]
    [InlineData("t,v\n2018-01-01 01:00,1\n2018-01-01 02:00,x\n", "line 3", "'x' is no number")]
    [InlineData("t,v\n2018-01-01 01:00,NaN\n", "line 2", "'NaN' is no number")]
    [InlineData("t,v\n2018-01-01 01:00,1\n2018-01-01\n", "line 3", "1 fields")]
    [InlineData("t,v\n01.01.2018,1\n", "line 2", "is no time")]
    [InlineData("t,v\n\"2018-01-01 01:00,1\n", "line 2", "quote")]
    [InlineData("t,w\n2018-01-01 01:00,1\n", "line 1", "no column 'v' among 't', 'w'")]
    [InlineData("", "headings", "ends at line 0")]
    public void Damage_names_file_and_line(string text, string where, string what)
    {
        SensorException failure = Assert.Throws<SensorException>(() => Demo.Read(Csv(text, Simple)));
        Assert.Contains("table.csv", failure.Message, StringComparison.Ordinal);
        Assert.Contains(where, failure.Message, StringComparison.Ordinal);
        Assert.Contains(what, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Overlong_line_is_refused_instead_of_held()
    {
        SensorException failure = Assert.Throws<SensorException>(() => Demo.Read(Csv("t,v\n" + new string('1', 100_000), Simple)));
        Assert.Contains("line 2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cut_off_gzip_file_is_refused()
    {
        byte[] whole = File.ReadAllBytes(Demo.Data("test_data_laeq1m.csv.gz"));
        foreach (int length in new[] { 1, 9, 1000, whole.Length / 2, whole.Length - 9 })
        {
            File.WriteAllBytes(folder.File("cut.csv.gz"), whole[..length]);
            ReplaySensorOptions options = Demo.Options("noisemonitor", "test_data_laeq1m.csv.gz");
            options.File = folder.File("cut.csv.gz");
            SensorException failure = Assert.Throws<SensorException>(() => Demo.Read(options));
            Assert.Contains("cut.csv.gz", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Flipped_byte_in_a_gzip_file_is_refused()
    {
        byte[] whole = File.ReadAllBytes(Demo.Data("test_data_laeq1m.csv.gz"));
        whole[whole.Length / 2] ^= 0x55;
        File.WriteAllBytes(folder.File("bad.csv.gz"), whole);
        ReplaySensorOptions options = Demo.Options("noisemonitor", "test_data_laeq1m.csv.gz");
        options.File = folder.File("bad.csv.gz");
        Assert.Throws<SensorException>(() => Demo.Read(options));
    }

    [Fact]
    public void Plain_and_gzipped_file_read_the_same()
    {
        ReplaySensorOptions options = Demo.Options("noisemonitor", "test_data_laeq1m.csv.gz");
        ReplayTable packed = Demo.Read(options);
        using (FileStream source = File.OpenRead(options.File))
        using (var unpacked = new GZipStream(source, CompressionMode.Decompress))
        using (FileStream target = File.Create(folder.File("plain.csv")))
        {
            unpacked.CopyTo(target);
        }

        options.File = folder.File("plain.csv");
        ReplayTable plain = Demo.Read(options);
        Assert.Equal(packed.Values, plain.Values);
        Assert.Equal(packed.Starts, plain.Starts);
    }

    /// <summary>Twelve agents run side by side on a laptop: reading even the largest file takes less than 20 MB, held or not.</summary>
    [Theory]
    [InlineData("ostluft", "Zch_Stampfenbachstrasse_min30_2017.csv.gz", null)]
    [InlineData("opensensemap", "pm25_berlin.csv.gz", "5e9af8d545f937001ce5807b")]
    [InlineData("telraam", "raw-data-2024West15.csv.gz", null)]
    [InlineData("noisemonitor", "test_data_laeq1s.csv.gz", null)]
    public void Reading_a_file_takes_little_memory(string format, string file, string? series)
    {
        ReplaySensorOptions options = Demo.Options(format, file, series);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ReplayTable table = Demo.Read(options);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(bytes < 20_000_000, $"Reading {file} allocated {bytes} bytes.");
        Assert.NotEmpty(table.Starts);
    }

    private static void Simple(CsvFormatOptions csv)
    {
        csv.TimeColumn = "t";
        csv.TimeFormat = "yyyy-MM-dd HH:mm";
        csv.Columns.Add(new CsvColumnOptions { Column = "v", Quantity = "pm10" });
    }

    private ReplaySensorOptions Csv(string text, Action<CsvFormatOptions> describe)
    {
        File.WriteAllText(folder.File("table.csv"), text, Encoding.Latin1);
        var csv = new CsvFormatOptions();
        describe(csv);
        return new ReplaySensorOptions { Format = "csv", File = folder.File("table.csv"), Csv = csv, Publisher = "publisher", Licence = "licence" };
    }
}
