using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Hub.Tests.Kit;

public static class FreePort
{
    // Below the ports that Linux gives to outgoing connections (32768 and up): a client of another test, or of this one, cannot take a port between Next and its use.
    private const int First = 10_000;
    private const int Behind = 30_000;

    private static readonly ConcurrentDictionary<int, bool> Given = [];

    /// <summary>A TCP port on 127.0.0.1 that was free a moment ago and that this process has not been given before. Test programs that run side by side draw at random.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var port = Random.Shared.Next(First, Behind);
            if (!Given.TryAdd(port, true))
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
}
