using System.Globalization;
using CsCheck;
using DuckDB.NET.Data;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A part is a Parquet file that others read: DuckDB, which shares no code with the writer, finds the same rows and the same description.</summary>
public sealed class PartDuckDbTests(ITestOutputHelper output)
{
    private const string Columns = """
        datastream, epoch_us(time), coalesce(result_double, result_scaled / pow(10, result_decimals)), quality,
        coalesce(raw_double, raw_scaled / pow(10, raw_decimals)), calibration, coverage, revision
        """;

    [Fact]
    public void DuckDB_reads_the_same_rows()
    {
        using var folder = new TempFolder();
        Gen.Select(PartSamples.Any(12, 400), Gen.Int[1, 300], Gen.Int[1, 300], Gen.Int[1, 2500]).Sample(
            (rows, bundleRows, bundleRowsExtra, groupRows) =>
            {
                var path = folder.File($"{Guid.NewGuid():N}.parquet");
                PartSamples.Write(path, rows, bundleRows, bundleRows + bundleRowsExtra, groupRows);
                Compare(path, PartSamples.Joined(rows));
            },
            iter: 60);
    }

    [Fact]
    public void DuckDB_reads_the_same_rows_of_large_parts()
    {
        using var folder = new TempFolder();
        PartSamples.Any(8, 60_000).Sample(
            rows =>
            {
                var path = folder.File($"{Guid.NewGuid():N}.parquet");
                PartSamples.Write(path, rows, PartFormat.BundleRows, PartFormat.BundleRowsMax, 100_000);
                Compare(path, PartSamples.Joined(rows));
            },
            iter: 6);
        var city = folder.File("city.parquet");
        PartSamples.Write(city, PartSamples.City(40, isDetailed: true));
        Compare(city, [.. PartSamples.City(40, isDetailed: true)]);
    }

    [Fact]
    public void DuckDB_finds_the_file_as_described()
    {
        using var folder = new TempFolder();
        var path = folder.File("day.parquet");
        var summary = PartSamples.Write(path, PartSamples.City(160));
        using var database = Open();
        Assert.Equal(
            [
                "observations:::12:", "datastream:INT32:REQUIRED::", "time:INT64:REQUIRED::TIMESTAMP_MICROS", "result_scaled:INT64:OPTIONAL::", "result_decimals:INT32:OPTIONAL::INT_8",
                "result_double:DOUBLE:OPTIONAL::", "quality:INT32:REQUIRED::", "raw_scaled:INT64:OPTIONAL::", "raw_decimals:INT32:OPTIONAL::INT_8", "raw_double:DOUBLE:OPTIONAL::",
                "calibration:INT32:REQUIRED::", "coverage:DOUBLE:OPTIONAL::", "revision:INT32:REQUIRED::",
            ],
            Rows(database, $"SELECT name, type, repetition_type, num_children, converted_type FROM parquet_schema('{path}')"));
        Assert.Equal(["datastream:INTEGER", "time:TIMESTAMP WITH TIME ZONE"], Rows(database, $"SELECT column_name, column_type FROM (DESCRIBE SELECT datastream, time FROM '{path}')"));
        Assert.Equal(["hub:2:" + summary.Rows], Rows(database, $"SELECT created_by, format_version, num_rows FROM parquet_file_metadata('{path}')"));
        Assert.Equal(["1"], Rows(database, $"SELECT decode(value) FROM parquet_kv_metadata('{path}') WHERE decode(key) = 'hub.format'"));
        var groups = Rows(database, $"SELECT row_group_id, row_group_num_rows, stats_min_value, stats_max_value FROM parquet_metadata('{path}') WHERE path_in_schema = 'datastream' ORDER BY 1");
        output.WriteLine(string.Join('\n', groups));
        Assert.Equal(2, groups.Count);
        Assert.StartsWith("0:105", groups[0], StringComparison.Ordinal);
        Assert.Contains(":0:7", groups[0], StringComparison.Ordinal);
        Assert.EndsWith(":799", groups[1], StringComparison.Ordinal);
        var chunks = Rows(database, $"""
            SELECT path_in_schema, encodings, compression, stats_null_count, total_compressed_size FROM parquet_metadata('{path}') WHERE row_group_id = 0 ORDER BY column_id
            """);
        output.WriteLine(string.Join('\n', chunks));
        Assert.Equal(PartFormat.ColumnCount, chunks.Count);
        Assert.All(chunks, chunk => Assert.Contains(":ZSTD:", chunk, StringComparison.Ordinal));
        Assert.StartsWith("time:DELTA_BINARY_PACKED:ZSTD:0:", chunks[1], StringComparison.Ordinal);

        // The bounds of row groups are used: one datastream is found, as it is, without a scan of all.
        Assert.Equal(["1440"], Rows(database, $"SELECT count(*) FROM '{path}' WHERE datastream = 333 AND time >= TIMESTAMPTZ '2026-10-01 00:00:00+00'"));
        Assert.Equal(["0"], Rows(database, $"SELECT count(*) FROM '{path}' WHERE datastream = 1000000"));
    }

    private static void Compare(string path, List<PartRows> expected)
    {
        using var database = Open();
        using var command = database.CreateCommand();
        command.CommandText = $"SELECT {Columns} FROM read_parquet('{path}')";
        using var reader = command.ExecuteReader();
        var rows = new ObservationColumns();
        foreach (var part in expected)
        {
            rows.Clear();
            for (var i = 0; i < part.Rows.Count; i++)
            {
                Assert.True(reader.Read());
                Assert.Equal(part.Datastream, reader.GetInt32(0));
                rows.Micros.Add(reader.GetInt64(1));
                rows.Results.Add(reader.GetDouble(2));
                rows.Qualities.Add(reader.GetInt32(3));
                rows.Raws.Add(reader.IsDBNull(4) ? double.NaN : reader.GetDouble(4));
                rows.Calibrations.Add(reader.GetInt32(5));
                rows.Coverages.Add(reader.IsDBNull(6) ? double.NaN : reader.GetDouble(6));
                rows.Revisions.Add(reader.GetInt32(7));
            }

            PartSamples.AssertSame(part.Rows, 0, part.Rows.Count, rows);
        }

        Assert.False(reader.Read());
    }

    private static DuckDBConnection Open()
    {
        var database = new DuckDBConnection("Data Source=:memory:");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = "SET TimeZone = 'UTC'; SET threads = 2";
        command.ExecuteNonQuery();
        return database;
    }

    private static List<string> Rows(DuckDBConnection database, string query)
    {
        using var command = database.CreateCommand();
        command.CommandText = query;
        using var reader = command.ExecuteReader();
        List<string> rows = [];
        while (reader.Read())
        {
            rows.Add(string.Join(':', Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        }

        return rows;
    }
}
