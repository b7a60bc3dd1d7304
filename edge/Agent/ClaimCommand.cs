using System.Collections;
using Hub.Edge.Claiming;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent;

/// <summary><c>hub-agent claim</c>: what the command line says, handed to Claiming, and what came of it in words.</summary>
internal static class ClaimCommand
{
    /// <summary>Where the package of the agent has the profiles.</summary>
    public const string ProfilesDefault = "/usr/share/hub-agent/stations";

    /// <summary>Claims; the exit code.</summary>
    /// <param name="order">The order, without its check.</param>
    /// <param name="environment">Environment variables, for the check of the station file.</param>
    /// <param name="time">The clock.</param>
    /// <param name="output">What came of it.</param>
    /// <param name="error">What went wrong.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<int> RunAsync(ClaimingOptions order, IDictionary environment, TimeProvider time, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        await using var services = new ServiceCollection().AddSingleton(time).AddHubClaiming().BuildServiceProvider();
        try
        {
            var reply = await services.GetRequiredService<IClaiming>()
                .ClaimAsync(order with { Check = file => Check(file, environment, time) }, error, cancellationToken).ConfigureAwait(false);
            await output.WriteLineAsync($"This machine is the station {reply.Municipality}/{reply.Station} ({reply.Name}) now. Station file: {Path.GetFullPath(order.StationFile)}").ConfigureAwait(false);
            await output.WriteLineAsync($"Next: hub-agent test --station-file {order.StationFile} shows what its sensors say; hub-agent run --station-file {order.StationFile} starts it.").ConfigureAwait(false);
            return 0;
        }
        catch (ClaimRefusedException e)
        {
            await error.WriteLineAsync($"hub-agent: {e.Message}").ConfigureAwait(false);
            return AgentCommands.Misconfigured;
        }
        catch (ClaimUnansweredException e)
        {
            await error.WriteLineAsync($"hub-agent: {e.Message}").ConfigureAwait(false);
            return AgentCommands.Failed;
        }
    }

    private static IReadOnlyList<string> Check(string file, IDictionary environment, TimeProvider time)
    {
        try
        {
            var configuration = AgentConfiguration.Build(new AgentArguments { StationFile = file }, environment, Environment.CurrentDirectory);
            AgentHost.Build(configuration, time).Dispose();
            return [];
        }
        catch (ConfigurationException e)
        {
            return e.Messages;
        }
        catch (OptionsValidationException e)
        {
            return [.. e.Failures];
        }
    }
}
