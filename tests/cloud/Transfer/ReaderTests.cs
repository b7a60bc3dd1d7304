using System.Globalization;
using System.Text;
using CsCheck;
using DuckDB.NET.Data;
using Hub.Cloud.Transfer.Mapping;
using Hub.Cloud.Transfer.Reading;

namespace Hub.Cloud.Transfer.Tests;

public sealed class ReaderTests
{
    private const string Lines =
        """
        sources:
          - format: lines
            targets:
              - station: braga/{place}
                sensor: air
                filterColumn: measurement
                filterValue: city air
                columns: [{ column: pm2.5, quantity: pm2_5 }, { column: "no 2", quantity: no2 }]
        """;

    private static readonly Gen<string> SomeName = Gen.Char["abzé ,=\\\"0"].Array[1, 6].Select(c => new string(c)).Where(name => !name.EndsWith('\\') && name.Trim().Length > 0);

    [Fact]
    public async Task Line_protocol_as_inspect_exports_it()
    {
        using var bench = new TransferBench();
        var file = bench.Write(
            "export.lp.gz",
            """
            # INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z
            # DDL
            CREATE DATABASE city WITH NAME autogen
            # DML
            # CONTEXT-DATABASE:city
            # CONTEXT-RETENTION-POLICY:autogen
            # writing tsm data
            city\ air,place=rotunda pm2.5=12.5 1767268800000000000
            city\ air,place=rotunda no\ 2=7i 1767268800000000000
            city\ air,place=rotunda,note=a\,b\=c pm2.5=13,no\ 2=8u,text="a \"b\", c=1 2" 1767268860000000000
            traffic,place=rotunda count=5i 1767268860000000000
            city\ air,place=rotunda pm2.5=t 1767268920000000000
            city\ air,place=rotunda pm2.5=1
            city\ air,place=rotunda
            city\ air,place pm2.5=1 1767268920000000000
            city\ air,place=rotunda text="open 1767268920000000000
            city\ air,place=rotunda pm2.5=1 yesterday
            """);
        var summary = await bench.ImportAsync(Lines, file);

        Assert.Equal((10, 4, 6, 1), (summary.Rows, summary.Stored, summary.Refused, summary.RowsAside));
        Assert.Equal([12.5, 13], (await bench.ValuesAsync("braga/rotunda", "air", "pm2_5", 0)).Select(v => v.Result));
        Assert.Equal([7, 8], (await bench.ValuesAsync("braga/rotunda", "air", "no2", 0)).Select(v => v.Result));
        var report = bench.Report();
        Assert.Contains("export.lp.gz,12,pm2.5,t,value,", report[0], StringComparison.Ordinal);
        foreach (var (line, what) in new[] { (1, "no timestamp"), (2, "no field"), (3, "no name or no value"), (4, "not closed"), (5, "something else than a timestamp") })
        {
            Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"export.lp.gz,{12 + line},,"), report[line], StringComparison.Ordinal);
            Assert.Contains(what, report[line], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Escaped_names_and_texts_come_back()
    {
        Gen.Select(SomeName, SomeName, SomeName, SomeName, SomeName).Sample((measurement, tag, tagValue, field, text) =>
        {
            using var bench = new TransferBench();
            var file = bench.Write("a.lp", $"{Escaped(measurement)},{Escaped(tag)}={Escaped(tagValue)} {Escaped(field)}=\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\",n=1.5e3 12\n");
            using var reader = LineProtocolReader.Open(file);
            var columns = new[] { LineProtocolReader.Measurement, tag, field, "n", LineProtocolReader.Time }.Select(reader.Find).ToArray();
            Assert.True(reader.Read());
            Assert.Null(reader.Fault);
            Assert.Equal(tag == field ? [measurement, text, text, "1.5e3", "12"] : [measurement, tagValue, text, "1.5e3", "12"], columns.Select(c => reader.Text(c).ToString()));
            Assert.False(reader.Read());

            // A space at the beginning of a line is none of the measurement; a # begins a comment. None of these names has either.
            static string Escaped(string name) => name.Replace(",", "\\,", StringComparison.Ordinal).Replace("=", "\\=", StringComparison.Ordinal).Replace(" ", "\\ ", StringComparison.Ordinal);
        }, iter: 300, threads: 1);
    }

    [Fact]
    public async Task Parquet_of_others_is_read_by_its_types()
    {
        using var bench = new TransferBench();
        var file = Path.Combine(bench.Folder, "a.parquet");
        using (var connection = DuckMemory.Open())
        {
            DuckMemory.Execute(
                connection,
                $"""
                COPY (SELECT TIMESTAMPTZ '2026-01-01 12:00:00+01:00' + INTERVAL (i) HOUR AS stamp, TIMESTAMP_NS '2026-07-01 12:00:00.123456789' AS local, DATE '2026-07-01' AS day, i::INTEGER AS place,
                CASE WHEN i = 1 THEN NULL WHEN i = 2 THEN 'NaN'::DOUBLE ELSE i + 0.5 END AS pm, (i / 4)::DECIMAL(9,3) AS exact, '7,5' AS comma FROM range(5) r(i)) TO '{file}' (FORMAT parquet)
                """);
        }

        var summary = await bench.ImportAsync(
            """
            sources:
              - file: "*.parquet"
                timeColumn: stamp
                decimalComma: true
                stations: { "0": braga/rotunda, "1": braga/rotunda, "2": braga/rotunda, "3": braga/rotunda }
                targets: [{ station: "{place}", sensor: air, columns: [{ column: pm, quantity: pm2_5 }, { column: exact, quantity: no2 }, { column: comma, quantity: o3 }] }]
            """,
            file);
        Assert.Equal((5, 10, 1, 2), (summary.Rows, summary.Stored, summary.Refused, summary.Missing));
        Assert.Contains("a.parquet,5,{place},4,station,", Assert.Single(bench.Report()), StringComparison.Ordinal);
        var noon = new DateTime(2026, 1, 1, 11, 0, 0, DateTimeKind.Utc);
        Assert.Equal([(noon, 0.5), (noon.AddHours(3), 3.5)], await bench.ValuesAsync("braga/rotunda", "air", "pm2_5", 0));
        Assert.Equal([0, 0.25, 0.5, 0.75], (await bench.ValuesAsync("braga/rotunda", "air", "no2", 0)).Select(v => v.Result));
        Assert.Equal([7.5, 7.5, 7.5, 7.5], (await bench.ValuesAsync("braga/rotunda", "air", "o3", 0)).Select(v => v.Result));

        // A stamp without zone is local time of the mapping's zone; a date is its midnight.
        foreach (var (column, expected) in new[] { ("local", "2026-07-01T11:00:00.123456Z"), ("day", "2026-06-30T23:00:00Z") })
        {
            bench.RenewSeries();
            await bench.ImportAsync($"sources: [{{ timeColumn: {column}, zone: Europe/Lisbon, targets: [{{ station: braga/rotunda, sensor: x, columns: [{{ column: place, quantity: no2 }}] }}] }}]", file);
            Assert.Equal(expected, Assert.Single(await bench.ValuesAsync("braga/rotunda", "x", "no2", 0)).Time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task Text_comes_in_latin_1_with_headings_where_they_are_and_line_ends_as_they_are()
    {
        using var bench = new TransferBench();
        var file = bench.Write("a.txt", "Luftgüte Zürich\r\n\"Zeit\";\" Güte \";\"#\"\r\nµg\r\n\r\n\"2026-01-01\"; \"1,5\" ;\r\n2026-01-02;2,5;", Encoding.Latin1);
        var summary = await bench.ImportAsync(
            """
            sources:
              - delimiter: ";"
                encoding: latin-1
                headingLines: 3
                headingLine: 2
                decimalComma: true
                timeColumn: "#1"
                targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: " Güte ", quantity: no2 }] }]
            """,
            file);
        Assert.Equal((2, 2, 0), (summary.Rows, summary.Stored, summary.Refused));
    }

    [Theory]
    [InlineData("a.csv.gz", 20, "cut off")]
    [InlineData("a.csv.gz", 200, "cut off")]
    public async Task A_file_that_is_cut_off_is_told_and_what_came_is_in(string name, int cut, string told)
    {
        using var bench = new TransferBench();
        var text = new StringBuilder("time,v\n");
        for (var i = 0; i < 20_000; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{new DateTime(2026, 1, 1).AddMinutes(i):yyyy-MM-dd HH:mm},{i % 977}\n");
        }

        var file = bench.Write(name, text.ToString());
        var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(file, bytes[..^cut], TestContext.Current.CancellationToken);
        var request = bench.Request("sources: [{ timeColumn: time, targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: v, quantity: no2 }] }] }]", file) with { BatchObservations = 100 };
        var failure = await Assert.ThrowsAsync<TransferException>(() => bench.ImportAsync(request));
        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.True((await bench.AllOfAsync(1)).Count > 5_000);

        // Fetched again, it goes on; the file is another one, so it begins anew.
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        var summary = await bench.ImportAsync(request);
        Assert.Equal(20_000, summary.Stored + summary.Duplicate);
        Assert.Equal(20_000, (await bench.AllOfAsync(1)).Count);
    }

    [Fact]
    public async Task A_gzip_file_of_several_members_is_read_to_its_end_and_a_changed_byte_is_found()
    {
        using var bench = new TransferBench();
        var file = bench.Write("a.csv.gz", "time,v\n2026-01-01,1\n2026-01-02,2\n");
        var more = bench.Write("b.csv.gz", "2026-01-03,3\n2026-01-04,4\n");
        var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(file, [.. bytes, .. await File.ReadAllBytesAsync(more, TestContext.Current.CancellationToken)], TestContext.Current.CancellationToken);
        const string Mapping = "sources: [{ timeColumn: time, targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: v, quantity: no2 }] }] }]";
        Assert.Equal(4, (await bench.ImportAsync(Mapping, file)).Stored);

        // The last but seven is in the checksum.
        bytes[^8] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<TransferException>(() => bench.ImportAsync(Mapping, file));
        Assert.Contains("the file is damaged or cut off", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.csv", "time,v\n2026-01-01,1\n", null, "was not written by hub export")]
    [InlineData("a.csv", "", "ok", "within its headings")]
    [InlineData("a.csv", "t,v\n", "ok", "there is no column 'time' among 't', 'v'")]
    [InlineData("a.csv", "time,v,v\n", "ok", "#2 or #3")]
    [InlineData("a.dat", "time,v\n", "ok", "--format csv, parquet or lines")]
    [InlineData("a.parquet", "time,v\n", "ok", "cannot be read as Parquet")]
    public async Task A_file_that_does_not_fit_is_told_before_anything_goes_in(string name, string text, string? mapping, string told)
    {
        using var bench = new TransferBench();
        var good = bench.Write("good.csv", "time,v\n2026-01-01,1\n");
        var file = bench.Write(name, text);
        var failure = await Assert.ThrowsAsync<TransferException>(() => bench.ImportAsync(
            mapping is null ? null : "sources: [{ timeColumn: time, targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: v, quantity: no2 }] }] }]", mapping is null ? [file] : [good, file]));
        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Equal(0, bench.Series.LastCommit);
    }

    [Fact]
    public void A_parquet_name_cannot_make_the_database_read_other_files()
    {
        using var bench = new TransferBench();
        var file = bench.Write("a*.parquet", "x");
        Assert.Contains("Rename it", Assert.Throws<TransferException>(() => ParquetReader.Open(file)).Message, StringComparison.Ordinal);
        Assert.Throws<TransferException>(() => ParquetReader.Open(bench.Write("it's.parquet", "x")));
    }

    [Fact]
    public void Fields_are_split_as_they_were_joined()
    {
        using var bench = new TransferBench();
        Gen.Char["ab;,\" é"].Array[0, 5].Select(c => new string(c)).Array[1, 8].Array[1, 5].Sample(
            rows =>
            {
                var file = bench.Write("a.csv", string.Concat(rows.Select(cells => string.Join(';', cells.Select(cell => $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\r\n")));
                using var reader = CsvReader.Open(file, new MappingSource { Delimiter = ";", HeadingLines = 0 });
                foreach (var cells in rows)
                {
                    Assert.True(reader.Read());
                    Assert.Null(reader.Fault);

                    // Whichever is asked for first, and again.
                    Assert.Equal(cells.Reverse(), Enumerable.Range(0, cells.Length).Reverse().Select(field => reader.Text(field).ToString()));
                    Assert.Equal(cells, Enumerable.Range(0, cells.Length).Select(field => reader.Text(field).ToString()));
                }

                Assert.False(reader.Read());
            },
            iter: 300,
            threads: 1);
    }

    [Theory]
    [InlineData("1;\"12;3", true)]
    [InlineData("1;\"12\"3;4", true)]
    [InlineData("5\" pipe;\"12;3", true)] // The stray one first, the open one behind it.
    [InlineData("5\" pipe;2;3", false)]
    [InlineData("Rua \"A\";2;3", false)]
    [InlineData("1; \"2;x\" ;3", false)]
    public void A_quote_that_does_not_close_hurts_its_own_line_and_a_stray_one_is_text(string line, bool isBad)
    {
        using var bench = new TransferBench();
        var file = bench.Write("a.csv", string.Concat(Enumerable.Range(0, 3_000).Select(i => i % 3 == 1 ? $"{line}\n" : string.Create(CultureInfo.InvariantCulture, $"a;{i};\"c\"\n"))));
        using var reader = CsvReader.Open(file, new MappingSource { Delimiter = ";", HeadingLines = 0 });
        reader.Find("#3");
        for (var i = 0; i < 3_000; i++)
        {
            Assert.True(reader.Read());
            Assert.Equal(i + 1, reader.Number);
            if (i % 3 != 1)
            {
                Assert.Equal(("a", string.Create(CultureInfo.InvariantCulture, $"{i}"), "c"), (reader.Text(0).ToString(), reader.Text(1).ToString(), reader.Text(2).ToString()));
            }
            else if (isBad)
            {
                Assert.Contains("A quote does not close", reader.Fault, StringComparison.Ordinal);
                Assert.Equal(line, reader.Whole.ToString());
            }
            else
            {
                Assert.Null(reader.Fault);
                Assert.Equal(3, Enumerable.Range(0, 3).Count(field => reader.Text(field).Length > 0));
            }
        }

        Assert.False(reader.Read());
    }

    [Fact]
    public async Task A_line_without_end_is_no_table()
    {
        using var bench = new TransferBench();
        var file = bench.Write("a.csv", "time,v\n2026-01-01,1\n" + new string('x', 3_000_000));
        var failure = await Assert.ThrowsAsync<TransferException>(() => bench.ImportAsync("sources: [{ timeColumn: time, targets: [{ station: braga/rotunda, sensor: air, columns: [{ column: v, quantity: no2 }] }] }]", file));
        Assert.Contains("a line is longer than 1048576 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Contains("behind line 2", failure.Message, StringComparison.Ordinal);
    }
}
