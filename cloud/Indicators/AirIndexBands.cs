namespace Hub.Cloud.Indicators;

/// <summary>The classes of an air quality index, as one version of it draws them: data with a time of validity. Immutable.</summary>
public sealed class AirIndexBands
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    // Upper bounds of all classes but the last, in order of AirPollutant: O3, NO2, SO2, PM10, PM2.5.
    private readonly double[][] _bounds;
    private readonly TimeSpan _particles;

    private AirIndexBands(string name, string source, int? from, int? to, TimeSpan particles, double[][] bounds)
    {
        (Name, Source, FromYear, ToYear, _particles, _bounds) = (name, source, from, to, particles, bounds);
        ClassCount = bounds[0].Length + 1;
    }

    /// <summary>European Air Quality Index, revision of 2024: six classes, all pollutants by the hour.</summary>
    public static AirIndexBands Eea2024 { get; } = new(
        "eea-2024", "European Environment Agency, European Air Quality Index, revision of 2024 (ETC HE Report 2024/17)", 2024, null, Hour,
        [[60, 100, 120, 160, 180], [10, 25, 60, 100, 150], [20, 40, 125, 190, 275], [15, 45, 120, 195, 270], [5, 15, 50, 90, 140]]);

    /// <summary>European Air Quality Index before that revision: six classes, particles as running means of 24 hours.</summary>
    public static AirIndexBands EeaTo2024 { get; } = new(
        "eea-to-2024", "European Environment Agency, European Air Quality Index, until the revision of 2024", null, 2024, Day,
        [[50, 100, 130, 240, 380], [40, 90, 120, 230, 340], [100, 200, 350, 500, 750], [20, 40, 50, 100, 150], [10, 20, 25, 50, 75]]);

    /// <summary>QualAr of the Portuguese Environment Agency from 2019: five classes (Muito Bom to Mau), particles as means of the day. Its bounds of O3 are not verified at the source.</summary>
    public static AirIndexBands QualAr2019 { get; } = new(
        "qualar-2019", "Agência Portuguesa do Ambiente, QualAr, índice de qualidade do ar from 2019; O3 not verified", 2019, null, Day,
        [[80, 100, 180, 240], [40, 100, 200, 400], [100, 200, 350, 500], [20, 35, 50, 100], [10, 20, 25, 50]]);

    /// <summary>All versions, the default first.</summary>
    public static IReadOnlyList<AirIndexBands> All { get; } = [Eea2024, EeaTo2024, QualAr2019];

    /// <summary>Stable name, lower case with hyphens.</summary>
    public string Name { get; }

    /// <summary>Who draws them so.</summary>
    public string Source { get; }

    /// <summary>First year in which they are in use; null for ever before.</summary>
    public int? FromYear { get; }

    /// <summary>Last year in which they are in use; null for still.</summary>
    public int? ToYear { get; }

    /// <summary>Number of classes, 5 or 6; 1 is the best.</summary>
    public int ClassCount { get; }

    /// <summary>Upper bounds of a pollutant's classes, ascending, inclusive, µg/m³; the last class has none.</summary>
    public IReadOnlyList<double> BoundsOf(AirPollutant pollutant) => _bounds[(int)pollutant];

    /// <summary>Over which time a pollutant is averaged: 1 hour, or 24 for the particles of some versions. Three quarters of it must be measured.</summary>
    public TimeSpan AverageOf(AirPollutant pollutant) => pollutant is AirPollutant.Pm10 or AirPollutant.Pm25 ? _particles : Hour;
}
