using CsCheck;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What is written into a part comes back bit for bit, by every way of reading, and nothing appears before it is complete.</summary>
public sealed class PartTests
{
    [Fact]
    public void All_rows_come_back_bit_for_bit()
    {
        using var folder = new TempFolder();
        var shape = Gen.Select(PartSamples.Any(20, 300), Gen.Int[1, 200], Gen.Int[1, 300], Gen.Int[1, 1500]);
        shape.Sample((rows, bundleRows, bundleRowsExtra, groupRows) => CheckRoundTrip(folder.File($"{Guid.NewGuid():N}.parquet"), rows, bundleRows, bundleRows + bundleRowsExtra, groupRows), iter: 300);
    }

    [Fact]
    public void Large_parts_come_back_bit_for_bit()
    {
        using var folder = new TempFolder();
        PartSamples.Any(12, 50_000).Sample(
            rows => CheckRoundTrip(folder.File($"{Guid.NewGuid():N}.parquet"), rows, PartFormat.BundleRows, PartFormat.BundleRowsMax, PartFormat.GroupRows / 8), iter: 12);
    }

    [Fact]
    public void A_datastream_longer_than_a_bundle_is_divided_and_read_as_one()
    {
        using var folder = new TempFolder();
        var rows = new ObservationColumns();
        for (var i = 0; i < 200_000; i++)
        {
            rows.Add(new Observation(7, EventTime.Time(i * 1_000_000L), i % 1000 / 10.0, default));
        }

        CheckRoundTrip(folder.File("long.parquet"), [new PartRows(7, rows)], PartFormat.BundleRows, PartFormat.BundleRowsMax, PartFormat.GroupRows);
        CheckRoundTrip(folder.File("earlier.parquet"), [new PartRows(7, rows)], PartFormat.BundleRows, PartFormat.BundleRowsReadMax, PartFormat.GroupRows);
        using var reader = PartReader.Open(folder.File("long.parquet"));
        using var cursor = reader.ReadAll();
        List<int> counts = [];
        while (cursor.MoveNext())
        {
            Assert.Equal(7, cursor.Datastream);
            counts.Add(cursor.Rows.Count);
        }

        // Six bundles of four pieces each, and what is left.
        Assert.Equal([.. Enumerable.Repeat(8_192, 24), 3_392], counts);
        Assert.Equal([7], reader.Datastreams);
        Assert.False(reader.MayContain(7, 200_000_000_000, long.MaxValue));
        Assert.False(reader.MayContain(8, long.MinValue, long.MaxValue));
    }

    [Fact]
    public void Losers_of_one_key_keep_their_order()
    {
        using var folder = new TempFolder();
        var rows = new ObservationColumns();
        for (var i = 0; i < 10; i++)
        {
            rows.Add(new Observation(7, EventTime.Time(i / 5), 9 - i, default) { Revision = i });
        }

        PartSamples.Write(folder.File("history.parquet"), [new PartRows(7, rows), new PartRows(8, rows)], 4, 4, 8);
        using var reader = PartReader.Open(folder.File("history.parquet"));
        reader.Verify(TestContext.Current.CancellationToken);
        var into = new ObservationColumns();
        Assert.Equal(10, reader.Read(8, 0, 2, into));
        PartSamples.AssertSame(rows, 0, 10, into);
        Assert.Equal(5, reader.Read(7, 1, 2, into));
        PartSamples.AssertSame(rows, 5, 10, into, 10);
    }

    [Fact]
    public void Callers_read_one_part_at_once()
    {
        using var folder = new TempFolder();
        var rows = PartSamples.City(20, isDetailed: true).ToList();
        PartSamples.Write(folder.File("day.parquet"), rows);
        using var reader = PartReader.Open(folder.File("day.parquet"));
        Parallel.For(0, 400, i =>
        {
            var expected = rows[i * 37 % rows.Count];
            var into = new ObservationColumns();
            Assert.Equal(1440, reader.Read(expected.Datastream, long.MinValue, long.MaxValue, into));
            PartSamples.AssertSame(expected.Rows, 0, 1440, into);
        });
    }

