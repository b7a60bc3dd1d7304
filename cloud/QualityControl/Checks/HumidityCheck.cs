using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>
/// Optical particle values in moist air. Above about 85 %RH hygroscopic growth makes optical counters read high (Di Antonio et al., Sensors 18, 2018, 2790; Crilley et al., Atmospheric Measurement
/// Techniques 11, 2018, 709): such values are suspect, not wrong.
/// </summary>
internal static class HumidityCheck
{
    /// <summary>A verdict depends on the humidity at most so far before and after it, microseconds.</summary>
    public static long Reach(HumidityParameters parameters) => parameters.WithinSeconds * Instants.PerSecond;

    /// <summary>Whether a sensor counts particles by light, as far as its name tells.</summary>
    public static bool IsOptical(string sensor, HumidityParameters parameters) =>
        parameters.Sensors.Any(name => sensor.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (sensor.Length == name.Length || !char.IsLetter(sensor[name.Length])));

    /// <summary>Verdicts in order of time. What the station itself has flagged is passed over.</summary>
    /// <param name="own">Particle values fit to be judged.</param>
    /// <param name="humidity">Fit relative humidity of each of the station's sensors; the largest of those near counts.</param>
    /// <param name="parameters">Limits.</param>
    public static List<Verdict> Judge(Samples own, IReadOnlyList<Samples> humidity, HumidityParameters parameters)
    {
        var verdicts = new List<Verdict>();
        for (var at = 0; at < own.Count; at++)
        {
            if ((own.Qualities[at] & Quality.SuspectHumidity) != 0)
            {
                continue;
            }

            var most = double.NaN;
            foreach (var sensor in humidity)
            {
                var value = sensor.Nearest(own.Times[at], Reach(parameters));
                most = value > most || double.IsNaN(most) ? value : most;
            }

            if (most > parameters.Above)
            {
                verdicts.Add(new Verdict(own.Times[at], most, parameters.Above));
            }
        }

        return verdicts;
    }
}
