using System.Runtime.InteropServices;

namespace Hub.Edge.Outbox;

/// <summary>When a machine's clock is believed.</summary>
public enum ClockTrust
{
    /// <summary>On a board without a clock that survives a power cut (one with a device tree, as a Raspberry Pi) as <see cref="Synchronised"/>, elsewhere as <see cref="System"/>.</summary>
    Auto = 0,

    /// <summary>When NTP holds it.</summary>
    Synchronised = 1,

    /// <summary>Always.</summary>
    System = 2,
}

/// <summary>Linux: CLOCK_BOOTTIME, the kernel's own word on whether NTP holds the clock, and its boot id. Elsewhere the system's clock, believed.</summary>
public sealed partial class MachineTime : IStationTime
{
    private const int ClockBootTime = 7;

    /// <summary>STA_UNSYNC of adjtimex(2).</summary>
    private const int Unsynchronised = 0x40;

    private readonly bool _believed;
    private readonly TimeProvider _system;
    private readonly long _started;

    /// <summary>Looks at the machine.</summary>
    /// <param name="trust">When its clock is believed.</param>
    /// <param name="system">The system's clock.</param>
    public MachineTime(ClockTrust trust, TimeProvider system)
    {
        ArgumentNullException.ThrowIfNull(system);
        _system = system;
        _started = system.GetTimestamp();
        _believed = !OperatingSystem.IsLinux() || trust == ClockTrust.System || (trust == ClockTrust.Auto && !Directory.Exists("/proc/device-tree"));
        BootId = ReadBootId();
    }

    /// <inheritdoc/>
    public string BootId { get; }

    /// <inheritdoc/>
    public DateTimeOffset Wall => _system.GetUtcNow();

    /// <inheritdoc/>
    public TimeSpan SinceBoot => OperatingSystem.IsLinux() && ClockGetTime(ClockBootTime, out var time) == 0
        ? TimeSpan.FromTicks(((long)time.Seconds * TimeSpan.TicksPerSecond) + ((long)time.Nanoseconds / 100))
        : _system.GetElapsedTime(_started);

    /// <inheritdoc/>
    public bool IsSynchronised => _believed || IsHeldByNtp;

    /// <inheritdoc/>
    public bool IsHeldByNtp => OperatingSystem.IsLinux() && IsHeld();

    private static bool IsHeld()
    {
        // Asked without changing anything (modes 0), which needs no right. The buffer is larger than any version of struct timex; status stands behind modes and four longs.
        Span<byte> timex = stackalloc byte[512];
        timex.Clear();
        var read = AdjTimeX(ref MemoryMarshal.GetReference(timex));
        var status = MemoryMarshal.Read<int>(timex[(nint.Size * 5)..]);
        return (read >= 0 && (status & Unsynchronised) == 0) || File.Exists("/run/systemd/timesync/synchronized");
    }

    /// <summary>The kernel's name of this start of the machine; a new one at every call where there is no such kernel.</summary>
    internal static string ReadBootId()
    {
        try
        {
            var id = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            return id.Length is > 0 and <= 64 ? id : Guid.NewGuid().ToString();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Guid.NewGuid().ToString();
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static partial int AdjTimeX(ref byte timex);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
