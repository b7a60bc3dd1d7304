using System.Text.Json;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts.Storage;

/// <summary>What subscribers have been told of an alarm. Stored: never renumber.</summary>
internal enum Told : byte
{
    /// <summary>Nothing.</summary>
    Nothing = 0,

    /// <summary>That it is active.</summary>
    Started = 1,

    /// <summary>That it has ended.</summary>
    Ended = 2,

    /// <summary>That it was, in the past; with <see cref="AlarmRow.ToldEndedAt"/> null: that it was active when the data stopped.</summary>
    Past = 3,

    /// <summary>That it never was.</summary>
    Withdrawn = 4,

    /// <summary>Nothing, on purpose: found in the past by a rule that somebody has just changed.</summary>
    Hushed = 5,

    /// <summary>Nothing, for it lies within an alarm of a more serious level.</summary>
    Covered = 6,
}

/// <summary>Why an alarm changed. Stored: never renumber.</summary>
internal enum Cause : byte
{
    /// <summary>An observation in order of time.</summary>
    Observation = 1,

    /// <summary>Late or corrected observations.</summary>
    LateData = 2,

    /// <summary>The rule was added, changed or switched on.</summary>
    RuleChanged = 3,

    /// <summary>The rule was removed.</summary>
    RuleRemoved = 4,

    /// <summary>Nothing came for longer than a rule allows.</summary>
    Silence = 5,
}

/// <summary>What happened to an alarm. Stored: never renumber.</summary>
internal enum TransitionKind : byte
{
    /// <summary>It became known.</summary>
    Found = 1,

    /// <summary>It ended.</summary>
    Ended = 2,

    /// <summary>Its times or its peak came out differently.</summary>
    Changed = 3,

    /// <summary>It never was.</summary>
    Withdrawn = 4,

    /// <summary>It was after all.</summary>
    Restored = 5,

    /// <summary>Subscribers are told.</summary>
    Told = 6,
}

/// <summary>A rule as stored.</summary>
internal sealed class RuleRow
{
    private RuleArea? area;

    public int Id { get; set; }
    public string Municipality { get; set; } = "";
    public string Slug { get; set; } = "";
    public string NamePt { get; set; } = "";
    public string NameEn { get; set; } = "";
    public Severity Severity { get; set; }
    public string Property { get; set; } = "";
    public string? Station { get; set; }
    public string? Sensor { get; set; }
    public int? PeriodSeconds { get; set; }
    public Crossing Crossing { get; set; }
    public double SetLevel { get; set; }
    public double ClearLevel { get; set; }
    public long ForTicks { get; set; }
    public bool Enabled { get; set; }

    /// <summary>The stations watch it too.</summary>
    public bool Edge { get; set; }

    public Measure Measure { get; set; }
    public long WindowTicks { get; set; }
    public bool OnClock { get; set; }
    public double Percent { get; set; }
    public double CoverageMin { get; set; }
    public long OffForTicks { get; set; }
    public string Schedule { get; set; } = "";
    public string Source { get; set; } = "";

    /// <summary>The further levels, as JSON; empty for none.</summary>
    public string Levels { get; set; } = "";

    /// <summary>The corners of the area, as JSON: longitude and latitude by turns; empty for everywhere.</summary>
    public string Area { get; set; } = "";

    /// <summary>Slugs of the rules that suppress it, with commas; empty for none.</summary>
    public string SuppressedBy { get; set; } = "";

    /// <summary>Only stations with this tag; null for all.</summary>
    public string? Tag { get; set; }

    /// <summary>Of exceedances: the limit, canonical unit.</summary>
    public double? Limit { get; set; }

    /// <summary>Processing time of the last change that concerns evaluation.</summary>
    public DateTime SavedAt { get; set; }

    /// <summary>Counts those changes.</summary>
    public int Version { get; set; }

    /// <summary>The horizon has not been evaluated with this version yet.</summary>
    public bool Reevaluate { get; set; }

    /// <summary>The rule is gone; the row stays until its open alarms are withdrawn.</summary>
    public bool Removed { get; set; }

