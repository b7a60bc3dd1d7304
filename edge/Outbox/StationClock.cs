using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;

namespace Hub.Edge.Outbox;

/// <summary>What a station knows of time, from its machine. Any thread.</summary>
public interface IStationTime
{
    /// <summary>Time since the machine started, suspension included; never steps.</summary>
    TimeSpan SinceBoot { get; }

    /// <summary>The machine's clock, right or wrong.</summary>
    DateTimeOffset Wall { get; }

    /// <summary>True while the machine's clock is held right by NTP, or may be believed without.</summary>
    bool IsSynchronised { get; }

    /// <summary>True while it is NTP that holds it; false where it is only believed.</summary>
    bool IsHeldByNtp => IsSynchronised;

    /// <summary>Name of this start of the machine; another one after every start.</summary>
    string BootId { get; }
}

/// <summary>What holds a station's clock; the numbers are those of the quantity <c>clock_state</c>.</summary>
public enum ClockSource
{
    /// <summary>Nothing yet: it counts from the machine's start.</summary>
    None = 0,

    /// <summary>An answer of the hub.</summary>
    Hub = 1,

    /// <summary>The machine's own clock, believed without NTP.</summary>
    Machine = 2,

    /// <summary>NTP.</summary>
    Ntp = 3,
}

/// <summary>How a station's clock fares.</summary>
/// <param name="Source">What holds it.</param>
/// <param name="SinceConfirmed">Time since that last confirmed it; since the machine's start where nothing ever has.</param>
/// <param name="Stepped">Steps of what holds it, of more than a second, since the agent's start, added up, forward positive.</param>
public readonly record struct ClockState(ClockSource Source, TimeSpan SinceConfirmed, TimeSpan Stepped);

/// <summary>
/// The station's time. Until it is trustworthy, which NTP or an answer of the hub makes it, <see cref="GetUtcNow"/> counts from 1970-01-01 the time since the machine's start;
/// what was taken then is stamped later by the outbox. From then on it follows the machine's clock (or what the hub said) and <b>never goes back</b>: a clock that steps
/// forward is followed at once, one that steps back is waited for at half speed, and <see cref="IsUncertain"/> says so meanwhile. Timers and time stamps are monotonic always.
/// </summary>
public sealed class StationClock : TimeProvider, IDisposable
{
    /// <summary>No reading is older: an instant before it counts from the machine's start.</summary>
    public static readonly DateTime Earliest = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>A machine's clock before this is not believed, whatever it says of itself: the program is younger.</summary>
    public static readonly DateTimeOffset Credible = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Longest round trip to the hub whose answer is believed; half of it is the most it can be wrong by.</summary>
    public static readonly TimeSpan RoundTripMax = TimeSpan.FromSeconds(5);

    /// <summary>A difference from the machine's clock that is a step, not a correction.</summary>
    private static readonly TimeSpan StepMin = TimeSpan.FromSeconds(1);

    /// <summary>How often a clock not yet trusted is looked at.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly IStationTime _machine;
    private readonly TimeProvider _timers;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _trusted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Meter _meter = new("Hub.Edge.Clock");
    private readonly Counter<long> _steps;
    private readonly ITimer _look;

    // Under _gate. Offsets are from the machine's start to 1970.
    private TimeSpan _offset;
    private TimeSpan _first;
    private TimeSpan? _hub;
    private TimeSpan _at;
    private TimeSpan _confirmed;
    private TimeSpan? _looked;
    private TimeSpan? _target;
    private TimeSpan _stepped;
    private ClockSource _source;
    private bool _followsMachine;
    private bool _uncertain;
    private bool _stepping;

