using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>A fleet in memory: one agent in the middle of its life, versions that can be changed and undone, commands that are answered at once.</summary>
internal sealed class FakeFleet(DateTime now) : IFleet
{
    private readonly Dictionary<int, List<Wanted>> wanted = [];
    private readonly List<(int Station, AgentCommand Command)> commands = [];
    private readonly Dictionary<int, ClaimState> claims = [];

    public Dictionary<int, AgentView> Agents { get; } = [];

    /// <summary>What a command becomes.</summary>
    public CommandStep Step { get; set; } = CommandStep.Done;

    public AgentView Example { get; } = new(
        Presence.Online,
        new StationStatus(true, null, "hub-agent 0.1.0", now.AddHours(-30),
        [
            new StatusSensor("air", "sps30", "running", ["pm1", "pm2_5", "pm10"]), new StatusSensor("gas", "ads1115", "failing", ["no2", "o3"]),
            new StatusSensor("noise", "microphone", "dead", ["laeq", "lafmax"]), new StatusSensor("old", "sds011", null, ["pm10"]),
        ]),
        now.AddSeconds(-40),
        new ReportedState(3, TwinOutcome.Refused, 2, now.AddMinutes(-5), ["settings.sensors[0].kind: unknown kind 'sps31'; did you mean 'sps30'?"], new ReportedAgent("0.1.0", "linux-arm64")),
        now.AddMinutes(-5));

    public AgentView AgentOf(int stationId) => Agents.GetValueOrDefault(stationId) ?? new AgentView(Presence.Unknown, null, null, null, null);

    public ValueTask<Wanted?> WantedAsync(int stationId, CancellationToken cancellationToken) => new(wanted.TryGetValue(stationId, out var list) ? list[0] : null);

    public ValueTask<IReadOnlyList<Wanted>> HistoryAsync(int stationId, int countMax, CancellationToken cancellationToken) => new([.. wanted.GetValueOrDefault(stationId, []).Take(countMax)]);

    public ValueTask<Wanted> WantSettingsAsync(Station station, JsonElement? settings, TimeSpan? trial, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        if (settings is { ValueKind: not JsonValueKind.Object } || settings?.TryGetProperty("secret", out _) == true)
        {
            throw new SettingsRefusedException(["settings.secret: secrets are not set from here; use the command rotate-credentials."]);
        }

        return new(Add(station, settings, trial, expectedVersion, by, WantedChange.Settings, null));
    }

    public ValueTask<Wanted> RestoreSettingsAsync(Station station, long version, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        var earlier = wanted[station.Id].Find(w => w.Version == version) ?? throw new KeyNotFoundException();
        return new(Add(station, earlier.Settings, earlier.Trial, expectedVersion, by, WantedChange.Undo, version));
    }

    public ValueTask<Wanted> WantAgentAsync(Station station, AgentTarget? agent, string by, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<AgentCommand> CommandAsync(Station station, string name, JsonElement? arguments, TimeSpan patience, string by, CancellationToken cancellationToken)
    {
        if (AgentOf(station.Id).Presence != Presence.Online)
        {
            throw new StationAwayException("away");
        }

        var command = new AgentCommand(
            commands.Count + 1, name, by, now, now.AddMinutes(1), Step, now, Step == CommandStep.Failed ? "air: the sensor did not answer within 2 s" : null,
            JsonElement.Parse("""{"readings":[{"sensor":"air","property":"pm10","unit":"ug/m3","value":12.5,"time":"2026-11-23T11:59:00Z","quality":[]}]}"""));
        commands.Add((station.Id, command));
        return new(command);
    }

    public ValueTask<AgentCommand?> FindCommandAsync(int stationId, long id, CancellationToken cancellationToken) => new(commands.Where(c => c.Station == stationId && c.Command.Id == id).Select(c => c.Command).FirstOrDefault());

    public ValueTask<IReadOnlyList<AgentCommand>> CommandsAsync(int stationId, int countMax, CancellationToken cancellationToken) =>
        new([.. commands.Where(c => c.Station == stationId).Select(c => c.Command).Reverse().Take(countMax)]);

    public ValueTask<IssuedClaim> IssueClaimAsync(Station station, string? profile, string by, CancellationToken cancellationToken)
    {
        if (profile?.Contains(' ', StringComparison.Ordinal) == true)
        {
            throw new ArgumentException("profile: give 1 to 64 of a-z 0-9 -.");
        }

        claims[station.Id] = new ClaimState(profile, by, now, now.AddDays(7), null, null);
        return new(new IssuedClaim("7K3M-Q9XT-2HWB", profile, now.AddDays(7)));
    }

    public ValueTask<bool> RevokeClaimAsync(Station station, string by, CancellationToken cancellationToken) => new(claims.Remove(station.Id));

    /// <summary>An agent uses the code of a station.</summary>
    public void Claim(int stationId, DateTime at) => claims[stationId] = claims[stationId] with { UsedAt = at, UsedBy = "hub-agent 0.1.0 on Raspberry Pi 5" };

    public ValueTask<ClaimState?> ClaimOfAsync(int stationId, CancellationToken cancellationToken) => new(claims.GetValueOrDefault(stationId));

    public ValueTask<IReadOnlyDictionary<int, FleetLine>> LinesAsync(CancellationToken cancellationToken) => new(
        commands.Select(c => c.Station).Concat(wanted.Keys).Concat(claims.Keys).Distinct().ToDictionary(id => id, id => new FleetLine(
            wanted.TryGetValue(id, out var list) ? list[0].Version : 0, wanted.TryGetValue(id, out list) ? list[0].Agent?.Version : null,
            commands.Where(c => c.Station == id).Select(c => c.Command with { Result = null }).LastOrDefault(), claims.GetValueOrDefault(id))));

    private Wanted Add(Station station, JsonElement? settings, TimeSpan? trial, long? expectedVersion, string by, WantedChange change, long? undoneTo)
    {
        var list = wanted.TryGetValue(station.Id, out var known) ? known : wanted[station.Id] = [];
        var current = list.Count > 0 ? list[0].Version : 0;
        if (expectedVersion is { } expected && expected != current)
        {
            throw new WantedChangedException(current);
        }

        var added = new Wanted(current + 1, settings, [], null, trial, by, now, change, undoneTo);
        list.Insert(0, added);
        return added;
    }
}
