namespace Hub.Cloud.QualityControl;

/// <summary>A declaration of checks, on record for good.</summary>
/// <param name="Municipality">Slug of the municipality.</param>
/// <param name="Property">Observed property.</param>
/// <param name="Version">1, 2, 3, ... for each municipality and property.</param>
/// <param name="From">UTC: valid for observations from this phenomenon time on, until a higher version is.</param>
/// <param name="Parameters">The checks, all of them; null: the hub's own again.</param>
/// <param name="By">Who declared it.</param>
/// <param name="At">UTC instant at which it was declared.</param>
public sealed record CheckDeclaration(string Municipality, string Property, int Version, DateTime From, CheckParameters? Parameters, string By, DateTime At);

/// <summary>Which findings are wanted.</summary>
/// <param name="Datastreams">Identifiers.</param>
/// <param name="From">UTC, inclusive: findings that end after it.</param>
/// <param name="To">UTC, exclusive: findings that begin before it.</param>
/// <param name="Check">Only of this check; null for all.</param>
/// <param name="After">Only findings with a larger number, for the next page; 0 from the beginning.</param>
/// <param name="CountMax">At most so many, 1 to 10,000.</param>
public sealed record FindingsQuery(IReadOnlyCollection<int> Datastreams, DateTime From, DateTime To, QualityCheck? Check, long After, int CountMax);

/// <summary>A finding with its number, by which pages go on. A finding that is found again, with more observations for instance, has a new number.</summary>
public readonly record struct NumberedFinding(long Number, Finding Finding);

/// <summary>What a dry run found of one datastream.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="Judged">Observations looked at.</param>
/// <param name="Flagged">Observations each check would flag.</param>
/// <param name="Findings">The first findings, at most 100.</param>
public sealed record QualityTrial(int Datastream, long Judged, IReadOnlyDictionary<QualityCheck, long> Flagged, IReadOnlyList<Finding> Findings);

/// <summary>
/// Automatic checks of what is stored, in event time. They flag, as an overlay (<see cref="Series.IFindings"/>), and never delete or rewrite. The findings are a function of the set of observations, the
/// declarations and the places of stations: not of the order in which anything came. Safe for concurrent callers.
/// </summary>
public interface IQualityControl
{
    /// <summary>Everything ever declared in a municipality, by property and version.</summary>
    IReadOnlyList<CheckDeclaration> Declarations(string municipality);

    /// <summary>The checks in force for a property at a phenomenon time, and their version; 0 for the hub's own.</summary>
    (CheckParameters Parameters, int Version) InForce(string municipality, string property, DateTime at);

    /// <summary>
    /// Declares the checks of a property from a date on. Durable when the task completes; observations since that date are judged anew in the background.
    /// </summary>
    /// <param name="municipality">Slug of the municipality.</param>
    /// <param name="property">Observed property.</param>
    /// <param name="from">UTC, whole microseconds; null: for all time.</param>
    /// <param name="parameters">All checks of the property; null: the hub's own again.</param>
    /// <param name="by">Who declares it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">A parameter breaks its rule, or municipality, property or reference station is unknown; the message names it and says what is expected.</exception>
    ValueTask<CheckDeclaration> DeclareAsync(string municipality, string property, DateTime? from, CheckParameters? parameters, string by, CancellationToken cancellationToken);

    /// <summary>Findings in order of number.</summary>
    ValueTask<IReadOnlyList<NumberedFinding>> FindingsAsync(FindingsQuery query, CancellationToken cancellationToken);

    /// <summary>What checks would find in observations of a municipality's property with from &lt;= time &lt; to: a dry run, nothing is stored.</summary>
    /// <param name="municipality">Slug of the municipality.</param>
    /// <param name="property">Observed property.</param>
    /// <param name="station">Slug of the only station looked at; null for all.</param>
    /// <param name="from">UTC.</param>
    /// <param name="to">UTC, at most 366 days later.</param>
    /// <param name="parameters">The checks to try; null: those in force.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArgumentException">As for <see cref="DeclareAsync"/>; or it would take more than 5,000 days of datastreams.</exception>
    ValueTask<IReadOnlyList<QualityTrial>> TryAsync(
        string municipality, string property, string? station, DateTime from, DateTime to, CheckParameters? parameters, CancellationToken cancellationToken);

    /// <summary>Completes when everything committed and declared before the call has been judged.</summary>
    Task CaughtUpAsync(CancellationToken cancellationToken);
}
