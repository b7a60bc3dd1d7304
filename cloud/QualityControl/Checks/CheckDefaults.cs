namespace Hub.Cloud.QualityControl.Checks;

/// <summary>
/// The checks of a property of which nothing is declared: those that do no harm to good data (tried on a year of real data, see the README). What needs local knowledge, such as
/// a reference station, is off. Limits of change are those of WMO (Guidelines on Quality Control Procedures for Data from Automatic Weather Stations, 2004: change within a minute) widened for slower cadences.
/// </summary>
internal static class CheckDefaults
{
    /// <summary>Goes up when anything below changes: the hub then judges everything anew.</summary>
    public const int Edition = 1;

    /// <summary>Sensors known to count particles by light, as their drivers, sensor.community and the makers name them.</summary>
    public static readonly IReadOnlyList<string> OpticalSensors =
    [
        "sds011", "sds021", "sps30", "sen5", "pms", "pms1003", "pms3003", "pms5003", "pms6003", "pms7003", "pmsa003", "hpm", "hpma115", "opc", "opc-n", "ppd42", "next-pm", "npm", "dgs-pm", "gp2y",
    ];

    private static readonly CheckParameters Nothing = new();

    private static readonly Dictionary<string, CheckParameters> Table = Make();

    /// <summary>The defaults of a property; nothing for one without.</summary>
    public static CheckParameters Of(string property) => Table.GetValueOrDefault(property, Nothing);

    private static Dictionary<string, CheckParameters> Make()
    {
        const int Hours = 3_600;
        var table = new Dictionary<string, CheckParameters>(StringComparer.Ordinal);
        foreach (var particles in new[] { "pm1", "pm2_5", "pm4", "pm10" })
        {
            table[particles] = new CheckParameters
            {
                FlatLine = new FlatLineParameters(12 * Hours, Tolerance: 0.1),
                Spike = new SpikeParameters(Floor: 50),
                Humidity = new HumidityParameters(Above: 85, WithinSeconds: 1_800, OpticalSensors),
            };
        }

        foreach (var gas in new[] { "no2", "o3", "nox" })
        {
            table[gas] = new CheckParameters { FlatLine = new FlatLineParameters(24 * Hours), Step = new StepParameters(Change: 300, PerHour: 300) };
        }

        table["temperature"] = new CheckParameters
        {
            Step = new StepParameters(Change: 5, PerHour: 15), FlatLine = new FlatLineParameters(12 * Hours), Spike = new SpikeParameters(Floor: 8),
        };
        table["relative_humidity"] = new CheckParameters
        {
            Step = new StepParameters(Change: 25, PerHour: 50), FlatLine = new FlatLineParameters(24 * Hours, NaturalBelow: 5, NaturalAbove: 95),
        };
        table["pressure"] = new CheckParameters
        {
            Step = new StepParameters(Change: 3, PerHour: 6), FlatLine = new FlatLineParameters(24 * Hours), Spike = new SpikeParameters(Floor: 5, WithinMetres: 20_000),
        };
        table["wind_speed"] = new CheckParameters { Step = new StepParameters(Change: 20, PerHour: 10), FlatLine = new FlatLineParameters(12 * Hours, NaturalBelow: 0.5) };
        table["solar_radiation"] = new CheckParameters { Step = new StepParameters(Change: 1_000, PerHour: 500), FlatLine = new FlatLineParameters(6 * Hours, NaturalBelow: 20) };
        table["laeq"] = new CheckParameters { FlatLine = new FlatLineParameters(6 * Hours) };
        return table;
    }
}
