using System.Text.Json;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Twin;

/// <summary>Where the twin stands.</summary>
/// <param name="Version">Version of the desired document last acted on; 0 before the first.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="InForce">Version of the document whose settings are in force; 0 when the station file stands alone.</param>
/// <param name="At">UTC instant of the outcome.</param>
/// <param name="Problems">Why it was refused or rolled back, a line each; empty when nothing is wrong.</param>
/// <param name="Damaged">Times that what was kept on disk could not be read, since the program started.</param>
public sealed record TwinStanding(long Version, TwinOutcome Outcome, long InForce, DateTime At, IReadOnlyList<string> Problems, int Damaged);

/// <summary>What the agent does with settings. The twin calls it, one call at a time.</summary>
public interface ITwinSettings
{
    /// <summary>All that is wrong with settings laid over the station file, by the rules of the station file; empty when they are good. Opens no device and changes nothing.</summary>
    /// <param name="settings">The object with keys of the station file; null for the station file alone.</param>
    IReadOnlyList<string> Check(JsonElement? settings);

    /// <summary>Puts settings in force that were found good.</summary>
    /// <param name="settings">The settings; null for the station file alone.</param>
    /// <param name="version">Version of the document they are of; 0 for the station file alone.</param>
    /// <param name="cancellationToken">The agent stops.</param>
    /// <returns>
    /// True when they are in force now. False when the stages have to be built anew for them: whoever builds them calls <see cref="ITwin.InForceNow"/> when they run.
    /// </returns>
    /// <exception cref="Exception">They could not be put in force: the twin goes back to those before.</exception>
    Task<bool> ApplyAsync(JsonElement? settings, long version, CancellationToken cancellationToken);
}

/// <summary>Says which agent runs and how far an update has come, for <c>config/reported</c>.</summary>
public interface IReportedAgent
{
    /// <summary>The agent now; from any thread.</summary>
    ReportedAgent Agent { get; }

    /// <summary>Called with what is to be called, from any thread, whenever <see cref="Agent"/> changes.</summary>
    void OnChange(Action changed);
}

/// <summary>
/// The station's twin: keeps what the hub wants, decides what is in force, and goes back by itself when that cuts the station off. One for each process, over every building
/// anew of its stages. Safe for concurrent callers.
/// </summary>
public interface ITwin
{
    /// <summary>Where it stands now.</summary>
    TwinStanding Standing { get; }

    /// <summary>The document in force, on trial or for good; null when the station file stands alone. Its rules and agent hold with its settings.</summary>
    DesiredState? InForce { get; }

    /// <summary>The document that has reached the hub and stays; null when the station file stands alone. An update of the agent waits for it.</summary>
    DesiredState? Settled { get; }

    /// <summary>Calls back, from any thread, whenever <see cref="InForce"/> or <see cref="Settled"/> may have changed. The call must be quick.</summary>
    void OnChange(Action changed);

    /// <summary>Calls back, from any thread, whenever the hub has acknowledged a report that this process made. The call must be quick.</summary>
    void OnReached(Action reached);

    /// <summary>The stages run with the settings of <see cref="InForce"/>: from now on an acknowledged report ends a trial.</summary>
    void InForceNow();

    /// <summary>The stages cannot run with the settings of <see cref="InForce"/>: those before are in force again, or the station file alone. The caller builds anew.</summary>
    /// <param name="problems">Why, a line each.</param>
    void CannotRun(IReadOnlyList<string> problems);

    /// <summary>Watches over trials until cancelled; called once.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
