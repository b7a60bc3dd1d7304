using System.Buffers.Binary;
using System.Device.I2c;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.AlphasenseB4;

/// <summary>Texas Instruments ADS1115: a converter of 16 bits with four inputs, one conversion at a time (data sheet SBAS444). One caller at a time.</summary>
/// <param name="device">The part; this object's from here on.</param>
/// <param name="fullScale">Input range, V; one of <see cref="FullScales"/>.</param>
/// <param name="where">Bus and address for messages.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Ads1115(I2cDevice device, double fullScale, string where, TimeProvider time) : IDisposable
{
    /// <summary>Input ranges, V, in the order of their codes.</summary>
    public static readonly double[] FullScales = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256];

    private const byte Conversion = 0;
    private const byte Configuration = 1;
    private const int Ready = 1 << 15;
    private const int Single = 1 << 8;
    private const int SamplesPerSecond128 = 4 << 5;
    private const int ComparatorOff = 3;
    private const int PollsMax = 10;

    // A conversion at 128/s, and the tenth that its oscillator may be slow.
    private static readonly TimeSpan ConversionTime = TimeSpan.FromMilliseconds(9);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(1);

    /// <summary>The configuration that begins one conversion of an input against ground.</summary>
    public static ushort Configure(int channel, double fullScale) =>
        (ushort)(Ready | ((4 + channel) << 12) | (Array.IndexOf(FullScales, fullScale) << 9) | Single | SamplesPerSecond128 | ComparatorOff);

    /// <summary>Voltage of an input, mV.</summary>
    public static double Millivolts(short count, double fullScale) => count * fullScale * 1000 / 32768;

    /// <summary>Measures one input.</summary>
    /// <returns>Voltage against ground, mV; and whether it was at the end of the range.</returns>
    /// <exception cref="SensorException">Something else has this address.</exception>
    /// <exception cref="NoSampleException">It did not finish.</exception>
    /// <exception cref="IOException">It does not answer.</exception>
    public async ValueTask<(double Millivolts, bool IsSaturated)> MeasureAsync(int channel, CancellationToken cancellationToken)
    {
        ushort configuration = Configure(channel, fullScale);
        device.Write([Configuration, (byte)(configuration >> 8), (byte)configuration]);
        await Task.Delay(ConversionTime, time, cancellationToken).ConfigureAwait(false);
        for (int poll = 0; ; poll++)
        {
            // All but the ready bit must be as written: no other part keeps these bits, and a part that was reset in between has others.
            ushort found = (ushort)Read(Configuration);
            if (((found ^ configuration) & ~Ready) != 0)
            {
                throw new SensorException($"The part at {where} is no ADS1115, or lost its supply: its configuration reads 0x{found:x4} after 0x{configuration:x4} was written.");
            }

            if ((found & Ready) != 0)
            {
                break;
            }

            if (poll == PollsMax)
            {
                throw new NoSampleException("not ready", $"the ADS1115 at {where} does not finish a conversion");
            }

            await Task.Delay(PollTime, time, cancellationToken).ConfigureAwait(false);
        }

        short count = Read(Conversion);
        return (Millivolts(count, fullScale), count is short.MaxValue or short.MinValue);
    }

    /// <inheritdoc/>
    public void Dispose() => device.Dispose();

    private short Read(byte register)
    {
        Span<byte> two = stackalloc byte[2];
        device.WriteRead([register], two);
        return BinaryPrimitives.ReadInt16BigEndian(two);
    }
}
