using System.Net;
using System.Net.Http.Headers;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update;

/// <summary>What is to be done about an agent that the hub wants.</summary>
internal enum WishVerdict
{
    /// <summary>To be fetched and installed.</summary>
    Install,

    /// <summary>It runs already.</summary>
    Runs,

    /// <summary>Not to be installed.</summary>
    Refused,
}

/// <summary>What an agent does about the files it finds at its start.</summary>
internal enum StartAct
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>This agent is on trial.</summary>
    Trial,

    /// <summary>The launcher, or a hand, went back to this agent: finish it.</summary>
    RollBack,

    /// <summary>The switch never came about: forget it.</summary>
    Forget,
}

/// <summary>How a trial stands.</summary>
internal enum TrialVerdict
{
    /// <summary>Not decided.</summary>
    Wait,

    /// <summary>Passed.</summary>
    Passed,

    /// <summary>Failed.</summary>
    Failed,
}

/// <summary>What a server's answer means for a download.</summary>
internal enum ContentVerdict
{
    /// <summary>What follows is appended.</summary>
    Append,

    /// <summary>What follows is the whole: what is there is thrown away.</summary>
    Restart,

    /// <summary>Where to look instead.</summary>
    Redirect,

    /// <summary>Not now.</summary>
    Later,

    /// <summary>Not what was announced.</summary>
    Wrong,
}

/// <summary>The update's decisions, as pure functions.</summary>
internal static class UpdateDecisions
{
    /// <summary>Downloads that turn out not to be what was announced, before the bundle is refused.</summary>
    public const int WrongMax = 3;

    /// <summary>Free space that an update leaves to the outbox, bytes.</summary>
    public const long FreeBytesMin = 32L * 1024 * 1024;

    /// <summary>Decides on a wish without the network.</summary>
    public static (WishVerdict Verdict, AgentBundle? Bundle, string? Problem) Judge(AgentTarget target, RunningAgent running, UpdateNotes notes)
    {
        var bundle = target.Bundles.FirstOrDefault(bundle => bundle.Runtime == running.Runtime);
        if (!AgentVersion.TryParse(target.Version, out var wanted))
        {
            return (WishVerdict.Refused, bundle, $"'{target.Version}' is no version.");
        }

        // The version that runs may be one that nobody has numbered for release; anything is newer than that.
        var isNumbered = AgentVersion.TryParse(running.Version, out var runs);
        if (isNumbered && wanted.CompareTo(runs) == 0
            && (!target.Force || bundle is null || (notes.Last is { Step: UpdateStep.Installed or UpdateStep.Trial } last && last.Version == target.Version && last.Sha256 == bundle.Sha256)))
        {
            return (WishVerdict.Runs, bundle, null);
        }

        if (bundle is null)
        {
            return (WishVerdict.Refused, null, $"There is no bundle for {running.Runtime}.");
        }

        if (notes.WhyRefused(target.Version, bundle.Sha256) is { } before)
        {
            return (WishVerdict.Refused, bundle, before);
        }

        if (isNumbered && wanted < runs && !target.Force)
        {
            return (WishVerdict.Refused, bundle, $"{target.Version} is older than {running.Version}, which runs, and force is not set.");
        }

        return running.Slot is null
            ? (WishVerdict.Refused, bundle, "This agent does not run from a slot of update.root: install it as firmware-config/systemd says.")
            : (WishVerdict.Install, bundle, null);
    }

    /// <summary>Decides what the files of the root mean to the agent that starts.</summary>
    /// <param name="running">The agent.</param>
    /// <param name="current">Where the link points.</param>
    /// <param name="trial">The trial; null for none.</param>
    /// <param name="rolledBack">What the launcher took back, and whether there is such a file at all.</param>
    /// <param name="notes">What is remembered.</param>
    /// <param name="now">UTC.</param>
    public static (StartAct Act, UpdateNotes Notes) OnStart(
        RunningAgent running, string? current, TrialFile? trial, (bool Exists, TrialFile? Trial) rolledBack, UpdateNotes notes, DateTime now)
    {
        if (rolledBack.Exists)
        {
            notes = rolledBack.Trial is { } back
                ? RolledBack(notes, back.Version, back.Sha256, back.Reason ?? "It was taken back.", now)
                : notes.Last is { Step: UpdateStep.Trial or UpdateStep.Ready } lost ? RolledBack(notes, lost.Version, lost.Sha256, "It was taken back; the reason cannot be read.", now) : notes;
        }

        if (trial is not null && running.Slot is not null)
        {
            if (trial.To == running.Slot)
            {
                var same = notes.Last is { Step: UpdateStep.Trial } last && last.Version == trial.Version && last.Sha256 == trial.Sha256;
                return (StartAct.Trial, same ? notes : notes with { Last = new UpdateRecord(trial.Version, trial.Sha256, UpdateStep.Trial, now) });
            }

            return trial is { Starts: 0, Reason: null } && current == running.Slot
                ? (StartAct.Forget, notes)
                : (StartAct.RollBack, RolledBack(notes, trial.Version, trial.Sha256, trial.Reason ?? "The agent before it was started in its place.", now));
        }

        if (notes.Last is { Step: UpdateStep.Trial } was && !rolledBack.Exists)
        {
            // The file of the trial has gone: with the confirmation, or by damage. What runs tells which.
            notes = was.Version == running.Version
                ? notes with { Last = was with { Step = UpdateStep.Installed, At = now, Problem = null } }
                : RolledBack(notes, was.Version, was.Sha256, "Another agent was started in its place.", now);
        }

        return (StartAct.None, notes);
    }

