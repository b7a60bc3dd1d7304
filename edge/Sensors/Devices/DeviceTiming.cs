namespace Hub.Edge.Sensors.Devices;

/// <summary>When a device is looked at and what its looks are gathered into.</summary>
/// <param name="Every">Time between looks, 10 ms to a day.</param>
/// <param name="Period">Length of the averaging interval, whole seconds, a whole multiple of <paramref name="Every"/>, at most a day.</param>
internal readonly record struct DeviceTiming(TimeSpan Every, TimeSpan Period)
{
    /// <summary>What is wrong with the times given in the station file.</summary>
    /// <param name="sensor">The sensor.</param>
    /// <param name="standard">The kind's own times.</param>
    /// <param name="key">Full key of the sensor.</param>
    public static IEnumerable<string> Failures(SensorOptions sensor, DeviceTiming standard, string key)
    {
        DeviceTiming timing = Of(sensor, standard);
        if (timing.Period < TimeSpan.FromSeconds(1) || timing.Period > TimeSpan.FromDays(1) || timing.Period.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            yield return $"{key}:Period is {timing.Period}: give whole seconds, 00:00:01 to 1.00:00:00.";
        }
        else if (timing.Every < standard.Every || timing.Every > timing.Period || timing.Period.Ticks % timing.Every.Ticks != 0)
        {
            yield return $"{key}:Every is {timing.Every}: give {standard.Every} or more, so that {key}:Period ({timing.Period}) is a whole multiple of it.";
        }
    }

    /// <summary>The times in force; without a period of its own a sensor that is looked at less often than its kind's period takes a period of one look.</summary>
    public static DeviceTiming Of(SensorOptions sensor, DeviceTiming standard)
    {
        TimeSpan every = sensor.Every ?? standard.Every;
        TimeSpan period = sensor.Period ?? (every > standard.Period ? every : standard.Period);
        return new DeviceTiming(sensor.Every is null && every > period ? period : every, period);
    }
}
