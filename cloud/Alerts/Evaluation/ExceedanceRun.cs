using Hub.Cloud.Indicators;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>How far the exceedances of a datastream are counted.</summary>
/// <param name="OpenFrom">Begin of the window that is being filled, UTC: all before it are counted; default when nothing is.</param>
/// <param name="OpenTo">Its end, UTC.</param>
/// <param name="Count">The count of all windows before it.</param>
internal readonly record struct CountedTo(DateTime OpenFrom, DateTime OpenTo, YearCount Count)
{
    /// <summary>Places from which a count can go on, in order of time; null for none.</summary>
    public IReadOnlyList<CountMark>? Marks { get; init; }
}

/// <summary>A place from which a count can go on when something later has changed.</summary>
/// <param name="From">Begin of a window, UTC.</param>
/// <param name="Count">The count of all windows before it.</param>
/// <param name="State">State of the machine after them.</param>
internal readonly record struct CountMark(DateTime From, YearCount Count, MachineState State);

/// <summary>
/// Counts exceedances from the means that the series gives, and runs a machine over the counts. A mean is a function of the observations in its window to the last bit, and a count of the means of its year, so neither hangs
/// on where a run begins. A window is counted when an observation after it has come.
/// </summary>
/// <param name="Series">What is stored.</param>
/// <param name="Pair">The pair; its signal is about <see cref="Measure.Exceedances"/>.</param>
/// <param name="Ignored">Observations with any of these flags are left out.</param>
internal sealed record ExceedanceRun(ISeries Series, Pair Pair, Quality Ignored)
{
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    /// <summary>For so long back there is a mark a day, before that one a month: two kilobytes for each pair, and a backlog of some days that drains does not count the year anew with each of its packs.</summary>
    private static readonly TimeSpan DailyMarks = TimeSpan.FromDays(8);

    /// <summary>State to begin with.</summary>
    public MachineState State { get; init; }

    /// <summary>How far exceedances are counted; default to count from <see cref="RunAsync"/>'s begin.</summary>
    public CountedTo Counted { get; init; }

    /// <summary>Windows that end at or before it are counted, but not given to the machine; UTC.</summary>
    public DateTime StepFrom { get; init; }

    /// <summary>Counts.</summary>
    /// <param name="from">Begin of a window, UTC.</param>
    /// <param name="to">End of what is known, exclusive, UTC.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public async ValueTask<(FoldResult Fold, CountedTo Counted)> RunAsync(DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var (signal, machine) = (Pair.Signal, Pair.Machine);
        var query = new AggregateQuery(Pair.Datastream.Id, from, to, new BucketWidth(signal.Window, signal.Zone), Statistics.Of(signal.Averaging), Ignored) { Cadence = signal.Period };
        var buckets = to > from ? await Series.AggregateAsync(query, cancellationToken).ConfigureAwait(false) : [];
        var (state, counted, episodes, hasTransitions) = (State, Counted, new List<Episode>(), false);
        List<CountMark> marks = [.. counted.Marks ?? []];
        for (var i = 0; i < buckets.Count; i++)
        {
            var bucket = buckets[i];
            if (i == buckets.Count - 1)
            {
                counted = counted with { OpenFrom = bucket.Start, OpenTo = bucket.End };
                break;
            }

            if (marks.Count == 0 || bucket.Start.Date > marks[^1].From.Date)
            {
                marks.Add(new CountMark(bucket.Start, counted.Count, state));
            }

            Take(bucket);
        }

        counted = counted with { Marks = Thinned(marks, to - DailyMarks) };

        if (state.Phase == Phase.Active)
        {
            episodes.Add(state.Open);
        }

        return (new FoldResult(state, episodes, [], default, null, buckets.Sum(bucket => bucket.Count), to.AddTicks(-TimeSpan.TicksPerMicrosecond), hasTransitions), counted);

        void Take(in Bucket bucket)
        {
            // A window during which the station came or went says nothing; one that it was elsewhere ends what is open.
            var isThere = signal.Presence?.CoversAll(bucket.Start, bucket.End) ?? (signal.Presence is null ? true : null);
            var before = counted.Count;
            if (isThere == true
                && Exceedances.TryCount(before, new WindowMean(bucket.Start, bucket.End, bucket.Value, bucket.Coverage), signal.Limit, signal.CoverageMin, signal.Zone, out var after))
            {
                counted = counted with { Count = after };
                if (bucket.End > StepFrom)
                {
                    if (before.Year != after.Year && before.Year != 0)
                    {
                        Note(AlarmMachine.Rest(ref state, bucket.End, after.Count, out var last), last);
                    }

                    Note(machine.Take(ref state, bucket.End, after.Count, out var ended), ended);
                }
            }
            else if (isThere == false && bucket.End > StepFrom)
            {
                Note(AlarmMachine.Rest(ref state, bucket.End, before.Count, out var last), last);
            }
        }

        void Note(Step step, in Episode ended)
        {
            hasTransitions |= step != Step.Nothing;
            if (step == Step.Ended)
            {
                episodes.Add(ended);
            }
        }
    }

    private static List<CountMark> Thinned(List<CountMark> marks, DateTime dailyFrom)
    {
        List<CountMark> kept = new(marks.Count);
        foreach (var mark in marks)
        {
            if (mark.From >= dailyFrom || kept.Count == 0 || kept[^1].From.Month != mark.From.Month)
            {
                kept.Add(mark);
            }
        }

        return kept;
    }

    /// <summary>The begin of the local calendar year of an instant, UTC.</summary>
    public static DateTime YearBegin(DateTime at, TimeZoneInfo zone)
    {
        var first = new DateTime(Exceedances.YearOf(at, zone), 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var about = first - zone.GetUtcOffset(first);
        return SignalWindow.Time(new BucketEdges(OneDay, zone).Around(SignalWindow.Micros(about)).Start);
    }
}
