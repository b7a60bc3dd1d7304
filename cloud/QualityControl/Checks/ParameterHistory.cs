namespace Hub.Cloud.QualityControl.Checks;

/// <summary>Parameters in force over a stretch of time.</summary>
/// <param name="From">Microseconds since 1970 UTC, inclusive.</param>
/// <param name="To">Exclusive.</param>
/// <param name="Version">Version of the declaration; 0 for the defaults.</param>
/// <param name="Parameters">The checks.</param>
internal sealed record ParameterSegment(long From, long To, int Version, CheckParameters Parameters);

/// <summary>
/// The declarations of one property in one municipality. At an instant that one is in force that has the highest version of those valid from it or earlier: a later word from an earlier date replaces
/// everything since. Immutable.
/// </summary>
internal sealed class ParameterHistory
{
    private readonly IReadOnlyList<CheckDeclaration> _declarations;
    private readonly CheckParameters _defaults;

    /// <param name="declarations">In order of version.</param>
    /// <param name="defaults">What is in force where nothing is declared.</param>
    public ParameterHistory(IReadOnlyList<CheckDeclaration> declarations, CheckParameters defaults)
    {
        (_declarations, _defaults) = (declarations, defaults);
        var all = declarations.Select(declaration => declaration.Parameters ?? defaults).Append(defaults).ToList();
        OwnReach = all.Max(Reach);
        SpikeReach = all.Max(parameters => parameters.Spike is { } spike ? SpikeCheck.Reach(spike) : 0);
        SpikeMetres = all.Max(parameters => parameters.Spike?.WithinMetres ?? 0);
        HumidityReach = all.Max(parameters => parameters.Humidity is { } humidity ? HumidityCheck.Reach(humidity) : 0);
        DriftDays = all.Max(parameters => parameters.Drift?.Days ?? 0);
        References = [.. all.Select(parameters => parameters.Drift?.Reference).OfType<string>().Distinct()];
    }

    /// <summary>Declarations in order of version.</summary>
    public IReadOnlyList<CheckDeclaration> Declarations => _declarations;

    /// <summary>How far before and after an observation its datastream's verdicts depend on it, drift apart: microseconds.</summary>
    public long OwnReach { get; }

    /// <summary>How far before and after it verdicts of neighbours depend on it, microseconds; 0: no spike check.</summary>
    public long SpikeReach { get; }

    /// <summary>The farthest neighbour concerned, metres.</summary>
    public int SpikeMetres { get; }

    /// <summary>How far before and after a humidity particle values depend on it, microseconds; 0: no such check.</summary>
    public long HumidityReach { get; }

    /// <summary>UTC days, its own included, whose drift depends on an observation or on one of the reference; 0: no such check.</summary>
    public int DriftDays { get; }

    /// <summary>Slugs of the reference stations.</summary>
    public IReadOnlyList<string> References { get; }

    /// <summary>What is in force within [from, to), in order of time, without gaps.</summary>
    public IReadOnlyList<ParameterSegment> Within(long from, long to)
    {
        long[] edges = [from, .. _declarations.Select(declaration => Instants.Micros(declaration.From)).Where(edge => edge > from && edge < to).Distinct().Order(), to];
        var segments = new List<ParameterSegment>();
        for (var at = 0; at + 1 < edges.Length; at++)
        {
            var start = edges[at];
            var declared = _declarations.LastOrDefault(declaration => Instants.Micros(declaration.From) <= start);
            segments.Add(new ParameterSegment(start, edges[at + 1], declared?.Version ?? 0, declared?.Parameters ?? _defaults));
        }

        return segments;
    }

    private static long Reach(CheckParameters parameters) => Math.Max(
        parameters.Step is { } step ? StepCheck.Reach(step) : 0,
        Math.Max(parameters.FlatLine is { } flat ? FlatLineCheck.Reach(flat) : 0, parameters.Spike is { } spike ? SpikeCheck.Reach(spike) : 0));
}
