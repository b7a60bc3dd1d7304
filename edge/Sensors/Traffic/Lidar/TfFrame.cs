using System.Buffers.Binary;

namespace Hub.Edge.Sensors.Traffic.Lidar;

/// <summary>One frame of a Benewake TF-Luna or TFmini-S (product manuals, standard output in centimetres).</summary>
/// <param name="Centimetres">Distance.</param>
/// <param name="Amplitude">Strength of the echo.</param>
/// <param name="Celsius">Temperature of the chip.</param>
internal readonly record struct TfFrame(int Centimetres, int Amplitude, double Celsius)
{
    /// <summary>Bytes of a frame: 59 59, distance, amplitude, temperature (each little-endian), checksum.</summary>
    public const int Bytes = 9;

    /// <summary>Echoes weaker than this are not to be relied on (manual).</summary>
    public const int AmplitudeMin = 100;

    private const byte Head = 0x59;
    private const int AmplitudeSaturated = 0xFFFF;

    /// <summary>Metres; null when there is no echo to be relied on: too weak, too strong, or none.</summary>
    public double? Metres => Amplitude is >= AmplitudeMin and not AmplitudeSaturated && Centimetres > 0 ? Centimetres / 100.0 : null;

    /// <summary>Whether a frame begins here.</summary>
    public static bool IsHead(ReadOnlySpan<byte> bytes) => bytes[0] == Head && (bytes.Length < 2 || bytes[1] == Head);

    /// <summary>Reads a frame.</summary>
    /// <param name="bytes">At least <see cref="Bytes"/>.</param>
    /// <param name="frame">The frame.</param>
    /// <returns>False when head or checksum are wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TfFrame frame)
    {
        frame = default;
        byte sum = 0;
        foreach (byte value in bytes[..(Bytes - 1)])
        {
            sum += value;
        }

        if (!IsHead(bytes) || sum != bytes[Bytes - 1])
        {
            return false;
        }

        frame = new TfFrame(
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]), (BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]) / 8.0) - 256);
        return true;
    }
}
