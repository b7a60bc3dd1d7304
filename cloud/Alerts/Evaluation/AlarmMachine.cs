using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Where a datastream stands against a rule. Stored in checkpoints: never renumber.</summary>
internal enum Phase : byte
{
    /// <summary>The condition does not hold.</summary>
    Normal = 0,

    /// <summary>The condition holds, but not yet for the rule's duration.</summary>
    Pending = 1,

    /// <summary>The alarm is active.</summary>
    Active = 2,
}

/// <summary>What one observation did.</summary>
internal enum Step : byte
{
    /// <summary>No alarm started or ended.</summary>
    Nothing,

    /// <summary>The alarm started at this observation.</summary>
    Started,

    /// <summary>The alarm ended at this observation.</summary>
    Ended,

    /// <summary>What was taken for silence was none: the alarm never was.</summary>
    Undone,
}

/// <summary>One alarm in event time, as the machine sees it. Values in the canonical unit of the datastream's quantity.</summary>
/// <param name="ConditionAt">When the condition began to hold, UTC.</param>
/// <param name="StartedAt">When it had held for the rule's duration, UTC.</param>
/// <param name="EndedAt">Phenomenon time of the observation that ended it, UTC; null while open.</param>
/// <param name="StartValue">Value at <paramref name="StartedAt"/>.</param>
/// <param name="Peak">Most extreme value since <paramref name="ConditionAt"/>.</param>
/// <param name="LastValue">Latest value seen; the ending one when it has ended.</param>
internal readonly record struct Episode(DateTime ConditionAt, DateTime StartedAt, DateTime? EndedAt, double StartValue, double Peak, double LastValue);

/// <summary>All the machine remembers between two observations: a value, so that a copy is a snapshot. The default is the state before any observation.</summary>
/// <param name="Phase">Where it stands.</param>
/// <param name="ConditionAt">When the condition began to hold; default when normal.</param>
/// <param name="StartedAt">When the alarm started; default unless active.</param>
/// <param name="StartValue">Value at the start; 0 unless active.</param>
/// <param name="Peak">Most extreme value since the condition began; 0 when normal.</param>
/// <param name="LastAt">Phenomenon time of the latest observation taken; default before the first.</param>
/// <param name="LastValue">Its value.</param>
internal readonly record struct MachineState(Phase Phase, DateTime ConditionAt, DateTime StartedAt, double StartValue, double Peak, DateTime LastAt, double LastValue)
{
    /// <summary>When the value of an active alarm came to the clear level and stayed there; of a station's silence the end of the latest period; default otherwise.</summary>
    public DateTime ClearAt { get; init; }

    /// <summary>The open episode of an active state.</summary>
    public Episode Open => new(ConditionAt, StartedAt, null, StartValue, Peak, LastValue);
}

/// <summary>
/// The condition of a rule on one datastream, and the pure step from one observation to the next. Fed in order of phenomenon time; knows no clock.
/// </summary>
/// <param name="Crossing">Side of the level on which the condition holds.</param>
/// <param name="SetLevel">At or beyond it the condition holds.</param>
/// <param name="ClearLevel">At or on the other side of it an active alarm ends; between the two the state stays.</param>
/// <param name="For">Event time the condition must hold before the alarm starts.</param>
/// <param name="GapMax">
/// Longest time between two observations over which a pending condition is believed to have held. Past it the wait begins anew at the observation after the gap: nothing
/// is known of the time between. An active alarm is not touched by gaps: no data is no opinion.
/// </param>
/// <param name="Ignored">Observations with any of these flags are passed over as if they were not there.</param>
internal sealed record AlarmMachine(Crossing Crossing, double SetLevel, double ClearLevel, TimeSpan For, TimeSpan GapMax, Quality Ignored)
{
    /// <summary>Event time the value must stay at or beyond the clear level before the alarm ends; zero: at once.</summary>
    public TimeSpan OffFor { get; init; }

    /// <summary>Whether observations count whatever is known against them, because that is what is measured.</summary>
    public bool TakesAll { get; init; }

    /// <summary>Whether the condition holds beyond the set level only, not at it: of what is allowed, so much is allowed.</summary>
    public bool IsStrict { get; init; }

    /// <summary>Of a rule about silence: time from one observation to the next beyond which there was none; zero for a rule about values. Values and flags do not matter then.</summary>
    public TimeSpan Silence { get; init; }

    /// <summary>Of silence: whether the value of an observation is its averaging period, seconds, and silence counts from the end of the latest period (<see cref="MachineState.ClearAt"/>) instead of from the latest observation.</summary>
    public bool CountsFromPeriods { get; init; }

    /// <summary>Whether the rule is about silence.</summary>
    public bool IsSilence => Silence > TimeSpan.Zero;

    private double Sign => Crossing == Crossing.Above ? 1 : -1;

    /// <summary>Whether the condition holds at a value.</summary>
    public bool Holds(double value) => IsStrict ? Sign * value > Sign * SetLevel : Sign * value >= Sign * SetLevel;

    /// <summary>Whether a value ends an active alarm.</summary>
    public bool Clears(double value) => Sign * value <= Sign * ClearLevel;

