using System.Security.Cryptography;
using Hub.Cloud.Fleet.Storage;
using Hub.Edge.Contract.Bundles;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Fleet.Updates;

/// <summary>
/// Agent bundles: a file named for its SHA-256 in the data folder, and a row. The file is there for good before the row says so. Publishing goes one at a time in a process; another process may publish as well.
/// </summary>
internal sealed class BundleStore(IDbContextFactory<FleetContext> contexts, IOptions<FleetOptions> options, TimeProvider time, ILogger<BundleStore> logger) : IDisposable
{
    private const string Unfinished = ".new";

    /// <summary>How old a file must be that nobody will finish any more.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim gate = new(1, 1);

    private string Folder => options.Value.BundleFolder;

    public void Dispose() => gate.Dispose();

    /// <summary>Where the file of a bundle is, or would be.</summary>
    /// <param name="sha256">64 lower-case hexadecimal digits.</param>
    public string PathOf(string sha256) => Path.GetFullPath(Path.Combine(Folder, sha256 + ".zip"));

    public async ValueTask<StoredBundle> PublishAsync(Stream content, string by, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Directory.CreateDirectory(Folder);
            DeleteAbandoned();
            var fresh = Path.Combine(Folder, Guid.NewGuid().ToString("N") + Unfinished);
            try
            {
                return await TakeAsync(content, fresh, by, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                File.Delete(fresh);
            }
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask<IReadOnlyList<StoredBundle>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Bundles.AsNoTracking().OrderByDescending(b => b.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(Read);
    }

    /// <summary>The newest bundle of a version for each runtime, of those whose file is there.</summary>
    public async ValueTask<IReadOnlyDictionary<string, StoredBundle>> NewestAsync(string version, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Bundles.AsNoTracking().Where(b => b.Version == version).OrderBy(b => b.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        Dictionary<string, StoredBundle> newest = new(StringComparer.Ordinal);
        foreach (var row in rows.Where(row => File.Exists(PathOf(row.Sha256))))
        {
            newest[row.Runtime] = Read(row);
        }

        return newest;
    }

    private async Task<StoredBundle> TakeAsync(Stream content, string fresh, string by, CancellationToken cancellationToken)
    {
        var (sha256, bytes) = await WriteAsync(content, fresh, cancellationToken).ConfigureAwait(false);
        var keys = new List<ECDsa>();
        BundleManifest manifest;
        try
        {
            keys.AddRange(options.Value.UpdateKeys.Select(AgentBundleCheck.ReadPublicKey));
            manifest = AgentBundleCheck.Check(fresh, keys);
        }
        catch (BundleRefusedException refused)
        {
            throw new BundleRefusedException($"This is not a good bundle: {refused.Message}");
        }
        catch (InvalidDataException exception)
        {
            throw new BundleRefusedException($"{FleetOptions.Section}:{nameof(FleetOptions.UpdateKeys)}: {exception.Message}");
        }
        finally
        {
            keys.ForEach(key => key.Dispose());
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var known = await db.Bundles.AsNoTracking().SingleOrDefaultAsync(b => b.Sha256 == sha256, cancellationToken).ConfigureAwait(false);
        if (known is null)
        {
            await MakeRoomAsync(db, cancellationToken).ConfigureAwait(false);
        }

        File.Move(fresh, PathOf(sha256), overwrite: true);
        FolderFlush.Flush(Folder);
        if (known is not null)
        {
            return Read(known);
        }

        var row = new BundleRow
        {
            Sha256 = sha256,
            Version = manifest.Version,
            Runtime = manifest.Runtime,
            Bytes = bytes,
            SignatureChecked = options.Value.UpdateKeys.Count > 0,
            PublishedBy = by,
            PublishedAt = time.GetUtcNow().UtcDateTime,
        };
        db.Bundles.Add(row);
        try
        {
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DbUpdateException) when (Exists(sha256))
        {
            // Another process took in the same file at the same moment.
            return Read(row);
        }

        logger.BundlePublished(row.Version, row.Runtime, row.Sha256, row.Bytes, by);
        return Read(row);
    }

    private static async Task<(string Sha256, long Bytes)> WriteAsync(Stream content, string path, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        long bytes = 0;
        await using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, useAsync: true))
        {
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                bytes += read;
                if (bytes > BundleManifest.BundleBytesMax)
                {
                    throw new BundleRefusedException($"The bundle has more than {BundleManifest.BundleBytesMax} bytes.");
                }

                hash.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }

            file.Flush(flushToDisk: true);
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), bytes);
    }

    /// <summary>Deletes the oldest bundles that no campaign under way needs, until there is room for one more.</summary>
    private async Task MakeRoomAsync(FleetContext db, CancellationToken cancellationToken)
    {
        var rows = await db.Bundles.OrderBy(b => b.Id).ToListAsync(cancellationToken).ConfigureAwait(false);
        var needed = await db.Campaigns.Where(c => !c.Settled).Select(c => c.Version).Distinct().ToListAsync(cancellationToken).ConfigureAwait(false);
        var surplus = rows.Count - options.Value.BundlesMax + 1;
        var old = rows.Where(row => !needed.Contains(row.Version)).Take(Math.Max(0, surplus)).ToList();
        if (old.Count < surplus)
        {
            throw new BundleRefusedException($"There are {rows.Count} bundles, as many as are kept, and campaigns under way need them: end a campaign, or raise {FleetOptions.Section}:{nameof(FleetOptions.BundlesMax)}.");
        }

        foreach (var row in old)
        {
            // First the row: a file without one is in nobody's way.
            db.Bundles.Remove(row);
            await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            File.Delete(PathOf(row.Sha256));
            logger.BundleDeleted(row.Version, row.Runtime, row.Sha256);
        }
    }

    private void DeleteAbandoned()
    {
        var before = time.GetUtcNow().UtcDateTime - Abandoned;
        foreach (var file in Directory.EnumerateFiles(Folder, "*" + Unfinished).Where(file => File.GetLastWriteTimeUtc(file) < before))
        {
            File.Delete(file);
        }
    }

    private bool Exists(string sha256)
    {
        using var db = contexts.CreateDbContext();
        return db.Bundles.Any(b => b.Sha256 == sha256);
    }

    private static StoredBundle Read(BundleRow row) => new(row.Sha256, row.Version, row.Runtime, row.Bytes, row.SignatureChecked, row.PublishedBy, row.PublishedAt);
}
