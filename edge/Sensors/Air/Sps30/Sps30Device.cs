using System.Buffers.Binary;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Devices;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Air.Sps30;

/// <summary>
/// Sensirion SPS30: mass of particles up to 1, 2.5, 4 and 10 um, and the number of all it sees (0.3 to 10 um), a new value each second. Its fan is cleaned as the part
/// is set (weekly from the factory), which is told at the start and not changed. Data sheet SPS30, version 1.0 and later.
/// </summary>
/// <param name="open">Opens the link, serial or I2C.</param>
/// <param name="where">Bus and address for messages.</param>
/// <param name="logger">Where it says at the start who it is.</param>
internal sealed class Sps30Device(Func<ISps30Link> open, string where, ILogger logger) : IDevice
{
    private const uint FanFailed = 1u << 4;
    private const uint LaserOutOfRange = 1u << 5;
    private const uint FanSpeedOutOfRange = 1u << 21;

    // Specified range of mass and number concentration (table 1).
    private const double MassMax = 1000;
    private const double NumberMax = 3000;

    /// <summary>Properties by the column of the measurement; the number of particles up to 10 um is the last of five that each hold the ones before.</summary>
    private static readonly (int Column, string Property, double Max)[] Columns =
        [(0, "pm1", MassMax), (1, "pm2_5", MassMax), (2, "pm4", MassMax), (3, "pm10", MassMax), (8, "particle_number", NumberMax)];

    private ISps30Link? link;
    private bool hasStatus;

    /// <summary>Longest start-up time of the number concentration (table 1, 100 to 200 particles a cubic centimetre).</summary>
    public TimeSpan WarmUp => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        link = open();
        (string serial, int major, int minor) = await link.IdentifyAsync(cancellationToken).ConfigureAwait(false);

        // The status register came with firmware 2.2.
        hasStatus = (major, minor) is ( > 2, _) or (2, >= 2);
        if (hasStatus)
        {
            await link.ClearStatusAsync(cancellationToken).ConfigureAwait(false);
        }

        uint cleaning = await link.CleaningSecondsAsync(cancellationToken).ConfigureAwait(false);
        logger.Sps30Started(where, serial, major, minor, TimeSpan.FromSeconds(cleaning));
        if (cleaning == 0)
        {
            logger.Sps30NeverCleaned(where);
        }

        await link.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        byte[] data = await link!.MeasurementAsync(cancellationToken).ConfigureAwait(false) ?? throw new NoSampleException("nothing new", "it has not measured anew");
        if (data.Length != ISps30Link.MeasurementBytes)
        {
            throw new NoSampleException("length", $"the SPS30 at {where} gave {data.Length} bytes for a measurement, not {ISps30Link.MeasurementBytes}");
        }

        Quality quality = hasStatus && link.StatusDue ? Judge(await link.StatusAsync(cancellationToken).ConfigureAwait(false)) : Quality.Good;
        foreach ((int column, string _, double _) in Columns)
        {
            if (Value(data, column) is not >= 0 or double.PositiveInfinity)
            {
                throw new NoSampleException("not measured", $"the SPS30 at {where} gave {Value(data, column)} as a concentration");
            }
        }

        foreach ((int column, string property, double max) in Columns)
        {
            double value = Value(data, column);
            samples.Add(new Sample(property, value, quality | (value > max ? Quality.OutOfRange : Quality.Good)));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        try
        {
            link?.Stop();
        }
        catch (IOException)
        {
            // It is gone, and its fan with it.
        }

        link?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>What the status register says against a value; a fan that stands is the end of it.</summary>
    private Quality Judge(uint status) => (status & FanFailed) != 0
        ? throw new SensorException($"The fan of the SPS30 at {where} is blocked or broken: look for dirt and insects in its inlet, or replace the part.")
        : (status & (LaserOutOfRange | FanSpeedOutOfRange)) != 0 ? Quality.OutOfRange : Quality.Good;

    private static double Value(byte[] data, int column) => BinaryPrimitives.ReadSingleBigEndian(data.AsSpan(4 * column));
}