    /// <summary>Creates the clock.</summary>
    /// <param name="machine">What the machine knows.</param>
    /// <param name="timers">Timers and monotonic time stamps.</param>
    public StationClock(IStationTime machine, TimeProvider timers)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(timers);
        (_machine, _timers) = (machine, timers);
        _steps = _meter.CreateCounter<long>("clock.steps", "{step}", "Steps of the machine's clock while it was followed, by direction.");
        _meter.CreateObservableGauge("clock.trusted", () => IsTrusted ? 1 : 0, "1", "1 once the time is trustworthy.");
        _look = timers.CreateTimer(_ => GetUtcNow(), null, TimeSpan.Zero, LookInterval);
        GetUtcNow();
    }

    /// <summary>True once the time is trustworthy; it stays so.</summary>
    public bool IsTrusted => _trusted.Task.IsCompleted;

    /// <summary>Completes when the time becomes trustworthy.</summary>
    public Task Trusted => _trusted.Task;

    /// <summary>True while the clock waits for a machine's clock that has stepped back: what is taken now is stamped late by some of the step.</summary>
    public bool IsUncertain
    {
        get
        {
            lock (_gate)
            {
                return _uncertain;
            }
        }
    }

    /// <summary>How it fares.</summary>
    public ClockState State
    {
        get
        {
            lock (_gate)
            {
                Follow();
                return new ClockState(_source, _at - _confirmed, _stepped);
            }
        }
    }

    /// <summary>Name of this start of the machine.</summary>
    public string BootId => _machine.BootId;

    /// <summary>Time since the machine started.</summary>
    public TimeSpan SinceBoot => _machine.SinceBoot;

    /// <inheritdoc/>
    public override long TimestampFrequency => _timers.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => _timers.LocalTimeZone;

    /// <inheritdoc/>
    public override long GetTimestamp() => _timers.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _timers.CreateTimer(callback, state, dueTime, period);

    /// <summary>The station's time; from 1970 the time since the machine's start while that is not known.</summary>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return DateTimeOffset.UnixEpoch + Follow();
        }
    }

    /// <summary>Offers the time the hub gave to a question; half of the round trip is taken to have passed since.</summary>
    /// <param name="asked"><see cref="SinceBoot"/> when the question left.</param>
    /// <param name="hub">What the hub answered.</param>
    /// <param name="answered"><see cref="SinceBoot"/> when the answer came.</param>
    /// <returns>False when the round trip was too long, or what the hub said cannot be; then ask again.</returns>
    public bool Offer(TimeSpan asked, DateTimeOffset hub, TimeSpan answered)
    {
        if (answered < asked || answered - asked > RoundTripMax || hub < Credible || hub.Year > 2099)
        {
            return false;
        }

        lock (_gate)
        {
            _hub = hub - DateTimeOffset.UnixEpoch - ((asked + answered) / 2);
            if (!_followsMachine)
            {
                (_source, _confirmed) = (ClockSource.Hub, answered);
            }

            Follow();
        }

        return true;
    }

    /// <summary>From the machine's start to 1970, as it was when the time became trustworthy: what stamps everything taken before.</summary>
    public bool TryGetStamp([NotNullWhen(true)] out TimeSpan? offset)
    {
        lock (_gate)
        {
            offset = IsTrusted ? _first : null;
            return IsTrusted;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _look.Dispose();
        _meter.Dispose();
    }

    /// <summary>The station's time now, since 1970. Called with _gate held.</summary>
    private TimeSpan Follow()
    {
        var now = _machine.SinceBoot;
        if (now < _at)
        {
            // Two threads asked in one moment and this one's answer is the older: the younger stands.
            now = _at;
        }

        var passed = now - _at;
        _at = now;
        if (!_followsMachine || _looked is not { } looked || now - looked >= LookInterval)
        {
            Look(now);
        }

        TimeSpan? wanted = _followsMachine ? _machine.Wall - DateTimeOffset.UnixEpoch - now : _hub;
        if (wanted is not { } target)
        {
            return now;
        }

        if (_target is { } before && (target - before).Duration() > StepMin)
        {
            _stepped += target - before;
        }

        _target = target;
        if (!IsTrusted)
        {
            (_first, _offset) = (target, target);
            _trusted.TrySetResult();
            return now + _offset;
        }

        var ahead = _offset - target;
        if (TimeSpan.Zero - ahead > StepMin)
        {
            _steps.Add(1, new KeyValuePair<string, object?>("direction", "forward"));
        }

        if (ahead > StepMin && !_stepping)
        {
            _steps.Add(1, new KeyValuePair<string, object?>("direction", "back"));
        }

        _stepping = ahead > StepMin;
        _offset = ahead <= TimeSpan.Zero ? target : TimeSpan.FromTicks(Math.Max(target.Ticks, _offset.Ticks - (passed.Ticks / 2)));
        _uncertain = _offset - target > StepMin;
        return now + _offset;
    }

    /// <summary>Looks at whether the machine's clock may be followed, and still is held. Called with _gate held.</summary>
    private void Look(TimeSpan now)
    {
        _looked = now;
        if (_machine.Wall >= Credible && _machine.IsSynchronised)
        {
            _followsMachine = true;
            (_source, _confirmed) = (_machine.IsHeldByNtp ? ClockSource.Ntp : ClockSource.Machine, now);
        }
    }
}
