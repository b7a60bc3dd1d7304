using System.Globalization;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Fleet.Updates;

/// <summary>What a campaign is told to do.</summary>
internal sealed record CampaignPlan(CampaignState State, string Version, int WaveSize, int FailureLimit, int FailuresForgiven, bool Force, string? Reason = null);

/// <summary>A station's place in it.</summary>
internal sealed record CampaignPlace(int StationId, UpdateStatus Status, DateTime At, string? Problem = null, long? OfferVersion = null, string? Before = null)
{
    public bool IsOver => Status >= UpdateStatus.Installed;

    public bool IsUnderWay => Status is >= UpdateStatus.Offered and <= UpdateStatus.Trial;

    public bool IsFailure => Status is UpdateStatus.Refused or UpdateStatus.RolledBack;
}

/// <summary>What is known of a station.</summary>
internal sealed record StationFacts(bool IsOnline, ReportedState? Reported, DateTime? ReportedAt);

/// <summary>What is to be done.</summary>
/// <param name="State">How the campaign stands now.</param>
/// <param name="Reason">Why, where that is to be said.</param>
/// <param name="IsSettled">Whether nothing is left to do, ever.</param>
/// <param name="Places">The places as they are now, in the order given; those to be offered not offered yet.</param>
/// <param name="Offers">Stations to be offered the agent, or offered again because it is not known whether the offer went out.</param>
/// <param name="Withdrawals">Stations from which the offer is to be taken back.</param>
internal sealed record CampaignVerdict(CampaignState State, string? Reason, bool IsSettled, IReadOnlyList<CampaignPlace> Places, IReadOnlyList<int> Offers, IReadOnlyList<int> Withdrawals);

/// <summary>
/// What a campaign does next, from what it has done and what its stations say. Pure. Whoever carries it out notes an offer before making it, and takes an offer back before noting that; so a hub that dies
/// in between decides the same again.
/// </summary>
internal static class CampaignDecisions
{
    /// <summary>How old a report must be before words that were there before the offer count as an answer to it: the station decides a moment after it has reported the document.</summary>
    public static readonly TimeSpan RepeatedAfter = TimeSpan.FromSeconds(30);

    /// <summary>Longest problem kept, characters.</summary>
    public const int ProblemMax = 300;

    /// <summary>Decides.</summary>
    /// <param name="plan">The campaign.</param>
    /// <param name="places">Its stations.</param>
    /// <param name="factsOf">What is known of a station; null when it is gone.</param>
    /// <param name="runtimes">Runtimes for which there is a bundle.</param>
    /// <param name="hasAddress">Whether stations can be told where bundles are.</param>
    /// <param name="now">UTC.</param>
    public static CampaignVerdict Decide(CampaignPlan plan, IReadOnlyList<CampaignPlace> places, Func<int, StationFacts?> factsOf, IReadOnlySet<string> runtimes, bool hasAddress, DateTime now)
    {
        var next = places.Select(place => Observe(plan, place, factsOf(place.StationId), now)).ToArray();
        if (plan.State == CampaignState.Cancelled)
        {
            List<int> withdrawals = [];
            for (var i = 0; i < next.Length; i++)
            {
                if (next[i].Status != UpdateStatus.Installed && (next[i].OfferVersion is not null || next[i].Status == UpdateStatus.Offered))
                {
                    withdrawals.Add(next[i].StationId);
                    next[i] = next[i] with { OfferVersion = null };
                }

                // The switch has begun: how it ends is worth knowing, and ends by itself.
                if (!next[i].IsOver && next[i].Status is not (UpdateStatus.Ready or UpdateStatus.Trial))
                {
                    next[i] = Become(next[i], UpdateStatus.Withdrawn, "The campaign was cancelled.", now);
                }
            }

            return new(plan.State, plan.Reason, next.All(place => place.IsOver), next, [], withdrawals);
        }

        var failures = next.Count(place => place.IsFailure) - plan.FailuresForgiven;
        if (plan.State == CampaignState.Running && failures >= plan.FailureLimit)
        {
            return new(CampaignState.Paused, string.Create(CultureInfo.InvariantCulture, $"{failures} of its stations refused it or went back."), false, next, Repeated(next), []);
        }

        if (plan.State != CampaignState.Running)
        {
            return new(plan.State, plan.Reason, false, next, Repeated(next), []);
        }

        List<int> offers = [.. Repeated(next)];
        var free = plan.WaveSize - next.Count(place => place.IsUnderWay);
        for (var i = 0; i < next.Length; i++)
        {
            if (next[i].Status != UpdateStatus.Pending)
            {
                continue;
            }

            var wait = WaitsFor(plan, factsOf(next[i].StationId), runtimes, hasAddress);
            next[i] = next[i].Problem == wait ? next[i] : next[i] with { Problem = wait, At = now };
            if (wait is null && free > 0)
            {
                free--;
                offers.Add(next[i].StationId);
            }
        }

        return next.All(place => place.IsOver) ? new(CampaignState.Finished, null, true, next, [], []) : new(plan.State, null, false, next, offers, []);
    }

