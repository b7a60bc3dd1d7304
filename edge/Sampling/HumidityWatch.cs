using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sampling;

/// <summary>
/// Knows the latest relative humidity that any sensor of the station has said, and judges optical particle values by it: in moist air particles swell and count for more
/// than they weigh. In event time: what a value is compared with is what was measured around the same time. Safe for concurrent callers.
/// </summary>
/// <param name="above">Relative humidity above which values are suspect, %RH; 100 for never.</param>
internal sealed class HumidityWatch(double above)
{
    /// <summary>How far apart in time a humidity and a value may be and still speak of the same air.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(5);

    private const string Humidity = "relative_humidity";
    private static readonly string[] Particles = ["pm1", "pm2_5", "pm4", "pm10", "particle_number"];

    private readonly Lock gate = new();
    private double above = above;
    private DateTime at = DateTime.MinValue;
    private double humidity;

    /// <summary>Relative humidity above which values are suspect, %RH; 100 for never.</summary>
    public double Above
    {
        set
        {
            lock (gate)
            {
                above = value;
            }
        }
    }

    /// <summary>Takes note of a reading; anything but a believable humidity is passed over.</summary>
    public void Note(in Reading reading)
    {
        if (reading.Property != Humidity || (reading.Quality & (Quality.OutOfRange | Quality.Stuck)) != 0)
        {
            return;
        }

        DateTime end = End(reading);
        lock (gate)
        {
            // Of two instruments that speak of the same time the moister one counts.
            if (end > at || (end == at && reading.Value > humidity))
            {
                (at, humidity) = (end, reading.Value);
            }
        }
    }

    /// <summary>True when a reading of an optical instrument is suspect.</summary>
    public bool IsSuspect(in Reading reading)
    {
        if (!Particles.Contains(reading.Property))
        {
            return false;
        }

        DateTime end = End(reading);
        lock (gate)
        {
            return at != DateTime.MinValue && (end - at).Duration() <= FreshFor && humidity > above;
        }
    }

    private static DateTime End(in Reading reading) => reading.PhenomenonTime + reading.Period;
}
