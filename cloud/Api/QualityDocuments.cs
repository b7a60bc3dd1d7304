using System.ComponentModel;
using Hub.Cloud.QualityControl;

namespace Hub.Cloud.Api;

[Description("Plausible bounds (QARTOD gross range test): flag out-of-range.")]
internal sealed record RangeCheckDocument(
    [property: Description("Smallest plausible value, inclusive.")] double Min,
    [property: Description("Largest plausible value, inclusive; above min.")] double Max);

[Description("Plausible change (QARTOD rate of change test): further than change + perHour x hours away from each of the two values before it. Flag step.")]
internal sealed record StepCheckDocument(
    [property: Description("Plausible change however short the time, above 0.")] double Change,
    [property: Description("Plausible on top of it for each hour, 0 or more.")] double PerHour,
    [property: Description("Longest time between two observations that are compared, 1 to 86400 s.")] int GapSeconds = 3_900);

[Description("Plausible length of one and the same value, at least five in a row (QARTOD flat line test): flag stuck.")]
internal sealed record FlatLineCheckDocument(
    [property: Description("Time from the first to the last of a row from which it is flat, 60 to 604800 s.")] int ForSeconds,
    [property: Description("Largest difference within a row, 0 or more.")] double Tolerance = 0,
    [property: Description("Longest time between two observations of a row, 1 to 86400 s.")] int GapSeconds = 7_200,
    [property: Description("Values at or below it are natural when constant (no rain, no vehicle); null: none.")] double? NaturalBelow = null,
    [property: Description("Values at or above it are natural when constant (fog at 100 %RH); null: none.")] double? NaturalAbove = null);

[Description("Comparison with its own before and after and with neighbouring stations (QARTOD spike and neighbour tests): flag spike.")]
internal sealed record SpikeCheckDocument(
    [property: Description("Smallest deviation that counts, above 0.")] double Floor,
    [property: Description("Robust standard deviations of the neighbours (1.4826 x their median absolute deviation), above 0.")] double Deviations = 6,
    [property: Description("Farthest neighbour, 1 to 100000 m.")] int WithinMetres = 5_000,
    [property: Description("Time before and after that is compared, and farthest time of a neighbour's value, 1 to 86400 s.")] int WithinSeconds = 3_600,
    [property: Description("Fewest neighbours with a value, 3 to 16; with fewer nothing is said.")] int NeighboursMin = 3);

[Description("Optical particle counters in moist air: flag suspect-humidity.")]
internal sealed record HumidityCheckDocument(
    [property: Description("Relative humidity at the same station above which values are suspect, 0 to 100 %RH.")] double Above,
    [property: Description("Farthest time of the humidity's observation, 1 to 86400 s.")] int WithinSeconds,
    [property: Description("Beginnings of the names of optical sensors, 1 to 50.")] IReadOnlyList<string> Sensors);

[Description("Comparison with a reference station over days, by the median of hourly differences: flag drift.")]
internal sealed record DriftCheckDocument(
    [property: Description("Identifier of the reference station in the same municipality.")] string Reference,
    [property: Description("Largest plausible median difference, above 0.")] double Difference,
    [property: Description("Largest plausible share of the reference's median, 0 or more; the larger limit counts.")] double Relative = 0,
    [property: Description("Days of the rolling median, 1 to 31.")] int Days = 14);

