using System.Net;
using System.Net.Sockets;

namespace Hub.Edge.Uplink.Tests;

/// <summary>What a line can do.</summary>
public enum Fault
{
    /// <summary>It carries.</summary>
    None,

    /// <summary>Nothing passes any more, and nobody is told: a black hole.</summary>
    Silence,

    /// <summary>Nothing passes towards the broker any more.</summary>
    SilenceUp,

    /// <summary>Nothing passes towards the agent any more: half open.</summary>
    SilenceDown,

    /// <summary>Half of what comes next towards the broker passes, nothing after it.</summary>
    SilenceMidPacket,

    /// <summary>It is closed in an orderly way.</summary>
    Close,

    /// <summary>It is reset.</summary>
    Reset,
}

/// <summary>A TCP line that can fail in the ways a mobile network does.</summary>
internal sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly Task _accepting;
    private volatile Line? _line;
    private int _connections;

    public StallingProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How the first connections fail, from their first byte on.</summary>
    public IReadOnlyList<Fault> AtStart { get; init; } = [];

    /// <summary>Most bytes that pass at once.</summary>
    public int ChunkBytes { get; init; } = 8192;

    /// <summary>The connection that exists now fails at the next byte; later ones do not.</summary>
    public void Fail(Fault fault) => _line!.Fault = fault;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var lines = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var number = Interlocked.Increment(ref _connections) - 1;
                var line = new Line { Fault = number < AtStart.Count ? AtStart[number] : Fault.None };
                _line = line;
                lines.Add(CarryAsync(client, line));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(lines);
        }
    }

    private async Task CarryAsync(TcpClient client, Line line)
    {
        using (client)
        using (var server = new TcpClient { NoDelay = true })
        {
            client.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await Task.WhenAny(PipeAsync(client, server, line, up: true), PipeAsync(server, client, line, up: false));
                if (line.Fault == Fault.Reset)
                {
                    client.LingerState = new LingerOption(true, 0);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
            }
        }
    }

    private async Task PipeAsync(TcpClient from, TcpClient to, Line line, bool up)
    {
        var buffer = new byte[ChunkBytes];
        var silent = false;
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stop.Token) is > 0 and var read)
            {
                switch (line.Fault)
                {
                    case Fault.Reset or Fault.Close:
                        return;
                    case Fault.Silence:
                    case Fault.SilenceUp when up:
                    case Fault.SilenceDown when !up:
                        silent = true;
                        break;
                    case Fault.SilenceMidPacket when up && !silent:
                        silent = true;
                        await to.GetStream().WriteAsync(buffer.AsMemory(0, read / 2), _stop.Token);
                        break;
                }

                if (!silent)
                {
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }

    private sealed class Line
    {
        private volatile int _fault;

        public Fault Fault
        {
            get => (Fault)_fault;
            set => _fault = (int)value;
        }
    }
}
