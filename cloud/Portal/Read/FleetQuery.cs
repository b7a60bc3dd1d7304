using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Hub.Cloud.Portal.Read;

/// <summary>Columns by which the stations of a fleet are put in order.</summary>
internal enum FleetColumn
{
    Health,
    Name,
    Outbox,
    Clock,
    Link,
    Agent,
    Settings,
    Command,
    Quarantine,
}

/// <summary>Which stations a page shows, and in which order, as its address says it.</summary>
internal sealed record FleetQuery
{
    /// <summary>Longest text looked for, characters.</summary>
    public const int TextMax = 100;

    /// <summary>Slug; null for all.</summary>
    public string? Municipality { get; init; }

    /// <summary>Null for all.</summary>
    public Health? Health { get; init; }

    /// <summary>Part of a name or slug; empty for all.</summary>
    public string Text { get; init; } = "";

    /// <summary>By which column; the worst first, names from A to Z.</summary>
    public FleetColumn Sort { get; init; }

    /// <summary>Whether the order is turned round.</summary>
    public bool Reversed { get; init; }

    /// <summary>1 for the first.</summary>
    public int Page { get; init; } = 1;

    /// <summary>Whether nothing is left out.</summary>
    public bool IsEmpty => Municipality is null && Health is null && Text.Length == 0;

    /// <summary>Reads an address.</summary>
    /// <param name="query">What stands in it.</param>
    /// <param name="wrong">The first value that cannot be: its name and what is allowed; null when all can.</param>
    public static FleetQuery Read(IQueryCollection query, out (string Key, string Allowed)? wrong)
    {
        wrong = null;
        var health = Word<Health>(query, "health", ref wrong);
        var order = query["sort"].ToString();
        FleetColumn? sort = null;
        if (order.Length > 0)
        {
            sort = Enum.TryParse<FleetColumn>(order.TrimStart('-'), ignoreCase: true, out var known) && Enum.IsDefined(known) && !char.IsAsciiDigit(order[^1]) ? known : null;
            wrong ??= sort is null ? ("sort", Words<FleetColumn>()) : null;
        }

        var at = query["p"].ToString();
        var page = 1;
        if (at.Length > 0 && (!int.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out page) || page < 1))
        {
            wrong ??= ("p", "1, 2, 3, …");
        }

        var text = query["q"].ToString().Trim();
        return new()
        {
            Municipality = query["municipality"].ToString() is { Length: > 0 } slug ? slug : null, Health = health, Text = text.Length > TextMax ? text[..TextMax] : text,
            Sort = sort ?? FleetColumn.Health, Reversed = order.StartsWith('-'), Page = Math.Max(1, page),
        };
    }

    /// <summary>Address of the page that shows this.</summary>
    public string Address()
    {
        var builder = new QueryBuilder();
        Add("municipality", Municipality);
        Add("health", WordOf(Health));
        Add("q", Text);
        Add("sort", Sort == FleetColumn.Health && !Reversed ? null : (Reversed ? "-" : "") + Sort.ToString().ToLowerInvariant());
        Add("p", Page > 1 ? Page.ToString(CultureInfo.InvariantCulture) : null);
        return "/fleet" + builder.ToQueryString().Value;

        void Add(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                builder.Add(key, value);
            }
        }
    }

    /// <summary>The word for a health in addresses; null for all.</summary>
    public static string? WordOf(Health? health) => health?.ToString().ToLowerInvariant();

    private static T? Word<T>(IQueryCollection query, string key, ref (string, string)? wrong)
        where T : struct, Enum
    {
        var text = query[key].ToString();
        if (text.Length == 0)
        {
            return null;
        }

        if (Enum.TryParse<T>(text, ignoreCase: true, out var known) && Enum.IsDefined(known) && !char.IsAsciiDigit(text[0]))
        {
            return known;
        }

        wrong ??= (key, Words<T>());
        return null;
    }

    private static string Words<T>()
        where T : struct, Enum =>
        string.Join(", ", Enum.GetNames<T>().Select(static name => name.ToLowerInvariant()));
}
