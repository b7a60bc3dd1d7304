using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Hub.Tests.Kit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Lies between the hub and the server, and interrupts: refuses connections, or lets requests pass and loses the answers.</summary>
internal sealed class Interruptible : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly int _server;
    private readonly ConcurrentDictionary<TcpClient, bool> _clients = [];
    private readonly Task _serving;
    private int _lost;

    public Interruptible(string server)
    {
        _server = new Uri(server).Port;
        var port = FreePort.Next();
        Address = FormattableString.Invariant($"http://127.0.0.1:{port}");
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address { get; }

    public volatile bool Refuses;

    public volatile bool LosesAnswers;

    /// <summary>Answers lost.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <summary>Ends what is connected.</summary>
    public void Cut()
    {
        foreach (var client in _clients.Keys)
        {
            client.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        await _serving;
    }

    private async Task ServeAsync()
    {
        var passing = new List<Task>();
        while (true)
        {
            try
            {
                passing.Add(PassAsync(await _listener.AcceptTcpClientAsync()));
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                break;
            }
        }

        await Task.WhenAll(passing);
    }

    private static async Task CopyAsync(TcpClient client, TcpClient server)
    {
        try
        {
            await client.GetStream().CopyToAsync(server.GetStream());
        }
        finally
        {
            // The server would keep the connection for the next request.
            server.Close();
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using var held = client;
        _clients[client] = true;
        try
        {
            if (Refuses)
            {
                return;
            }

            using var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, _server);
            var there = CopyAsync(client, server);
            var buffer = new byte[16 * 1024];
            int read;
            while ((read = await server.GetStream().ReadAsync(buffer)) > 0 && !Refuses)
            {
                if (LosesAnswers)
                {
                    Interlocked.Increment(ref _lost);
                    break;
                }

                await client.GetStream().WriteAsync(buffer.AsMemory(0, read));
            }

            client.Close();
            server.Close();
            await there;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One of the two has gone.
        }
        finally
        {
            _clients.TryRemove(client, out _);
        }
    }
}
