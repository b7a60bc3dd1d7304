using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Api.Tests;

/// <summary>The real Fleet, but for what needs a station at the other end.</summary>
internal sealed class ScriptedFleet(IFleet real) : IFleet
{
    /// <summary>Answers commands; null refuses none and answers as the real one.</summary>
    public Func<Station, string, JsonElement?, TimeSpan, AgentCommand>? OnCommand { get; set; }

    public Dictionary<int, AgentView> Agents { get; } = [];

    public Dictionary<long, AgentCommand> Commands { get; } = [];

    public AgentView AgentOf(int stationId) => Agents.GetValueOrDefault(stationId) ?? real.AgentOf(stationId);

    public ValueTask<Wanted?> WantedAsync(int stationId, CancellationToken cancellationToken) => real.WantedAsync(stationId, cancellationToken);

    public ValueTask<IReadOnlyList<Wanted>> HistoryAsync(int stationId, int countMax, CancellationToken cancellationToken) => real.HistoryAsync(stationId, countMax, cancellationToken);

    public ValueTask<Wanted> WantSettingsAsync(Station station, JsonElement? settings, TimeSpan? trial, long? expectedVersion, string by, CancellationToken cancellationToken) =>
        real.WantSettingsAsync(station, settings, trial, expectedVersion, by, cancellationToken);

    public ValueTask<Wanted> RestoreSettingsAsync(Station station, long version, long? expectedVersion, string by, CancellationToken cancellationToken) =>
        real.RestoreSettingsAsync(station, version, expectedVersion, by, cancellationToken);

    public ValueTask<Wanted> WantAgentAsync(Station station, AgentTarget? agent, string by, CancellationToken cancellationToken) => real.WantAgentAsync(station, agent, by, cancellationToken);

    public ValueTask<AgentCommand> CommandAsync(Station station, string name, JsonElement? arguments, TimeSpan patience, string by, CancellationToken cancellationToken)
    {
        if (OnCommand is not { } answer)
        {
            return real.CommandAsync(station, name, arguments, patience, by, cancellationToken);
        }

        var command = answer(station, name, arguments, patience);
        Commands[command.Id] = command;
        return new(command);
    }

    public ValueTask<AgentCommand?> FindCommandAsync(int stationId, long id, CancellationToken cancellationToken) => new(Commands.GetValueOrDefault(id));

    public ValueTask<IReadOnlyList<AgentCommand>> CommandsAsync(int stationId, int countMax, CancellationToken cancellationToken) => new([.. Commands.Values.Reverse().Take(countMax)]);

    public ValueTask<IssuedClaim> IssueClaimAsync(Station station, string? profile, string by, CancellationToken cancellationToken) => real.IssueClaimAsync(station, profile, by, cancellationToken);

    public ValueTask<bool> RevokeClaimAsync(Station station, string by, CancellationToken cancellationToken) => real.RevokeClaimAsync(station, by, cancellationToken);

    public ValueTask<IReadOnlyDictionary<int, FleetLine>> LinesAsync(CancellationToken cancellationToken) => real.LinesAsync(cancellationToken);

    public ValueTask<ClaimState?> ClaimOfAsync(int stationId, CancellationToken cancellationToken) => real.ClaimOfAsync(stationId, cancellationToken);
}

internal sealed class NoSecrets : IStationSecrets
{
    public ValueTask TakeAsync(int stationId, string secret, CancellationToken cancellationToken) => throw new NotSupportedException();

    public string? MarkOf(int stationId) => null;

    public ValueTask<bool> TakeBackAsync(int stationId, string mark, bool sent, CancellationToken cancellationToken) => throw new NotSupportedException();

    public SecretUse LastUse(int stationId) => SecretUse.None;
}
