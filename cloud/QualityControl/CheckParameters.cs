namespace Hub.Cloud.QualityControl;

/// <summary>An automatic check of observations. Numbers are stored: never renumber.</summary>
public enum QualityCheck
{
    /// <summary>Outside declared bounds: the gross range test of QARTOD.</summary>
    Range = 1,

    /// <summary>Changed faster than is plausible: the rate of change test of QARTOD.</summary>
    Step = 2,

    /// <summary>The same value for longer than is plausible: the flat line test of QARTOD.</summary>
    FlatLine = 3,

    /// <summary>A spike that the neighbouring stations do not share: the spike and neighbour tests of QARTOD together.</summary>
    Spike = 4,

    /// <summary>An optical particle value in air so moist that particles swell.</summary>
    Humidity = 5,

    /// <summary>Moved away from the municipality's reference station over days.</summary>
    Drift = 6,
}

/// <summary>
/// The checks of one observed property in one municipality and their parameters; a check that is null is off. Values are in the canonical unit of the property. The test names are those of the
/// QARTOD manuals (US Integrated Ocean Observing System, Quality Assurance/Quality Control of Real-Time Oceanographic Data), which number them and define their parameters.
/// </summary>
public sealed record CheckParameters
{
    /// <summary>Plausible bounds.</summary>
    public RangeParameters? Range { get; init; }

    /// <summary>Plausible change from one observation to the next.</summary>
    public StepParameters? Step { get; init; }

    /// <summary>Plausible length of one and the same value.</summary>
    public FlatLineParameters? FlatLine { get; init; }

    /// <summary>Comparison with neighbours.</summary>
    public SpikeParameters? Spike { get; init; }

    /// <summary>Relative humidity and optical particle counters.</summary>
    public HumidityParameters? Humidity { get; init; }

    /// <summary>Comparison with a reference station.</summary>
    public DriftParameters? Drift { get; init; }
}

/// <summary>
/// A value below <paramref name="Min"/> or above <paramref name="Max"/> is out of range (QARTOD gross range test). Bounds at least as wide as the catalogue's find nothing: those are checked on arrival.
/// </summary>
/// <param name="Min">Smallest plausible value, inclusive.</param>
/// <param name="Max">Largest plausible value, inclusive; above <paramref name="Min"/>.</param>
public sealed record RangeParameters(double Min, double Max);

/// <summary>
/// A value is a step when it is further than <paramref name="Change"/> + <paramref name="PerHour"/> x hours away from each of the two before it, counted from each (QARTOD rate of change test; the second
/// predecessor keeps the return from a single outlier from being flagged as well). Only across consecutive observations at most <paramref name="GapSeconds"/> apart.
/// </summary>
/// <param name="Change">Plausible change however short the time, above 0.</param>
/// <param name="PerHour">What is plausible on top of it for each hour, 0 or more.</param>
/// <param name="GapSeconds">Longest time between two observations that are compared, 1 s to 1 day.</param>
public sealed record StepParameters(double Change, double PerHour, int GapSeconds = 3_900);

/// <summary>
/// Values that stay within <paramref name="Tolerance"/> of each other for <paramref name="ForSeconds"/> or longer, at least five in a row, are flat (QARTOD flat line test, which fails at five). A gap
/// longer than <paramref name="GapSeconds"/> ends a row. Values where nothing happening is natural end it as well.
/// </summary>
/// <param name="ForSeconds">Shortest time from the first to the last of a flat row, 1 min to 7 days.</param>
/// <param name="Tolerance">Largest difference within a row, 0 or more.</param>
/// <param name="GapSeconds">Longest time between two observations of a row, 1 s to 1 day.</param>
/// <param name="NaturalBelow">Values at or below it are natural when constant: no rain, no vehicle, no sun; null: none.</param>
/// <param name="NaturalAbove">Values at or above it are natural when constant: fog at 100 %RH; null: none.</param>
public sealed record FlatLineParameters(int ForSeconds, double Tolerance = 0, int GapSeconds = 7_200, double? NaturalBelow = null, double? NaturalAbove = null);

/// <summary>
/// A value is a spike when it lies, on the same side, beyond the median of the values of the time before it and that of the time after it, and beyond the median of the neighbours, by more than
/// <paramref name="Floor"/>; and beyond the neighbours' median by more than <paramref name="Deviations"/> robust standard deviations (1.4826 times their median absolute deviation).
/// A neighbour is another station of the municipality with the same property; its value is the one nearest in time.
/// </summary>
/// <param name="Floor">Smallest deviation that counts, above 0.</param>
/// <param name="Deviations">Robust standard deviations of the neighbours, above 0.</param>
/// <param name="WithinMetres">Farthest neighbour, 1 to 100,000 m.</param>
/// <param name="WithinSeconds">Time before and after that is compared, and farthest time of a neighbour's value, 1 s to 1 day.</param>
/// <param name="NeighboursMin">Fewest neighbours with a value, 3 to 16; with fewer nothing is said.</param>
public sealed record SpikeParameters(double Floor, double Deviations = 6, int WithinMetres = 5_000, int WithinSeconds = 3_600, int NeighboursMin = 3);

/// <summary>
/// A value of an optical particle counter is suspect while the relative humidity that any sensor of the same station measured nearest in time is above <paramref name="Above"/>: particles
/// take up water, grow and scatter more light.
/// </summary>
/// <param name="Above">Relative humidity, 0 to 100 %RH.</param>
/// <param name="WithinSeconds">Farthest time of the humidity's observation, 1 s to 1 day.</param>
/// <param name="Sensors">Beginnings of the names of optical sensors, lower case; at most 50. A name begins with one when it is it, or goes on with something else than a letter.</param>
public sealed record HumidityParameters(double Above, int WithinSeconds, IReadOnlyList<string> Sensors)
{
    /// <summary>By value, the list included.</summary>
    public bool Equals(HumidityParameters? other) => other is not null && Above.Equals(other.Above) && WithinSeconds == other.WithinSeconds && Sensors.SequenceEqual(other.Sensors, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Above, WithinSeconds, Sensors.Count);
}

/// <summary>
/// A datastream has drifted on a UTC day when over the <paramref name="Days"/> days that end with it the median of the hourly differences to the reference station is larger than
/// <paramref name="Difference"/> and larger than <paramref name="Relative"/> times the median of the reference; at least three quarters of the hours must have both.
/// </summary>
/// <param name="Reference">Slug of the reference station in the same municipality. Its datastream of the property with the smallest identifier is the reference; its own are not judged.</param>
/// <param name="Difference">Largest plausible difference, above 0.</param>
/// <param name="Relative">Largest plausible share of the reference, 0 or more; 0: the difference alone decides.</param>
/// <param name="Days">Days of the rolling median, 1 to 31.</param>
public sealed record DriftParameters(string Reference, double Difference, double Relative = 0, int Days = 14);
