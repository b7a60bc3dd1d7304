namespace Hub.Cloud.Stations.Notebook;

/// <summary>A photo of a note, without its bytes.</summary>
/// <param name="Id">Identifier, 1 or more; not used again.</param>
/// <param name="ContentType"><c>image/jpeg</c>, <c>image/png</c> or <c>image/webp</c>.</param>
/// <param name="Width">Pixels, as it is shown.</param>
/// <param name="Height">Pixels, as it is shown.</param>
/// <param name="Bytes">Size as it is kept.</param>
public sealed record NotePhoto(long Id, string ContentType, int Width, int Height, int Bytes);

/// <summary>What somebody of the municipality wrote of a station.</summary>
/// <param name="Id">Identifier, 1 or more; not used again.</param>
/// <param name="StationId">The station.</param>
/// <param name="At">When it was written, UTC.</param>
/// <param name="By">Who wrote it: for people of the municipality only.</param>
/// <param name="Text">1 to 2,000 characters; lines are kept.</param>
/// <param name="Public">Whether everybody who may see the station may read it; otherwise people of the municipality.</param>
/// <param name="Photos">Its photos, in order.</param>
public sealed record StationNote(long Id, int StationId, DateTime At, string By, string Text, bool Public, IReadOnlyList<NotePhoto> Photos);

/// <summary>
/// Notes and photos of stations. Photos are kept in the hub's database without what a camera wrote into them (<see cref="PhotoFile"/>), so a backup has them. Callers have checked who asks.
/// Changes are durable when the task completes. Safe for concurrent callers.
/// </summary>
public interface IStationNotebook
{
    /// <summary>Adds a note with its photos, all or nothing.</summary>
    /// <param name="stationId">The station.</param>
    /// <param name="by">Who writes it, 1 to 256 characters.</param>
    /// <param name="text">See <see cref="StationNote.Text"/>; blanks around it are taken off.</param>
    /// <param name="isPublic">See <see cref="StationNote.Public"/>.</param>
    /// <param name="photos">Files as they came, at most <see cref="NotebookRules.PhotosMax"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="NoteRefusedException">It breaks a rule; says which and where.</exception>
    /// <exception cref="KeyNotFoundException">There is no such station.</exception>
    ValueTask<StationNote> AddAsync(int stationId, string by, string text, bool isPublic, IReadOnlyList<byte[]> photos, CancellationToken cancellationToken);

    /// <summary>Notes of a station, newest first.</summary>
    /// <param name="stationId">The station.</param>
    /// <param name="withInternal">Whether those that are not public are wanted.</param>
    /// <param name="countMax">At most so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<StationNote>> ListAsync(int stationId, bool withInternal, int countMax, CancellationToken cancellationToken);

    /// <summary>A photo with the note it belongs to; null when there is none (any more).</summary>
    ValueTask<(StationNote Note, NotePhoto Photo, byte[] Bytes)?> PhotoAsync(int stationId, long photo, CancellationToken cancellationToken);

    /// <summary>Removes a note and its photos for good; null when there is none (any more), otherwise what it was.</summary>
    ValueTask<StationNote?> RemoveAsync(int stationId, long note, CancellationToken cancellationToken);
}

/// <summary>Why a note was refused.</summary>
public enum NoteFault
{
    /// <summary>No text.</summary>
    Empty = 1,

    /// <summary>The text is longer than <see cref="NotebookRules.TextMax"/>.</summary>
    TooLong = 2,

    /// <summary>More photos than <see cref="NotebookRules.PhotosMax"/>.</summary>
    TooManyPhotos = 3,

    /// <summary>A photo is larger than <see cref="NotebookRules.PhotoBytesMax"/>.</summary>
    PhotoTooLarge = 4,

    /// <summary>A file is no JPEG, PNG or WebP, or is damaged, moves, or has more pixels than <see cref="PhotoFile.PixelsMax"/>.</summary>
    NoPhoto = 5,

    /// <summary>The station has its limit of notes or of bytes of photos.</summary>
    Full = 6,
}

/// <summary>A note cannot be taken.</summary>
public sealed class NoteRefusedException(NoteFault fault, int photo, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public NoteFault Fault { get; } = fault;

    /// <summary>Which photo, counted from 1; 0 when it is not about one.</summary>
    public int Photo { get; } = photo;
}

/// <summary>Limits of the notebook.</summary>
public static class NotebookRules
{
    /// <summary>Longest text, characters.</summary>
    public const int TextMax = 2_000;

    /// <summary>Most photos of a note.</summary>
    public const int PhotosMax = 3;

    /// <summary>Largest photo, bytes as it comes.</summary>
    public const int PhotoBytesMax = 8 * 1024 * 1024;

    /// <summary>Most notes of a station.</summary>
    public const int NotesMax = 1_000;

    /// <summary>Most bytes of photos of a station.</summary>
    public const long StationBytesMax = 256L * 1024 * 1024;
}