    [Fact]
    public void A_part_appears_when_it_is_complete()
    {
        using var folder = new TempFolder();
        var path = folder.File("day.parquet");
        File.WriteAllText(path + ".new", "left by a power cut");
        var rows = PartSamples.City(1).First();
        using (var writer = new PartWriter(path))
        {
            writer.Add(rows.Datastream, rows.Rows);
            Assert.False(File.Exists(path));
        }

        Assert.Empty(Directory.GetFiles(folder.Path));
        using (var writer = new PartWriter(path))
        {
            writer.Add(rows.Datastream, rows.Rows);
            var summary = writer.Complete();
            Assert.Equal(new FileInfo(path).Length, summary.Bytes);
            Assert.Throws<ObjectDisposedException>(() => writer.Add(rows.Datastream + 1, rows.Rows));
            Assert.Throws<ObjectDisposedException>(writer.Complete);
        }

        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Rows_out_of_order_are_refused()
    {
        using var folder = new TempFolder();
        using var writer = new PartWriter(folder.File("x.parquet"));
        Assert.Throws<InvalidOperationException>(writer.Complete);
        Assert.Throws<ArgumentException>(() => writer.Add(1, new ObservationColumns()));
        var rows = new ObservationColumns();
        rows.Add(new Observation(5, EventTime.Time(10), 1, default));
        writer.Add(5, rows);
        Assert.Throws<ArgumentException>(() => writer.Add(4, rows));
        var earlier = new ObservationColumns();
        earlier.Add(new Observation(5, EventTime.Time(9), 1, default));
        Assert.Throws<ArgumentException>(() => writer.Add(5, earlier));
        var uneven = new ObservationColumns();
        uneven.Micros.Add(11);
        Assert.Throws<ArgumentException>(() => writer.Add(5, uneven));
        earlier.Add(new Observation(5, EventTime.Time(8), 1, default));
        Assert.Throws<ArgumentException>(() => writer.Add(6, earlier));
        Assert.Equal(1, writer.Complete().Rows);
    }

    private static void CheckRoundTrip(string path, List<PartRows> rows, int bundleRows, int bundleRowsMax, int groupRows)
    {
        var summary = PartSamples.Write(path, rows, bundleRows, bundleRowsMax, groupRows);
        var joined = PartSamples.Joined(rows);
        using var reader = PartReader.Open(path);
        Assert.Equal(summary, reader.Summary);
        Assert.Equal(
            new PartSummary(joined.Sum(r => (long)r.Rows.Count), joined.Count, joined.Min(r => r.Rows.Micros[0]), joined.Max(r => r.Rows.Micros[^1]), new FileInfo(path).Length), summary);
        reader.Verify(CancellationToken.None);
        Assert.Equal(joined.Select(r => r.Datastream), reader.Datastreams);
        using (var cursor = reader.ReadAll())
        {
            foreach (var part in joined)
            {
                for (var row = 0; row < part.Rows.Count; row += cursor.Rows.Count)
                {
                    Assert.True(cursor.MoveNext());
                    Assert.Equal(part.Datastream, cursor.Datastream);
                    Assert.InRange(row + cursor.Rows.Count, row + 1, part.Rows.Count);
                    PartSamples.AssertSame(part.Rows, row, row + cursor.Rows.Count, cursor.Rows);
                }
            }

            Assert.False(cursor.MoveNext());
        }

        var into = new ObservationColumns();
        var random = new Random(joined.Count + joined[0].Rows.Count);
        foreach (var part in joined)
        {
            var before = into.Count;
            Assert.Equal(part.Rows.Count, reader.Read(part.Datastream, long.MinValue, long.MaxValue, into));
            PartSamples.AssertSame(part.Rows, 0, part.Rows.Count, into, before);
            var (first, last) = (random.Next(part.Rows.Count), random.Next(part.Rows.Count));
            (first, last) = (Math.Min(first, last), Math.Max(first, last));
            before = into.Count;
            Assert.Equal(last - first, reader.Read(part.Datastream, part.Rows.Micros[first], part.Rows.Micros[last], into));
            PartSamples.AssertSame(part.Rows, first, last, into, before);
            Assert.True(reader.MayContain(part.Datastream, part.Rows.Micros[first], part.Rows.Micros[first] + 1));
            Assert.Equal(0, reader.Read(part.Datastream, part.Rows.Micros[^1] + 1, long.MaxValue, into));
            if (part.Datastream < int.MaxValue && joined.All(r => r.Datastream != part.Datastream + 1))
            {
                Assert.Equal(0, reader.Read(part.Datastream + 1, long.MinValue, long.MaxValue, into));
            }
        }
    }
}
