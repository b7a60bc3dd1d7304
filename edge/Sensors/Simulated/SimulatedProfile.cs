using System.Collections.Frozen;

namespace Hub.Edge.Sensors.Simulated;

/// <summary>Course of a quantity over the local day.</summary>
internal enum SimulatedCurve
{
    /// <summary>No course.</summary>
    Flat,

    /// <summary>Two peaks, at 08:30 and 18:00, and a quiet night.</summary>
    Rush,

    /// <summary>One peak at 15:00 (temperature, ozone).</summary>
    Afternoon,
}

/// <summary>
/// How one quantity is made up: <c>level x (1 + swing x curve + drift x wander) + grain x noise</c>, within limits, rounded to a step. Wander is an
/// AR(1) process of hours that all quantities of a group share, so that PM10 stays above PM2.5 and LAFmax above LAeq.
/// </summary>
/// <param name="Group">Quantities that wander together.</param>
/// <param name="Curve">Course over the day, -1 to 1.</param>
/// <param name="Level">Middle value, canonical unit; vehicles or people per hour for counts.</param>
/// <param name="Swing">Share of the level that the curve moves.</param>
/// <param name="Drift">Share of the level that the wander moves, per standard deviation.</param>
/// <param name="Grain">Standard deviation of the noise of a single value, canonical unit.</param>
/// <param name="Min">Smallest value.</param>
/// <param name="Max">Largest value.</param>
/// <param name="Step">Resolution.</param>
/// <param name="Count">True for a count over the interval.</param>
internal sealed record SimulatedProfile(
    string Group, SimulatedCurve Curve, double Level, double Swing, double Drift, double Grain, double Min, double Max, double Step, bool Count = false)
{
    /// <summary>Profiles by quantity id. Levels are those of an ordinary street of a Portuguese town; they prove nothing about any.</summary>
    public static FrozenDictionary<string, SimulatedProfile> All { get; } = new Dictionary<string, SimulatedProfile>
    {
        ["pm1"] = Particles(7), ["pm2_5"] = Particles(11), ["pm4"] = Particles(16), ["pm10"] = Particles(21),
        ["no2"] = new("gas", SimulatedCurve.Rush, 24, 0.6, 0.25, 1, 0, 400, 0.1),
        ["no"] = new("gas", SimulatedCurve.Rush, 14, 0.8, 0.35, 1, 0, 600, 0.1),
        ["nox"] = new("gas", SimulatedCurve.Rush, 45, 0.7, 0.3, 1.5, 0, 1000, 0.1),
        ["o3"] = new("ozone", SimulatedCurve.Afternoon, 62, 0.55, 0.12, 1.5, 0, 300, 0.1),
        ["so2"] = new("gas", SimulatedCurve.Rush, 3, 0.3, 0.25, 0.2, 0, 200, 0.1),
        ["co"] = new("gas", SimulatedCurve.Rush, 0.35, 0.4, 0.2, 0.01, 0, 20, 0.01),
        ["co2"] = new("gas", SimulatedCurve.Rush, 440, 0.05, 0.03, 3, 380, 2000, 1),
        ["particle_number"] = new("particles", SimulatedCurve.Rush, 14000, 0.4, 0.3, 500, 100, 200000, 1),
        ["temperature"] = new("weather", SimulatedCurve.Afternoon, 16, 0.35, 0.12, 0.05, -15, 45, 0.1),
        ["relative_humidity"] = new("humidity", SimulatedCurve.Afternoon, 68, -0.25, 0.08, 0.4, 5, 100, 0.1),
        ["pressure"] = new("pressure", SimulatedCurve.Flat, 1016, 0, 0.005, 0.05, 950, 1050, 0.1),
        ["laeq"] = Sound(60, 1.2), ["lafmax"] = Sound(72, 1.5), ["lafmin"] = Sound(46, 1), ["la10"] = Sound(63.5, 0.6),
        ["la50"] = Sound(57.5, 0.6), ["la90"] = Sound(51, 0.6), ["lcpeak"] = Sound(89, 1.5),
        ["vehicle_count"] = Counted(520, 0.85), ["vehicle_count_car"] = Counted(400, 0.85), ["vehicle_count_motorcycle"] = Counted(18, 0.8),
        ["vehicle_count_van"] = Counted(55, 0.8), ["vehicle_count_heavy"] = Counted(24, 0.7), ["vehicle_count_bus"] = Counted(10, 0.8),
        ["vehicle_count_unclassified"] = Counted(6, 0.5), ["bicycle_count"] = Counted(14, 0.85), ["pedestrian_count"] = Counted(160, 0.9),
        ["mean_speed"] = new("speed", SimulatedCurve.Rush, 38, -0.25, 0.08, 2, 3, 140, 0.1),
        ["space_mean_speed"] = new("speed", SimulatedCurve.Rush, 35, -0.25, 0.08, 2, 3, 140, 0.1),
        ["v85"] = new("speed", SimulatedCurve.Rush, 52, -0.22, 0.08, 2, 5, 160, 0.5),
        ["occupancy"] = new("traffic", SimulatedCurve.Rush, 9, 0.8, 0.2, 1, 0, 100, 0.1),
        ["headway"] = new("traffic", SimulatedCurve.Rush, 14, -0.6, -0.15, 1, 1, 600, 0.1),
        ["travel_time"] = new("speed", SimulatedCurve.Rush, 60, 0.3, -0.08, 3, 5, 3600, 1),
        ["battery"] = new("battery", SimulatedCurve.Afternoon, 12.6, 0.02, 0.005, 0.01, 9, 15, 0.01),
        ["battery_level"] = new("battery", SimulatedCurve.Afternoon, 78, 0.15, 0.05, 0.2, 0, 100, 1),
        ["cpu_temperature"] = new("weather", SimulatedCurve.Afternoon, 48, 0.1, 0.04, 0.5, 0, 90, 0.1),
        ["link_quality"] = new("link", SimulatedCurve.Flat, -71, 0, 0.04, 2, -120, -30, 1),
        ["wind_speed"] = new("wind", SimulatedCurve.Afternoon, 2.8, 0.5, 0.3, 0.4, 0, 40, 0.1),
        ["solar_radiation"] = new("sun", SimulatedCurve.Afternoon, 180, 1.6, 0.15, 4, 0, 1200, 1),
    }.ToFrozenDictionary();

    private static SimulatedProfile Particles(double level) => new("particles", SimulatedCurve.Rush, level, 0.3, 0.3, 0.02 * level, 0, 900, 0.1);

    private static SimulatedProfile Sound(double level, double grain) => new("sound", SimulatedCurve.Rush, level, 0.1, 0.03, grain, 25, 125, 0.1);

    private static SimulatedProfile Counted(double level, double swing) => new("traffic", SimulatedCurve.Rush, level, swing, 0.12, 0, 0, 100000, 1, Count: true);
}
