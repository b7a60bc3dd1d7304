using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Station.Board;

/// <summary>Kind <c>board</c>: the station itself; no bus.</summary>
internal sealed class BoardKind() : DeviceKind("board", new DeviceTiming(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5)))
{
    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        BoardOptions board = sensor.Board ?? new BoardOptions();
        if (!Path.IsPathRooted(board.Path))
        {
            yield return $"{key}:Board:Path is '{board.Path}': give a path from the root, e.g. the outbox's folder.";
        }

        if (board.Interface is { } name && (name.Length is 0 or > 15 || name.Any(static c => char.IsWhiteSpace(c) || c is '/' or ':')))
        {
            yield return $"{key}:Board:Interface is '{name}': give the name of a wireless interface, e.g. wlan0.";
        }
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context) => new BoardDevice("/", sensor.Board ?? new BoardOptions(), static path =>
    {
        var drive = new DriveInfo(path);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    });
}
