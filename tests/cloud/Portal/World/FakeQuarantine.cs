using System.Text;
using Hub.Cloud.Ingest;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>A quarantine in memory: wrong units of one station, of which every third is refused again, bytes of an unknown one, and an entry of another municipality.</summary>
internal sealed class FakeQuarantine : IQuarantine
{
    private readonly SortedDictionary<long, QuarantinedRecord> records = [];

    public FakeQuarantine(DateTime now)
    {
        for (var i = 1; i <= 24; i++)
        {
            Add(i, "braga", "avenida-central", RefusalReason.Unit, "The unit 'ppb' is not one of no2: expected ug/m3.", $$"""[{"bn":"gas/","n":"no2","u":"ppb","v":{{i}}}]""", now.AddMinutes(i - 90));
        }

        Add(30, "braga", "nobody", RefusalReason.Station, "The station braga/nobody is not registered.", "\u0001\u0000\u00ff<script>alert(1)</script>", now.AddMinutes(-5));
        Add(31, "braga", "avenida-central", RefusalReason.Malformed, "The payload is not well-formed JSON.", "[{\"n\": \u202Eevil</code><script>alert(2)</script>", now.AddMinutes(-4));
        Add(40, "evora", "giraldo", RefusalReason.Value, "The value is not a number.", "secret of Évora", now.AddMinutes(-3));
    }

    /// <summary>What was asked for, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Whether the store has gone away.</summary>
    public bool Away { get; set; }

    /// <summary>Entries after which a release meets a store that has gone away; null for never.</summary>
    public int? AwayAfter { get; set; }

    public IReadOnlyCollection<long> Ids => records.Keys;

    public ValueTask<IReadOnlyList<QuarantinedRecord>> ListAsync(string? municipality, string? station, RefusalReason? reason, long? before, int countMax, CancellationToken cancellationToken) =>
        new([.. records.Values.Reverse().Where(r => (municipality is null || r.Municipality == municipality) && (station is null || r.Station == station) && (reason is null || r.Refusal.Reason == reason) && (before is null || r.Id < before)).Take(countMax)]);

    public ValueTask<QuarantinedRecord?> FindAsync(long id, CancellationToken cancellationToken) => new(records.GetValueOrDefault(id));

    public ValueTask<PackReceipt> ReleaseAsync(long id, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> DiscardAsync(long id, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<QuarantineGroup>> SummaryAsync(string? municipality, CancellationToken cancellationToken) =>
        new([.. records.Values.Where(r => municipality is null || r.Municipality == municipality).GroupBy(r => (r.Municipality, r.Station, r.Refusal.Reason)).Select(g => new QuarantineGroup(
            g.Key.Municipality, g.Key.Station, g.Key.Reason, g.Count(), g.Count() + 2, g.Min(r => r.ReceivedAt), g.Max(r => r.ReceivedAt), g.Sum(r => (long)r.Payload.Length), g.Max(r => r.Id)))]);

    public ValueTask<QuarantineRelease> ReleaseAllAsync(QuarantineScope scope, int countMax, CancellationToken cancellationToken)
    {
        Asked.Add($"release {scope.Municipality} {scope.Station} {scope.Reason} {scope.After} {scope.UpTo}");
        var all = Meant(scope);
        var tried = all.Take(AwayAfter ?? 10).ToArray();
        var good = tried.Where(r => r.Id % 3 != 0).ToArray();
        foreach (var one in good)
        {
            records.Remove(one.Id);
        }

        var kept = tried.Length - good.Length;
        return new(new QuarantineRelease(
            tried.Length, good.Length, new PackReceipt(tried.Length, good.Length, 0, 0, kept) { Refusals = [.. tried.Except(good).Select(r => r.Refusal)] },
            kept > 0 ? new Dictionary<RefusalReason, int> { [RefusalReason.Unit] = kept } : [], all.Length - tried.Length, tried.Length > 0 ? tried[^1].Id : scope.After, AwayAfter is null ? null : "The store is away."));
    }

    public ValueTask<long> DiscardAllAsync(QuarantineScope scope, CancellationToken cancellationToken)
    {
        if (Away)
        {
            throw new SeriesUnavailableException("The disk is full.");
        }

        Asked.Add($"discard {scope.Municipality} {scope.Station} {scope.Reason} {scope.After} {scope.UpTo}");
        var all = Meant(scope);
        foreach (var one in all)
        {
            records.Remove(one.Id);
        }

        return new(all.Length);
    }

    private QuarantinedRecord[] Meant(QuarantineScope scope) =>
        [.. records.Values.Where(r => r.Municipality == scope.Municipality && (scope.Station is null || r.Station == scope.Station) && (scope.Reason is null || r.Refusal.Reason == scope.Reason) && r.Id > scope.After && r.Id <= scope.UpTo)];

    private void Add(long id, string municipality, string station, RefusalReason reason, string detail, string text, DateTime at)
    {
        var payload = station == "nobody" ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);
        records[id] = new(id, municipality, station, at, "mqtt", PackFormat.Json, new Refusal(0, reason, detail), payload, payload.Length);
    }
}
