using System.Net;
using System.Net.Sockets;
using Hub.Tests.Benchmarks.Series;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>What a load saw.</summary>
/// <param name="Packs">Packs published, every one acknowledged.</param>
/// <param name="Began">Timestamp of the first publish.</param>
/// <param name="AcknowledgedPerSecond">Readings acknowledged a second, without the first and the last moments.</param>
/// <param name="Latencies">From publish to PUBACK, of the same time.</param>
/// <param name="Processor">Processor time of the generator for it.</param>
internal sealed record LoadOutcome(long Packs, long Began, double AcknowledgedPerSecond, LatencyHistogram Latencies, TimeSpan Processor)
{
    /// <summary>Readings published.</summary>
    public long Readings => Packs * PackWriter.Readings;
}

/// <summary>Many stations that publish at once, each over its own connection; every other one speaks MQTT 5, the rest 3.1.1. Connected once, then run several times.</summary>
internal sealed class LoadGenerator : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(0.5);
    private readonly LoadConnection[] _connections;

    /// <param name="stations">One connection each.</param>
    /// <param name="start">Time of every station's first pack, seconds since 1970.</param>
    public LoadGenerator(IReadOnlyList<LoadStation> stations, long start)
    {
        var values = new CityWorkload(stations.Count, 1_440);
        _connections = [.. stations.Select((station, i) => new LoadConnection(station, i % 2 == 0 ? 4 : 5, new PackWriter(station.Municipality, station.Slug, i % 2 == 0 ? 4 : 5, start, values)))];
    }

    /// <summary>
    /// From now on what a socket of this process brings is gone on with by the thread that heard of it, not by one of the pool: a quarter of what the generator costs, which whatever it loads has instead, hub
    /// and peer alike. Called before the first socket is used. The programs started afterwards do not inherit it.
    /// </summary>
    public static async Task CostLittleAsync()
    {
        const string Switch = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
        var inherited = Environment.GetEnvironmentVariable(Switch);
        Environment.SetEnvironmentVariable(Switch, "1");

        // It is read when a socket first waits.
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            var accepting = listener.AcceptSocketAsync();
            using var client = new TcpClient();
            await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
            (await accepting).Dispose();
        }

        Environment.SetEnvironmentVariable(Switch, inherited);
    }

    /// <summary>The connections.</summary>
    public IReadOnlyList<LoadConnection> Connections => _connections;

    /// <summary>Mean size of a payload.</summary>
    public double PayloadBytes => _connections.Average(connection => connection.Packs.PayloadBytes);

    /// <summary>Packs published since the beginning.</summary>
    public long Packs => _connections.Sum(connection => connection.Packs.Packs);

    /// <summary>Connects all, at most eight at a time: a login costs the hub a key derivation.</summary>
    public async Task ConnectAsync(int port)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await Parallel.ForEachAsync(_connections, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = patience.Token }, async (connection, stop) => await connection.ConnectAsync(port, stop));
    }

    /// <summary>Publishes one pack of each station and waits for all PUBACKs: the hub meets its datastreams.</summary>
    /// <remarks>The hub registers them one after the other, the stations taking turns, each on disk: on a busy machine it is long until a station has its last one, and an acknowledgement.</remarks>
    public async Task FirstSightAsync() => await WatchAsync(new LoadControl(), stop => Task.WhenAll(_connections.Select(connection => connection.RunAsync(new LoadControl(), 1, 1, stop))), 10 * Patience);

    /// <summary>A closed loop: so many packs of each connection are always unacknowledged.</summary>
    /// <param name="window">Unacknowledged packs of a connection.</param>
    /// <param name="lasting">How long is published.</param>
    /// <param name="packsMax">Packs after which it ends earlier; all connections together.</param>
    public async Task<LoadOutcome> SaturateAsync(int window, TimeSpan lasting, long packsMax = long.MaxValue)
    {
        var control = new LoadControl();
        var (before, processor, began) = (Packs, Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
        var run = WatchAsync(control, stop => Task.WhenAll(_connections.Select(connection => Task.Run(() => connection.RunAsync(control, window, packsMax == long.MaxValue ? packsMax : packsMax / _connections.Length, stop), stop))));

        // The first moment is left out: all begin at once.
        await Task.WhenAny(run, Task.Delay(Lead));
        foreach (var connection in _connections)
        {
            connection.TakeLatencies();
        }

        control.Measuring = true;
        var (acknowledged, from) = (Acknowledged(), TimeProvider.System.GetTimestamp());
        await Task.WhenAny(run, Task.Delay(lasting - Lead));
        var rate = (Acknowledged() - acknowledged) * PackWriter.Readings / TimeProvider.System.GetElapsedTime(from).TotalSeconds;
        control.Measuring = false;
        control.Stopped = true;
        await run;
        return new LoadOutcome(Packs - before, began, rate, Latencies(), Environment.CpuUsage.TotalTime - processor);
    }

    /// <summary>An open loop: packs leave at an even rate whatever comes back, the stations taking turns.</summary>
    /// <param name="packsPerSecond">Packs a second, all connections together.</param>
    /// <param name="lasting">How long is measured, after two seconds that are not.</param>
    /// <returns>What it saw, and how many packs could not leave because their connection had 256 unacknowledged.</returns>
    public async Task<(LoadOutcome Outcome, long Held)> EvenlyAsync(int packsPerSecond, TimeSpan lasting)
    {
        var control = new LoadControl();
        using var stop = new CancellationTokenSource();
        var listening = _connections.Select(connection => Task.Run(() => connection.ListenAsync(control, stop.Token))).ToArray();
        await PaceAsync(TimeSpan.FromSeconds(2));
        foreach (var connection in _connections)
        {
            connection.TakeLatencies();
        }

        control.Measuring = true;
        var (before, acknowledged, processor, began) = (Packs, Acknowledged(), Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
        var held = await PaceAsync(lasting);
        var rate = (Acknowledged() - acknowledged) * PackWriter.Readings / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var (packs, from) = (Packs - before, TimeProvider.System.GetTimestamp());
        while (Acknowledged() < Packs && !listening.Any(task => task.IsFaulted) && TimeProvider.System.GetElapsedTime(from) < Patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }

        await stop.CancelAsync();
        await Task.WhenAll(listening);
        return Acknowledged() == Packs
            ? (new LoadOutcome(packs, began, rate, Latencies(), Environment.CpuUsage.TotalTime - processor), held)
            : throw new TimeoutException($"{Packs - Acknowledged()} packs were not acknowledged within {Patience.TotalSeconds:0} s.");

        async Task<long> PaceAsync(TimeSpan span)
        {
            var (from, sent, held) = (TimeProvider.System.GetTimestamp(), 0L, 0L);
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            while (await tick.WaitForNextTickAsync())
            {
                var elapsed = TimeProvider.System.GetElapsedTime(from);
                for (var due = (long)(Math.Min(elapsed.TotalSeconds, span.TotalSeconds) * packsPerSecond); sent < due; sent++)
                {
                    held += _connections[sent % _connections.Length].TryPublish() ? 0 : 1;
                }

                if (elapsed >= span)
                {
                    break;
                }
            }

            return held;
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }
    }

    /// <summary>Ends a run in which nothing is acknowledged any more.</summary>
    private async Task WatchAsync(LoadControl control, Func<CancellationToken, Task> run, TimeSpan? patience = null)
    {
        var most = patience ?? Patience;
        using var stop = new CancellationTokenSource();
        var running = run(stop.Token);
        var (last, since) = (Acknowledged(), TimeProvider.System.GetTimestamp());
        while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(100))) != running)
        {
            if (Acknowledged() is var now && now != last)
            {
                (last, since) = (now, TimeProvider.System.GetTimestamp());
            }
            else if (TimeProvider.System.GetElapsedTime(since) > most)
            {
                control.Stopped = true;
                await stop.CancelAsync();
                throw new TimeoutException($"Nothing was acknowledged for {most.TotalSeconds:0} s; {Packs - last} packs wait.");
            }
        }

        await running;
    }

    private long Acknowledged() => _connections.Sum(connection => connection.Acknowledged);

    private LatencyHistogram Latencies()
    {
        var all = new LatencyHistogram();
        foreach (var connection in _connections)
        {
            all.Add(connection.TakeLatencies());
        }

        return all;
    }
}
