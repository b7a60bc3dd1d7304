using Hub.Edge.Contract.Twin;
using Hub.Tests.Kit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Update.Tests;

/// <summary>An agent of one start: the update as it runs inside it, with fake time and machine, on a real root and against a real server.</summary>
internal sealed class UpdateFixture : IAsyncDisposable
{
    private readonly UpdateInstruments _instruments = new();
    private IReadOnlySet<string> _alive;

    public UpdateFixture(Slots slots, TestBundle bundle, string? slot = "a", string version = "0.0.1", double uptime = 1_000, string boot = "boot-1", bool isOn = true, HashSet<string>? alive = null)
    {
        var keyFile = Path.Combine(slots.TempPath, "key.pub.pem");
        File.WriteAllText(keyFile, bundle.PublicPem);

        // The time that passes in steps here is not that of a real download: a server that falls silent is for the tests of downloading.
        var options = new UpdateOptions { Root = slots.Root, Enabled = isOn, StallTimeout = TimeSpan.FromDays(1) };
        options.KeyFiles.Add(keyFile);
        Running = new RunningAgent(slot, version, TestBundle.Runtime);
        _alive = alive ?? ["air"];
        var started = Time.GetTimestamp();
        var (hub, others) = BundleDownload.Clients(null);
        Service = new UpdateService(
            options, Running, slots.Folders, new BootClock(boot, () => uptime + Time.GetElapsedTime(started).TotalSeconds),
            new BundleDownload(hub, others, new HubPages(null, "", () => null), options, _ => long.MaxValue / 2, Time), new StationHealth(within => [.. Alive.Where(_ => Cadence <= within)]), Life, _instruments, Time, Log);
        Service.Changed += () => Steps.Add(Service.State?.Step);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 26, 4, 30, 0, TimeSpan.Zero));

    public RunningAgent Running { get; }

    /// <summary>The sensors that live; replaced, never changed, for the update looks at them at any time.</summary>
    public IReadOnlySet<string> Alive
    {
        get => Volatile.Read(ref _alive);
        set => Volatile.Write(ref _alive, value);
    }

    /// <summary>Time between two values of a sensor.</summary>
    public TimeSpan Cadence { get; set; } = TimeSpan.FromSeconds(10);

    public Lifetime Life { get; } = new();

    public Lines Log { get; } = new();

    public System.Collections.Concurrent.ConcurrentBag<UpdateStep?> Steps { get; } = [];

    public UpdateService Service { get; }

    public static async Task<UpdateFixture> StartAsync(UpdateFixture fixture)
    {
        await fixture.Service.StartAsync(CancellationToken.None);
        return fixture;
    }

    /// <summary>Lets time pass until something is so.</summary>
    public Task UntilAsync(Func<bool> state, string what, TimeSpan? step = null) => Eventually.TrueAsync(
        () =>
        {
            Time.Advance(step ?? TimeSpan.FromSeconds(1));
            return state();
        },
        what + ": " + Service.State + string.Join(Environment.NewLine, Log.All));

    public async ValueTask DisposeAsync()
    {
        await Service.StopAsync(CancellationToken.None);
        Service.Dispose();
        _instruments.Dispose();
    }

    internal sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public bool IsStopping { get; private set; }

        public void StopApplication() => IsStopping = true;
    }

    internal sealed class Lines : ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Enqueue(formatter(state, exception) + exception);
    }
}
