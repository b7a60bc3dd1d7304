using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Stations.Notebook;

/// <summary>A note.</summary>
internal sealed class NoteRow
{
    public long Id { get; set; }

    public int StationId { get; set; }

    public DateTime At { get; set; }

    public required string By { get; set; }

    public required string Text { get; set; }

    public bool Public { get; set; }

    public List<NotePhotoRow> Photos { get; } = [];
}

/// <summary>A photo of a note. Its bytes are read only when it is asked for.</summary>
internal sealed class NotePhotoRow
{
    public long Id { get; set; }

    public long NoteId { get; set; }

    public required string ContentType { get; set; }

    public int Width { get; set; }

    public int Height { get; set; }

    public int Size { get; set; }

    public required byte[] Data { get; set; }
}

/// <summary>The notebook in the hub's database.</summary>
internal sealed class StationNotebook(IDbContextFactory<StationsDatabase> databases, IStations stations, TimeProvider time) : IStationNotebook, IDisposable
{
    /// <summary>One note is added at a time, so that limits hold and no more than one note's photos are held beside their files.</summary>
    private readonly SemaphoreSlim _adding = new(1);

    public async ValueTask<StationNote> AddAsync(int stationId, string by, string text, bool isPublic, IReadOnlyList<byte[]> photos, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(by);
        ArgumentNullException.ThrowIfNull(photos);
        if (by.Length is < 1 or > 256)
        {
            throw new ArgumentException("Who writes a note must have a name of 1 to 256 characters.", nameof(by));
        }

        var said = (text ?? "").ReplaceLineEndings("\n").Trim();
        if (said.Length == 0)
        {
            throw new NoteRefusedException(NoteFault.Empty, 0, "A note must have a text.");
        }

        if (said.Length > NotebookRules.TextMax)
        {
            throw new NoteRefusedException(NoteFault.TooLong, 0, $"A note must be at most {NotebookRules.TextMax} characters, but is {said.Length}.");
        }

        if (photos.Count > NotebookRules.PhotosMax)
        {
            throw new NoteRefusedException(NoteFault.TooManyPhotos, 0, $"A note has at most {NotebookRules.PhotosMax} photos, but {photos.Count} came.");
        }

        var row = new NoteRow { StationId = stationId, At = time.GetUtcNow().UtcDateTime, By = by, Text = said, Public = isPublic };
        await _adding.WaitAsync(cancellationToken);
        try
        {
            for (var i = 0; i < photos.Count; i++)
            {
                var photo = Cleaned(photos[i], i + 1);
                row.Photos.Add(new NotePhotoRow { ContentType = photo.ContentType, Width = photo.Width, Height = photo.Height, Size = photo.Bytes.Length, Data = photo.Bytes });
            }

            if (!stations.All.Any(station => station.Id == stationId))
            {
                throw new KeyNotFoundException($"There is no station {stationId}.");
            }

            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var notes = await database.Notes.CountAsync(n => n.StationId == stationId, cancellationToken);
            var bytes = await database.Notes.Where(n => n.StationId == stationId).SelectMany(n => n.Photos).SumAsync(p => (long)p.Size, cancellationToken);
            if (notes >= NotebookRules.NotesMax || bytes + row.Photos.Sum(static p => (long)p.Size) > NotebookRules.StationBytesMax)
            {
                throw new NoteRefusedException(
                    NoteFault.Full, 0, $"A station has at most {NotebookRules.NotesMax} notes and {NotebookRules.StationBytesMax / 1024 / 1024} MB of photos; remove what is not needed any more.");
            }

            database.Notes.Add(row);
            await database.SaveChangesAsync(cancellationToken);
            return NoteOf(row, row.Photos.Select(PhotoOf));
        }
        finally
        {
            _adding.Release();
        }
    }

    public async ValueTask<IReadOnlyList<StationNote>> ListAsync(int stationId, bool withInternal, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(countMax, 1_000);
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var rows = await database.Notes.AsNoTracking().Where(n => n.StationId == stationId && (withInternal || n.Public)).OrderByDescending(n => n.Id).Take(countMax)
            .Select(n => new { Note = n, Photos = n.Photos.OrderBy(p => p.Id).Select(p => new NotePhoto(p.Id, p.ContentType, p.Width, p.Height, p.Size)).ToList() })
            .ToListAsync(cancellationToken);
        return [.. rows.Select(row => NoteOf(row.Note, row.Photos))];
    }

    public async ValueTask<(StationNote Note, NotePhoto Photo, byte[] Bytes)?> PhotoAsync(int stationId, long photo, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var row = await database.NotePhotos.AsNoTracking().FirstOrDefaultAsync(p => p.Id == photo, cancellationToken);
        var note = row is null ? null : await database.Notes.AsNoTracking().FirstOrDefaultAsync(n => n.Id == row.NoteId && n.StationId == stationId, cancellationToken);
        return note is null ? null : (NoteOf(note, [PhotoOf(row!)]), PhotoOf(row!), row!.Data);
    }

    public async ValueTask<StationNote?> RemoveAsync(int stationId, long note, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var row = await database.Notes.AsNoTracking().FirstOrDefaultAsync(n => n.Id == note && n.StationId == stationId, cancellationToken);
        if (row is null)
        {
            return null;
        }

        var photos = await database.NotePhotos.Where(p => p.NoteId == note).OrderBy(p => p.Id).Select(p => new NotePhoto(p.Id, p.ContentType, p.Width, p.Height, p.Size)).ToListAsync(cancellationToken);

        // Its photos go with it.
        return await database.Notes.Where(n => n.Id == note).ExecuteDeleteAsync(cancellationToken) == 0 ? null : NoteOf(row, photos);
    }

    public void Dispose() => _adding.Dispose();

    private static PhotoFile Cleaned(byte[] file, int number)
    {
        if (file.Length > NotebookRules.PhotoBytesMax)
        {
            throw new NoteRefusedException(NoteFault.PhotoTooLarge, number, $"Photo {number} is larger than {NotebookRules.PhotoBytesMax / 1024 / 1024} MB.");
        }

        try
        {
            return PhotoFile.Clean(file);
        }
        catch (FormatException fault)
        {
            throw new NoteRefusedException(NoteFault.NoPhoto, number, $"Photo {number} cannot be taken. {fault.Message}");
        }
    }

    private static NotePhoto PhotoOf(NotePhotoRow row) => new(row.Id, row.ContentType, row.Width, row.Height, row.Size);

    private static StationNote NoteOf(NoteRow row, IEnumerable<NotePhoto> photos) => new(row.Id, row.StationId, row.At, row.By, row.Text, row.Public, [.. photos]);
}
