namespace Hub.Cloud.Indicators;

/// <summary>A pollutant of an air quality index.</summary>
public enum AirPollutant
{
    /// <summary>Ozone, catalogue <c>o3</c>.</summary>
    Ozone = 0,

    /// <summary>Nitrogen dioxide, catalogue <c>no2</c>.</summary>
    NitrogenDioxide = 1,

    /// <summary>Sulphur dioxide, catalogue <c>so2</c>.</summary>
    SulphurDioxide = 2,

    /// <summary>Particles up to 10 µm, catalogue <c>pm10</c>.</summary>
    Pm10 = 3,

    /// <summary>Particles up to 2.5 µm, catalogue <c>pm2_5</c>.</summary>
    Pm25 = 4,
}

/// <summary>Averages of the pollutants at one place and time, µg/m³, each over the time that the bands ask for (<see cref="AirIndexBands.AverageOf"/>); null for one that is not known.</summary>
/// <param name="Ozone">O3.</param>
/// <param name="NitrogenDioxide">NO2.</param>
/// <param name="SulphurDioxide">SO2.</param>
/// <param name="Pm10">PM10.</param>
/// <param name="Pm25">PM2.5.</param>
public readonly record struct AirAverages(double? Ozone = null, double? NitrogenDioxide = null, double? SulphurDioxide = null, double? Pm10 = null, double? Pm25 = null)
{
    /// <summary>The average of one pollutant; null when it is not known.</summary>
    public double? this[AirPollutant pollutant] => pollutant switch
    {
        AirPollutant.Ozone => Ozone,
        AirPollutant.NitrogenDioxide => NitrogenDioxide,
        AirPollutant.SulphurDioxide => SulphurDioxide,
        AirPollutant.Pm10 => Pm10,
        _ => Pm25,
    };
}

/// <summary>What the index says.</summary>
/// <param name="Class">1, the best, to the number of classes of the bands.</param>
/// <param name="Worst">The pollutant that decides: the first of those in the worst class.</param>
/// <param name="Known">The pollutants it was made of, at least one: with few of them the true class may be worse, never better.</param>
public sealed record AirIndexResult(int Class, AirPollutant Worst, IReadOnlyList<AirPollutant> Known)
{
    /// <summary>The class of each of them, in the order of <see cref="Known"/>: shows how far the others are from deciding.</summary>
    public IReadOnlyList<int> Classes { get; init; } = [];

    /// <summary>All pollutants in the class that decides, <see cref="Worst"/> first: where two are equally bad both are named.</summary>
    public IEnumerable<AirPollutant> Dominant => Known.Where((_, i) => Classes[i] == Class);
}

/// <summary>Air quality index: the worst of the classes of the pollutants that are known. Pure; safe for concurrent callers.</summary>
public static class AirIndex
{
    /// <summary>Decimals that count: an average of values at a bound lies at it, whatever the last bits of the sum.</summary>
    private const int Decimals = 6;

    private static readonly AirPollutant[] Pollutants = Enum.GetValues<AirPollutant>();

    /// <summary>The pollutant that a quantity of the catalogue is (<c>o3</c>, <c>no2</c>, <c>so2</c>, <c>pm10</c>, <c>pm2_5</c>, all in µg/m³); null for another.</summary>
    public static AirPollutant? PollutantOf(string property) => property switch
    {
        "o3" => AirPollutant.Ozone,
        "no2" => AirPollutant.NitrogenDioxide,
        "so2" => AirPollutant.SulphurDioxide,
        "pm10" => AirPollutant.Pm10,
        "pm2_5" => AirPollutant.Pm25,
        _ => null,
    };

    /// <summary>The class of one pollutant, 1 to the number of classes: upper bounds belong to the class below them. What is above the last bound, or negative by the noise of an instrument, is in the last or the first.</summary>
    /// <param name="pollutant">The pollutant.</param>
    /// <param name="average">Its average, µg/m³; finite.</param>
    /// <param name="bands">The bands.</param>
    public static int ClassOf(AirPollutant pollutant, double average, AirIndexBands bands)
    {
        ArgumentNullException.ThrowIfNull(bands);
        var (bounds, rounded) = (bands.BoundsOf(pollutant), Math.Round(average, Decimals));
        var index = 0;
        while (index < bounds.Count && rounded > bounds[index])
        {
            index++;
        }

        return index + 1;
    }

    /// <summary>The index of averages; null when no pollutant is known. Values that are not finite count as not known.</summary>
    /// <param name="averages">The averages.</param>
    /// <param name="bands">The bands; null for <see cref="AirIndexBands.Eea2024"/>.</param>
    public static AirIndexResult? Of(in AirAverages averages, AirIndexBands? bands = null)
    {
        List<AirPollutant> known = [];
        List<int> classes = [];
        var (worst, highest) = (default(AirPollutant), 0);
        foreach (var pollutant in Pollutants)
        {
            if (averages[pollutant] is not { } average || !double.IsFinite(average))
            {
                continue;
            }

            known.Add(pollutant);
            var found = ClassOf(pollutant, average, bands ?? AirIndexBands.Eea2024);
            classes.Add(found);
            (worst, highest) = found > highest ? (pollutant, found) : (worst, highest);
        }

        return known.Count == 0 ? null : new AirIndexResult(highest, worst, known) { Classes = classes };
    }
}
