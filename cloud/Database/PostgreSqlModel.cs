using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Hub.Cloud.Database;

/// <summary>
/// Gives every stage's model, when it is on PostgreSQL, the meaning it has on SQLite, so that the stages need not know where they are stored:
/// instants keep their 100 ns (a timestamp of PostgreSQL has whole microseconds), as ticks of 100 ns since 1970-01-01 UTC in a bigint; text has no limit of the column's (the stages have their own) and
/// compares byte by byte (collation "C"); conditions of indexes are in PostgreSQL's words.
/// </summary>
internal sealed partial class PostgreSqlModel(ModelCustomizerDependencies dependencies) : RelationalModelCustomizer(dependencies)
{
    public override void Customize(ModelBuilder modelBuilder, DbContext context)
    {
        base.Customize(modelBuilder, context);
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetDeclaredProperties())
            {
                var stored = property.GetValueConverter()?.ProviderClrType ?? property.GetProviderClrType() ?? property.ClrType;
                if (stored == typeof(DateTime) || stored == typeof(DateTime?))
                {
                    property.SetValueConverter(new InstantConverter());
                }
                else if (stored == typeof(DateTimeOffset) || stored == typeof(DateTimeOffset?))
                {
                    property.SetValueConverter(new OffsetInstantConverter());
                }
                else if (stored == typeof(string))
                {
                    property.SetMaxLength(null);
                    property.SetColumnType("text");
                    property.SetCollation("C");
                }
            }

            foreach (var index in entity.GetDeclaredIndexes())
            {
                if (index.GetFilter() is { } filter)
                {
                    index.SetFilter(Condition(filter));
                }
            }
        }
    }

    /// <summary>The condition of an index as PostgreSQL reads it: names of columns in quotes, and a truth value is no number.</summary>
    internal static string Condition(string sqlite) => IsOne().Replace(BareName().Replace(sqlite, "\"$0\""), "$1");

    // Words of SQL are in capitals, columns are not.
    [GeneratedRegex("""(?<!["\w])[A-Z][a-z]\w*(?!["\w])""", RegexOptions.CultureInvariant)]
    private static partial Regex BareName();

    [GeneratedRegex("""("\w+") = 1\b""", RegexOptions.CultureInvariant)]
    private static partial Regex IsOne();

    private sealed class InstantConverter() : ValueConverter<DateTime, long>(
        value => value.Ticks - DateTime.UnixEpoch.Ticks,
        stored => new DateTime(stored + DateTime.UnixEpoch.Ticks, DateTimeKind.Utc));

    private sealed class OffsetInstantConverter() : ValueConverter<DateTimeOffset, long>(
        value => value.UtcTicks - DateTime.UnixEpoch.Ticks,
        stored => new DateTimeOffset(stored + DateTime.UnixEpoch.Ticks, TimeSpan.Zero));
}
