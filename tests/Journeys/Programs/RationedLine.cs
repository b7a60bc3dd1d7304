using System.Net;
using System.Net.Sockets;

namespace Hub.Tests.Journeys.Programs;

/// <summary>
/// A TCP line between an agent and its broker that is as slow as a bad mobile network and carries no more than its ration. So a backlog that a broker on the same
/// machine would take within seconds lasts for a whole journey however slow or fast the machine is, and a test knows whether data was on the line at a moment.
/// </summary>
public sealed class RationedLine : IAsyncDisposable
{
    private const int ChunkBytes = 2_048;

    /// <summary>Wait after each chunk: at most 80 kB/s, some two thousand readings.</summary>
    private static readonly TimeSpan ChunkPause = TimeSpan.FromMilliseconds(25);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly int _target;
    private readonly Task _accepting;
    private TaskCompletionSource _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _ration;
    private bool _isUnlimited;
    private long _carried;

    /// <param name="target">Port of the broker on this machine.</param>
    public RationedLine(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes carried towards the broker so far.</summary>
    public long Carried => Interlocked.Read(ref _carried);

    /// <summary>Whether more may pass now: an agent that has something to send is sending it.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return _ration > ChunkBytes;
            }
        }
    }

    /// <summary>Lets so many more bytes pass towards the broker; what comes back is never held up.</summary>
    public void Grant(long bytes)
    {
        lock (_gate)
        {
            _ration += bytes;
            Wake();
        }
    }

    /// <summary>From now on everything passes, at full speed.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _isUnlimited = true;
            Wake();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var calls = new List<Task>();
        try
        {
            while (true)
            {
                calls.RemoveAll(call => call.IsCompleted);
                calls.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(calls);
        }
    }

    /// <summary>One connection. When an end goes, as at a kill, so does the other.</summary>
    private async Task CarryAsync(TcpClient agent)
    {
        using (agent)
        using (var broker = new TcpClient { NoDelay = true })
        using (var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            agent.NoDelay = true;
            try
            {
                await broker.ConnectAsync(IPAddress.Loopback, _target, ended.Token);
                var up = UpAsync(agent.GetStream(), broker.GetStream(), ended.Token);
                var down = DownAsync(broker.GetStream(), agent.GetStream(), ended.Token);
                await Task.WhenAny(up, down);
                await ended.CancelAsync();
                await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
            {
            }
        }
    }

    private async Task UpAsync(NetworkStream agent, NetworkStream broker, CancellationToken ended)
    {
        var buffer = new byte[ChunkBytes];
        while (await agent.ReadAsync(buffer, ended) is > 0 and var read)
        {
            await TakeAsync(read, ended);
            await broker.WriteAsync(buffer.AsMemory(0, read), ended);
            Interlocked.Add(ref _carried, read);
            if (!Volatile.Read(ref _isUnlimited))
            {
                await Task.Delay(ChunkPause, ended);
            }
        }
    }

    private static async Task DownAsync(NetworkStream broker, NetworkStream agent, CancellationToken ended)
    {
        var buffer = new byte[ChunkBytes];
        while (await broker.ReadAsync(buffer, ended) is > 0 and var read)
        {
            await agent.WriteAsync(buffer.AsMemory(0, read), ended);
        }
    }

    private void Wake()
    {
        _granted.TrySetResult();
        _granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task TakeAsync(int bytes, CancellationToken ended)
    {
        while (true)
        {
            Task granted;
            lock (_gate)
            {
                if (_isUnlimited || _ration >= bytes)
                {
                    _ration -= bytes;
                    return;
                }

                granted = _granted.Task;
            }

            await granted.WaitAsync(ended);
        }
    }
}
