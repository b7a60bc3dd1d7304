using System.Globalization;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Prints what writing and reading parts costs, in time of the processor; asserts that the answers are right and that a question allocates nothing. HUB_PART_REPEATS=20 measures a day of 10,000 datastreams.</summary>
[Collection(nameof(PartSpeedTests))]
public sealed class PartSpeedTests(ITestOutputHelper output)
{
    private static readonly int Repeats = int.TryParse(Environment.GetEnvironmentVariable("HUB_PART_REPEATS"), CultureInfo.InvariantCulture, out var repeats) ? repeats : 1;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Writing_and_reading(bool isDetailed)
    {
        using var folder = new TempFolder();
        var rows = PartSamples.City(100, isDetailed).ToList();
        var path = folder.File("day.parquet");
        var all = (long)Repeats * rows.Count * 1440;
        var start = Environment.CpuUsage.TotalTime;
        using (var writer = new PartWriter(path))
        {
            for (var i = 0; i < Repeats; i++)
            {
                foreach (var part in rows)
                {
                    writer.Add((i * rows.Count) + part.Datastream, part.Rows);
                }
            }

            var summary = writer.Complete();
            Say("write", start, all);
            output.WriteLine($"{summary.Rows:N0} rows, {(double)summary.Bytes / summary.Rows:F3} bytes each");
        }

        var memory = GC.GetTotalMemory(forceFullCollection: true);
        start = Environment.CpuUsage.TotalTime;
        using var reader = PartReader.Open(path);
        output.WriteLine($"open: {(Environment.CpuUsage.TotalTime - start).TotalMilliseconds:F1} ms, {(GC.GetTotalMemory(forceFullCollection: true) - memory) / 1024} KiB kept");
        var into = new ObservationColumns();
        for (var round = 0; round < 3; round++)
        {
            ReadEach(reader, rows, into, round);
        }

        start = Environment.CpuUsage.TotalTime;
        long count = 0;
        using (var cursor = reader.ReadAll())
        {
            while (cursor.MoveNext())
            {
                count += cursor.Rows.Count;
            }
        }

        Say("read all", start, all);
        Assert.Equal(all, count);
        start = Environment.CpuUsage.TotalTime;
        reader.Verify(TestContext.Current.CancellationToken);
        Say("verify", start, all);
    }

    private void ReadEach(PartReader reader, List<PartRows> rows, ObservationColumns into, int round)
    {
        const int Questions = 2000;
        var random = new Random(round);
        reader.Read(0, long.MinValue, long.MaxValue, into);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var start = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < Questions; i++)
        {
            into.Clear();
            var datastream = random.Next(Repeats * rows.Count);
            if (reader.Read(datastream, long.MinValue, long.MaxValue, into) != 1440 || rows[datastream % rows.Count].Rows.Results[^1] != into.Results[^1])
            {
                Assert.Fail($"Datastream {datastream} came back wrong.");
            }
        }

        var took = (Environment.CpuUsage.TotalTime - start);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        output.WriteLine($"one datastream: {took.TotalMicroseconds / Questions:F1} us, {allocated / Questions} bytes allocated");
        if (round > 0)
        {
            Assert.InRange(allocated / Questions, 0, 16);
        }
    }

    private void Say(string what, TimeSpan start, long count)
    {
        var took = (Environment.CpuUsage.TotalTime - start);
        output.WriteLine($"{what}: {took.TotalMilliseconds:F0} ms, {count / took.TotalMicroseconds:F1} million rows/s");
    }
}

/// <summary>What is measured here is the whole process, and the buffers that questions share: nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(PartSpeedTests), DisableParallelization = true)]
public sealed class PartSpeedCollection;
