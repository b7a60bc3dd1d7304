using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Indicators;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>A station with the datastreams of a group.</summary>
/// <param name="Station">The station.</param>
/// <param name="Datastreams">In order of identifier, at least one.</param>
internal sealed record Member(Station Station, IReadOnlyList<Datastream> Datastreams);

/// <summary>
/// Datastreams that are evaluated together by a rule whose measure needs several: those of one station, or those of one quantity all over the municipality. Replaced as a whole when stations change.
/// </summary>
/// <param name="Rule">The rule.</param>
/// <param name="Members">The stations.</param>
/// <param name="Anchors">The datastreams that have alarms, in order of identifier: of a station as a whole its first, which no later one changes; otherwise each that the rule concerns.</param>
/// <param name="Zone">Zone of the clock.</param>
internal sealed record AcrossGroup(RuleRow Rule, IReadOnlyList<Member> Members, IReadOnlyList<Datastream> Anchors, TimeZoneInfo Zone)
{
    /// <summary>Identifiers of all its datastreams.</summary>
    public IEnumerable<int> Ids => Members.SelectMany(member => member.Datastreams).Select(datastream => datastream.Id);

    public TimeSpan Window { get; } = TimeSpan.FromTicks(Rule.WindowTicks);

    /// <summary>Windows of the clock; null for silence.</summary>
    public ClockWindows? Clock { get; } = Rule.Measure.IsSilence() ? null : new ClockWindows(TimeSpan.FromTicks(Rule.WindowTicks), Zone);

    /// <summary>The datastreams whose observations close the windows of an anchor: of a station as a whole all of it, otherwise its own.</summary>
    public IReadOnlyList<Datastream> ClosersOf(Datastream anchor) => Rule.Measure.IsOfStation() ? Members[0].Datastreams : [anchor];

    /// <summary>Whether a datastream can be in a group of a measure.</summary>
    public static bool Takes(RuleRow rule, Datastream datastream) => rule.Measure switch
    {
        Measure.Offline => true,
        Measure.AirIndex => AirIndex.PollutantOf(datastream.Quantity.Id) is not null && datastream.Period <= TimeSpan.FromTicks(rule.WindowTicks),
        _ => rule.Property == datastream.Quantity.Id && datastream.Period <= TimeSpan.FromTicks(rule.WindowTicks) && (rule.PeriodSeconds is null || rule.PeriodSeconds == (int)datastream.Period.TotalSeconds),
    };
}

/// <summary>A pair whose measure needs several datastreams. It belongs to one of them, its anchor.</summary>
internal sealed class AcrossPair(RuleRow rule, byte key, RuleLevel level, AcrossPair? above, Datastream datastream, Presence? presence, AlertsOptions options, AcrossGroup group)
    : Pair(rule, key, level, above, datastream, presence, options, group.Zone)
{
    /// <summary>What it is made of.</summary>
    public AcrossGroup Group { get; set; } = group;

    /// <summary>Of a station's silence: since when it is known that there was none; <see cref="DateTime.MaxValue"/> when that is not known.</summary>
    public DateTime HeardFrom { get; set; } = DateTime.MaxValue;
}

/// <summary>What a change of several datastreams means for one pair.</summary>
internal sealed class AcrossNote : ChangeNote
{
    /// <summary>Latest observation of those that close its windows; <see cref="DateTime.MinValue"/>: none came; null: not known.</summary>
    public DateTime? Tip { get; private set; } = DateTime.MinValue;

    /// <summary>Of silence: end of the latest averaging period of what changed; of use only when the latest change is known.</summary>
    public DateTime HeardTo { get; private set; } = DateTime.MinValue;

    /// <summary>Whether there is any news.</summary>
    public bool IsNews => From < DateTime.MaxValue || Tip != DateTime.MinValue;

    /// <summary>
    /// Whether a change of one of its datastreams can matter to a pair: whatever closes its windows, and otherwise what lies in a window that is closed. Of a window that is still being filled nothing is made yet.
    /// </summary>
    public static bool Matters(AcrossPair pair, Datastream changed, ChangeNote note) =>
        note.From == DateTime.MaxValue ? changed.Id == pair.Datastream.Id : Closes(pair, changed) || IsLate(pair, note.From);

    /// <summary>Takes a change that matters.</summary>
    public void Take(AcrossPair pair, Datastream changed, ChangeNote note)
    {
        if (note.From == DateTime.MaxValue)
        {
            return;
        }

        if (pair.Machine.IsSilence)
        {
            AddStretch(note.From, note.To);
            HeardTo = note.To is { } latest && latest < DateTime.MaxValue - changed.Period && latest + changed.Period > HeardTo ? latest + changed.Period : HeardTo;
            return;
        }

        if (Closes(pair, changed))
        {
            Tip = Tip is { } one && note.To is { } two ? (one > two ? one : two) : null;
        }

        if (IsLate(pair, note.From))
        {
            AddStretch(note.From, note.To);
        }
    }

    private static bool Closes(AcrossPair pair, Datastream changed) => pair.Group.Rule.Measure.IsOfStation() || changed.Id == pair.Datastream.Id;

    private static bool IsLate(AcrossPair pair, DateTime from) => !pair.Loaded || pair.Group.Clock is not { } clock || clock.Around(from).End <= pair.SeenTo;
}
