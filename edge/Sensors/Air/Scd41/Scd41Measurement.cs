using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Air.Scd41;

/// <summary>A measurement (data sheet SCD4x, section 3.6.2).</summary>
/// <param name="Ppm">Carbon dioxide, ppm; 0 when there was none.</param>
/// <param name="Celsius">Temperature inside the part, less the offset it is set to.</param>
/// <param name="RelativeHumidity">Relative humidity at that temperature, %RH.</param>
internal readonly record struct Scd41Measurement(int Ppm, double Celsius, double RelativeHumidity)
{
    /// <summary>Bytes of it, without their CRCs.</summary>
    public const int Bytes = 6;

    /// <summary>Reads the three words.</summary>
    public static Scd41Measurement Parse(ReadOnlySpan<byte> data) => new(
        SensirionWords.Word(data, 0), -45 + (175.0 * SensirionWords.Word(data, 1) / ushort.MaxValue), 100.0 * SensirionWords.Word(data, 2) / ushort.MaxValue);
}
