using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Api.Tests;

internal sealed class FakeMunicipalities : IMunicipalities
{
    public List<Municipality> List { get; } = [];

    public IReadOnlyList<Municipality> All => List;

    public bool TryGet(string slug, [NotNullWhen(true)] out Municipality? found) => (found = List.Find(m => m.Slug == slug)) is not null;

    public ValueTask<Municipality> SaveAsync(Municipality municipality, CancellationToken cancellationToken) => throw new NotSupportedException();
}

internal sealed class FakeStations : IStations, IStationHistory
{
    private readonly List<Station> stations = [];
    private readonly List<Datastream> datastreams = [];

    public event Action? Changed;

    public ValueTask<IReadOnlyList<StationLocation>> LocationsAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>None of them ever moved.</summary>
    public ValueTask<IReadOnlyList<StationPlace>> MovedAsync(CancellationToken cancellationToken) => new([]);

    public IReadOnlyList<Station> All => [.. stations.OrderBy(s => s.Municipality, StringComparer.Ordinal).ThenBy(s => s.Slug, StringComparer.Ordinal)];

    public Station Add(string municipality, string slug, bool isPublic = true, string attribution = "")
    {
        var station = new Station(stations.Count + 1, municipality, slug, $"Estação {slug}", 41.5, -8.4, isPublic, attribution);
        stations.Add(station);
        return station;
    }

    public int Add(Station station, string sensor, string quantity, TimeSpan period)
    {
        datastreams.Add(new Datastream(datastreams.Count + 1, station, sensor, Quantity(quantity), period));
        Changed?.Invoke();
        return datastreams.Count;
    }

    public void Replace(Station station)
    {
        stations[station.Id - 1] = station;
        for (var i = 0; i < datastreams.Count; i++)
        {
            datastreams[i] = datastreams[i].Station.Id == station.Id ? datastreams[i] with { Station = station } : datastreams[i];
        }
    }

    public static Quantity Quantity(string id) => QuantityCatalogue.TryGet(id, out var quantity) ? quantity : throw new ArgumentException(id);

    public IReadOnlyList<Datastream> DatastreamsOf(int stationId) => [.. datastreams.Where(d => d.Station.Id == stationId)];

    public bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found) =>
        (found = stations.Find(s => s.Municipality == municipality && s.Slug == station)) is not null;

    public bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found) => (found = datastreams.Find(d => d.Id == id)) is not null;

    public bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated) => throw new NotSupportedException();

    public bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream) => throw new NotSupportedException();

    public ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken)
    {
        StationTags.Check(tags);
        Replace(stations[stationId - 1] with { Tags = tags });
        return new(stations[stationId - 1]);
    }

    public ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();
}

internal sealed class FakeAlerts : IAlerts
{
    public event Action? RulesChanged;

    public event Action<IReadOnlyList<Alarm>>? Changed;

    public List<Rule> RuleList { get; } = [];

    public List<Alarm> Alarms { get; } = [];

    public void Ring(Alarm alarm)
    {
        Alarms.RemoveAll(a => a.Id == alarm.Id);
        Alarms.Add(alarm);
        Changed?.Invoke([alarm]);
        RulesChanged?.Invoke();
    }

    public void Announce(IReadOnlyList<Alarm> alarms) => Changed?.Invoke(alarms);

    public IReadOnlyList<Rule> Rules(string? municipality) => [.. RuleList.Where(r => municipality is null || r.Municipality == municipality)];

    public IReadOnlyList<Alarm> Active(string? municipality) =>
        [.. Alarms.Where(a => a.EndedAt is null && (municipality is null || a.Municipality == municipality)).OrderByDescending(a => a.StartedAt)];

    public ValueTask<IReadOnlyList<Alarm>> HistoryAsync(string? municipality, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken) =>
        new([.. Alarms
            .Where(a => (municipality is null || a.Municipality == municipality) && a.StartedAt < to && (a.EndedAt ?? DateTime.MaxValue) >= from)
            .OrderByDescending(a => a.StartedAt).Take(countMax)]);