    /// <summary>Decides on a trial.</summary>
    /// <param name="reached">Whether the hub was reached.</param>
    /// <param name="before">Sensors that were alive before the switch.</param>
    /// <param name="alive">Sensors that are alive now.</param>
    /// <param name="isOver">Whether the trial time is over.</param>
    /// <param name="trial">The trial time.</param>
    public static (TrialVerdict Verdict, string? Reason) JudgeTrial(bool reached, IReadOnlyCollection<string> before, IReadOnlyCollection<string> alive, bool isOver, TimeSpan trial)
    {
        var isHealthy = before.Count == 0 || before.Any(alive.Contains);
        return reached && isHealthy ? (TrialVerdict.Passed, null)
            : !isOver ? (TrialVerdict.Wait, null)
            : (TrialVerdict.Failed, reached ? $"None of the sensors that worked before gave a value within {trial}: {string.Join(", ", before)}." : $"It did not reach the hub within {trial}.");
    }

    /// <summary>Whether an address is one of the hub's own pages, to which the secret may go.</summary>
    public static bool IsHub(Uri address, HubPages pages) =>
        pages.Address is { } own && own.Scheme == address.Scheme && string.Equals(own.IdnHost, address.IdnHost, StringComparison.OrdinalIgnoreCase) && own.Port == address.Port
        && (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback || pages.PlainAllowed);

    /// <summary>Where a redirect leads; null where it must not.</summary>
    public static Uri? Redirect(Uri from, Uri? location)
    {
        if (location is null || !Uri.TryCreate(from, location, out var to) || to.UserInfo.Length > 0)
        {
            return null;
        }

        return to.Scheme == Uri.UriSchemeHttps || (to.Scheme == Uri.UriSchemeHttp && from.Scheme == Uri.UriSchemeHttp) ? to : null;
    }

    /// <summary>Decides on a server's answer.</summary>
    /// <param name="status">Its status.</param>
    /// <param name="range">Which part it says it sends.</param>
    /// <param name="length">How many bytes it says follow.</param>
    /// <param name="tag">Its name for this content.</param>
    /// <param name="known">Its name for the content that is there in part.</param>
    /// <param name="have">Bytes that are there and were asked beyond.</param>
    /// <param name="whole">Bytes announced.</param>
    public static (ContentVerdict Verdict, string? Problem) JudgeAnswer(HttpStatusCode status, ContentRangeHeaderValue? range, long? length, string? tag, string? known, long have, long whole) => status switch
    {
        HttpStatusCode.OK when length is { } bytes && bytes != whole => (ContentVerdict.Wrong, $"The server has {bytes} bytes; {whole} were announced."),
        HttpStatusCode.OK => (ContentVerdict.Restart, null),
        HttpStatusCode.PartialContent when range?.Length is { } bytes && bytes != whole => (ContentVerdict.Wrong, $"The server has {bytes} bytes; {whole} were announced."),
        HttpStatusCode.PartialContent when range?.From != have || range.Unit != "bytes" => (ContentVerdict.Wrong, "The server sent another part than it was asked for."),
        HttpStatusCode.PartialContent when known is not null && tag is not null && tag != known => (ContentVerdict.Wrong, "The server's file has changed since the download was begun."),
        HttpStatusCode.PartialContent => (ContentVerdict.Append, null),
        HttpStatusCode.RequestedRangeNotSatisfiable => (ContentVerdict.Wrong, "The server's file is shorter than announced."),
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect => (ContentVerdict.Redirect, null),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => (ContentVerdict.Later, $"The server does not give the bundle to this station ({(int)status})."),
        HttpStatusCode.NotFound or HttpStatusCode.Gone => (ContentVerdict.Later, $"The server does not have the bundle ({(int)status})."),
        _ => (ContentVerdict.Later, $"The server answered {(int)status}."),
    };

    /// <summary>
    /// Pause number <paramref name="attempt"/> (0-based) of a run of failures: doubles from <paramref name="min"/> to <paramref name="max"/>, of which between a half and all is waited, so that a
    /// city's stations do not come back at the same moment.
    /// </summary>
    /// <param name="attempt">0 or more.</param>
    /// <param name="random">0 to 1.</param>
    /// <param name="min">First pause.</param>
    /// <param name="max">Longest pause.</param>
    /// <param name="asked">What the server asked for; heeded up to <paramref name="max"/>.</param>
    public static TimeSpan Pause(int attempt, double random, TimeSpan min, TimeSpan max, TimeSpan? asked)
    {
        var whole = Math.Min(max.TotalSeconds, min.TotalSeconds * Math.Pow(2, Math.Min(attempt, 40)));
        var own = TimeSpan.FromSeconds(whole * (0.5 + (random / 2)));
        return asked is { } wait && wait > own ? (wait < max ? wait : max) : own;
    }

    /// <summary>How long to wait before reading on, so that no more than the bandwidth is used.</summary>
    /// <param name="bytes">Bytes read since the beginning of this connection.</param>
    /// <param name="elapsed">Time since then.</param>
    /// <param name="bandwidth">Bytes a second; 0 for no limit.</param>
    public static TimeSpan Throttle(long bytes, TimeSpan elapsed, long bandwidth)
    {
        var wait = bandwidth == 0 ? 0 : ((double)bytes / bandwidth) - elapsed.TotalSeconds;
        return wait > 0 ? TimeSpan.FromSeconds(wait) : TimeSpan.Zero;
    }

    private static UpdateNotes RolledBack(UpdateNotes notes, string version, string sha256, string reason, DateTime now) =>
        notes.Refuse(version, sha256, $"It was taken back before: {reason}") with { Last = new UpdateRecord(version, sha256, UpdateStep.RolledBack, now, reason) };
}
