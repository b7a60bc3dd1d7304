namespace Hub.Edge.Sensors.Air.Sds011;

/// <summary>Settings of a SDS011.</summary>
public sealed class Sds011Options
{
    /// <summary>
    /// Sleep between looks, to spare laser and fan (8000 h of life by the data sheet, eleven months without a break); default false. Each look then wakes it, lets it blow
    /// for 30 s, and measures for 10 s; <c>every</c> must be a minute or more, five are usual.
    /// </summary>
    public bool Sleep { get; set; }
}