    public ValueTask<Rule> SaveAsync(Rule rule, CancellationToken cancellationToken)
    {
        if (rule.Crossing == Crossing.Above && rule.ClearLevel > rule.SetLevel)
        {
            Refuse(nameof(rule.ClearLevel), $"must not be above the set level {rule.SetLevel}");
        }

        if (rule.Levels.Any(level => level.SetLevel < rule.SetLevel))
        {
            Refuse($"{nameof(rule.Levels)}[0].{nameof(rule.SetLevel)}", "must not be below that of the level before it");
        }

        RuleList.RemoveAll(known => known.Municipality == rule.Municipality && known.Slug == rule.Slug);
        RuleList.Add(rule);
        RulesChanged?.Invoke();
        return new ValueTask<Rule>(rule);
    }

    public async ValueTask ApplyAsync(string municipality, IReadOnlyList<Rule> saved, IReadOnlyList<string> removed, CancellationToken cancellationToken)
    {
        foreach (var slug in removed)
        {
            await RemoveAsync(municipality, slug, cancellationToken);
        }

        foreach (var rule in saved)
        {
            await SaveAsync(rule, cancellationToken);
        }
    }

    // As the real one says it: with the field as parameter.
    private static void Refuse(string field, string reason) => throw new ArgumentException($"{field} {reason}.", field);

    public ValueTask RemoveAsync(string municipality, string slug, CancellationToken cancellationToken)
    {
        RuleList.RemoveAll(known => known.Municipality == municipality && known.Slug == slug);
        RulesChanged?.Invoke();
        return ValueTask.CompletedTask;
    }

    public ValueTask<Rehearsal> RehearseAsync(Rule rule, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken) => to - from > TimeSpan.FromDays(365)
        ? throw new RehearsalTooLargeException("Ask for fewer days.")
        : new(new Rehearsal([.. Alarms.Take(countMax)], Alarms.Count, 3, 1_234, 0.25));

