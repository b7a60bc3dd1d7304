using Hub.Cloud.Indicators;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Show;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Read.Map;

/// <summary>What the map and the list beside it show of every station: how it stands, the air index of the last closed hour, or one quantity. Immutable.</summary>
internal sealed class MapShow
{
    /// <summary>Name of the air index in addresses.</summary>
    public const string IndexId = "index";

    /// <summary>How stations stand.</summary>
    public static readonly MapShow Status = new("", null);

    /// <summary>The class of the European Air Quality Index.</summary>
    public static readonly MapShow Index = new(IndexId, null);

    private MapShow(string id, Quantity? quantity) => (Id, Quantity) = (id, quantity);

    /// <summary>Name in addresses: empty for how stations stand, <c>index</c>, or the quantity's id.</summary>
    public string Id { get; }

    /// <summary>The quantity; null for the others.</summary>
    public Quantity? Quantity { get; }

    public bool IsStatus => ReferenceEquals(this, Status);

    public bool IsIndex => ReferenceEquals(this, Index);

    /// <summary>What is added up over time is only comparable as a rate: a count of five minutes beside one of an hour says nothing.</summary>
    public bool IsRate => Quantity?.Averaging == AveragingRule.Sum;

    /// <summary>The unit as people write it; empty for none.</summary>
    public string Unit => Quantity is null ? "" : IsRate ? Units.Of(Quantity) + "/h" : Units.Of(Quantity);

    /// <summary>Decimals of a value.</summary>
    public int Decimals => Quantity is null ? 0 : Units.DecimalsOf(Quantity);

    /// <summary>What an address asks for; null when no station measures it.</summary>
    /// <param name="asked">From the address; null or empty for how stations stand.</param>
    /// <param name="stations">Stations that are shown.</param>
    public static MapShow? Find(string? asked, IReadOnlyList<StationView> stations)
    {
        if (string.IsNullOrEmpty(asked))
        {
            return Status;
        }

        if (asked == IndexId)
        {
            return HasIndex(stations) ? Index : null;
        }

        return stations.SelectMany(static one => one.Values).Select(static value => value.Datastream.Quantity).FirstOrDefault(one => one.Id == asked) is { } found && !Units.IsEquipment(found) ? Of(found) : null;
    }

    /// <summary>One quantity.</summary>
    public static MapShow Of(Quantity quantity) => new(quantity.Id, quantity);

    /// <summary>Whether the index can be made of anything that stations measure.</summary>
    public static bool HasIndex(IReadOnlyList<StationView> stations) => stations.Any(static one => TopicMap.Has(Topic.Air, one));

    /// <summary>A value as it is shown: counts as a rate by the hour.</summary>
    /// <param name="value">Canonical unit, over one period.</param>
    /// <param name="period">Averaging period of its datastream.</param>
    public double Shown(double value, TimeSpan period) => value * FactorOf(period);

    /// <summary>What values of a period are multiplied with.</summary>
    public double FactorOf(TimeSpan period) => IsRate && period > TimeSpan.Zero ? TimeSpan.FromHours(1) / period : 1;
}

/// <summary>Who draws the bounds of classes.</summary>
internal enum ClassSource
{
    /// <summary>The European Air Quality Index: bands of a pollutant's hour.</summary>
    AirIndex = 0,

    /// <summary>The noise maps of Directive 2002/49/EC, annex VI: 5 dB from 55 to 75.</summary>
    NoiseMaps = 1,

    /// <summary>Round steps over the values of now.</summary>
    Steps = 2,
}

/// <summary>Up to six classes of a value: 1 the lowest. An upper bound belongs to the class below it.</summary>
/// <param name="Bounds">Upper bounds of all classes but the last, ascending, in the unit shown; none when there is one class.</param>
/// <param name="Source">Who draws them.</param>
/// <param name="Decimals">Decimals in which bounds are written.</param>
internal sealed record MapClasses(IReadOnlyList<double> Bounds, ClassSource Source, int Decimals)
{
    /// <summary>Classes at most: more shades are not told apart.</summary>
    public const int CountMax = 6;