    public Rule ToRule() => new(Municipality, Slug, NamePt, NameEn, Severity, Property, Station, Sensor, PeriodSeconds, Crossing, SetLevel, ClearLevel, TimeSpan.FromTicks(ForTicks), Enabled, Edge)
    {
        Measure = Measure,
        Window = TimeSpan.FromTicks(WindowTicks),
        OnClock = OnClock,
        Percent = Percent,
        CoverageMin = CoverageMin,
        OffFor = TimeSpan.FromTicks(OffForTicks),
        Schedule = Schedule,
        Source = Source,
        Levels = FurtherLevels(),
        Area = Corners(),
        SuppressedBy = Parents(),
        Tag = Tag,
        Limit = Limit,
    };

    /// <summary>Slugs of the rules that suppress it.</summary>
    public string[] Parents() => SuppressedBy.Length == 0 ? [] : SuppressedBy.Split(',');

    /// <summary>The area; null for everywhere.</summary>
    public RuleArea? AreaOf() => Area.Length == 0 ? null : area ??= RuleArea.Of(Corners());

    /// <summary>
    /// All levels, the most serious first, with what each is known by in the store: 0 for the rule's own, so that it stays the same when its severity changes, and the severity of a further one.
    /// </summary>
    public IReadOnlyList<(byte Key, RuleLevel Level)> AllLevels() =>
    [
        .. FurtherLevels().Reverse().Select(level => ((byte)level.Severity, level)),
        (0, new RuleLevel(Severity, SetLevel, ClearLevel, TimeSpan.FromTicks(ForTicks), TimeSpan.FromTicks(OffForTicks))),
    ];

    private AreaPoint[] Corners() => Area.Length == 0 ? [] : [.. JsonSerializer.Deserialize<double[]>(Area)!.Chunk(2).Select(corner => new AreaPoint(corner[0], corner[1]))];

    private RuleLevel[] FurtherLevels() => Levels.Length == 0 ? [] : JsonSerializer.Deserialize<RuleLevel[]>(Levels)!;

    /// <summary>Takes over what a rule says, but for its place in the municipality.</summary>
    public void Set(Rule rule)
    {
        (NamePt, NameEn, Severity) = (rule.NamePt, rule.NameEn, rule.Severity);
        (Property, Station, Sensor, PeriodSeconds) = (rule.Property, rule.Station, rule.Sensor, rule.PeriodSeconds);
        (Crossing, SetLevel, ClearLevel, ForTicks, Enabled) = (rule.Crossing, rule.SetLevel, rule.ClearLevel, rule.For.Ticks, rule.Enabled);
        (Measure, WindowTicks, OnClock, Percent, CoverageMin, OffForTicks) = (rule.Measure, rule.Window.Ticks, rule.OnClock, rule.Percent, rule.CoverageMin, rule.OffFor.Ticks);
        (Schedule, Source, Edge) = (rule.Schedule, rule.Source, rule.Edge);
        Levels = rule.Levels.Count == 0 ? "" : JsonSerializer.Serialize(rule.Levels);
        Area = rule.Area.Count == 0 ? "" : JsonSerializer.Serialize(rule.Area.SelectMany(corner => new[] { corner.Longitude, corner.Latitude }));
        area = null;
        SuppressedBy = string.Join(',', rule.SuppressedBy);
        (Tag, Limit) = (rule.Tag, rule.Limit);
    }
}

/// <summary>An alarm as stored, with what was told of it.</summary>
internal sealed class AlarmRow
{
    public string Id { get; set; } = "";
    public string Municipality { get; set; } = "";
    public string Rule { get; set; } = "";
    public string Station { get; set; } = "";
    public int Datastream { get; set; }

    /// <summary>Which level of its rule: see <see cref="RuleRow.AllLevels"/>.</summary>
    public byte Level { get; set; }

    public Severity Severity { get; set; }
    public DateTime ConditionAt { get; set; }
    public DateTime StartedAt { get; set; }
    public DateTime? EndedAt { get; set; }
    public double StartValue { get; set; }
    public double Peak { get; set; }
    public double LastValue { get; set; }
    public DateTime DetectedAt { get; set; }
    public bool Past { get; set; }
    public bool Withdrawn { get; set; }

    /// <summary>Why it changed last.</summary>
    public Cause Cause { get; set; }

    /// <summary>Identifier of the alarm under which subscribers know it: its own, or that of the alarm it came out of when late data moved the start.</summary>
    public string Thread { get; set; } = "";

    /// <summary>Thread of the alarm of another level with which it shares a conversation; null: its own thread.</summary>
    public string? Incident { get; set; }

