namespace Hub.Edge.Sensors.Buses;

/// <summary>The buses of the machine the agent runs on, for stages other than Sensors.</summary>
public static class MachineBuses
{
    /// <summary>Opens nothing yet.</summary>
    /// <param name="time">Clock of what is opened.</param>
    public static IBuses Of(TimeProvider time) => new LinuxBuses(time);
}
