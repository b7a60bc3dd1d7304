using Hub.Cloud.Stations;
using Hub.Cloud.Stations.Notebook;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>A notebook in memory that checks photos as the hub does, and places of stations.</summary>
internal sealed class FakeNotebook(TimeProvider clock, City city) : IStationNotebook, IStationHistory
{
    private readonly List<(StationNote Note, byte[][] Files)> notes = [];

    private long numbers;

    /// <summary>Places other than where a station is now.</summary>
    public Dictionary<int, List<StationLocation>> Places { get; } = [];

    public ValueTask<StationNote> AddAsync(int stationId, string by, string text, bool isPublic, IReadOnlyList<byte[]> photos, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new NoteRefusedException(NoteFault.Empty, 0, "empty");
        }

        List<PhotoFile> files = [];
        foreach (var photo in photos)
        {
            try
            {
                files.Add(PhotoFile.Clean(photo));
            }
            catch (FormatException fault)
            {
                throw new NoteRefusedException(NoteFault.NoPhoto, files.Count + 1, fault.Message);
            }
        }

        var note = new StationNote(++numbers, stationId, clock.GetUtcNow().UtcDateTime, by, text.Trim(), isPublic, [.. files.Select(file => new NotePhoto(++numbers, file.ContentType, file.Width, file.Height, file.Bytes.Length))]);
        notes.Insert(0, (note, [.. files.Select(file => file.Bytes)]));
        return new(note);
    }

    public ValueTask<IReadOnlyList<StationNote>> ListAsync(int stationId, bool withInternal, int countMax, CancellationToken cancellationToken) =>
        new([.. notes.Select(one => one.Note).Where(note => note.StationId == stationId && (withInternal || note.Public)).Take(countMax)]);

    public ValueTask<(StationNote Note, NotePhoto Photo, byte[] Bytes)?> PhotoAsync(int stationId, long photo, CancellationToken cancellationToken)
    {
        foreach (var (note, files) in notes.Where(one => one.Note.StationId == stationId))
        {
            if (note.Photos.ToList().FindIndex(one => one.Id == photo) is >= 0 and var at)
            {
                return new((note, note.Photos[at], files[at]));
            }
        }

        return new(((StationNote, NotePhoto, byte[])?)null);
    }

    public ValueTask<StationNote?> RemoveAsync(int stationId, long note, CancellationToken cancellationToken)
    {
        var found = notes.Find(one => one.Note.StationId == stationId && one.Note.Id == note);
        notes.Remove(found);
        return new(found.Note);
    }

    public ValueTask<IReadOnlyList<StationLocation>> LocationsAsync(int stationId, CancellationToken cancellationToken) =>
        new([.. Places.GetValueOrDefault(stationId, []), .. city.Stations.All.Where(one => one.Id == stationId).Select(one => new StationLocation(city.Now.AddDays(-3), one.Latitude, one.Longitude))]);

    public ValueTask<IReadOnlyList<StationPlace>> MovedAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
}
