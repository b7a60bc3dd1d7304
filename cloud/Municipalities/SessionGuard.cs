using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Municipalities;

/// <summary>
/// Ends sessions whose person has a new password or other roles: compares the security stamp in the cookie or token with the person's. Runs on every
/// authenticated request of either scheme, mostly from memory; one entry per person who has signed in, so bounded by the number of people.
/// </summary>
internal sealed class SessionGuard(
    IDbContextFactory<MunicipalitiesDatabase> databases,
    TimeProvider time,
    IOptions<MunicipalitiesOptions> options,
    MunicipalitiesInstruments instruments)
{
    /// <summary>Identity's name for the claim that holds the stamp.</summary>
    public const string StampClaim = "AspNet.Identity.SecurityStamp";

    private readonly ConcurrentDictionary<int, (string? Stamp, long CheckedAt)> stamps = new();

    /// <summary>Whether the session was issued for the person as they are now.</summary>
    public async ValueTask<bool> IsCurrentAsync(ClaimsPrincipal principal)
    {
        var stamp = principal.FindFirstValue(StampClaim);
        if (stamp is null || !int.TryParse(principal.FindFirstValue(ClaimTypes.NameIdentifier), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return false;
        }

        if (!stamps.TryGetValue(id, out var known) || time.GetElapsedTime(known.CheckedAt) >= options.Value.SessionCheck)
        {
            // The instant before the question, so that an answer already outdated is not kept for longer than promised.
            var now = time.GetTimestamp();
            await using var database = await databases.CreateDbContextAsync();
            var current = await database.Users.AsNoTracking().Where(p => p.Id == id).Select(p => p.SecurityStamp).SingleOrDefaultAsync();
            known = (current, now);
            stamps[id] = known;
        }

        if (known.Stamp is not null && string.Equals(known.Stamp, stamp, StringComparison.Ordinal))
        {
            return true;
        }

        instruments.SessionEnded();
        return false;
    }

    /// <summary>Looks the person up again at the next request. Called after each change.</summary>
    public void Forget(int id) => stamps.TryRemove(id, out _);
}