    public ValueTask CaughtUpAsync(long commit, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>One operator of Braga beside whoever asks.</summary>
/// <summary>As the server ties it: who holds a role is known by the roles.</summary>
internal sealed class FakeRoleHolders(IRoles roles) : IRoleHolders
{
    public ValueTask<IReadOnlyList<string>> HoldersAsync(StaffRole role, string municipality, CancellationToken cancellationToken) => roles.HoldersAsync((Role)(int)role, municipality, cancellationToken);
}

internal sealed class FakeRoles : IRoles
{
    public ValueTask<IReadOnlyList<(string UserName, IReadOnlyList<HeldRole> Roles)>> ListAsync(CancellationToken cancellationToken) =>
        new([("rui", [new HeldRole(Role.Operator, "braga")]), ("eva", [new HeldRole(Role.Viewer, "braga")]), ("ivo", [new HeldRole(Role.Operator, "aveiro")])]);

    public async ValueTask<IReadOnlyList<string>> HoldersAsync(Role role, string municipality, CancellationToken cancellationToken) =>
        [.. (await ListAsync(cancellationToken)).Where(one => one.Roles.Any(held => held.Role >= role && held.Municipality == municipality)).Select(one => one.UserName)];

    public ValueTask GrantAsync(string userName, Role role, string? municipality, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RevokeAsync(string userName, string? municipality, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RemoveAsync(string userName, CancellationToken cancellationToken) => throw new NotSupportedException();
}

internal sealed class FakeQuarantine : IQuarantine
{
    public SortedDictionary<long, QuarantinedRecord> Records { get; } = [];

    public void Add(long id, string municipality, string station, RefusalReason reason, byte[] payload) =>
        Records[id] = new QuarantinedRecord(
            id, municipality, station, new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc), "mqtt", PackFormat.Json, new Refusal(0, reason, "why"), payload, payload.Length);

    public ValueTask<IReadOnlyList<QuarantinedRecord>> ListAsync(
        string? municipality, string? station, RefusalReason? reason, long? before, int countMax, CancellationToken cancellationToken) =>
        new([.. Records.Values.Reverse()
            .Where(r => (municipality is null || r.Municipality == municipality) && (station is null || r.Station == station)
                && (reason is null || r.Refusal.Reason == reason) && (before is null || r.Id < before))
            .Take(countMax)]);

    public ValueTask<QuarantinedRecord?> FindAsync(long id, CancellationToken cancellationToken) => new(Records.GetValueOrDefault(id));

    public ValueTask<PackReceipt> ReleaseAsync(long id, CancellationToken cancellationToken)
    {
        Records.Remove(id);
        return new(new PackReceipt(1, 1, 0, 0, 0));
    }

    public ValueTask<bool> DiscardAsync(long id, CancellationToken cancellationToken) => new(Records.Remove(id));

    public ValueTask<IReadOnlyList<QuarantineGroup>> SummaryAsync(string? municipality, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<QuarantineRelease> ReleaseAllAsync(QuarantineScope scope, int countMax, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<long> DiscardAllAsync(QuarantineScope scope, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>A store that cannot be reached.</summary>
internal sealed class AwaySeries : ISeries
{
    public long LastCommit => 0;

    public ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken) => throw Away();

    public bool TryGetLatest(int datastream, out Observation latest)
    {
        latest = default;
        return false;
    }

    public async IAsyncEnumerable<Observation> RangeAsync(int datastream, DateTime from, DateTime to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (datastream > 0)
        {
            throw Away();
        }

        yield break;
    }

    public ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken) => throw Away();

    public ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken) => throw Away();

    public IDisposable Subscribe(ISeriesObserver observer) => throw Away();

    public ValueTask<IReadOnlyList<int>> DatastreamsAsync(DateTime from, DateTime to, CancellationToken cancellationToken) => throw Away();

    public IAsyncEnumerable<Observation> HistoryAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) => throw Away();

    public ValueTask<long> DeleteAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) => throw Away();

    public IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) => throw Away();

    public ValueTask<IReadOnlyList<CondensedOutcome>> TakeCondensedAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken) => throw Away();

    private static SeriesUnavailableException Away() => new("away");
}

internal sealed class FakeAudit : IAudit
{
    public List<AuditEntry> Entries { get; } = [];

    public ValueTask<long> NoteAsync(AuditNote note, CancellationToken cancellationToken)
    {
        Entries.Add(new AuditEntry(Entries.Count + 1, ApiHost.Now, note));
        return new(Entries.Count);
    }

    public ValueTask<IReadOnlyList<AuditEntry>> ListAsync(string municipality, string? action, long? before, int countMax, CancellationToken cancellationToken) =>
        new([.. Entries.Where(e => e.Note.Municipality == municipality && (action is null || e.Note.Action == action) && !(e.Id >= before)).OrderByDescending(e => e.Id).Take(countMax)]);
}

internal sealed class FakeSignIn : ISignIn
{
    public SignInOutcome Outcome { get; set; } = SignInOutcome.Accepted;

    public ValueTask<SignInOutcome> SignInAsync(HttpContext context, string userName, string password, bool remember) => throw new NotSupportedException();

    public ValueTask SignOutAsync(HttpContext context) => throw new NotSupportedException();

    public ValueTask<(SignInOutcome Outcome, BearerToken? Token)> IssueTokenAsync(string userName, string password, CancellationToken cancellationToken) =>
        new((Outcome, Outcome == SignInOutcome.Accepted ? new BearerToken($"token of {userName}", new DateTime(2026, 3, 1, 13, 0, 0, DateTimeKind.Utc)) : null));
}

/// <summary>No broker.</summary>
internal sealed class NoTopic : IAlarmTopic
{
    public ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
