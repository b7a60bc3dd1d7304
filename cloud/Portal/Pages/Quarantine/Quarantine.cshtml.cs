using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Pages.Rules;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Quarantine;

/// <summary>What was refused and kept, for operators of the municipality: look, release, discard; for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class QuarantineModel(IEnumerable<IQuarantine> quarantines, IEnumerable<IAudit> audits, IMunicipalities municipalities, IStations stations, Reader reader, PageScope scope) : PageModel
{
    /// <summary>Entries of a page.</summary>
    public const int CountMax = 20;

    /// <summary>Groups of a page; the rest is found by station.</summary>
    public const int GroupsMax = 200;

    /// <summary>Entries released by one press of a button; the page offers to go on.</summary>
    public const int ReleaseMax = 1_000;

    public Municipality Town { get; private set; } = null!;

    public IReadOnlyList<Municipality> Municipalities => [.. municipalities.All.Where(one => User.Holds(Role.Operator, one.Slug))];

    public TimeZoneInfo Zone => reader.ZoneOf(Town.Slug);

    /// <summary>Slug of the only station shown; null for all.</summary>
    public string? Station { get; private set; }

    /// <summary>The only reason shown; null for all.</summary>
    public RefusalReason? Reason { get; private set; }

    /// <summary>What there is, by station and reason; at most <see cref="GroupsMax"/>.</summary>
    public IReadOnlyList<QuarantineGroup> Groups { get; private set; } = [];

    /// <summary>How many groups there are in all.</summary>
    public int GroupCount { get; private set; }

    /// <summary>Entries of the groups shown.</summary>
    public long Entries { get; private set; }

    /// <summary>Single entries, the newest first; only when a station or a reason is chosen.</summary>
    public IReadOnlyList<QuarantinedRecord> Records { get; private set; } = [];

    /// <summary>Address of the older entries; null when there are none.</summary>
    public string? Older { get; private set; }

    /// <summary>Whether it is asked if something is to be discarded.</summary>
    public bool Asks { get; private set; }

    /// <summary>The entry it is asked about; null for all that are shown.</summary>
    public QuarantinedRecord? Asked { get; private set; }

    /// <summary>What became of entries released just now; null when none were.</summary>
    public QuarantineRelease? Released { get; private set; }

    /// <summary>Entries discarded just now; null when none were.</summary>
    public long? Discarded { get; private set; }

    /// <summary>Text key of what went wrong; null when nothing did.</summary>
    public string? Problem { get; private set; }

    /// <summary>Identifier up to which a release that is offered to go on goes.</summary>
    public long UpTo { get; private set; }

    public string Address => AddressOf(Town.Slug, Station, Reason);

    private IQuarantine Store => quarantines.Last();

    /// <summary>Address of a quarantine.</summary>
    public static string AddressOf(string municipality, string? station = null, RefusalReason? reason = null)
    {
        var query = new QueryBuilder { { "municipality", municipality } };
        if (station is not null)
        {
            query.Add("station", station);
        }

        if (reason is { } why)
        {
            query.Add("reason", WordOf(why));
        }

        return "/quarantine" + query.ToQueryString().Value;
    }

    /// <summary>The API's word for a reason.</summary>
    public static string WordOf(RefusalReason reason) => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(reason.ToString());

    /// <summary>A station's name; its slug when nobody registered it.</summary>
    public string NameOf(string station) => stations.TryGet(Town.Slug, station, out var found) ? found.Name : station;

    /// <summary>Whether a station is registered: what nobody registered cannot be released.</summary>
    public bool IsKnown(string station) => stations.TryGet(Town.Slug, station, out _);

    public async Task<IActionResult> OnGetAsync(string? municipality, string? station, string? reason, string? ask, long? entry, long? before, CancellationToken cancellationToken)
    {
        if (Begin(municipality, station, reason) is { } refused)
        {
            return refused;
        }

        if (entry is { } id && await FindAsync(id, cancellationToken) is not { })
        {
            return this.Missing();
        }

        Asks = ask == "discard";
        Asked = Asks && entry is { } number ? await FindAsync(number, cancellationToken) : null;
        return await ShowAsync(before, cancellationToken);
    }

    /// <summary>Releases or discards one entry, or all of the station and reason chosen that were there when the page was made.</summary>
    public async Task<IActionResult> OnPostAsync(string? municipality, string? station, string? reason, string? act, long? entry, long upTo, long after, CancellationToken cancellationToken)
    {
        if (Begin(municipality, station, reason) is { } refused)
        {
            return refused;
        }

        if (entry is { } id && await FindAsync(id, cancellationToken) is null)
        {
            // Released or discarded meanwhile, or never theirs: either way there is nothing to do.
            Problem = "quarantine.problem.gone";
            Response.StatusCode = 409;
            return await ShowAsync(null, cancellationToken);
        }

        var scoped = entry is { } one ? new QuarantineScope(Town.Slug, null, null, one - 1, one) : new QuarantineScope(Town.Slug, Station, Reason, Math.Max(0, after), upTo);
        try
        {
            switch (act)
            {
                case "release":
                    await NoteAsync("quarantine-released", scoped, entry);
                    Released = await Store.ReleaseAllAsync(scoped, ReleaseMax, cancellationToken);
                    UpTo = upTo;
                    break;
                case "discard":
                    await NoteAsync("quarantine-discarded", scoped, entry);
                    Discarded = await Store.DiscardAllAsync(scoped, cancellationToken);
                    break;
                default:
                    Problem = "quarantine.problem.act";
                    Response.StatusCode = 400;
                    break;
            }
        }
        catch (SeriesUnavailableException)
        {
            Problem = "quarantine.problem.store";
            Response.StatusCode = 503;
        }

        return await ShowAsync(null, cancellationToken);
    }

    private IActionResult? Begin(string? municipality, string? station, string? reason)
    {
        if (!quarantines.Any() || Municipalities.FirstOrDefault(one => string.IsNullOrEmpty(municipality) || one.Slug == municipality) is not { } town)
        {
            return this.Missing();
        }

        Town = town;
        scope.Municipality = town.Slug;
        scope.Scripts.Add("fleet");
        Station = string.IsNullOrEmpty(station) ? null : station;
        if (!string.IsNullOrEmpty(reason))
        {
            var known = Enum.GetValues<RefusalReason>().Where(one => WordOf(one) == reason).Select(static one => (RefusalReason?)one).FirstOrDefault();
            if (known is null)
            {
                return this.Refused("reason", reason, string.Join(", ", Enum.GetValues<RefusalReason>().Select(WordOf)), AddressOf(town.Slug, Station));
            }

            Reason = known;
        }

        return null;
    }

    /// <summary>An entry of this municipality; of another one nothing exists for them.</summary>
    private async Task<QuarantinedRecord?> FindAsync(long id, CancellationToken cancellationToken) =>
        await Store.FindAsync(id, cancellationToken) is { } found && found.Municipality == Town.Slug ? found : null;

    private Task NoteAsync(string action, QuarantineScope meant, long? entry) => audits.NoteAsync(
        Town.Slug, action, entry is { } id ? string.Create(CultureInfo.InvariantCulture, $"quarantined {id}") : meant.Station is { } station ? $"station {(station.Length <= 64 ? station : station[..64])}" : Town.Slug, RulesModel.ByOf(User),
        new { Reason = meant.Reason is { } reason ? WordOf(reason) : null, meant.After, meant.UpTo });

    private async Task<IActionResult> ShowAsync(long? before, CancellationToken cancellationToken)
    {
        QuarantineGroup[] groups = [.. (await Store.SummaryAsync(Town.Slug, cancellationToken)).Where(group => (Station is null || group.Station == Station) && (Reason is null || group.Reason == Reason))];
        (Groups, GroupCount, Entries) = ([.. groups.Take(GroupsMax)], groups.Length, groups.Sum(static group => group.Entries));
        UpTo = Math.Max(UpTo, groups.Length == 0 ? 0 : groups.Max(static group => group.NewestId));
        if (Station is not null || Reason is not null)
        {
            var found = await Store.ListAsync(Town.Slug, Station, Reason, before, CountMax + 1, cancellationToken);
            Records = [.. found.Take(CountMax)];
            Older = found.Count > CountMax ? string.Create(CultureInfo.InvariantCulture, $"{Address}&before={Records[^1].Id}") : null;
        }

        return Page();
    }
}
