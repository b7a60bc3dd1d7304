using System.Text;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update;

/// <summary>
/// Fetches, checks and installs the agent that the hub wants beside the one that runs, switches to it, and goes back by itself when it does not reach the hub. Runs as a hosted
/// service; any thread may call. Nothing here ever stops the agent but a switch that succeeded or a trial that failed.
/// </summary>
public interface IUpdate
{
    /// <summary>Version that runs: of the manifest beside the program, else of the program itself.</summary>
    string Version { get; }

    /// <summary>Machine it runs on, as bundles name it: <c>linux-arm64</c>.</summary>
    string Runtime { get; }

    /// <summary>The update last asked for and how far it has come, across restarts; null when none was.</summary>
    ReportedUpdate? State { get; }

    /// <summary>Null while the agent is to run on. 0: the new agent is in place, stop in good order and be started again. <see cref="UpdateExit.TrialFailed"/>: this agent failed its trial. The host is already stopping then.</summary>
    int? ExitCode { get; }

    /// <summary>After <see cref="State"/> has changed: each step at once, bytes fetched at most once a minute. Handlers must be quick and must not throw.</summary>
    event Action? Changed;

    /// <summary>
    /// Says which agent should run. What can be decided without the network is decided before this returns; fetching and installing go on in the background, and go on where they broke off
    /// when the same is said again after a restart. A later call replaces an earlier one.
    /// </summary>
    /// <param name="target">The agent; null to leave the one that runs.</param>
    /// <param name="trial">How long the new agent may take to reach the hub.</param>
    /// <param name="cancellationToken">Ends the call, not the update.</param>
    ValueTask WantAsync(AgentTarget? target, TimeSpan trial, CancellationToken cancellationToken = default);

    /// <summary>Tells that the hub has acknowledged a report of this agent, made after it was started. An agent on trial stays because of it, if its sensors live too.</summary>
    void HubReached();
}

/// <summary>Exit codes of an agent that the update stops.</summary>
public static class UpdateExit
{
    /// <summary>The agent was on trial and did not reach the hub, or none of its sensors worked: the launcher goes back to the one before.</summary>
    public const int TrialFailed = 4;
}

/// <summary>Who the station is towards the hub's pages. The agent registers one; without it nothing is sent but the request.</summary>
/// <param name="Address">Where the pages are; the station's secret goes to this scheme, host and port and to no other. Null for nowhere.</param>
/// <param name="UserName"><c>municipality/station</c>.</param>
/// <param name="Secret">Gives the secret in force; called at each request, may return null. Never logged.</param>
/// <param name="PlainAllowed">True to send the secret over plain HTTP to another machine.</param>
public sealed record HubPages(Uri? Address, string UserName, Func<string?> Secret, bool PlainAllowed = false)
{
    // A record prints its members.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append(System.Globalization.CultureInfo.InvariantCulture, $"Address = {Address}, UserName = {UserName}");
        return true;
    }
}

/// <summary>How the station's sensors are, for the trial of a new agent. The agent registers one; without it sensors are not looked at.</summary>
/// <param name="AliveSensors">Gives the names of the sensors that give values now, of those whose values come at least once in the time given; any thread.</param>
public sealed record StationHealth(Func<TimeSpan, IReadOnlyCollection<string>> AliveSensors);

/// <summary>The manifest that an installed bundle leaves beside its program.</summary>
public static class AgentManifest
{
    /// <summary>Version the manifest in a folder says; null when there is none that can be read.</summary>
    public static string? VersionBeside(string folder)
    {
        var path = Path.Combine(folder, BundleManifest.ManifestName);
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= BundleManifest.ManifestBytesMax && BundleManifest.TryRead(File.ReadAllBytes(path), out var manifest, out _)
                ? manifest.Version
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
