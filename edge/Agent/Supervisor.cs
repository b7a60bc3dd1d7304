using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;

namespace Hub.Edge.Agent;

/// <summary>Whether somebody starts the agent again when it ends.</summary>
internal static class Supervisor
{
    /// <summary>
    /// True for the main process of a service of systemd. There nothing is built anew in the same process: a service that has said it stops is killed when it goes on.
    /// </summary>
    public static bool IsPresent() => IsPresent(Environment.GetEnvironmentVariable("SYSTEMD_EXEC_PID"), Environment.ProcessId, SystemdHelpers.IsSystemdService());

    /// <summary>As above, of what is known.</summary>
    /// <param name="executed">What systemd says it has executed (since version 248); children inherit it, so it counts only where it is this process.</param>
    /// <param name="process">This process.</param>
    /// <param name="isService">True when it looks like one otherwise: to such a one the host says that it is ready and that it stops.</param>
    public static bool IsPresent(string? executed, int process, bool isService) => isService || executed == process.ToString(CultureInfo.InvariantCulture);
}
