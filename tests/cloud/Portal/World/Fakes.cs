using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Portal.Tests.World;

internal sealed class FakeMunicipalities(IReadOnlyList<Municipality> all) : IMunicipalities
{
    public IReadOnlyList<Municipality> All => all;

    public bool TryGet(string slug, [NotNullWhen(true)] out Municipality? found) => (found = all.FirstOrDefault(one => one.Slug == slug)) is not null;

    public ValueTask<Municipality> SaveAsync(Municipality municipality, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>Stations and datastreams in memory. <see cref="Broken"/> makes every read fail, as a lost database would.</summary>
internal sealed class FakeStations : IStations
{
    private readonly List<Station> stations = [];
    private readonly List<Datastream> datastreams = [];

    public bool Broken { get; set; }

    public IReadOnlyList<Station> All => Broken ? throw new InvalidOperationException("The database is away.") : stations;

    public event Action? Changed;

    public Station Add(Station station)
    {
        var added = station with { Id = stations.Count + 1 };
        stations.Add(added);
        Changed?.Invoke();
        return added;
    }

    public Datastream Add(Station station, string sensor, Quantity quantity, TimeSpan period)
    {
        Datastream added = new(datastreams.Count + 1, station, sensor, quantity, period);
        datastreams.Add(added);
        return added;
    }

    /// <summary>Takes stations away with all they measure.</summary>
    public void Remove(Predicate<Station> which) => stations.RemoveAll(which);

    public IReadOnlyList<Datastream> DatastreamsOf(int stationId) => [.. datastreams.Where(one => one.Station.Id == stationId)];

    public bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found) =>
        (found = stations.FirstOrDefault(one => one.Municipality == municipality && one.Slug == station)) is not null;

    public bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found) => (found = datastreams.FirstOrDefault(one => one.Id == id)) is not null;

    public bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated) => throw new NotSupportedException();

    public bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream) => throw new NotSupportedException();

    public ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken)
    {
        if (TryGet(registration.Municipality, registration.Slug, out _))
        {
            throw new StationConflictException($"{registration.Municipality} has a station {registration.Slug} already.");
        }

        if (!Edge.Contract.Topics.HubTopic.IsSlug(registration.Slug) || registration.Slug == "alarms")
        {
            throw new ArgumentException("Slug must be 1 to 64 of a-z 0-9 - and begin and end with a letter or digit.");
        }

        return new((Add(new(0, registration.Municipality, registration.Slug, registration.Name, registration.Latitude, registration.Longitude, registration.Public, registration.Attribution)), "never shown"));
    }

    public ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken)
    {
        StationTags.Check(tags);
        var at = stations.FindIndex(one => one.Id == stationId);
        stations[at] = stations[at] with { Tags = tags };
        for (var i = 0; i < datastreams.Count; i++)
        {
            datastreams[i] = datastreams[i].Station.Id == stationId ? datastreams[i] with { Station = stations[at] } : datastreams[i];
        }

        return new(stations[at]);
    }

    public ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();
}

internal sealed class FakeAlerts : IAlerts
{
    private int waiting;

    public List<Rule> AllRules { get; } = [];

    /// <summary>Replaced, not changed, while pages are served.</summary>
    public List<Alarm> All { get; set; } = [];

    /// <summary>Rules that were tried, and over what.</summary>
    public List<(Rule Rule, DateTime From, DateTime To)> Rehearsed { get; } = [];

    /// <summary>What is said of every trial: that it is too large; null when none is.</summary>
    public string? TooLarge { get; set; }

    public event Action? RulesChanged;

    public event Action<IReadOnlyList<Alarm>>? Changed;

    public IReadOnlyList<Rule> Rules(string? municipality) => [.. AllRules.Where(rule => municipality is null || rule.Municipality == municipality)];

    public ValueTask<Rule> SaveAsync(Rule rule, CancellationToken cancellationToken)
    {
        RuleValidation.Check(rule);
        AllRules.RemoveAll(known => known.Municipality == rule.Municipality && known.Slug == rule.Slug);
        AllRules.Add(rule);
        return new(rule);
    }

    public async ValueTask ApplyAsync(string municipality, IReadOnlyList<Rule> saved, IReadOnlyList<string> removed, CancellationToken cancellationToken)
    {
        AllRules.RemoveAll(known => known.Municipality == municipality && removed.Contains(known.Slug));
        foreach (var rule in saved)
        {
            await SaveAsync(rule, cancellationToken);
        }
    }

    public ValueTask RemoveAsync(string municipality, string slug, CancellationToken cancellationToken)
    {
        AllRules.RemoveAll(known => known.Municipality == municipality && known.Slug == slug);
        return ValueTask.CompletedTask;
    }

    public IReadOnlyList<Alarm> Active(string? municipality) =>
        [.. All.Where(alarm => alarm.EndedAt is null && !alarm.Withdrawn && (municipality is null || alarm.Municipality == municipality)).OrderByDescending(alarm => alarm.StartedAt)];

    /// <summary>What asking for the history waits for; null for nothing.</summary>
    public TaskCompletionSource? Held { get; set; }

