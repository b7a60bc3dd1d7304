namespace Hub.Cloud.Retention;

/// <summary>How long a municipality keeps the observations of a quantity.</summary>
/// <param name="Property">ObservedProperty, e.g. <c>laeq</c>; null for all that have no policy of their own.</param>
/// <param name="Days">Whole legal days kept besides the current one, 1 to 36,525; null to keep for ever.</param>
public sealed record RetentionPolicy(string? Property, int? Days)
{
    /// <summary>
    /// Whole legal days for which rollups are kept besides the current one, not fewer than <see cref="Days"/> and at most 36,525; null: they go with the observations. Between the two, figures of 15 min and more
    /// are all there is. Only with a number of <see cref="Days"/>, and on a store that can (<c>ISeries.CanCondense</c>).
    /// </summary>
    public int? RollupDays { get; init; }
}

/// <summary>A legal hold: what it covers is not deleted until somebody releases it, whatever the policies say.</summary>
/// <param name="Id">Number of the hold, 1 or more; 0 for a new one.</param>
/// <param name="Municipality">Slug of the municipality.</param>
/// <param name="Station">Slug of the only station meant; null for all.</param>
/// <param name="Property">Only this observed property; null for all.</param>
/// <param name="From">UTC, inclusive; null: from the beginning.</param>
/// <param name="To">UTC, exclusive; null: without end.</param>
/// <param name="Reason">Why, 1 to 500 characters: the file number, the court.</param>
public sealed record RetentionHold(long Id, string Municipality, string? Station, string? Property, DateTime? From, DateTime? To, string Reason)
{
    /// <summary>Who set it.</summary>
    public string SetBy { get; init; } = "";

    /// <summary>UTC instant at which it was set.</summary>
    public DateTime SetAt { get; init; }

    /// <summary>Who released it; null while it is in force.</summary>
    public string? ReleasedBy { get; init; }

    /// <summary>UTC instant of the release; null while it is in force.</summary>
    public DateTime? ReleasedAt { get; init; }
}

/// <summary>What would be deleted of one observed property of a municipality.</summary>
/// <param name="Property">Observed property; empty when nobody knows the datastreams any more.</param>
/// <param name="Before">UTC instant, exclusive: the beginning of the first legal day that is kept.</param>
/// <param name="Datastreams">Datastreams with something to delete.</param>
/// <param name="Observations">Observations older than <paramref name="Before"/> that no hold covers.</param>
/// <param name="Held">Observations older than it that a hold keeps.</param>
public sealed record RetentionForecast(string Property, DateTime Before, int Datastreams, long Observations, long Held)
{
    /// <summary>Of <see cref="Observations"/>, those whose rollups would be kept.</summary>
    public long Condensed { get; init; }

    /// <summary>UTC instant, exclusive, before which rollups would go too; null where they go with the observations.</summary>
    public DateTime? RollupsBefore { get; init; }

    /// <summary>Days of datastreams of which only rollups are kept by now, and that would go.</summary>
    public long RollupDays { get; init; }
}

/// <summary>One deletion that was done.</summary>
/// <param name="Id">Number, counting up.</param>
/// <param name="Municipality">Slug of the municipality.</param>
/// <param name="Property">Observed property.</param>
/// <param name="Before">UTC instant, exclusive.</param>
/// <param name="Datastreams">Datastreams asked to delete.</param>
/// <param name="Observations">Observations deleted, those in the history of corrections not counted.</param>
/// <param name="At">UTC instant at which it was done.</param>
/// <param name="By">Person, or <c>schedule</c>.</param>
public sealed record RetentionRun(long Id, string Municipality, string Property, DateTime Before, int Datastreams, long Observations, DateTime At, string By)
{
    /// <summary>Of <see cref="Observations"/>, those whose rollups were kept.</summary>
    public long Condensed { get; init; }

    /// <summary>Days of datastreams of which only rollups had been kept, and that are gone now.</summary>
    public long RollupDays { get; init; }

    /// <summary>Findings of quality control that went with their observations; of condensed ones their flags are in the rollups.</summary>
    public long Findings { get; init; }
}

/// <summary>
/// How long observations are kept. Nothing is deleted where nobody has said so. Policies, holds and what was deleted are durable when a task completes. Safe for concurrent callers.
/// </summary>
public interface IRetention
{
    /// <summary>The policies of a municipality, that for everything else first, then by property.</summary>
    ValueTask<IReadOnlyList<RetentionPolicy>> PoliciesAsync(string municipality, CancellationToken cancellationToken);

    /// <summary>Replaces the policies of a municipality. Takes effect at the next run.</summary>
    /// <exception cref="ArgumentException">A policy breaks its rule or is there twice, or wants rollups kept longer on a store that cannot; the message names it.</exception>
    ValueTask SavePoliciesAsync(string municipality, IReadOnlyList<RetentionPolicy> policies, string by, CancellationToken cancellationToken);

    /// <summary>Holds of a municipality in order of being set, with those released when asked.</summary>
    ValueTask<IReadOnlyList<RetentionHold>> HoldsAsync(string municipality, bool released, CancellationToken cancellationToken);

    /// <summary>Sets a hold; in force when the task completes: a run under way is waited for.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<RetentionHold> HoldAsync(RetentionHold hold, string by, CancellationToken cancellationToken);

    /// <summary>Releases a hold; false when there is none with this number in the municipality, or it is released already.</summary>
    ValueTask<bool> ReleaseAsync(string municipality, long hold, string by, CancellationToken cancellationToken);

    /// <summary>What a run would delete now: a dry run. Counts, so it may take a while.</summary>
    /// <param name="municipality">Slug of the municipality.</param>
    /// <param name="policies">Policies to try; null for those in force.</param>
    /// <param name="cancellationToken">Ends the counting.</param>
    ValueTask<IReadOnlyList<RetentionForecast>> ForecastAsync(string municipality, IReadOnlyList<RetentionPolicy>? policies, CancellationToken cancellationToken);

    /// <summary>Deletes what the policies in force say and no hold covers; what was deleted, property by property. Cut off in the middle it goes on at the next run.</summary>
    ValueTask<IReadOnlyList<RetentionRun>> RunAsync(string municipality, string by, CancellationToken cancellationToken);

    /// <summary>The newest deletions of a municipality, newest first, at most 1,000.</summary>
    ValueTask<IReadOnlyList<RetentionRun>> RunsAsync(string municipality, int countMax, CancellationToken cancellationToken);
}
