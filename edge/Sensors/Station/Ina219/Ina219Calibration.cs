namespace Hub.Edge.Sensors.Station.Ina219;

/// <summary>
/// The arithmetic of a Texas Instruments INA219 (data sheet SBOS448, section 8.5): what to write to its calibration register, and what its registers mean. Pure; safe for
/// concurrent callers.
/// </summary>
/// <param name="CurrentLsb">Amperes of one count of the current register.</param>
/// <param name="Register">Value of the calibration register; bit 0 is always 0.</param>
/// <param name="Gain">Code of the shunt range: 0 is 40 mV, 1 is 80, 2 is 160, 3 is 320 mV.</param>
internal readonly record struct Ina219Calibration(double CurrentLsb, ushort Register, int Gain)
{
    /// <summary>Largest shunt voltage that the part can be set to, volts.</summary>
    public const double ShuntVoltsMax = 0.32;

    private const double BusVoltsLsb = 0.004;
    private const double PowerLsbFactor = 20;
    private const double ShuntVoltsLsb = 0.00001;

    // 0.1 ohm x 0.4 A is a hair more than 0.04 V in binary.
    private const double Rounding = 1 + 1e-9;

    /// <summary>
    /// Sets up for a shunt and the largest current expected: LSB = I / 2^15, calibration = trunc(0.04096 / (LSB x R)) (equations 1 and 2). The LSB in force is the one that the whole number in the
    /// register stands for, which is what the part computes with.
    /// </summary>
    /// <returns>Null when the register cannot hold it, or the shunt range does not reach.</returns>
    public static Ina219Calibration? For(double shuntOhms, double currentMax)
    {
        double volts = shuntOhms * currentMax;
        double exact = 0.04096 / (currentMax / 32768 * shuntOhms);
        if (!(volts > 0 && volts <= ShuntVoltsMax * Rounding) || !(exact < 65535) || exact < 2)
        {
            return null;
        }

        // 20480 must not become 20479 for the last bit of a division.
        ushort register = (ushort)((int)(exact + 1e-6) & 0xFFFE);
        int gain = volts <= 0.04 * Rounding ? 0 : volts <= 0.08 * Rounding ? 1 : volts <= 0.16 * Rounding ? 2 : 3;
        return new Ina219Calibration(0.04096 / (register * shuntOhms), register, gain);
    }

    /// <summary>Volts of the bus register: bits 15 to 3, 4 mV each.</summary>
    public static double BusVolts(ushort register) => (register >> 3) * BusVoltsLsb;

    /// <summary>Volts across the shunt: signed, 10 uV each.</summary>
    public static double ShuntVolts(ushort register) => (short)register * ShuntVoltsLsb;

    /// <summary>Amperes of the current register, signed.</summary>
    public double Amperes(ushort register) => (short)register * CurrentLsb;

    /// <summary>Watts of the power register: 20 times the current's LSB each; without a sign.</summary>
    public double Watts(ushort register) => register * CurrentLsb * PowerLsbFactor;
}