    /// <summary>Names an update that a station speaks of, so that it is known again.</summary>
    public static string? MarkOf(ReportedUpdate? update) => update is null ? null : string.Create(CultureInfo.InvariantCulture, $"{update.Version}|{(int)update.Step}|{update.At:O}");

    private static List<int> Repeated(IEnumerable<CampaignPlace> places) =>
        [.. places.Where(place => place is { Status: UpdateStatus.Offered, OfferVersion: null }).Select(place => place.StationId)];

    private static CampaignPlace Observe(CampaignPlan plan, CampaignPlace place, StationFacts? facts, DateTime now)
    {
        if (place.IsOver)
        {
            return place;
        }

        if (facts is null)
        {
            return Become(place with { OfferVersion = null }, UpdateStatus.Withdrawn, "The station is gone.", now);
        }

        var reported = facts.Reported;
        var update = reported?.Agent?.Update is { } said && said.Version == plan.Version ? said : null;
        if (place.Status == UpdateStatus.Pending)
        {
            return !plan.Force && plan.State != CampaignState.Cancelled && reported?.Agent?.Version == plan.Version && update is not { Step: UpdateStep.Trial }
                ? Become(place, UpdateStatus.Installed, null, now)
                : place;
        }

        if (plan.State == CampaignState.Cancelled && place.OfferVersion is null)
        {
            // Taken back from it in the middle of the switch: whatever it says last of this version is the end.
            return place.Status is UpdateStatus.Ready or UpdateStatus.Trial
                ? update is { Step: not UpdateStep.Downloading } ? Become(place, StatusOf(update.Step), update.Problem, now) : Become(place, UpdateStatus.Withdrawn, "The campaign was cancelled.", now)
                : place;
        }

        if (reported is null || place.OfferVersion is not { } offered || reported.Version < offered)
        {
            return place;
        }

        if (reported.Outcome is TwinOutcome.Refused or TwinOutcome.RolledBack && reported.InForce < offered && update is null)
        {
            // The document with the offer was not taken at all, so the station will never look at the agent in it.
            return Become(place, UpdateStatus.Refused, $"The station did not take what is wanted of it: {string.Join(' ', reported.Problems ?? [])}", now);
        }

        if (update is null || (MarkOf(update) == place.Before && (reported.Outcome == TwinOutcome.Trial || facts.ReportedAt is not { } at || now - at < RepeatedAfter)))
        {
            return place;
        }

        return Become(place, StatusOf(update.Step), update.Problem, now);
    }

    private static string? WaitsFor(CampaignPlan plan, StationFacts? facts, IReadOnlySet<string> runtimes, bool hasAddress) => facts switch
    {
        _ when !hasAddress => "The hub does not know where stations reach its pages: set Hub:PublicUrl.",
        { Reported.Agent: null } => "It has never said which agent it runs, and on which machine.",
        { Reported: null } or null => "It has never said which agent it runs, and on which machine.",
        { Reported.Agent.Runtime: var runtime } when !runtimes.Contains(runtime) => $"There is no bundle of {plan.Version} for {Cut(runtime, 40)}.",
        { IsOnline: false } => "It is not there now.",
        _ => null,
    };

    private static CampaignPlace Become(CampaignPlace place, UpdateStatus status, string? problem, DateTime now)
    {
        var line = problem is null ? null : Cut(problem.ReplaceLineEndings(" "), ProblemMax);
        return place.Status == status && place.Problem == line ? place : place with { Status = status, Problem = line, At = now };
    }

    private static string Cut(string text, int max) => text.Length <= max ? text : text[..max];

    private static UpdateStatus StatusOf(UpdateStep step) => step switch
    {
        UpdateStep.Downloading => UpdateStatus.Downloading,
        UpdateStep.Ready => UpdateStatus.Ready,
        UpdateStep.Trial => UpdateStatus.Trial,
        UpdateStep.Installed => UpdateStatus.Installed,
        UpdateStep.Refused => UpdateStatus.Refused,
        _ => UpdateStatus.RolledBack,
    };
}
