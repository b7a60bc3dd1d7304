using System.Globalization;
using System.Text;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Pages.Rules;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Fleet;

/// <summary>Makes a new station; the claim of its agent comes next. For operators, for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class NewModel(IStations stations, IMunicipalities municipalities, IEnumerable<IFleet> fleets, IEnumerable<IAudit> audits, PageScope scope) : PageModel
{
    /// <summary>Longest slug, characters (edge/Contract/FORMAT.md).</summary>
    private const int SlugMax = 64;

    /// <summary>Field names in the order of the page; the hub's messages begin with the field's name.</summary>
    private static readonly string[] Fields = ["municipality", "name", "slug", "latitude", "longitude"];

    public IReadOnlyList<Municipality> Municipalities => [.. municipalities.All.Where(one => User.Holds(Role.Operator, one.Slug))];

    public string Municipality { get; private set; } = "";

    public string Name { get; private set; } = "";

    public string Slug { get; private set; } = "";

    public string Latitude { get; private set; } = "";

    public string Longitude { get; private set; } = "";

    public bool IsPublic { get; private set; } = true;

    /// <summary>What is wrong, by field: the text key in the visitor's language, and the hub's words where it was the hub that refused.</summary>
    public IReadOnlyDictionary<string, (string Key, string? Detail)> Problems { get; private set; } = new Dictionary<string, (string, string?)>();

    public IActionResult OnGet(string? municipality)
    {
        if (!IsOpen || (!string.IsNullOrEmpty(municipality) && !User.Holds(Role.Operator, municipality)))
        {
            return this.Missing();
        }

        Municipality = municipality ?? "";
        return Show();
    }

    public async Task<IActionResult> OnPostAsync(string? municipality, string? name, string? slug, string? latitude, string? longitude, string? visible, CancellationToken cancellationToken)
    {
        if (!IsOpen || !User.Holds(Role.Operator, municipality ?? ""))
        {
            return this.Missing();
        }

        (Municipality, Name, Slug, IsPublic) = (municipality!, name?.Trim() ?? "", slug?.Trim() ?? "", visible == "true");
        (Latitude, Longitude) = Split(latitude?.Trim() ?? "", longitude?.Trim() ?? "");
        Dictionary<string, (string, string?)> problems = [];
        var north = Degrees("latitude", Latitude, 90, problems);
        var east = Degrees("longitude", Longitude, 180, problems);
        if (Name.Length == 0)
        {
            problems["name"] = ("fleet.bad.name", null);
        }

        var wanted = Slug.Length > 0 ? Slug : SlugOf(Name);
        if (problems.Count == 0)
        {
            try
            {
                // The secret made here is nobody's: the agent brings its own when it claims.
                var (station, _) = await stations.RegisterAsync(new(Municipality, wanted, Name, north, east, IsPublic), cancellationToken);
                await audits.NoteAsync(station.Municipality, "station-registered", $"station {station.Slug}", RulesModel.ByOf(User), new { station.Name, station.Latitude, station.Longitude, station.Public });
                return Redirect(ClaimModel.AddressOf(station.Municipality, station.Slug));
            }
            catch (StationConflictException conflict)
            {
                Slug = wanted;
                problems["slug"] = ("fleet.bad.taken", conflict.Message);
            }
            catch (ArgumentException wrong)
            {
                var field = Array.Find(Fields, one => wrong.Message.StartsWith(one, StringComparison.OrdinalIgnoreCase)) ?? "name";
                problems[field] = ("fleet.bad." + field, wrong.Message);
                Slug = wanted;
            }
        }

        Problems = problems;
        Response.StatusCode = 400;
        return Show();
    }

    /// <summary>A slug made of a name: its letters without accents, everything else a hyphen.</summary>
    internal static string SlugOf(string name)
    {
        var slug = new StringBuilder();
        foreach (var character in name.Normalize(NormalizationForm.FormD))
        {
            if (char.IsAsciiLetterOrDigit(character))
            {
                slug.Append(char.ToLowerInvariant(character));
            }
            else if (CharUnicodeInfo.GetUnicodeCategory(character) != UnicodeCategory.NonSpacingMark && slug.Length > 0 && slug[^1] != '-')
            {
                slug.Append('-');
            }
        }

        return slug.ToString(0, Math.Min(slug.Length, SlugMax)).Trim('-');
    }

    /// <summary>Both coordinates may stand in the first field, as maps give them: <c>41.5518, -8.4220</c>.</summary>
    internal static (string Latitude, string Longitude) Split(string latitude, string longitude)
    {
        var parts = latitude.Split([", ", ";", " "], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return longitude.Length == 0 && parts.Length == 2 ? (parts[0].TrimEnd(','), parts[1]) : (latitude, longitude);
    }

    private static double Degrees(string field, string text, double most, Dictionary<string, (string, string?)> problems)
    {
        if (RuleForm.ReadNumber(text) is { } degrees && Math.Abs(degrees) <= most)
        {
            return degrees;
        }

        problems[field] = ("fleet.bad." + field, null);
        return 0;
    }

    private bool IsOpen => fleets.Any() && AgentsModel.IsFor(User, municipalities);

    private PageResult Show()
    {
        if (Municipality.Length == 0 && Municipalities is [var only])
        {
            Municipality = only.Slug;
        }

        scope.Municipality = Municipality.Length == 0 ? null : Municipality;
        scope.Scripts.Add("fleet");
        return Page();
    }
}
