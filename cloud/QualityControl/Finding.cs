using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl;

/// <summary>What a check found: consecutive observations of one datastream on one UTC day. What goes on beyond midnight is another finding.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="From">UTC, inclusive: phenomenon time of the first observation.</param>
/// <param name="To">UTC, exclusive: one microsecond after the phenomenon time of the last.</param>
/// <param name="Check">The check.</param>
/// <param name="Count">Observations flagged, 1 or more.</param>
/// <param name="Value">
/// What was measured, of the observation furthest beyond the limit: the value (range), the change to the one before (step), the value that repeats (flat line), the deviation from the
/// neighbours' median (spike), the relative humidity (humidity), the median difference to the reference (drift).
/// </param>
/// <param name="Limit">The limit it broke, in the same unit; for a flat line the seconds it may last.</param>
/// <param name="Version">Version of the parameters; 0 for the hub's own.</param>
public readonly record struct Finding(int Datastream, DateTime From, DateTime To, QualityCheck Check, int Count, double Value, double Limit, int Version)
{
    /// <summary>The flag it lays over the observations.</summary>
    public Quality Flag => Checks.Flags.Of(Check);
}
