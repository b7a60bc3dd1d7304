using System.Runtime.InteropServices;

namespace Hub.Edge.Sensors.Buses;

/// <summary>The C library's calls for terminals; numbers are those of Linux on x64, arm64 and arm.</summary>
internal static partial class Termios
{
    public const int ReadWrite = 0x2;
    public const int NoControllingTerminal = 0x100;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const nuint Exclusive = 0x540C;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;
    public const int Now = 0;
    public const int FlushBoth = 2;
    public const short CanRead = 0x1;
    public const short CanWrite = 0x4;
    public const short HungUpOrFailed = 0x8 | 0x10 | 0x20;
    public const int NoSuchFile = 2;
    public const int Interrupted = 4;
    public const int NoSuchDevice = 19;
    public const int TryAgain = 11;
    public const int PermissionDenied = 13;
    public const int Busy = 16;
    public const int NoTerminal = 25;

    /// <summary>More than any struct termios needs; its layout is the library's own business.</summary>
    public const int SettingsBytes = 256;

    private static readonly (int Baud, uint Speed)[] Speeds =
    [
        (1200, 0x9), (2400, 0xB), (4800, 0xC), (9600, 0xD), (19200, 0xE), (38400, 0xF), (57600, 0x1001), (115200, 0x1002), (230400, 0x1003), (460800, 0x1004), (921600, 0x1007),
    ];

    /// <summary>The rates that can be set, in baud.</summary>
    public static IEnumerable<int> Rates => Speeds.Select(entry => entry.Baud);

    /// <summary>The library's constant for a rate.</summary>
    public static bool TrySpeed(int baud, out uint speed)
    {
        (_, speed) = Array.Find(Speeds, entry => entry.Baud == baud);
        return speed != 0;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, Span<byte> buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, ReadOnlySpan<byte> buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(ref Waited waited, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Control(int descriptor, nuint request);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    public static partial int GetSettings(int descriptor, Span<byte> settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    public static partial int SetSettings(int descriptor, int when, ReadOnlySpan<byte> settings);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    public static partial void MakeRaw(Span<byte> settings);

    [LibraryImport("libc", EntryPoint = "cfsetspeed", SetLastError = true)]
    public static partial int SetSpeed(Span<byte> settings, uint speed);

    [LibraryImport("libc", EntryPoint = "tcflush", SetLastError = true)]
    public static partial int Flush(int descriptor, int queue);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Waited
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