    public Told Told { get; set; }
    public DateTime? ToldConditionAt { get; set; }
    public DateTime? ToldStartedAt { get; set; }
    public DateTime? ToldEndedAt { get; set; }
    public double ToldPeak { get; set; }

    /// <summary>Messages made in this thread so far.</summary>
    public int ToldCount { get; set; }

    /// <summary>What was told may still differ from what is.</summary>
    public bool Unsettled { get; set; }

    public bool IsOpen => EndedAt is null && !Withdrawn;

    /// <summary>Whether subscribers believe it active.</summary>
    public bool IsBelieved => Told == Told.Started || this is { Told: Told.Past, ToldEndedAt: null };

    public AlarmRow Copy() => (AlarmRow)MemberwiseClone();

    public Episode ToEpisode() => new(ConditionAt, StartedAt, EndedAt, StartValue, Peak, LastValue);

    public void Set(in Episode episode)
    {
        (ConditionAt, StartedAt, EndedAt) = (episode.ConditionAt, episode.StartedAt, episode.EndedAt);
        (StartValue, Peak, LastValue) = (episode.StartValue, episode.Peak, episode.LastValue);
    }

    public Alarm ToAlarm() => new(
        Id, Municipality, Rule, Station, Datastream, Severity, ConditionAt, StartedAt, EndedAt, StartValue, Peak, LastValue, DetectedAt, Past, Withdrawn)
    {
        Thread = Thread,
        Incident = Incident ?? Thread,
    };
}

/// <summary>One thing that happened to an alarm; with a key, also a message that Notifications must get.</summary>
internal sealed class TransitionRow
{
    public long Id { get; set; }
    public string Alarm { get; set; } = "";
    public TransitionKind Kind { get; set; }
    public Cause Cause { get; set; }

    /// <summary>Event time, UTC.</summary>
    public DateTime EventAt { get; set; }

    /// <summary>Processing time, UTC.</summary>
    public DateTime ProcessedAt { get; set; }

    /// <summary>Idempotency key of the message; null when there is none.</summary>
    public string? Key { get; set; }

    /// <summary>The message as JSON; null when there is none.</summary>
    public string? Message { get; set; }

    /// <summary>When Notifications had taken it, UTC; null before.</summary>
    public DateTime? HandedAt { get; set; }
}

/// <summary>A checkpoint of one level of a rule on one datastream, as stored.</summary>
internal sealed class CheckpointRow
{
    public int RuleId { get; set; }
    public int Datastream { get; set; }

    /// <summary>Which level: see <see cref="RuleRow.AllLevels"/>.</summary>
    public byte Level { get; set; }

    public DateTime At { get; set; }
    public Phase Phase { get; set; }
    public DateTime ConditionAt { get; set; }
    public DateTime StartedAt { get; set; }
    public double StartValue { get; set; }
    public double Peak { get; set; }
    public DateTime LastAt { get; set; }
    public double LastValue { get; set; }
    public DateTime ClearAt { get; set; }

    public Checkpoint ToCheckpoint() => new(At, new MachineState(Phase, ConditionAt, StartedAt, StartValue, Peak, LastAt, LastValue) { ClearAt = ClearAt });

    public void Set(in Checkpoint checkpoint)
    {
        var state = checkpoint.State;
        At = checkpoint.At;
        (Phase, ConditionAt, StartedAt, LastAt) = (state.Phase, state.ConditionAt, state.StartedAt, state.LastAt);
        (StartValue, Peak, LastValue, ClearAt) = (state.StartValue, state.Peak, state.LastValue, state.ClearAt);
    }
}

/// <summary>How far evaluation has come; one row.</summary>
internal sealed class CursorRow
{
    public int Id { get; set; }

    /// <summary>Every commit up to this one has been evaluated.</summary>
    public long Commit { get; set; }

    /// <summary>The options that decide what the history is; when they change, everything is evaluated again.</summary>
    public string Settings { get; set; } = "";
}

/// <summary>A datastream that Stations do not know, of which the cursor waits no longer: when it becomes known, it is evaluated from here, also after a start in between.</summary>
internal sealed class UnknownRow
{
    public int Datastream { get; set; }

    /// <summary>Earliest observation that nobody has heeded, UTC.</summary>
    public DateTime From { get; set; }
}
