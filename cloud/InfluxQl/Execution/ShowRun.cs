using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>A table of an answer.</summary>
/// <param name="Name">Its name; null when it has none.</param>
/// <param name="Tags">What its rows have in common; empty when nothing.</param>
/// <param name="Columns">Names of the columns.</param>
/// <param name="Rows">Rows; when <paramref name="TimeFirst"/>, each has its time before its values.</param>
/// <param name="TimeFirst">Whether the first column is time.</param>
internal sealed record AnswerTable(string? Name, IReadOnlyDictionary<string, string> Tags, IReadOnlyList<string> Columns, IReadOnlyList<ListRow> Rows, bool TimeFirst);

/// <summary>Answers SHOW from what the catalog has for the visitor.</summary>
internal static class ShowRun
{
    private static readonly Dictionary<string, string> NoTags = [];

    /// <summary>Answers it.</summary>
    /// <param name="show">The statement.</param>
    /// <param name="catalog">What there is.</param>
    /// <param name="database">Name of the database.</param>
    /// <param name="budget">What may be sent.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<List<AnswerTable>> RunAsync(ShowNode show, Catalog catalog, string database, Budget budget, CancellationToken cancellationToken)
    {
        switch (show.Kind)
        {
            case ShowKind.Databases:
                return [Table("databases", ["name"], [[Value.Of(database)]])];
            case ShowKind.RetentionPolicies:
                return [Table(null, ["name", "duration", "shardGroupDuration", "replicaN", "default"], [[Value.Of(Catalog.RetentionPolicy), Value.Of("0s"), Value.Of("168h0m0s"), Value.Of(1L), Value.Of(true)]])];
        }

        var measurements = show.Sources.IsEmpty ? catalog.Measurements : [.. show.Sources.SelectMany(catalog.Find).Distinct().OrderBy(measurement => measurement.Name, StringComparer.Ordinal)];
        List<AnswerTable> tables = [];
        List<string> listed = [];
        foreach (var measurement in measurements)
        {
            if (show.Kind == ShowKind.FieldKeys)
            {
                Add(measurement.Name, ["fieldKey", "fieldType"], measurement.Fields.Select(field => new[] { Value.Of(field.Key), Value.Of(Word(field.Value)) }));
                continue;
            }

            var strands = await StrandsAsync(measurement, show, catalog, budget, cancellationToken);
            switch (show.Kind)
            {
                case ShowKind.Measurements when strands.Count > 0 || show.Where is null:
                    listed.Add(measurement.Name);
                    break;
                case ShowKind.TagKeys:
                    Add(measurement.Name, ["tagKey"], strands.SelectMany(strand => strand.Tags.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(key => new[] { Value.Of(key) }));
                    break;
                case ShowKind.TagValues:
                    var pairs = strands.SelectMany(strand => strand.Tags).Where(tag => show.Keys(tag.Key)).Distinct()
                        .OrderBy(tag => tag.Key, StringComparer.Ordinal).ThenBy(tag => tag.Value, StringComparer.Ordinal);
                    Add(measurement.Name, ["key", "value"], pairs.Select(tag => new[] { Value.Of(tag.Key), Value.Of(tag.Value) }));
                    break;
                case ShowKind.Series:
                    listed.AddRange(strands.Select(KeyOf).Order(StringComparer.Ordinal));
                    break;
            }
        }

        if (show.Kind == ShowKind.Measurements)
        {
            Add("measurements", ["name"], listed.Select(name => new[] { Value.Of(name) }));
        }
        else if (show.Kind == ShowKind.Series)
        {
            Add(null, ["key"], listed.Select(key => new[] { Value.Of(key) }));
        }

        budget.Send(tables.Sum(table => (long)table.Rows.Count));
        return tables;

        void Add(string? name, IReadOnlyList<string> columns, IEnumerable<Value[]> rows)
        {
            Value[][] shown = [.. rows.Skip(show.Offset).Take(show.Limit > 0 ? show.Limit : int.MaxValue)];
            if (shown.Length > 0)
            {
                tables.Add(Table(name, columns, shown));
            }
        }
    }

    /// <summary>Kind of a field as InfluxDB names it.</summary>
    private static string Word(ValueKind kind) => kind switch
    {
        ValueKind.Float => "float",
        ValueKind.Integer => "integer",
        ValueKind.Boolean => "boolean",
        _ => "string",
    };

    private static AnswerTable Table(string? name, IReadOnlyList<string> columns, IEnumerable<Value[]> rows) => new(name, NoTags, columns, [.. rows.Select(row => new ListRow(0, row))], TimeFirst: false);

    /// <summary>Series whose tags do not already say that the condition cannot hold.</summary>
    private static async Task<IReadOnlyList<Strand>> StrandsAsync(Measurement measurement, ShowNode show, Catalog catalog, Budget budget, CancellationToken cancellationToken)
    {
        var (condition, earliest, latest) = new Times(catalog.Now, null).Split(show.Where);
        var strands = await measurement.StrandsAsync(new Span(earliest ?? Span.Earliest, latest ?? Span.Latest), cancellationToken);
        return condition is null ? strands : [.. strands.Where(strand => StrandReader.MayHold(strand, condition))];
    }

    /// <summary>A series as line protocol writes it.</summary>
    private static string KeyOf(Strand strand) => string.Concat(strand.Tags.Select(tag => $",{Escaped(tag.Key)}={Escaped(tag.Value)}").Prepend(strand.Name));

    private static string Escaped(string text) =>
        text.Replace(",", "\\,", StringComparison.Ordinal).Replace("=", "\\=", StringComparison.Ordinal).Replace(" ", "\\ ", StringComparison.Ordinal);
}
