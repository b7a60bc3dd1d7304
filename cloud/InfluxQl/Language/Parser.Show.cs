using System.Collections.Immutable;

namespace Hub.Cloud.InfluxQl.Language;

internal sealed partial class Parser
{
    private ShowNode Show()
    {
        Advance();
        var kind = ShowKindHere();
        var show = new ShowNode(kind);
        if (kind == ShowKind.Databases)
        {
            return show;
        }

        if (TookWord("ON"))
        {
            show = show with { Database = Identifier() };
        }

        if (kind == ShowKind.RetentionPolicies)
        {
            return show;
        }

        if (kind != ShowKind.Measurements && TookWord("FROM"))
        {
            var sources = ImmutableArray.CreateBuilder<MeasurementSource>();
            do
            {
                sources.Add(Measurement());
            }
            while (Took(","));

            show = show with { Sources = sources.ToImmutable() };
        }

        if (kind == ShowKind.Measurements && TookWord("WITH"))
        {
            Expect("MEASUREMENT");
            show = show with { Sources = [WithMeasurement()] };
        }

        if (kind == ShowKind.TagValues)
        {
            Expect("WITH");
            Expect("KEY");
            show = show with { Keys = WithKey() };
        }

        if (kind != ShowKind.FieldKeys && TookWord("WHERE"))
        {
            show = show with { Where = Expression() };
        }

        return show with { Limit = Count("LIMIT"), Offset = Count("OFFSET") };
    }

    private ShowKind ShowKindHere()
    {
        if (TookWord("DATABASES"))
        {
            return ShowKind.Databases;
        }

        if (TookWord("RETENTION"))
        {
            Expect("POLICIES");
            return ShowKind.RetentionPolicies;
        }

        if (TookWord("MEASUREMENTS"))
        {
            return ShowKind.Measurements;
        }

        if (TookWord("SERIES"))
        {
            return ShowKind.Series;
        }

        if (TookWord("FIELD"))
        {
            Expect("KEYS");
            return ShowKind.FieldKeys;
        }

        if (TookWord("TAG"))
        {
            return TookWord("KEYS") ? ShowKind.TagKeys : TookWord("VALUES") ? ShowKind.TagValues : throw Found("KEYS", "VALUES");
        }

        throw Found("DATABASES", "FIELD", "MEASUREMENTS", "RETENTION", "SERIES", "TAG");
    }

    private MeasurementSource WithMeasurement()
    {
        var place = current.Place;
        if (Took("=~"))
        {
            return new MeasurementSource(null, null, null, (current.Is("/") ? Regex() : throw Found("regex")).Regex, place);
        }

        ExpectSign("=");
        return Measurement();
    }

    private Func<string, bool> WithKey()
    {
        if (TookWord("IN"))
        {
            ExpectSign("(");
            var keys = new HashSet<string>(StringComparer.Ordinal);
            do
            {
                keys.Add(Identifier());
            }
            while (Took(","));

            ExpectSign(")");
            return keys.Contains;
        }

        if (current.Is("=~") || current.Is("!~"))
        {
            var wanted = current.Is("=~");
            Advance();
            var regex = (current.Is("/") ? Regex() : throw Found("regex")).Regex;
            return key => regex.IsMatch(key) == wanted;
        }

        if (current.Is("=") || current.Is("!=") || current.Is("<>"))
        {
            var wanted = current.Is("=");
            Advance();
            var name = Identifier();
            return key => string.Equals(key, name, StringComparison.Ordinal) == wanted;
        }

        throw Found("IN", "=", "!=", "=~", "!~");
    }
}
