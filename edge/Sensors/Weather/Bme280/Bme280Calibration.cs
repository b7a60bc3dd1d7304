using System.Buffers.Binary;

namespace Hub.Edge.Sensors.Weather.Bme280;

/// <summary>
/// The trimming values that Bosch burned into one BME280, and the arithmetic that turns raw counts into physical values (data sheet BST-BME280-DS002, section 4.2.2
/// and appendix 8.1, in double precision). Pure; safe for concurrent callers.
/// </summary>
internal sealed record Bme280Calibration(
    ushort T1, short T2, short T3, ushort P1, short P2, short P3, short P4, short P5, short P6, short P7, short P8, short P9, byte H1, short H2, byte H3, short H4, short H5, sbyte H6)
{
    /// <summary>Bytes of the first block, from register 0x88 to 0xA1.</summary>
    public const int FirstBytes = 26;

    /// <summary>Bytes of the second block, from register 0xE1 to 0xE7.</summary>
    public const int SecondBytes = 7;

    /// <summary>Reads the trimming values, little-endian.</summary>
    /// <param name="first">Registers 0x88 to 0xA1.</param>
    /// <param name="second">Registers 0xE1 to 0xE7.</param>
    public static Bme280Calibration Parse(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(first), Signed(first, 2), Signed(first, 4),
        BinaryPrimitives.ReadUInt16LittleEndian(first[6..]), Signed(first, 8), Signed(first, 10), Signed(first, 12), Signed(first, 14), Signed(first, 16), Signed(first, 18),
        Signed(first, 20), Signed(first, 22), first[25],
        Signed(second, 0), second[2],

        // Twelve bits each, the high byte signed: read unsigned, parts with a negative coefficient come out wrong.
        (short)(((sbyte)second[3] * 16) | (second[4] & 0x0F)),
        (short)(((sbyte)second[5] * 16) | (second[4] >> 4)),
        (sbyte)second[6]);

    /// <summary>Temperature, degrees Celsius, and the fine temperature that the other two need.</summary>
    /// <param name="raw">20-bit count.</param>
    /// <param name="fine">Fine temperature, 1/5120 degree.</param>
    public double Celsius(int raw, out double fine)
    {
        double a = ((raw / 16384.0) - (T1 / 1024.0)) * T2;
        double b = (raw / 131072.0) - (T1 / 8192.0);
        fine = a + (b * b * T3);
        return fine / 5120;
    }

    /// <summary>Air pressure, pascal; null where the trimming values make a division by zero.</summary>
    /// <param name="raw">20-bit count.</param>
    /// <param name="fine">Fine temperature of the same measurement.</param>
    public double? Pascals(int raw, double fine)
    {
        double x = (fine / 2) - 64000;
        double y = (x * x * P6 / 32768) + (x * P5 * 2);
        y = (y / 4) + (P4 * 65536.0);
        double z = ((P3 * x * x / 524288) + (P2 * x)) / 524288;
        z = (1 + (z / 32768)) * P1;
        if (z == 0)
        {
            return null;
        }

        double p = (1048576 - raw - (y / 4096)) * 6250 / z;
        return p + (((P9 * p * p / 2147483648.0) + (p * P8 / 32768) + P7) / 16);
    }

    /// <summary>Relative humidity, 0 to 100 %RH.</summary>
    /// <param name="raw">16-bit count.</param>
    /// <param name="fine">Fine temperature of the same measurement.</param>
    public double RelativeHumidity(int raw, double fine)
    {
        double h = fine - 76800;
        h = (raw - ((H4 * 64.0) + (H5 / 16384.0 * h))) * (H2 / 65536.0 * (1 + (H6 / 67108864.0 * h * (1 + (H3 / 67108864.0 * h)))));
        h *= 1 - (H1 * h / 524288);
        return Math.Clamp(h, 0, 100);
    }

    private static short Signed(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt16LittleEndian(bytes[at..]);
}