    private static readonly double[] NoiseBounds = [55, 60, 65, 70, 75];
    private static readonly double[] Steps = [1, 2, 5, 10];

    /// <summary>Number of classes.</summary>
    public int Count => Bounds.Count + 1;

    /// <summary>The class of a value, 1 to <see cref="Count"/>.</summary>
    public int ClassOf(double value)
    {
        // Decimals that count: a mean of values at a bound lies at it, whatever the last bits of the sum.
        var (rounded, index) = (Math.Round(value, 6), 0);
        while (index < Bounds.Count && rounded > Bounds[index])
        {
            index++;
        }

        return index + 1;
    }

    /// <summary>The classes of a quantity: bands of law or of the EEA where there are some, else round steps over the values.</summary>
    /// <param name="show">A quantity.</param>
    /// <param name="values">Fresh values as they are shown; may be none.</param>
    public static MapClasses Of(MapShow show, IEnumerable<double> values)
    {
        var quantity = show.Quantity ?? throw new ArgumentException("Only a quantity has classes of its own.", nameof(show));
        if (AirIndex.PollutantOf(quantity.Id) is { } pollutant)
        {
            return new(AirIndexBands.Eea2024.BoundsOf(pollutant), ClassSource.AirIndex, 0);
        }

        if (quantity.Id is "laeq" or "la10" or "la50" or "la90")
        {
            return new(NoiseBounds, ClassSource.NoiseMaps, 0);
        }

        double[] known = [.. values.Where(double.IsFinite)];
        if (quantity.Averaging == AveragingRule.CircularMean)
        {
            return RoundSteps(quantity.PlausibleMin, quantity.PlausibleMax);
        }

        return known.Length == 0 ? new([], ClassSource.Steps, 0) : RoundSteps(known.Min(), known.Max());
    }

    /// <summary>The finest steps of 1, 2 or 5 times a power of ten that part a range in six at most.</summary>
    private static MapClasses RoundSteps(double low, double high)
    {
        if (high - low < 1e-9)
        {
            return new([], ClassSource.Steps, 0);
        }

        var power = Math.Floor(Math.Log10((high - low) / CountMax));
        foreach (var factor in Steps)
        {
            var step = factor * Math.Pow(10, power);
            var first = (Math.Floor(low / step) + 1) * step;
            var bounds = Enumerable.Range(0, CountMax).Select(i => Math.Round(first + (i * step), 9)).TakeWhile(bound => bound < high).ToArray();
            if (bounds.Length < CountMax)
            {
                return new(bounds, ClassSource.Steps, (int)Math.Max(0, -Math.Floor(Math.Log10(step) + 1e-9)));
            }
        }

        throw new InvalidOperationException($"No steps for {low} to {high}.");
    }
}

/// <summary>The shown value of a station now.</summary>
/// <param name="Value">As it is shown, or the class of the index; null when there never was one.</param>
/// <param name="End">End of its averaging period, UTC.</param>
/// <param name="StaleAfter">Age past which it is stale.</param>
/// <param name="Stale">Whether it is.</param>
/// <param name="Class">1 to 6; 0 when there is no value.</param>
/// <param name="Datastream">Identifier of the datastream it is of; 0 for the index.</param>
/// <param name="Period">Averaging period.</param>
internal sealed record MapValue(double? Value, DateTime? End, TimeSpan StaleAfter, bool Stale, int Class, int Datastream, TimeSpan Period)
{
    /// <summary>Of a station that does not measure it.</summary>
    public static readonly MapValue None = new(null, null, TimeSpan.Zero, false, 0, 0, TimeSpan.Zero);
}

/// <summary>A station with what the map shows of it.</summary>
/// <param name="View">The station.</param>
/// <param name="Value">Its value; <see cref="MapValue.None"/> where only its status is shown.</param>
internal sealed record MapStation(StationView View, MapValue Value);

/// <summary>Map and list of now.</summary>
/// <param name="Show">What is shown.</param>
/// <param name="Classes">Of a quantity; null for the others.</param>
/// <param name="Stations">In the order given.</param>
internal sealed record MapNow(MapShow Show, MapClasses? Classes, IReadOnlyList<MapStation> Stations);