    /// <summary>How many wait for it.</summary>
    public int Waiting => waiting;

    public async ValueTask<IReadOnlyList<Alarm>> HistoryAsync(string? municipality, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken)
    {
        if (Held is { } held)
        {
            Interlocked.Increment(ref waiting);
            await held.Task.WaitAsync(cancellationToken);
        }

        return [.. All.Where(alarm => (municipality is null || alarm.Municipality == municipality) && alarm.StartedAt < to && (alarm.EndedAt ?? to) >= from).OrderByDescending(alarm => alarm.StartedAt).Take(countMax)];
    }

    /// <summary>The rule is checked as the hub checks it; what it would have done is what it did in the city's history.</summary>
    public ValueTask<Rehearsal> RehearseAsync(Rule rule, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken)
    {
        RuleValidation.Check(rule);
        Rehearsed.Add((rule, from, to));
        if (TooLarge is { } message)
        {
            throw new RehearsalTooLargeException(message);
        }

        Alarm[] found =
        [
            .. All.Where(alarm => alarm.Municipality == rule.Municipality && (rule.Station is null || alarm.Station == rule.Station) && alarm.Peak >= rule.SetLevel && alarm.StartedAt >= from)
                .OrderByDescending(alarm => alarm.StartedAt),
        ];
        return new(new Rehearsal([.. found.Take(countMax)], found.Length, 4, 43_210, found.Length * 0.0123));
    }

    public ValueTask CaughtUpAsync(long commit, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public void Raise()
    {
        Changed?.Invoke(All);
        RulesChanged?.Invoke();
    }
}

/// <summary>Who works for Braga and Évora.</summary>
/// <summary>As the server ties it: who holds a role is known by the roles.</summary>
internal sealed class FakeRoleHolders(IRoles roles) : IRoleHolders
{
    public ValueTask<IReadOnlyList<string>> HoldersAsync(StaffRole role, string municipality, CancellationToken cancellationToken) => roles.HoldersAsync((Role)(int)role, municipality, cancellationToken);
}

internal sealed class FakeRoles : IRoles
{
    public ValueTask<IReadOnlyList<(string UserName, IReadOnlyList<HeldRole> Roles)>> ListAsync(CancellationToken cancellationToken) => new(
    [
        ("braga", [new HeldRole(Role.Operator, "braga")]), ("ana@cm-braga.pt", [new HeldRole(Role.Operator, "braga")]), ("eva@cm-braga.pt", [new HeldRole(Role.Viewer, "braga")]),
        ("ivo@cm-evora.pt", [new HeldRole(Role.Operator, "evora")]),
    ]);

    public async ValueTask<IReadOnlyList<string>> HoldersAsync(Role role, string municipality, CancellationToken cancellationToken) =>
        [.. (await ListAsync(cancellationToken)).Where(one => one.Roles.Any(held => held.Role >= role && held.Municipality == municipality)).Select(one => one.UserName)];

    public ValueTask GrantAsync(string userName, Role role, string? municipality, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RevokeAsync(string userName, string? municipality, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RemoveAsync(string userName, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>What was put on record.</summary>
internal sealed class FakeAudit : Audit.IAudit
{
    public List<Audit.AuditNote> Notes { get; } = [];

    public ValueTask<long> NoteAsync(Audit.AuditNote note, CancellationToken cancellationToken)
    {
        Notes.Add(note);
        return new(Notes.Count);
    }

    public ValueTask<IReadOnlyList<Audit.AuditEntry>> ListAsync(string municipality, string? action, long? before, int countMax, CancellationToken cancellationToken) => new(
    [
        .. Notes.Select((note, i) => new Audit.AuditEntry(i + 1, At, note)).Where(one => one.Note.Municipality == municipality && (action is null || one.Note.Action == action) && (before is null || one.Id < before)).Reverse().Take(countMax),
    ]);

    /// <summary>When everything was noted.</summary>
    public DateTime At { get; set; }
}

/// <summary>One operator of Braga, with the password <c>right</c>; the name <c>busy</c> meets a crowd.</summary>
internal sealed class FakeSignIn : ISignIn
{
    public const string Scheme = "test";

    public async ValueTask<SignInOutcome> SignInAsync(HttpContext context, string userName, string password, bool remember)
    {
        if (userName == "busy")
        {
            return SignInOutcome.Busy;
        }

        if (userName != "braga" || password != "right")
        {
            return SignInOutcome.Refused;
        }

        ClaimsIdentity identity = new([new(ClaimTypes.Name, userName), new(Rights.ClaimType, $"{Role.Operator}@braga")], Scheme);
        await context.SignInAsync(Scheme, new(identity));
        return SignInOutcome.Accepted;
    }

    public async ValueTask SignOutAsync(HttpContext context) => await context.SignOutAsync(Scheme);

    public ValueTask<(SignInOutcome Outcome, BearerToken? Token)> IssueTokenAsync(string userName, string password, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>A broker that takes everything.</summary>
internal sealed class FakeTopic : IAlarmTopic
{
    public ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
