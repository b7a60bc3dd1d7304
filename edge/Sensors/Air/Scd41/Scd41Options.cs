namespace Hub.Edge.Sensors.Air.Scd41;

/// <summary>Settings of a SCD41.</summary>
public sealed class Scd41Options
{
    /// <summary>
    /// Automatic self-calibration: takes the lowest value of each week for fresh air (400 ppm); default true. Right wherever outdoor air comes by once a week, wrong in a
    /// tunnel or car park that never empties: give false there, and calibrate by hand.
    /// </summary>
    public bool AutomaticCalibration { get; set; } = true;

    /// <summary>Height of the station above the sea, 0 to 3000 m; default 0. Air pressure changes what the part sees, some 10 % at 1000 m.</summary>
    public int Altitude { get; set; }
}
