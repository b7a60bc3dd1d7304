using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Stations;

/// <summary>The agent at a station, for operators of its municipality; for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class AgentModel(Reader reader, IEnumerable<IFleet> fleets, PageScope scope) : PageModel
{
    /// <summary>The commands with a button, in order.</summary>
    public static readonly IReadOnlyList<string> Buttons = ["read-now", "identify", "diagnostics", "restart", "rotate-credentials"];

    /// <summary>How long a page waits for the answer to a command; after that it says where to look.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public StationView? View { get; private set; }

    public AgentView Agent { get; private set; } = null!;

    public IReadOnlyList<Wanted> History { get; private set; } = [];

    public Wanted? Wanted => History.Count > 0 ? History[0] : null;

    public IReadOnlyList<AgentCommand> Commands { get; private set; } = [];

    /// <summary>The command the page was asked to show.</summary>
    public AgentCommand? Shown { get; private set; }

    public ClaimState? Claim { get; private set; }

    /// <summary>What is in the editor: what was typed where that could not be taken, otherwise what is wanted.</summary>
    public string Editor { get; private set; } = "";

    /// <summary>Version the editor's text was made from.</summary>
    public long EditorVersion { get; private set; }

    public int TrialMinutes { get; private set; } = 5;

    /// <summary>What is wrong with the settings typed, a line each.</summary>
    public IReadOnlyList<string> SettingsProblems { get; private set; } = [];

    /// <summary>Text key of what went wrong with a command or an undo; null when nothing did.</summary>
    public string? Problem { get; private set; }

    /// <summary>More of it, in the hub's words; null when there is none.</summary>
    public string? ProblemDetail { get; private set; }

    private IFleet Fleet => fleets.Last();

    private string By => User.Identity?.Name is { Length: > 0 } name ? name : "portal";

    public static string Pretty(JsonElement value) => JsonSerializer.Serialize(value, Readable);

    public async Task<IActionResult> OnGetAsync(string municipality, string station, long? command, CancellationToken cancellationToken)
    {
        if (!Find(municipality, station))
        {
            return this.Missing();
        }

        Shown = command is { } id ? await Fleet.FindCommandAsync(View!.Station.Id, id, cancellationToken) : null;
        return await ShowAsync(cancellationToken);
    }

    public async Task<IActionResult> OnPostCommandAsync(string municipality, string station, string? name, string? sensor, CancellationToken cancellationToken)
    {
        if (!Find(municipality, station))
        {
            return this.Missing();
        }

        try
        {
            JsonElement? arguments = name == "read-now" && !string.IsNullOrWhiteSpace(sensor) ? JsonSerializer.SerializeToElement(new { sensor }) : null;
            var command = await Fleet.CommandAsync(View!.Station, name ?? "", arguments, Patience, By, cancellationToken);
            return Redirect(string.Create(CultureInfo.InvariantCulture, $"{Address}?command={command.Id}#commands"));
        }
        catch (StationAwayException)
        {
            Problem = "agent.problem.away";
        }
        catch (FleetBusyException busy)
        {
            (Problem, ProblemDetail) = ("agent.problem.busy", busy.Message);
        }
        catch (ArgumentException wrong)
        {
            (Problem, ProblemDetail) = ("agent.problem.command", wrong.Message);
        }

        return await ShowAsync(cancellationToken);
    }

    public async Task<IActionResult> OnPostSettingsAsync(string municipality, string station, string? settings, string? trial, long version, CancellationToken cancellationToken)
    {
        if (!Find(municipality, station))
        {
            return this.Missing();
        }

        var typed = settings?.Trim() ?? "";
        var minutes = int.TryParse(trial, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 5;
        try
        {
            JsonElement? wanted = null;
            if (typed.Length > 0)
            {
                wanted = FleetExtensions.TryParseSettings(typed, out var read, out var problem) ? read : throw new SettingsRefusedException([problem!]);
            }

            await Fleet.WantSettingsAsync(View!.Station, wanted, minutes == 5 ? null : TimeSpan.FromMinutes(minutes), version, By, cancellationToken);
            return Redirect(Address + "#settings");
        }
        catch (SettingsRefusedException refused)
        {
            SettingsProblems = refused.Problems;
        }
        catch (WantedChangedException)
        {
            Problem = "agent.problem.changed";
        }

        await ShowAsync(cancellationToken);
        (Editor, TrialMinutes) = (typed, minutes);
        return Page();
    }

    public async Task<IActionResult> OnPostRestoreAsync(string municipality, string station, long restore, long version, CancellationToken cancellationToken)
    {
        if (!Find(municipality, station))
        {
            return this.Missing();
        }

        try
        {
            await Fleet.RestoreSettingsAsync(View!.Station, restore, version, By, cancellationToken);
            return Redirect(Address + "#settings");
        }
        catch (Exception exception) when (exception is WantedChangedException or KeyNotFoundException)
        {
            Problem = "agent.problem.changed";
        }

        return await ShowAsync(cancellationToken);
    }

    /// <summary>Address of this page.</summary>
    public string Address => $"/stations/{View!.Station.Municipality}/{View.Station.Slug}/agent";

    private bool Find(string municipality, string station)
    {
        View = fleets.Any() && User.Holds(Role.Operator, municipality) ? reader.Station(User, municipality, station) : null;
        return View is not null;
    }

    private async Task<IActionResult> ShowAsync(CancellationToken cancellationToken)
    {
        var id = View!.Station.Id;
        Agent = Fleet.AgentOf(id);
        History = await Fleet.HistoryAsync(id, 20, cancellationToken);
        Commands = await Fleet.CommandsAsync(id, 8, cancellationToken);
        Claim = await Fleet.ClaimOfAsync(id, cancellationToken);
        Editor = Wanted?.Settings is { } settings ? Pretty(settings) : "";
        EditorVersion = Wanted?.Version ?? 0;
        TrialMinutes = (int)(Wanted?.Trial?.TotalMinutes ?? 5);
        scope.Municipality = View.Station.Municipality;
        return Page();
    }
}
