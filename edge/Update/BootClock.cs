using System.Globalization;

namespace Hub.Edge.Update;

/// <summary>Time since the machine's start, read as the launcher reads it, so that both speak of the same second.</summary>
/// <param name="Id">Name of this start of the machine.</param>
/// <param name="Uptime">Seconds since it, suspension included.</param>
internal sealed record BootClock(string Id, Func<double> Uptime)
{
    /// <summary>Linux; elsewhere the start of the program is taken for that of the machine.</summary>
    public static BootClock OfThisMachine(TimeProvider time)
    {
        var started = time.GetTimestamp();
        try
        {
            var id = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            if (id.Length is > 0 and <= 64 && TryRead(out _))
            {
                return new BootClock(id, () => TryRead(out var seconds) ? seconds : time.GetElapsedTime(started).TotalSeconds);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }

        return new BootClock(Guid.NewGuid().ToString(), () => time.GetElapsedTime(started).TotalSeconds);
    }

    private static bool TryRead(out double seconds)
    {
        seconds = 0;
        try
        {
            return double.TryParse(File.ReadAllText("/proc/uptime").Split(' ')[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
