using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Station.Board;

/// <summary>
/// The station's own board, as Linux tells of it: undervoltage and throttling (Raspberry Pi), free space and wear of the disk, level of the wireless link. What a board does not
/// tell is not reported. The processor's temperature is in the agent's own report.
/// </summary>
/// <param name="root">Folder that stands for the root of the file system.</param>
/// <param name="options">Settings.</param>
/// <param name="space">Bytes free for an ordinary program, and in all, of the file system of a path.</param>
internal sealed class BoardDevice(string root, BoardOptions options, Func<string, (long Free, long Total)> space) : IDevice
{
    private const uint UndervoltageNow = 1 << 0;
    private const uint SlowNow = (1 << 1) | (1 << 2) | (1 << 3);
    private const int SinceStart = 16;

    private uint? before;

    /// <inheritdoc/>
    public TimeSpan WarmUp => TimeSpan.Zero;

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        if (Read("sys/devices/platform/soc/soc:firmware/get_throttled") is { } text && BoardFiles.Throttled(text) is { } bits)
        {
            // The upper half remembers: what happened between two looks shows as a bit that was not there.
            uint happened = bits | (before is { } earlier ? (bits & ~earlier) >> SinceStart : 0);
            before = bits;
            samples.Add(new Sample("undervoltage", (happened & UndervoltageNow) != 0 ? 100 : 0));
            samples.Add(new Sample("throttled", (happened & SlowNow) != 0 ? 100 : 0));
        }

        try
        {
            (long free, long total) = space(options.Path);
            if (total > 0)
            {
                samples.Add(new Sample("disk_free", Math.Clamp(100.0 * free / total, 0, 100)));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A disk that cannot be asked says nothing; the rest still does.
        }

        if (Wear() is { } wear)
        {
            samples.Add(new Sample("disk_wear", wear));
        }

        if (Read("proc/net/wireless") is { } wireless && BoardFiles.Wireless(wireless, options.Interface) is { } level)
        {
            samples.Add(new Sample("link_quality", level));
        }

        return samples.Count > 0 ? ValueTask.CompletedTask : throw new NoSampleException("nothing", "the board tells nothing about itself");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private int? Wear()
    {
        string blocks = Path.Combine(root, "sys/block");
        try
        {
            return Directory.Exists(blocks)
                ? Directory.GetDirectories(blocks, "mmcblk*").Select(block => Read(Path.Combine(block, "device/life_time")) is { } text ? BoardFiles.LifeTime(text) : null).Max()
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string? Read(string path)
    {
        try
        {
            path = Path.Combine(root, path);
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
