using System.Globalization;
using System.Security.Claims;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Api;

/// <summary>One parameter of an address: read by <see cref="Query"/>, described in the OpenAPI document, and the only ones the address takes.</summary>
internal sealed record QueryParameter(string Name, string Description, string Type = "string", string? Format = null, string? Example = null)
{
    public const string Limit = "limit";

    public static readonly QueryParameter Municipality = new("municipality", "Only of this municipality.", Example: "braga");
    public static readonly QueryParameter Station = new("station", "Only of this station; needs `municipality`.", Example: "centro");
    public static readonly QueryParameter Property = new("property", "Only of this observed property, an identifier of `/api/v1/quantities`.", Example: "pm2_5");
    public static readonly QueryParameter Tag = new("tag", "Only of stations with this tag.", Example: "zona-mista");
    public static readonly QueryParameter From = new("from", "Begin, inclusive: ISO 8601 with Z or an offset.", Format: "date-time", Example: "2026-03-01T00:00:00Z");
    public static readonly QueryParameter To = new("to", "End, exclusive: ISO 8601 with Z or an offset. Now when absent.", Format: "date-time", Example: "2026-03-02T00:00:00Z");
    public static readonly QueryParameter After = new("after", "Only what comes after this datastream: filled in by `next`.", "integer");
    public static readonly QueryParameter Page = new(Limit, "Most items of one answer, 1 to 100000; 10000 when absent.", "integer", Example: "10000");
}

/// <summary>The parameters an address takes; endpoint metadata.</summary>
internal sealed record QueryParameters(IReadOnlyList<QueryParameter> All);

