using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Tests.Devices;

/// <summary>A device that says what a test tells it to.</summary>
internal sealed class ScriptedDevice(Func<int, IEnumerable<Sample>> look) : IDevice
{
    private int looks;

    public TimeSpan WarmUp { get; init; }

    public int Starts { get; private set; }

    public int Disposals { get; private set; }

    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        Starts++;
        return ValueTask.CompletedTask;
    }

    public ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        foreach (Sample sample in look(looks++))
        {
            samples.Add(sample);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Disposals++;
        return ValueTask.CompletedTask;
    }
}
