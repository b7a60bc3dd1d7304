using Hub.Edge.Outbox;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Agent.Tests;

/// <summary>What the agent says of the station's clock.</summary>
public sealed class SelfReportTests : IDisposable
{
    private static readonly DateTimeOffset Truth = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_clocks_state_is_reported_and_its_steps_once_each()
    {
        var machine = new Machine { Wall = DateTimeOffset.UnixEpoch };
        using var clock = new StationClock(machine, machine.Timers);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Agent:Outbox:Folder", _folder.File("outbox"))]).Build();
        await using var services = new ServiceCollection().AddLogging().AddHubOutbox(configuration).BuildServiceProvider();
        using var report = new SelfReport(
            services.GetRequiredService<IOutbox>(), TimeSpan.FromMinutes(1), new CpuTemperature(_folder.File("none")), clock, NullLogger<SelfReport>.Instance);

        machine.Pass(TimeSpan.FromSeconds(90));
        Assert.Equal(["clock_state 0", "clock_sync_age 90", "outbox_depth 0", "uptime 90"], Said());
        Assert.True(clock.Offer(clock.SinceBoot, Truth, clock.SinceBoot));
        machine.Pass(TimeSpan.FromSeconds(60));
        Assert.Equal(["clock_state 1", "clock_sync_age 60", "outbox_depth 0", "uptime 150"], Said());

        machine.Wall = Truth.AddMinutes(1).AddSeconds(-12.5);
        machine.IsSynchronised = true;
        machine.Pass(TimeSpan.FromSeconds(60));
        var readings = report.Read();
        var step = readings.Single(r => r.Property == "clock_step");
        Assert.Equal((-12.5, TimeSpan.FromMinutes(1)), (step.Value, step.Period));
        Assert.Equal(3, readings.Single(r => r.Property == "clock_state").Value);
        Assert.Equal(readings[0].PhenomenonTime - step.Period, step.PhenomenonTime);
        machine.Pass(TimeSpan.FromSeconds(60));
        Assert.Equal(["clock_state 3", "clock_sync_age 0", "outbox_depth 0", "uptime 270"], Said());

        string[] Said() => [.. report.Read().Select(r => FormattableString.Invariant($"{r.Property} {r.Value}")).Order(StringComparer.Ordinal)];
    }

    private sealed class Machine : IStationTime
    {
        public FakeTimeProvider Timers { get; } = new(DateTimeOffset.UnixEpoch);

        public TimeSpan SinceBoot { get; private set; }

        public DateTimeOffset Wall { get; set; }

        public bool IsSynchronised { get; set; }

        public string BootId => "boot-1";

        public void Pass(TimeSpan time)
        {
            SinceBoot += time;
            Wall += time;
            Timers.Advance(time);
        }
    }
}