/// <summary>Reads the parameters of a request; whatever cannot be read ends it with a problem that names the parameter and what is expected.</summary>
internal readonly struct Query(HttpContext context)
{
    public ClaimsPrincipal Person => context.User;

    /// <summary>Refuses parameters the address does not have, and those given twice.</summary>
    public void Demand(QueryParameters allowed)
    {
        foreach (var (name, values) in context.Request.Query)
        {
            if (!allowed.All.Any(p => p.Name == name))
            {
                var list = allowed.All.Count == 0 ? "it takes none" : $"it takes {string.Join(", ", allowed.All.Select(p => p.Name))}";
                throw new ProblemException(Problems.UnknownParameter, $"This address has no parameter \"{Short(name)}\"; {list}.", Short(name));
            }

            if (values.Count != 1)
            {
                throw new ProblemException(Problems.UnknownParameter, $"The parameter {name} is given {values.Count} times; once is enough.", name);
            }
        }
    }

    public string? Text(string name) => context.Request.Query[name] is [{ } text] ? text : null;

    public bool? Flag(string name) => Text(name) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        var other => throw Wrong(name, other, "true or false"),
    };

    public long? Number(string name, long least, long most)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Wrong(name, text, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));
    }

    /// <summary>A percentage, 0 to 100, in decimal notation.</summary>
    public double? Percent(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 100
            ? number
            : throw Wrong(name, text, "a number from 0 to 100, as 90 or 99.8");
    }

    public int Limit(int most = 100_000, int usual = 10_000) => (int)(Number(QueryParameter.Limit, 1, most) ?? usual);

    public T? Word<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return Words.TryRead<T>(text, out var value) ? value : throw Wrong(name, text, $"one of {Words.All<T>()}");
    }

    /// <summary>The range asked for: up to now, and as long as usual, where nothing else is said.</summary>
    public (DateTime From, DateTime To) Range(DateTime now, TimeSpan usual)
    {
        var to = Instant("to") ?? now;
        var from = Instant("from") ?? (to - DateTime.MinValue > usual ? to - usual : DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc));
        return from < to
            ? (from, to)
            : throw new ProblemException(Problems.BadTime, $"from ({Words.Of(from)}) must be before to ({Words.Of(to)}).", "from");
    }

    public DateTime? Instant(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return Words.TryInstant(text, out var utc)
            ? utc
            : throw new ProblemException(Problems.BadTime, $"{name} is \"{Short(text)}\"; expected: ISO 8601 with Z or an offset, as 2026-03-01T12:00:00Z.", name);
    }

    public TimeSpan? Duration(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return Words.TryDuration(text, out var duration) ? duration : throw Wrong(name, text, "1 s to 366 days as 15m, 1h, 1d or ISO 8601 (PT15M, P1D)");
    }

    /// <summary>The municipality asked for; null for all.</summary>
    public Municipality? Municipality(IMunicipalities municipalities)
    {
        if (Text("municipality") is not { } slug)
        {
            return null;
        }

        return municipalities.TryGet(slug, out var found)
            ? found
            : throw new ProblemException(Problems.UnknownMunicipality, $"There is no municipality \"{Short(slug)}\".", "municipality");
    }

    /// <summary>The stations asked for that the caller may see, in order of municipality and slug.</summary>
    public IReadOnlyList<Station> Stations(IStations stations, IMunicipalities municipalities)
    {
        var municipality = Municipality(municipalities);
        var (person, tag) = (Person, Text("tag"));
        if (tag is not null && !StationTags.IsTag(tag))
        {
            throw Wrong("tag", tag, $"1 to {StationTags.LengthMax} of a-z, 0-9 and -, beginning and ending with a letter or digit");
        }

        if (Text("station") is not { } slug)
        {
            return [.. stations.All.Where(s => (municipality is null || s.Municipality == municipality.Slug) && (tag is null || s.HasTag(tag)) && person.CanSee(s))];
        }

        if (municipality is null)
        {
            throw new ProblemException(Problems.BadParameter, "station needs municipality: a station's name is only known within it.", "municipality");
        }

        return stations.TryGet(municipality.Slug, slug, out var found) && person.CanSee(found)
            ? tag is null || found.HasTag(tag) ? [found] : []
            : throw new ProblemException(Problems.UnknownStation, $"There is no station \"{Short(slug)}\" in {municipality.Slug} that you may see.", "station");
    }

    /// <summary>The datastreams asked for that the caller may see, in order of identifier.</summary>
    public IReadOnlyList<Datastream> Datastreams(IStations stations, IMunicipalities municipalities)
    {
        var property = Property();
        return [.. Stations(stations, municipalities)
            .SelectMany(s => stations.DatastreamsOf(s.Id))
            .Where(d => property is null || d.Quantity.Id == property)
            .OrderBy(d => d.Id)];
    }

    public string? Property()
    {
        if (Text("property") is not { } id)
        {
            return null;
        }

        return QuantityCatalogue.TryGet(id, out var quantity) ? quantity.Id : throw Wrong("property", id, "an identifier of /api/v1/quantities");
    }

    /// <summary>The address of this request with some parameters replaced (or, for null, left out).</summary>
    public string Address(params (string Name, string? Value)[] changes)
    {
        var kept = context.Request.Query.Where(q => changes.All(c => c.Name != q.Key)).Select(q => KeyValuePair.Create(q.Key, (string?)q.Value.ToString()));
        var added = changes.Where(c => c.Value is not null).Select(c => KeyValuePair.Create(c.Name, c.Value));
        return context.Request.PathBase + context.Request.Path + QueryString.Create(kept.Concat(added));
    }

    public static ProblemException Wrong(string name, string text, string expected) =>
        new(Problems.BadParameter, $"{name} is \"{Short(text)}\"; expected: {expected}.", name);

    /// <summary>What was sent, fit to be quoted: one line, at most 80 characters.</summary>
    public static string Short(string text) => string.Concat(text.Take(80).Select(c => char.IsControl(c) ? ' ' : c)) + (text.Length <= 80 ? "" : "...");
}

/// <summary>Who may see what. What somebody may not see does not exist for them.</summary>
internal static class Visibility
{
    public static bool CanSee(this ClaimsPrincipal person, Station station) => station.Public || person.Holds(Role.Viewer, station.Municipality);
}
