using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.Sps30;

/// <summary>The commands of an SPS30 that the driver needs, however it is wired. One caller at a time.</summary>
internal interface ISps30Link : IDisposable
{
    /// <summary>Bytes of a measurement: ten big-endian floats.</summary>
    const int MeasurementBytes = 40;

    /// <summary>True when something may stand in the status register: the part said so, or has no other way to say it.</summary>
    bool StatusDue { get; }

    /// <summary>Wakes the part if it sleeps, stops a measurement that another program began, and asks who it is.</summary>
    /// <returns>Serial number, and firmware as two numbers.</returns>
    /// <exception cref="SensorException">Something else answers.</exception>
    /// <exception cref="NoSampleException">Nobody answers, or what came was damaged.</exception>
    /// <exception cref="IOException">The bus failed.</exception>
    ValueTask<(string Serial, int Major, int Minor)> IdentifyAsync(CancellationToken cancellationToken);

    /// <summary>Begins to measure, in floats.</summary>
    ValueTask StartAsync(CancellationToken cancellationToken);

    /// <summary>The measurement that is new since the last call, <see cref="MeasurementBytes"/> bytes; null when none is.</summary>
    /// <exception cref="NoSampleException">Nobody answers, or what came was damaged.</exception>
    /// <exception cref="IOException">The bus failed.</exception>
    ValueTask<byte[]?> MeasurementAsync(CancellationToken cancellationToken);

    /// <summary>The device status register (firmware 2.2 and later).</summary>
    ValueTask<uint> StatusAsync(CancellationToken cancellationToken);

    /// <summary>Forgets the errors in the status register; they stay there otherwise, also when their cause is gone.</summary>
    ValueTask ClearStatusAsync(CancellationToken cancellationToken);

    /// <summary>Seconds between cleanings of the fan; 0 for never.</summary>
    ValueTask<uint> CleaningSecondsAsync(CancellationToken cancellationToken);

    /// <summary>Lets fan and laser rest; without waiting for an answer.</summary>
    /// <exception cref="IOException">The bus failed.</exception>
    void Stop();
}
