using CsCheck;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A damaged part is refused or answers right; it never answers wrong, crashes, or asks for memory that is only claimed.</summary>
public sealed class PartDamageTests
{
    [Fact]
    public void Every_byte_is_guarded()
    {
        using var folder = new TempFolder();
        var (rows, bytes) = Small(folder);
        Parallel.For(0, bytes.Length, at =>
        {
            var path = folder.File($"{at}.parquet");
            foreach (var change in Repeats.AreMany ? (byte[])[0x01, 0x80, 0xFF, (byte)(1 + (at % 255))] : [(byte)(1 + (at % 255))])
            {
                var damaged = (byte[])bytes.Clone();
                damaged[at] ^= change;
                Check(path, damaged, rows, mustBeFound: true);
            }

            File.Delete(path);
        });
    }

    [Fact]
    public void Every_cut_is_noticed()
    {
        using var folder = new TempFolder();
        var (rows, bytes) = Small(folder);
        var path = folder.File("cut.parquet");
        for (var length = 0; length < bytes.Length; length += Repeats.Of(5, 1))
        {
            File.WriteAllBytes(path, bytes[..length]);
            var error = Assert.Throws<InvalidDataException>(() => PartReader.Open(path).Dispose());
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }

        // Something behind the end, and a hole in front of it.
        Check(path, [.. bytes, 0], rows, mustBeFound: true);
        Check(path, [.. bytes[..100], .. bytes[200..]], rows, mustBeFound: true);
        Check(path, [.. bytes[..4], .. bytes[4..200], .. bytes[4..]], rows, mustBeFound: true);
    }

    [Fact]
    public void Any_damage_is_found_or_does_not_matter()
    {
        using var folder = new TempFolder();
        var damage = Gen.Select(PartSamples.Any(8, 200), Gen.Int[1, 60], Gen.Int[1, 5].SelectMany(n => Gen.Select(Gen.Double[0, 1], Gen.Int[1, 40], Gen.Byte).Array[n]));
        damage.Sample(
            (rows, bundleRows, changes) =>
            {
                var path = folder.File($"{Guid.NewGuid():N}.parquet");
                PartSamples.Write(path, rows, bundleRows, bundleRows * 2, 300);
                var bytes = File.ReadAllBytes(path);
                var original = (byte[])bytes.Clone();
                foreach (var (place, length, value) in changes)
                {
                    var at = (int)(place * (bytes.Length - 1));
                    bytes.AsSpan(at, Math.Min(length, bytes.Length - at)).Fill(value);
                }

                Check(path, bytes, PartSamples.Joined(rows), mustBeFound: !bytes.AsSpan().SequenceEqual(original));
                File.Delete(path);
            },
            iter: 1500);
    }

