using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Outbox.Tests;

/// <summary>A machine whose monotonic time and whose clock a test moves. Timers run on <see cref="Timers"/>, which moves with the monotonic time.</summary>
internal sealed class FakeMachine : IStationTime
{
    public FakeMachine(DateTimeOffset wall, string boot = "boot-1", TimeSpan sinceBoot = default) => (Wall, BootId, SinceBoot) = (wall, boot, sinceBoot);

    public FakeTimeProvider Timers { get; } = new(DateTimeOffset.UnixEpoch);

    public TimeSpan SinceBoot { get; private set; }

    public DateTimeOffset Wall { get; set; }

    public bool IsSynchronised { get; set; }

    /// <summary>What IsHeldByNtp says where that is not what <see cref="IsSynchronised"/> says.</summary>
    public bool? Ntp { get; set; }

    public bool IsHeldByNtp => Ntp ?? IsSynchronised;

    public string BootId { get; }

    /// <summary>Lets time pass; the machine's clock goes at a rate of its own while it is slewed.</summary>
    public void Pass(TimeSpan time, double rate = 1)
    {
        SinceBoot += time;
        Wall += time * rate;
        Timers.Advance(time);
    }
}
