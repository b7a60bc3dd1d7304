using System.Runtime.InteropServices;

namespace Hub.Edge.Sensors.Tests.Buses;

/// <summary>A pseudo-terminal: the test holds the instrument's end, a driver opens <see cref="Path"/> as its serial port.</summary>
internal sealed partial class Pty : IDisposable
{
    private readonly int master;
    private readonly FileStream stream;

    public Pty()
    {
        master = OpenMaster(0x2 | 0x100 | 0x80000);
        Assert.True(master >= 0 && Grant(master) == 0 && Unlock(master) == 0, "no pseudo-terminal");
        Path = Marshal.PtrToStringUTF8(Name(master))!;
        stream = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(master, ownsHandle: true), FileAccess.ReadWrite, 0);
    }

    /// <summary>Device file of the driver's end.</summary>
    public string Path { get; }

    /// <summary>True while somebody has the driver's end open.</summary>
    public bool IsOpen
    {
        get
        {
            var waited = new Waited { Descriptor = master };
            return Poll(ref waited, 1, 0) == 0 || (waited.Returned & 0x10) == 0;
        }
    }

    /// <summary>The instrument says something.</summary>
    public void Say(params byte[] bytes) => stream.Write(bytes);

    /// <summary>What the driver said, waiting for this many bytes.</summary>
    public byte[] Hear(int count)
    {
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The next byte that the driver says, waiting a little; null when none came or nobody has the port open. For a listener beside a test, which must not hold the descriptor while it waits.</summary>
    public byte? TryHear(TimeSpan patience)
    {
        var waited = new Waited { Descriptor = master, Events = 1 };
        return Poll(ref waited, 1, (int)patience.TotalMilliseconds) > 0 && (waited.Returned & 1) != 0 ? Hear(1)[0] : null;
    }

    /// <summary>The adapter is pulled out.</summary>
    public void Unplug() => stream.Dispose();

    public void Dispose() => stream.Dispose();

    [StructLayout(LayoutKind.Sequential)]
    private struct Waited
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref Waited waited, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "posix_openpt")]
    private static partial int OpenMaster(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt")]
    private static partial int Grant(int descriptor);

    [LibraryImport("libc", EntryPoint = "unlockpt")]
    private static partial int Unlock(int descriptor);

    [LibraryImport("libc", EntryPoint = "ptsname")]
    private static partial nint Name(int descriptor);
}
