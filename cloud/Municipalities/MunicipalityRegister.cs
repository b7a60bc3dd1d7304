using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using Hub.Edge.Contract.Topics;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Municipalities;

/// <summary>Tenants in memory for whoever reads; one change at a time, committed first and seen second.</summary>
internal sealed class MunicipalityRegister(IDbContextFactory<MunicipalitiesDatabase> databases) : IMunicipalities, IDisposable
{
    private readonly SemaphoreSlim change = new(1, 1);
    private volatile Snapshot snapshot = new([]);

    public IReadOnlyList<Municipality> All => snapshot.ByName;

    public bool TryGet(string slug, [NotNullWhen(true)] out Municipality? found)
    {
        ArgumentNullException.ThrowIfNull(slug);
        return snapshot.BySlug.TryGetValue(slug, out found);
    }

    public async ValueTask<Municipality> SaveAsync(Municipality municipality, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(municipality);
        Check(municipality);
        await change.WaitAsync(cancellationToken);
        try
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var row = await database.Municipalities.SingleOrDefaultAsync(m => m.Slug == municipality.Slug, cancellationToken);
            if (row is null)
            {
                row = new MunicipalityRow { Slug = municipality.Slug, Name = "", Region = "", Code = "", Zone = "" };
                database.Municipalities.Add(row);
            }

            row.Name = municipality.Name;
            row.Region = municipality.Region;
            row.Code = municipality.Code;
            row.Latitude = municipality.Latitude;
            row.Longitude = municipality.Longitude;
            row.Zone = municipality.Zone;
            await database.SaveChangesAsync(cancellationToken);
            snapshot = new Snapshot(snapshot.BySlug.Values.Where(m => m.Slug != municipality.Slug).Append(municipality));
        }
        finally
        {
            change.Release();
        }

        return municipality;
    }

    /// <summary>Reads everything from the database. Called once, before anybody asks.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var rows = await database.Municipalities.AsNoTracking().ToListAsync(cancellationToken);
        snapshot = new Snapshot(rows.Select(r => new Municipality(r.Slug, r.Name, r.Region, r.Code, r.Latitude, r.Longitude, r.Zone)));
    }

    public void Dispose() => change.Dispose();

    private static void Check(Municipality municipality)
    {
        if (!HubTopic.IsSlug(municipality.Slug))
        {
            throw new ArgumentException("Slug must be 1 to 64 of a-z 0-9 - and begin and end with a letter or digit.");
        }

        if (string.IsNullOrWhiteSpace(municipality.Name) || municipality.Name.Length > 200 || municipality.Name.Any(char.IsControl))
        {
            throw new ArgumentException("Name must have 1 to 200 characters and no control characters.");
        }

        if (municipality.Region is null || municipality.Region.Length > 100 || municipality.Region.Any(char.IsControl))
        {
            throw new ArgumentException("Region must have at most 100 characters and no control characters.");
        }

        if (municipality.Code is not { Length: 0 or 4 } || !municipality.Code.All(char.IsAsciiDigit))
        {
            throw new ArgumentException("Code must be the four digits of the INE code, or empty.");
        }

        if (!(municipality.Latitude is >= -90 and <= 90))
        {
            throw new ArgumentException("Latitude must be -90 to 90 degrees.");
        }

        if (!(municipality.Longitude is >= -180 and <= 180))
        {
            throw new ArgumentException("Longitude must be -180 to 180 degrees.");
        }

        if (string.IsNullOrEmpty(municipality.Zone) || !TimeZoneInfo.TryFindSystemTimeZoneById(municipality.Zone, out var zone) || !zone.HasIanaId)
        {
            throw new ArgumentException("Zone must be the IANA name of a time zone, as Europe/Lisbon.");
        }
    }

    private sealed class Snapshot
    {
        public Snapshot(IEnumerable<Municipality> municipalities)
        {
            BySlug = municipalities.ToDictionary(m => m.Slug, StringComparer.Ordinal);
            ByName = Array.AsReadOnly(BySlug.Values.OrderBy(m => m.Name, StringComparer.InvariantCulture).ThenBy(m => m.Slug, StringComparer.Ordinal).ToArray());
        }

        public Dictionary<string, Municipality> BySlug { get; }

        public ReadOnlyCollection<Municipality> ByName { get; }
    }
}
