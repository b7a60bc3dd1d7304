using System.Text.Json;
using Hub.Cloud.Fleet.Claims;
using Hub.Cloud.Fleet.Commands;
using Hub.Cloud.Fleet.Twin;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Fleet;

/// <summary>The front door: each call goes to the part that owns it.</summary>
internal sealed class FleetDesk(WantedBook wanted, AgentBook agents, CommandDesk commands, ClaimDesk claims) : IFleet
{
    public AgentView AgentOf(int stationId) => agents.Of(stationId);

    public ValueTask<Wanted?> WantedAsync(int stationId, CancellationToken cancellationToken) => wanted.WantedAsync(stationId, cancellationToken);

    public ValueTask<IReadOnlyList<Wanted>> HistoryAsync(int stationId, int countMax, CancellationToken cancellationToken) => wanted.HistoryAsync(stationId, countMax, cancellationToken);

    public ValueTask<Wanted> WantSettingsAsync(Station station, JsonElement? settings, TimeSpan? trial, long? expectedVersion, string by, CancellationToken cancellationToken) =>
        wanted.WantSettingsAsync(station, settings, trial, expectedVersion, by, cancellationToken);

    public ValueTask<Wanted> RestoreSettingsAsync(Station station, long version, long? expectedVersion, string by, CancellationToken cancellationToken) =>
        wanted.RestoreSettingsAsync(station, version, expectedVersion, by, cancellationToken);

    public ValueTask<Wanted> WantAgentAsync(Station station, AgentTarget? agent, string by, CancellationToken cancellationToken) => wanted.WantAgentAsync(station, agent, by, cancellationToken);

    public ValueTask<AgentCommand> CommandAsync(Station station, string name, JsonElement? arguments, TimeSpan patience, string by, CancellationToken cancellationToken) =>
        commands.CommandAsync(station, name, arguments, patience, by, cancellationToken);

    public ValueTask<AgentCommand?> FindCommandAsync(int stationId, long id, CancellationToken cancellationToken) => commands.FindAsync(stationId, id, cancellationToken);

    public ValueTask<IReadOnlyList<AgentCommand>> CommandsAsync(int stationId, int countMax, CancellationToken cancellationToken) => commands.ListAsync(stationId, countMax, cancellationToken);

    public ValueTask<IssuedClaim> IssueClaimAsync(Station station, string? profile, string by, CancellationToken cancellationToken) => claims.IssueAsync(station, profile, by, cancellationToken);

    public ValueTask<bool> RevokeClaimAsync(Station station, string by, CancellationToken cancellationToken) => claims.RevokeAsync(station, by, cancellationToken);

    public ValueTask<ClaimState?> ClaimOfAsync(int stationId, CancellationToken cancellationToken) => claims.OfAsync(stationId, cancellationToken);

    public async ValueTask<IReadOnlyDictionary<int, FleetLine>> LinesAsync(CancellationToken cancellationToken)
    {
        Dictionary<int, FleetLine> lines = [];
        foreach (var (station, (version, agent)) in await wanted.LatestOfAllAsync(cancellationToken).ConfigureAwait(false))
        {
            lines[station] = new(version, agent, null, null);
        }

        foreach (var (station, command) in await commands.LatestOfAllAsync(cancellationToken).ConfigureAwait(false))
        {
            lines[station] = lines.GetValueOrDefault(station, FleetLine.Empty) with { LastCommand = command };
        }

        foreach (var (station, claim) in await claims.LatestOfAllAsync(cancellationToken).ConfigureAwait(false))
        {
            lines[station] = lines.GetValueOrDefault(station, FleetLine.Empty) with { Claim = claim };
        }

        return lines;
    }
}