    [Fact]
    public void Noise_is_no_part()
    {
        using var folder = new TempFolder();
        Gen.Byte.Array[0, 3000].Sample(
            noise =>
            {
                var path = folder.File($"{Guid.NewGuid():N}.parquet");
                byte[] framed = [.. "PAR1"u8, .. noise, .. BitConverter.GetBytes(noise.Length), .. "PAR1"u8];
                foreach (var bytes in (byte[][])[noise, framed])
                {
                    File.WriteAllBytes(path, bytes);
                    var before = GC.GetAllocatedBytesForCurrentThread();
                    Assert.Throws<InvalidDataException>(() => PartReader.Open(path).Dispose());
                    Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000 + (50L * bytes.Length));
                }

                File.Delete(path);
            },
            iter: 2000);
    }

    [Fact]
    public void Other_files_are_named_in_the_error()
    {
        using var folder = new TempFolder();
        var path = folder.File("other.parquet");
        using (var database = new DuckDB.NET.Data.DuckDBConnection("Data Source=:memory:"))
        {
            database.Open();
            using var command = database.CreateCommand();
            command.CommandText = $"COPY (SELECT range::INTEGER AS datastream, now() AS time FROM range(10)) TO '{path}' (FORMAT parquet)";
            command.ExecuteNonQuery();
        }

        var error = Assert.Throws<InvalidDataException>(() => PartReader.Open(path).Dispose());
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("not written by this hub", error.Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => PartReader.Open(folder.File("none.parquet")).Dispose());
    }

    [Fact]
    public void A_damaged_page_is_named_and_nothing_of_it_is_appended()
    {
        using var folder = new TempFolder();
        var path = folder.File("day.parquet");
        var rows = PartSamples.City(4).ToList();
        PartSamples.Write(path, rows);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 0x10;
        File.WriteAllBytes(path, bytes);
        using var reader = PartReader.Open(path);
        var into = new ObservationColumns();
        var failed = 0;
        foreach (var part in rows)
        {
            var before = into.Count;
            try
            {
                Assert.Equal(1440, reader.Read(part.Datastream, long.MinValue, long.MaxValue, into));
            }
            catch (InvalidDataException error)
            {
                failed++;
                Assert.Contains(path, error.Message, StringComparison.Ordinal);
                Assert.Contains("row group 0, column result_scaled, page", error.Message, StringComparison.Ordinal);
                Assert.Equal(before, into.Count);
                Assert.Equal(before, into.Revisions.Count);
            }
        }

        Assert.InRange(failed, 1, rows.Count - 1);
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        Assert.Throws<OperationCanceledException>(() => reader.Verify(stopped.Token));
    }

    private static (List<PartRows> Rows, byte[] Bytes) Small(TempFolder folder)
    {
        // Every kind of chunk and page: decimals, doubles, missing values, constants; two row groups of two bundles.
        List<PartRows> rows = [];
        var random = new Random(3);
        for (var datastream = 1; datastream <= 6; datastream++)
        {
            var columns = new ObservationColumns();
            for (var i = 0; i < 30; i++)
            {
                columns.Add(new Observation(datastream, EventTime.Time(1_790_812_800_000_000 + (i * 60_000_000L)), datastream % 3 == 0 ? random.NextDouble() : Math.Round(20 * random.NextDouble(), 1), (Edge.Contract.Readings.Quality)(i % 9 / 8))
                {
                    Raw = datastream < 3 ? double.NaN : i % 2 == 0 ? i / 4.0 : double.NaN,
                    Calibration = datastream > 4 ? 2 : 0,
                    Coverage = datastream == 5 ? random.Next(60) / 60.0 : double.NaN,
                });
            }

            rows.Add(new PartRows(datastream, columns));
        }

        var path = folder.File("small.parquet");
        PartSamples.Write(path, rows, 40, 60, 90);
        return (rows, File.ReadAllBytes(path));
    }

    private static void Check(string path, byte[] bytes, List<PartRows> rows, bool mustBeFound)
    {
        File.WriteAllBytes(path, bytes);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var isFound = false;
        try
        {
            using var reader = PartReader.Open(path);
            try
            {
                reader.Verify(CancellationToken.None);
            }
            catch (InvalidDataException error)
            {
                Assert.Contains(path, error.Message, StringComparison.Ordinal);
                isFound = true;
            }

            foreach (var part in rows)
            {
                var into = new ObservationColumns();
                try
                {
                    Assert.Equal(part.Rows.Count, reader.Read(part.Datastream, long.MinValue, long.MaxValue, into));
                    PartSamples.AssertSame(part.Rows, 0, part.Rows.Count, into);
                }
                catch (InvalidDataException)
                {
                    Assert.True(isFound, "Read finds what Verify does not.");
                    Assert.Equal(0, into.Count);
                }
            }

            isFound |= ReadAll(reader, rows);
        }
        catch (InvalidDataException error)
        {
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
            isFound = true;
        }

        Assert.Equal(mustBeFound, isFound);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 2_000_000 + (100L * bytes.Length));
    }

    private static bool ReadAll(PartReader reader, List<PartRows> rows)
    {
        try
        {
            using var cursor = reader.ReadAll();
            foreach (var part in rows)
            {
                for (var row = 0; row < part.Rows.Count; row += cursor.Rows.Count)
                {
                    Assert.True(cursor.MoveNext());
                    Assert.Equal(part.Datastream, cursor.Datastream);
                    PartSamples.AssertSame(part.Rows, row, row + cursor.Rows.Count, cursor.Rows);
                }
            }

            Assert.False(cursor.MoveNext());
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }
}