    /// <summary>
    /// Whether an observation says anything about the condition. A saturated value is only a lower bound of the truth and an under-range value only an upper bound: each counts
    /// where the bound decides whether the condition holds, and is passed over where it does not.
    /// </summary>
    public bool Takes(double value, Quality quality)
    {
        if (IsSilence || TakesAll)
        {
            return true;
        }

        if (!double.IsFinite(value) || (quality & Ignored) != 0)
        {
            return false;
        }

        var (outer, inner) = Crossing == Crossing.Above ? (Quality.Saturated, Quality.UnderRange) : (Quality.UnderRange, Quality.Saturated);
        return Holds(value) ? (quality & inner) == 0 : (quality & outer) == 0;
    }

    /// <summary>Takes one observation, later than <see cref="MachineState.LastAt"/> and accepted by <see cref="Takes"/>.</summary>
    /// <param name="state">Replaced by the state after it.</param>
    /// <param name="at">Phenomenon time, UTC.</param>
    /// <param name="value">Result.</param>
    /// <param name="ended">The episode, when the answer is <see cref="Step.Ended"/>.</param>
    public Step Take(ref MachineState state, DateTime at, double value, out Episode ended)
    {
        ended = default;
        var before = state;
        if (IsSilence)
        {
            return TakeAfterSilence(ref state, at, value, out ended);
        }

        if (before.Phase == Phase.Active)
        {
            if (!Clears(value))
            {
                state = before with { Peak = Worse(before.Peak, value), LastAt = at, LastValue = value, ClearAt = default };
                return Step.Nothing;
            }

            // As of a pending condition: nothing is known of a longer gap.
            var clearAt = before.ClearAt != default && at - before.LastAt <= GapMax ? before.ClearAt : at;
            if (at - clearAt >= OffFor)
            {
                ended = before.Open with { EndedAt = at, LastValue = value };
                state = default(MachineState) with { LastAt = at, LastValue = value };
                return Step.Ended;
            }

            state = before with { LastAt = at, LastValue = value, ClearAt = clearAt };
            return Step.Nothing;
        }

        if (!Holds(value))
        {
            state = default(MachineState) with { LastAt = at, LastValue = value };
            return Step.Nothing;
        }

        var goesOn = before.Phase == Phase.Pending && at - before.LastAt <= GapMax;
        var conditionAt = goesOn ? before.ConditionAt : at;
        var peak = goesOn ? Worse(before.Peak, value) : value;
        if (at - conditionAt >= For)
        {
            state = new MachineState(Phase.Active, conditionAt, at, value, peak, at, value);
            return Step.Started;
        }

        state = new MachineState(Phase.Pending, conditionAt, default, 0, peak, at, value);
        return Step.Nothing;
    }

    /// <summary>Takes an observation at which the rule is not in force: it ends what is open or pending, whatever its value.</summary>
    /// <param name="state">Replaced by the state after it.</param>
    /// <param name="at">Phenomenon time, UTC.</param>
    /// <param name="value">Result; the last value of what ends.</param>
    /// <param name="ended">The episode, when the answer is <see cref="Step.Ended"/>.</param>
    public static Step Rest(ref MachineState state, DateTime at, double value, out Episode ended)
    {
        var wasActive = state.Phase == Phase.Active;
        ended = wasActive ? state.Open with { EndedAt = at, LastValue = value } : default;
        state = default(MachineState) with { LastAt = at, LastValue = value };
        return wasActive ? Step.Ended : Step.Nothing;
    }

    /// <summary>Until when a state knows of something that was measured; silence counts from here.</summary>
    public DateTime HeardTo(in MachineState state) => CountsFromPeriods ? state.ClearAt : state.LastAt;

    /// <summary>Notes that there is silence up to an instant; true when an alarm starts by it. Only of a rule about silence.</summary>
    /// <param name="state">State after the latest observation; replaced when the alarm starts.</param>
    /// <param name="watermark">Instant up to which nothing came, UTC.</param>
    public bool Hush(ref MachineState state, DateTime watermark)
    {
        var heardTo = HeardTo(state);
        if (!IsSilence || state.Phase != Phase.Normal || state.LastAt == default || watermark <= heardTo + Silence)
        {
            return false;
        }

        var minutes = Silence.TotalMinutes;
        state = new MachineState(Phase.Active, heardTo, heardTo + Silence, minutes, minutes, state.LastAt, minutes) { ClearAt = state.ClearAt };
        return true;
    }

    private Step TakeAfterSilence(ref MachineState state, DateTime at, double period, out Episode ended)
    {
        ended = default;
        var (before, heardTo) = (state, HeardTo(state));
        state = default(MachineState) with { LastAt = at };
        if (CountsFromPeriods)
        {
            var end = at + TimeSpan.FromSeconds(period);
            state = state with { ClearAt = end > heardTo ? end : heardTo };
        }

        if (before.LastAt == default || at - heardTo <= Silence)
        {
            return before.Phase == Phase.Active ? Step.Undone : Step.Nothing;
        }

        // The same whether somebody had noted the silence before or not.
        var (limit, minutes) = (Silence.TotalMinutes, (at - heardTo).TotalMinutes);
        ended = new Episode(heardTo, heardTo + Silence, at, limit, minutes, minutes);
        return Step.Ended;
    }

    private double Worse(double one, double other) => Crossing == Crossing.Above ? Math.Max(one, other) : Math.Min(one, other);
}
