using System.Security.Cryptography;
using Hub.Cloud.Database;
using Hub.Cloud.Notifications.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Notifications.SignUp;

/// <summary>
/// The key that signs links: made once, kept in the database beside the secrets of webhooks, so that a restored hub knows the links in mails that went out before. Safe for concurrent callers.
/// </summary>
internal sealed class SignUpKey(IDbContextFactory<NotificationsContext> contexts, TimeProvider time)
{
    private byte[]? key;

    /// <summary>The key, <see cref="SignedToken.KeyBytes"/> bytes; made when there is none yet.</summary>
    public async ValueTask<byte[]> GetAsync(CancellationToken cancellationToken)
    {
        if (key is { } known)
        {
            return known;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        if (!await db.Keys.AnyAsync(cancellationToken).ConfigureAwait(false))
        {
            db.Keys.Add(new KeyRow { Id = KeyRow.OnlyId, Secret = RandomNumberGenerator.GetBytes(SignedToken.KeyBytes), CreatedAt = time.GetUtcNow().UtcDateTime });
            try
            {
                await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (DbUpdateException exception) when (DatabaseFault.IsRefusedByRule(exception))
            {
                // Somebody made it in the same moment: theirs is the one.
            }
        }

        return key = await db.Keys.AsNoTracking().Select(row => row.Secret).SingleAsync(cancellationToken).ConfigureAwait(false);
    }
}
