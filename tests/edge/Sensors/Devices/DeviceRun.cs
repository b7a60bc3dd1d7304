using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Sensors.Tests.Devices;

/// <summary>Shortcuts for tests of devices.</summary>
internal static class DeviceRun
{
    /// <summary>Starts a device and takes one look, letting fake time pass whenever it waits.</summary>
    public static async Task<List<Sample>> LookAsync(IDevice device, WaitedClock clock, bool start = true)
    {
        var samples = new List<Sample>();
        if (start)
        {
            await PassAsync(device.StartAsync(TestContext.Current.CancellationToken).AsTask(), clock);
        }

        await PassAsync(device.ReadAsync(samples, TestContext.Current.CancellationToken).AsTask(), clock);
        return samples;
    }

    /// <summary>Lets fake time pass in small steps until a task is done, and throws what it throws.</summary>
    public static async Task PassAsync(Task task, WaitedClock clock, TimeSpan? step = null)
    {
        while (!task.IsCompleted)
        {
            await Task.WhenAny(task, clock.Waiting);
            if (!task.IsCompleted)
            {
                clock.Pass(step ?? TimeSpan.FromMilliseconds(1));
                await Task.Yield();
            }
        }

        await task;
    }

    /// <summary>Makes a sensor as an agent does, on buses of the test's own.</summary>
    public static ISensor Sensor(SensorOptions options, IBuses buses, TimeProvider time) => new SensorFactory(time, NullLoggerFactory.Instance, buses).Create(options, new SensorsOptions());

    /// <summary>What a station file with such a sensor is told.</summary>
    public static IReadOnlyList<string> Failures(SensorOptions options) => [.. SensorKinds.Find(options.Kind)!.Failures(options, new SensorsOptions(), "Agent:Sensors:0")];
}
