using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Calibrations;

/// <summary>How far values may be apart and still be called the same under a steady reference: a few times the noise of the parts that the station knows. Pure.</summary>
internal static class Tolerances
{
    /// <summary>The tolerance, canonical unit.</summary>
    /// <param name="quantity">The quantity.</param>
    /// <param name="around">Value around which it is asked for.</param>
    public static double Of(Quantity quantity, double around)
    {
        (double absolute, double relative) = quantity.Id switch
        {
            "pm1" or "pm2_5" or "pm4" or "pm10" => (2, 0.05),
            "particle_number" => (20, 0.1),
            "no2" or "no" or "nox" or "o3" or "so2" => (5, 0.03),
            "co" => (0.15, 0.03),
            "co2" => (15, 0.03),
            "temperature" => (0.3, 0),
            "relative_humidity" => (2, 0),
            "pressure" => (0.5, 0),
            "wind_speed" => (0.3, 0.03),
            "solar_radiation" => (10, 0.03),
            "battery" => (0.05, 0.01),
            _ when quantity.Id.EndsWith("_electrode", StringComparison.Ordinal) => (2, 0.02),
            _ => (0.002 * (quantity.PlausibleMax - quantity.PlausibleMin), 0.03),
        };
        return Math.Max(absolute, relative * Math.Abs(around));
    }
}
