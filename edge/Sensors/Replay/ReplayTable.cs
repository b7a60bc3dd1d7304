using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Replay.Text;

namespace Hub.Edge.Sensors.Replay;

/// <summary>What was found in one column of a file.</summary>
/// <param name="Property">Quantity id.</param>
/// <param name="Name">What the publisher calls the column.</param>
/// <param name="Values">Rows with a value.</param>
/// <param name="Missing">Rows without one.</param>
/// <param name="LeftOut">Rows whose value does not count because of a condition.</param>
internal sealed record ReplayColumn(string Property, string Name, int Values, int Missing, int LeftOut);

/// <summary>
/// The rows of a file that hold a value, in the order the publisher had them (oldest first), in flat arrays: 8 bytes per value and 20 per row.
/// </summary>
internal sealed class ReplayTable
{
    /// <summary>The columns, in the order of the layout.</summary>
    public required IReadOnlyList<ReplayColumn> Columns { get; init; }

    /// <summary>Averaging period.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Zone people at the place lived by.</summary>
    public required TimeZoneInfo Place { get; init; }

    /// <summary>Zone of the publisher's time stamps.</summary>
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>Rows of data in the file (those a filter left aside not counted).</summary>
    public required int RowsRead { get; init; }

    /// <summary>Rows at a time that local time never had; they cannot be placed and are left out.</summary>
    public required int RowsNowhere { get; init; }

    /// <summary>Start of each row's period, UTC ticks; not always rising.</summary>
    public required long[] Starts { get; init; }

    /// <summary>Values, row after row, NaN for none.</summary>
    public required double[] Values { get; init; }

    /// <summary>Share of the period measured, per row, NaN for not stated; null where the file never says.</summary>
    public required float[]? Coverages { get; init; }

    /// <summary>What the publisher itself says against a row; null where the file never says.</summary>
    public required Quality[]? Qualities { get; init; }

    /// <summary>Number of rows.</summary>
    public int Count => Starts.Length;

    /// <summary>The same table without the rows that start at or behind an instant (UTC ticks).</summary>
    public ReplayTable Before(long end)
    {
        int[] kept = [.. Enumerable.Range(0, Count).Where(row => Starts[row] < end)];
        int width = Columns.Count;
        var values = new double[kept.Length * width];
        for (int row = 0; row < kept.Length; row++)
        {
            Values.AsSpan(kept[row] * width, width).CopyTo(values.AsSpan(row * width));
        }

        return new ReplayTable
        {
            Columns = Columns,
            Period = Period,
            Place = Place,
            Zone = Zone,
            RowsRead = RowsRead,
            RowsNowhere = RowsNowhere,
            Starts = [.. kept.Select(row => Starts[row])],
            Values = values,
            Coverages = Coverages is null ? null : [.. kept.Select(row => Coverages[row])],
            Qualities = Qualities is null ? null : [.. kept.Select(row => Qualities[row])],
        };
    }
}

/// <summary>Collects rows in the order of the file.</summary>
internal sealed class ReplayTableBuilder(TableLayout layout)
{
    private readonly int width = layout.Columns.Count;
    private readonly int[] valueCounts = new int[layout.Columns.Count];
    private readonly int[] missingCounts = new int[layout.Columns.Count];
    private readonly int[] leftOutCounts = new int[layout.Columns.Count];
    private long[] starts = new long[1024];
    private double[] values = new double[1024 * layout.Columns.Count];
    private float[]? coverages = layout.Coverage is null ? null : new float[1024];
    private Quality[]? qualities = layout.Coverage is null ? null : new Quality[1024];
    private int count;
    private int rowsRead;
    private int rowsNowhere;

    public void Value(int column) => valueCounts[column]++;

    public void Missing(int column) => missingCounts[column]++;

    public void LeftOut(int column) => leftOutCounts[column]++;

    public void Add(long? start, ReadOnlySpan<double> row, bool any, float? coverage, Quality quality)
    {
        rowsRead++;
        if (start is null)
        {
            rowsNowhere++;
            return;
        }

        if (!any)
        {
            return;
        }

        if (count == starts.Length)
        {
            Resize(count * 2);
        }

        starts[count] = start.Value;
        row.CopyTo(values.AsSpan(count * width));
        if (coverages is not null && qualities is not null)
        {
            coverages[count] = coverage ?? float.NaN;
            qualities[count] = quality;
        }

        count++;
    }

    public ReplayTable Build()
    {
        Resize(count);
        if (layout.NewestFirst)
        {
            Array.Reverse(starts);
            Array.Reverse(values);
            for (int row = 0; row < count; row++)
            {
                values.AsSpan(row * width, width).Reverse();
            }

            coverages?.AsSpan().Reverse();
            qualities?.AsSpan().Reverse();
        }

        return new ReplayTable
        {
            Columns = [.. layout.Columns.Select((column, index) => new ReplayColumn(column.Property, column.Name, valueCounts[index], missingCounts[index], leftOutCounts[index]))],
            Period = layout.Period,
            Place = layout.Place,
            Zone = layout.Zone,
            RowsRead = rowsRead,
            RowsNowhere = rowsNowhere,
            Starts = starts,
            Values = values,
            Coverages = coverages,
            Qualities = qualities,
        };
    }

    private void Resize(int rows)
    {
        Array.Resize(ref starts, rows);
        Array.Resize(ref values, rows * width);
        if (coverages is not null && qualities is not null)
        {
            Array.Resize(ref coverages, rows);
            Array.Resize(ref qualities, rows);
        }
    }
}
