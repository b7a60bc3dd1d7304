using System.Collections.Immutable;
using Hub.Cloud.InfluxQl.Execution;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Data;

/// <summary>What can be asked: its name, fields and tags, and its series as far as the visitor may see them.</summary>
internal abstract class Measurement
{
    /// <summary>Its name.</summary>
    public abstract string Name { get; }

    /// <summary>Fields and their kinds, by name.</summary>
    public abstract ImmutableSortedDictionary<string, ValueKind> Fields { get; }

    /// <summary>Tags, by name.</summary>
    public abstract ImmutableArray<string> TagKeys { get; }

    /// <summary>Its series, in order of their tags.</summary>
    /// <param name="span">What is asked about; series without anything in it may be left out.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public abstract ValueTask<IReadOnlyList<Strand>> StrandsAsync(Span span, CancellationToken cancellationToken);

    /// <summary>Number of a field in its rows, -1 of what is none.</summary>
    protected static int SlotOf(ImmutableSortedDictionary<string, ValueKind> fields, string field)
    {
        var slot = 0;
        foreach (var name in fields.Keys)
        {
            if (string.Equals(name, field, StringComparison.Ordinal))
            {
                return slot;
            }

            slot++;
        }

        return -1;
    }
}

/// <summary>A series: rows in order of time with the same tags.</summary>
internal abstract class Strand(string name, ImmutableSortedDictionary<string, string> tags)
{
    /// <summary>Name of its measurement.</summary>
    public string Name { get; } = name;

    /// <summary>Its tags; one it does not have is not there.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; } = tags;

    /// <summary>Whether a row stands for the fields that it has: then one without any of the selected ones is none.</summary>
    public virtual bool IsStored => true;

    /// <summary>Number of a field in its rows, -1 of what is none.</summary>
    public abstract int SlotOf(string field);

    /// <summary>About how many rows there are.</summary>
    public abstract long Estimate(Span span);

    /// <summary>Gives the rows of a span to <paramref name="sink"/> in order of time, until it returns false. A row is only valid during the call.</summary>
    public abstract ValueTask ReadAsync(Span span, bool ascending, Func<IRow, bool> sink, CancellationToken cancellationToken);
}

/// <summary>Rows that are in memory.</summary>
internal sealed class ListStrand(string name, ImmutableSortedDictionary<string, string> tags, IReadOnlyList<string> columns, IReadOnlyList<ListRow> rows, bool isStored) : Strand(name, tags)
{
    public override bool IsStored => isStored;

    public override int SlotOf(string field)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (string.Equals(columns[i], field, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return -1;
    }

    public override long Estimate(Span span) => rows.Count;

    public override ValueTask ReadAsync(Span span, bool ascending, Func<IRow, bool> sink, CancellationToken cancellationToken)
    {
        // Rows of a question within a question are all of what is asked, though a bucket of theirs may begin before; others are few.
        var ordered = rows.Count > 1 && rows[0].Time > rows[^1].Time == ascending ? rows.Reverse() : rows;
        foreach (var row in ordered)
        {
            if ((!isStored || span.Contains(row.Time)) && !sink(row))
            {
                break;
            }
        }

        return ValueTask.CompletedTask;
    }
}

/// <summary>A row in memory.</summary>
internal sealed record ListRow(long Time, Value[] Values) : IRow
{
    public Value this[int slot] => Values[slot];
}
