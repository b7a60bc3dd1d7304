namespace Hub.Cloud.Audit;

/// <summary>What a person did that changes figures, rules or what is kept.</summary>
/// <param name="Municipality">Slug of the municipality it concerns.</param>
/// <param name="Action">What was done, a stable word: <c>calibration-corrected</c>, <c>rule-saved</c>, ...; 1 to 64 of <c>a-z 0-9 -</c>.</param>
/// <param name="Subject">What it was done to, e.g. <c>datastream 12</c>; at most 200 characters.</param>
/// <param name="By">Who did it; at most 200 characters.</param>
/// <param name="Details">The particulars as JSON; at most 16 KiB.</param>
public sealed record AuditNote(string Municipality, string Action, string Subject, string By, string Details);

/// <summary>A note as it is on record.</summary>
/// <param name="Id">Number, counting up.</param>
/// <param name="At">UTC instant at which it was noted.</param>
/// <param name="Note">What was done.</param>
public sealed record AuditEntry(long Id, DateTime At, AuditNote Note);

/// <summary>Who changed what, and when. Entries are added and never changed or removed. Safe for concurrent callers.</summary>
public interface IAudit
{
    /// <summary>Puts a note on record; durable when the task completes.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule: a fault of the caller.</exception>
    ValueTask<long> NoteAsync(AuditNote note, CancellationToken cancellationToken);

    /// <summary>Entries of a municipality, newest first.</summary>
    /// <param name="municipality">Slug of the municipality.</param>
    /// <param name="action">Only this action; null for all.</param>
    /// <param name="before">Only numbers below this one; null for the newest.</param>
    /// <param name="countMax">At most so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<AuditEntry>> ListAsync(string municipality, string? action, long? before, int countMax, CancellationToken cancellationToken);
}
