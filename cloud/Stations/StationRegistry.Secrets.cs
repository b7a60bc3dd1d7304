using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Stations;

internal sealed partial class StationRegistry : IStationSecrets
{
    public async ValueTask TakeAsync(int stationId, string secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (secret.Length is < IStationSecrets.CharactersMin or > IStationSecrets.CharactersMax || secret.Any(c => c is < '!' or > '~'))
        {
            throw new ArgumentException($"A station's secret must be {IStationSecrets.CharactersMin} to {IStationSecrets.CharactersMax} printable ASCII characters without spaces.", nameof(secret));
        }

        await change.WaitAsync(cancellationToken);
        try
        {
            var entry = Live(stationId);
            var current = new CredentialRow { StationId = stationId, Hash = StationSecret.Hash(secret), CreatedAt = time.GetUtcNow().UtcDateTime };
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            database.RemoveRange(await database.Credentials.Where(c => c.StationId == stationId).ToListAsync(cancellationToken));
            database.Add(current);
            await database.SaveChangesAsync(cancellationToken);
            entry.State = entry.State with { Credentials = StationCredentials.Of([current]) };
            LogTaken(entry.State.Station.Municipality, entry.State.Station.Slug);
        }
        finally
        {
            change.Release();
        }
    }

    public string? MarkOf(int stationId) => snapshot.TryGet(stationId, out var entry) && entry!.State.Credentials is { } held ? Mark(held.CurrentHash) : null;

    private static string Mark(string hash) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(hash)))[..32];

    public async ValueTask<bool> TakeBackAsync(int stationId, string mark, bool sent, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mark);
        await change.WaitAsync(cancellationToken);
        try
        {
            var entry = Live(stationId);
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var rows = await database.Credentials.Where(c => c.StationId == stationId).OrderBy(c => c.Id).ToListAsync(cancellationToken);
            if (Mark(rows.Single(c => c.ValidUntil is null).Hash) != mark || rows.LastOrDefault(c => c.ValidUntil is not null) is not { } previous)
            {
                return false;
            }

            database.RemoveRange(rows.Where(c => c != previous));
            previous.ValidUntil = null;
            await database.SaveChangesAsync(cancellationToken);
            var back = StationCredentials.Of([previous]);
            if (entry.State.Credentials is { } held)
            {
                back.LastUse = held.LastUse == SecretUse.Previous || (!sent && held.UsedBefore) ? SecretUse.Current : SecretUse.None;
            }

            entry.State = entry.State with { Credentials = back };
            LogTakenBack(entry.State.Station.Municipality, entry.State.Station.Slug);
            return true;
        }
        finally
        {
            change.Release();
        }
    }

    public SecretUse LastUse(int stationId) => snapshot.TryGet(stationId, out var entry) ? entry!.State.Credentials?.LastUse ?? SecretUse.None : SecretUse.None;
}