[Description("The checks of a property, all of them; one that is null or absent is off. Values are in the property's unit.")]
internal sealed record QualityParametersDocument(
    RangeCheckDocument? Range = null, StepCheckDocument? Step = null, FlatLineCheckDocument? FlatLine = null, SpikeCheckDocument? Spike = null, HumidityCheckDocument? Humidity = null, DriftCheckDocument? Drift = null)
{
    public CheckParameters ToParameters() => new()
    {
        Range = Range is { } range ? new RangeParameters(range.Min, range.Max) : null,
        Step = Step is { } step ? new StepParameters(step.Change, step.PerHour, step.GapSeconds) : null,
        FlatLine = FlatLine is { } flat ? new FlatLineParameters(flat.ForSeconds, flat.Tolerance, flat.GapSeconds, flat.NaturalBelow, flat.NaturalAbove) : null,
        Spike = Spike is { } spike ? new SpikeParameters(spike.Floor, spike.Deviations, spike.WithinMetres, spike.WithinSeconds, spike.NeighboursMin) : null,
        Humidity = Humidity is { } humidity ? new HumidityParameters(humidity.Above, humidity.WithinSeconds, humidity.Sensors) : null,
        Drift = Drift is { } drift ? new DriftParameters(drift.Reference, drift.Difference, drift.Relative, drift.Days) : null,
    };

    public static QualityParametersDocument Of(CheckParameters parameters) => new(
        parameters.Range is { } range ? new RangeCheckDocument(range.Min, range.Max) : null,
        parameters.Step is { } step ? new StepCheckDocument(step.Change, step.PerHour, step.GapSeconds) : null,
        parameters.FlatLine is { } flat ? new FlatLineCheckDocument(flat.ForSeconds, flat.Tolerance, flat.GapSeconds, flat.NaturalBelow, flat.NaturalAbove) : null,
        parameters.Spike is { } spike ? new SpikeCheckDocument(spike.Floor, spike.Deviations, spike.WithinMetres, spike.WithinSeconds, spike.NeighboursMin) : null,
        parameters.Humidity is { } humidity ? new HumidityCheckDocument(humidity.Above, humidity.WithinSeconds, humidity.Sensors) : null,
        parameters.Drift is { } drift ? new DriftCheckDocument(drift.Reference, drift.Difference, drift.Relative, drift.Days) : null);
}

[Description("What is to be checked, from when on.")]
internal sealed record QualityDeclarationRequest(
    QualityParametersDocument Parameters,
    [property: Description("Valid for observations from this phenomenon time on; for all time when absent.")] DateTimeOffset? From = null);

[Description("A declaration of checks, on record for good. At any time the highest version valid from then or earlier is in force.")]
internal sealed record QualityDeclarationDocument(
    string Property,
    int Version,
    [property: Description("Valid for observations from this phenomenon time on; null: for all time.")] DateTime? From,
    [property: Description("Null: the hub's own checks again.")] QualityParametersDocument? Parameters,
    string By,
    DateTime At);

[Description("The checks of a property that are in force now.")]
internal sealed record QualityInForceDocument(
    string Property,
    [property: Description("Version of the declaration; 0: the hub's own.")] int Version,
    QualityParametersDocument Parameters);

[Description("What is checked in a municipality.")]
internal sealed record QualityChecksDocument(
    string Municipality,
    [property: Description("By property: those its stations measure, and those declared.")] IReadOnlyList<QualityInForceDocument> InForce,
    [property: Description("Everything ever declared, by property and version.")] IReadOnlyList<QualityDeclarationDocument> Declarations);

[Description("What to try, on which observations.")]
internal sealed record QualityTrialRequest(
    [property: Description("Begin, inclusive.")] DateTimeOffset From,
    [property: Description("End, exclusive; at most 366 days later.")] DateTimeOffset To,
    [property: Description("Only this station; all when absent.")] string? Station = null,
    [property: Description("The checks to try; those in force when absent.")] QualityParametersDocument? Parameters = null);

[Description("Consecutive observations that a check flags, within one UTC day.")]
internal sealed record FindingDocument(
    [property: Description("Number of the finding, by which pages go on; null in a dry run.")] long? Finding,
    int Datastream,
    [property: Description("Phenomenon time of the first observation.")] DateTime From,
    [property: Description("One microsecond after the phenomenon time of the last.")] DateTime To,
    [property: Description("range, step, flat-line, spike, humidity or drift.")] string Check,
    [property: Description("The flag its observations carry.")] string Flag,
    [property: Description("Observations flagged.")] int Observations,
    [property: Description("What was measured, furthest beyond the limit: the value (range), the change (step), the value that repeats (flat-line), the deviation from the neighbours' median (spike), the relative humidity (humidity), the median difference (drift).")] double Value,
    [property: Description("The limit it broke, in the same unit; for flat-line the seconds it may last.")] double Limit,
    [property: Description("Version of the declaration; 0: the hub's own checks.")] int Version);

[Description("What the checks would flag in one datastream.")]
internal sealed record QualityTrialDocument(
    int Datastream,
    string Station,
    string Sensor,
    [property: Description("Observations looked at.")] long Observations,
    [property: Description("Observations each check would flag.")] IReadOnlyDictionary<string, long> Flagged,
    [property: Description("The first findings, at most 100.")] IReadOnlyList<FindingDocument> Findings);
