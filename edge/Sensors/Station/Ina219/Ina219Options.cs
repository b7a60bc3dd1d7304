namespace Hub.Edge.Sensors.Station.Ina219;

/// <summary>Settings of an <c>ina219</c>. Bound from <c>supply:</c> of a sensor in the station file.</summary>
public sealed class Ina219Options
{
    /// <summary>Ohms of the shunt, 0.0001 to 10; default 0.1, as on most boards (it is marked R100).</summary>
    public double ShuntOhms { get; set; } = 0.1;

    /// <summary>Largest current expected, amperes; default 2. With the shunt it decides the range: shunt x current is at most 0.32 V, and past what is expected values are flagged as saturated.</summary>
    public double CurrentMax { get; set; } = 2;
}
