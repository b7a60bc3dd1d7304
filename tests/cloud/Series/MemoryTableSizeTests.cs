using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Looks at the memory of the whole process: nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(MemoryTableSizeTests), DisableParallelization = true)]
[Collection(nameof(MemoryTableSizeTests))]
public sealed class MemoryTableSizeTests
{
    [Fact]
    public void Million_rows_of_ten_thousand_datastreams_cost_about_sixty_bytes_each()
    {
        // With the table and, at once, without it: what other tests left behind and the runtime frees later lies before both.
        var held = new MemoryTable?[1];
        var rows = Fill(held);
        var with = GC.GetTotalMemory(forceFullCollection: true);
        held[0] = null;
        var bytes = (with - GC.GetTotalMemory(forceFullCollection: true)) / (double)rows;
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes:F1} bytes a row");
        Assert.InRange(bytes, 40, 75);
    }

    /// <summary>On a frame of its own, so that no other one keeps the table alive.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static long Fill(MemoryTable?[] into)
    {
        var group = new Observation[10_000];
        var table = new MemoryTable(new MemoryRows(0));
        for (var minute = 0; minute < 100; minute++)
        {
            for (var i = 0; i < group.Length; i++)
            {
                group[i] = new Observation(i + 1, DateTime.UnixEpoch.AddMinutes(minute), minute, Quality.Good);
            }

            table.Insert(minute + 1, group, []);
        }

        into[0] = table;
        return table.Rows;
    }
}
