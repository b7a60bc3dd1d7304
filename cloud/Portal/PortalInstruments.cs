using System.Diagnostics.Metrics;
using Hub.Cloud.Municipalities;

namespace Hub.Cloud.Portal;

/// <summary>Counters of the pages; meter <c>Hub.Cloud.Portal</c>.</summary>
internal sealed class PortalInstruments
{
    private readonly Counter<long> pages;
    private readonly Counter<long> failures;
    private readonly Counter<long> signIns;

    public PortalInstruments(IMeterFactory meters)
    {
        var meter = meters.Create("Hub.Cloud.Portal");
        pages = meter.CreateCounter<long>("hub.portal.pages", "{page}", "Pages rendered, by page and language.");
        failures = meter.CreateCounter<long>("hub.portal.failures", "{page}", "Requests for pages that ended in an error of the hub.");
        signIns = meter.CreateCounter<long>("hub.portal.sign_ins", "{attempt}", "Attempts to sign in, by outcome.");
    }

    public void PageRendered(string page, string language) => pages.Add(1, new("page", page), new("language", language));

    public void PageFailed() => failures.Add(1);

    public void SignInTried(SignInOutcome outcome) => signIns.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));
}
