using System.Text;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Claims;
using Hub.Edge.Contract.Topics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Fleet.Claims;

/// <summary>A claim that was taken.</summary>
/// <param name="Station">Who the claimant is from now on.</param>
/// <param name="Profile">Station profile; null for none.</param>
/// <param name="IsNew">False when the same claim was sent again.</param>
internal sealed record TakenClaim(Station Station, string? Profile, bool IsNew);

/// <summary>Claim codes: made, ended, used. Claims are taken one at a time.</summary>
internal sealed class ClaimDesk(
    IDbContextFactory<FleetContext> contexts, IStations stations, IStationSecrets secrets, IOptions<FleetOptions> options, FleetInstruments instruments, TimeProvider time, ILogger<ClaimDesk> logger) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);

    public void Dispose() => gate.Dispose();

    public async ValueTask<IssuedClaim> IssueAsync(Station station, string? profile, string by, CancellationToken cancellationToken)
    {
        if (profile is not null && !HubTopic.IsSlug(profile))
        {
            throw new ArgumentException($"profile is '{(profile.Length <= 64 ? profile : profile[..64])}'; give 1 to 64 of a-z 0-9 -, e.g. air-basic.", nameof(profile));
        }

        var code = ClaimCodes.Make();
        var now = time.GetUtcNow().UtcDateTime;
        var row = new ClaimRow { StationId = station.Id, CodeHash = ClaimCodes.Hash(code), Profile = profile, IssuedBy = by, IssuedAt = now, ExpiresAt = now + options.Value.ClaimValid };
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);

            // One row for each station: a used one tells who used it until the next is made.
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await db.Claims.Where(c => c.StationId == station.Id).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            db.Claims.Add(row);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }

        logger.ClaimIssued(station.Municipality, station.Slug, by, row.ExpiresAt);
        return new IssuedClaim(code, profile, row.ExpiresAt);
    }

    public async ValueTask<bool> RevokeAsync(Station station, string by, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var ended = await db.Claims.Where(c => c.StationId == station.Id && c.UsedAt == null).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false) > 0;
        if (ended)
        {
            logger.ClaimRevoked(station.Municipality, station.Slug, by);
        }

        return ended;
    }

    public async ValueTask<ClaimState?> OfAsync(int stationId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Claims.AsNoTracking().Where(c => c.StationId == stationId).OrderByDescending(c => c.Id)
            .Select(c => new ClaimState(c.Profile, c.IssuedBy, c.IssuedAt, c.ExpiresAt, c.UsedAt, c.UsedBy))
            .FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The newest code of every station that ever had one.</summary>
    public async ValueTask<Dictionary<int, ClaimState>> LatestOfAllAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        return await db.Claims.AsNoTracking()
            .Where(c => !db.Claims.Any(later => later.StationId == c.StationId && later.Id > c.Id))
            .Select(c => new { c.StationId, State = new ClaimState(c.Profile, c.IssuedBy, c.IssuedAt, c.ExpiresAt, c.UsedAt, c.UsedBy) })
            .ToDictionaryAsync(c => c.StationId, c => c.State, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes a claim; null for a code that is not known, over, or used with another secret: which of them is nobody's business.</summary>
    public async ValueTask<TakenClaim?> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        var hash = ClaimCodes.Hash(request.Code);
        var secret = Encoding.ASCII.GetBytes(request.Secret);
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
            var row = hash.Length == 0 ? null : await db.Claims.SingleOrDefaultAsync(c => c.CodeHash == hash, cancellationToken).ConfigureAwait(false);
            var station = row is null ? null : stations.All.FirstOrDefault(s => s.Id == row.StationId);

            // Asked in every case, for the time it takes; no station has these slugs.
            var isSame = stations.Authenticate(station?.Municipality ?? "-", station?.Slug ?? "-", secret, out _);
            if (row is null || station is null)
            {
                instruments.Claimed("unknown");
                return null;
            }

            if (row.UsedAt is not null)
            {
                instruments.Claimed(isSame ? "again" : "unknown");
                return isSame ? new TakenClaim(station, row.Profile, IsNew: false) : null;
            }

            var now = time.GetUtcNow().UtcDateTime;
            if (now >= row.ExpiresAt)
            {
                instruments.Claimed("unknown");
                return null;
            }

            // The secret first. A crash in between leaves the code open, and the station sends the same claim again; the other way round it would be locked out.
            if (!isSame)
            {
                await secrets.TakeAsync(station.Id, request.Secret, cancellationToken).ConfigureAwait(false);
            }

            row.UsedAt = now;
            row.UsedBy = Words(request);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            instruments.Claimed("new");
            logger.Claimed(station.Municipality, station.Slug, row.UsedBy, row.IssuedBy);
            return new TakenClaim(station, row.Profile, IsNew: true);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Forgets the codes of a station that is gone.</summary>
    public async Task ForgetAsync(int stationId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await db.Claims.Where(c => c.StationId == stationId).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string Words(ClaimRequest request) =>
        new([.. (request.Machine is { Length: > 0 } machine ? $"{request.Agent}, {machine}" : request.Agent).Select(c => char.IsControl(c) ? ' ' : c)]);
}
