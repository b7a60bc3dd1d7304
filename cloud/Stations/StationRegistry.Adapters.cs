using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Stations;

internal sealed partial class StationRegistry : IAdapterSecrets
{
    public bool Authenticate(string municipality, string station, string adapter, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated)
    {
        ArgumentNullException.ThrowIfNull(municipality);
        ArgumentNullException.ThrowIfNull(station);
        ArgumentNullException.ThrowIfNull(adapter);
        var state = snapshot.TryGet(municipality, station, out var entry) ? entry!.State : null;
        authenticated = Verify(state?.Adapters.GetValueOrDefault(adapter), secretUtf8) ? state!.Station : null;
        return authenticated is not null;
    }

    public IReadOnlyList<string> AdaptersOf(int stationId) =>
        snapshot.TryGet(stationId, out var entry) ? [.. entry!.State.Adapters.Keys.Order(StringComparer.Ordinal)] : [];

    public async ValueTask<string> IssueAsync(int stationId, string adapter, TimeSpan overlap, CancellationToken cancellationToken)
    {
        StationRules.Adapter(adapter);
        ArgumentOutOfRangeException.ThrowIfLessThan(overlap, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(overlap, StationRules.OverlapMax);
        var secret = StationSecret.Generate();
        await change.WaitAsync(cancellationToken);
        try
        {
            var entry = Live(stationId);
            var now = time.GetUtcNow().UtcDateTime;
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var rows = await database.AdapterCredentials.Where(c => c.StationId == stationId && c.Adapter == adapter).ToListAsync(cancellationToken);

            // As with the station's own secret: one previous at most.
            database.RemoveRange(rows.Where(c => c.ValidUntil is not null));
            List<AdapterCredentialRow> kept = [.. rows.Where(c => c.ValidUntil is null)];
            kept.ForEach(c => c.ValidUntil = now + overlap);
            var current = new AdapterCredentialRow { StationId = stationId, Adapter = adapter, Hash = StationSecret.Hash(secret), CreatedAt = now };
            database.Add(current);
            await database.SaveChangesAsync(cancellationToken);
            kept.Add(current);
            entry.State = entry.State with { Adapters = new Dictionary<string, StationCredentials>(entry.State.Adapters, StringComparer.Ordinal) { [adapter] = StationCredentials.Of(kept) } };
            LogAdapterSecret(entry.State.Station.Municipality, entry.State.Station.Slug, adapter);
        }
        finally
        {
            change.Release();
        }

        return secret;
    }

    public async ValueTask<bool> RevokeAsync(int stationId, string adapter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        await change.WaitAsync(cancellationToken);
        try
        {
            var entry = Live(stationId);
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var removed = await database.AdapterCredentials.Where(c => c.StationId == stationId && c.Adapter == adapter).ExecuteDeleteAsync(cancellationToken);
            entry.State = entry.State with { Adapters = entry.State.Adapters.Where(a => a.Key != adapter).ToDictionary(StringComparer.Ordinal) };
            if (removed > 0)
            {
                LogAdapterRevoked(entry.State.Station.Municipality, entry.State.Station.Slug, adapter);
            }

            return removed > 0;
        }
        finally
        {
            change.Release();
        }
    }
}
