using System.Buffers;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Audit.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Audit;

/// <summary>The record in the hub's database.</summary>
internal sealed class AuditBook(IDbContextFactory<AuditContext> contexts, TimeProvider time) : IAudit
{
    private const int WordMax = 64;
    private const int TextMax = 200;
    private const int DetailsBytesMax = 16 * 1024;
    private const int CountMax = 1_000;

    private static readonly SearchValues<char> WordLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    public async ValueTask<long> NoteAsync(AuditNote note, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(note);
        ThrowIfNot(note);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var row = new EntryRow
        {
            At = time.GetUtcNow().UtcDateTime, Municipality = note.Municipality, Action = note.Action, Subject = note.Subject, By = note.By, Details = note.Details,
        };
        db.Entries.Add(row);
        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        return row.Id;
    }

    public async ValueTask<IReadOnlyList<AuditEntry>> ListAsync(string municipality, string? action, long? before, int countMax, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Entries.AsNoTracking()
            .Where(row => row.Municipality == municipality && (action == null || row.Action == action) && (before == null || row.Id < before))
            .OrderByDescending(row => row.Id).Take(Math.Clamp(countMax, 1, CountMax)).ToListAsync(cancellationToken).ConfigureAwait(false);
        return rows.ConvertAll(row => new AuditEntry(row.Id, row.At, new AuditNote(row.Municipality, row.Action, row.Subject, row.By, row.Details)));
    }

    private static void ThrowIfNot(AuditNote note)
    {
        if (note.Action.Length is 0 or > WordMax || note.Action.AsSpan().ContainsAnyExcept(WordLetters))
        {
            throw new ArgumentException($"The action is \"{note.Action}\"; expected is a word of a-z, 0-9 and -.", nameof(note));
        }

        if (note.Municipality.Length is 0 or > WordMax || note.Subject.Length > TextMax || note.By.Length > TextMax || Encoding.UTF8.GetByteCount(note.Details) > DetailsBytesMax)
        {
            throw new ArgumentException("Municipality, subject, person or details are too long, or there is no municipality.", nameof(note));
        }

        try
        {
            using var details = JsonDocument.Parse(note.Details);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"The details are no JSON: {e.Message}", nameof(note));
        }
    }
}
