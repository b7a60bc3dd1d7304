using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Hub.Tests.Kit;

public static class FreePort
{
    // Below the ports that Linux gives to outgoing connections (32768 and up): a client of another test, or of this one, cannot take a port between Next and its use.
    private const int First = 10_000;
    private const int Behind = 30_000;

    // A broker that a test stops has no port until it is started again, and may be a second away from its first: a lock on a file, which goes with the process, keeps the others away meanwhile.
    private static readonly string Locks = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"hub-test-ports-{Environment.UserName}")).FullName;

    private static readonly ConcurrentDictionary<int, FileStream> Given = [];

    /// <summary>A TCP port on 127.0.0.1 that was free a moment ago, and that no test program of this user has been given that still runs.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var port = Random.Shared.Next(First, Behind);
            if (!TryLock(port))
            {
                continue;
            }

            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // In use by somebody else.
            }
        }

        throw new InvalidOperationException($"No TCP port of 127.0.0.1 between {First} and {Behind} is free.");
    }

    private static bool TryLock(int port)
    {
        try
        {
            // Within the process too: a second opening is refused like another's.
            Given[port] = new FileStream(Path.Combine(Locks, port.ToString(CultureInfo.InvariantCulture)), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
