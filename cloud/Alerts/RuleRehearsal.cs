using System.Globalization;
using System.Runtime.CompilerServices;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts;

/// <summary>Runs a rule over what is stored without storing or telling anything: the same machine over the same observations as the evaluator's. Safe for concurrent callers.</summary>
internal sealed class RuleRehearsal(ISeries series, IStations stations, PlaceBook places, IMunicipalityDirectory municipalities, TimeProvider time, IOptions<AlertsOptions> options)
{
    private readonly ISeries stored = series.Stored();

    /// <inheritdoc cref="IAlerts.RehearseAsync"/>
    public async ValueTask<Rehearsal> RunAsync(Rule rule, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        to = to < now ? to : now;
        if (from >= to)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"From must be before the end and before now, but is {from:O}."), nameof(from));
        }

        var row = new RuleRow { Municipality = rule.Municipality, Slug = rule.Slug };
        row.Set(rule);
        if (rule.Area.Count > 0 || rule.Measure == Measure.DifferenceToNeighbours)
        {
            await places.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }

        var book = new PairBook(stations, places, municipalities, options.Value);
        var alarms = new PriorityQueue<Alarm, (DateTime, string)>();
        var (count, datastreams, observations, active) = (0, 0, new Counter(options.Value.RehearsalObservationsMax), TimeSpan.Zero);
        var means = new WindowMeans(stored, options.Value.IgnoreQuality) { OnRead = () => observations.Add(1) };
        var across = new AcrossReader(stored, places, means);
        foreach (var datastream in book.Concerned(row))
        {
            datastreams++;
            var levels = book.Loose(row, datastream);
            var found = await EpisodesAsync(levels, across, from, to, observations, cancellationToken).ConfigureAwait(false);
            active += Covered(found.SelectMany(episodes => episodes), to);
            foreach (var (pair, episode) in levels.Zip(found).SelectMany(level => level.Second.Select(episode => (level.First, episode))))
            {
                count++;
                var alarm = Row(pair, episode, now).ToAlarm();
                alarms.Enqueue(alarm, (alarm.StartedAt, alarm.Id));
                if (alarms.Count > countMax)
                {
                    alarms.Dequeue();
                }
            }
        }

        var listed = new List<Alarm>(alarms.Count);
        while (alarms.TryDequeue(out var alarm, out _))
        {
            listed.Add(alarm);
        }

        listed.Reverse();
        return new Rehearsal(listed, count, datastreams, observations.Count, datastreams == 0 ? 0 : active / ((to - from) * datastreams));
    }

    /// <summary>The episodes of each level of a rule on one datastream.</summary>
    private async ValueTask<IReadOnlyList<IReadOnlyList<Episode>>> EpisodesAsync(Pair[] levels, AcrossReader across, DateTime from, DateTime to, Counter observations, CancellationToken cancellationToken)
    {
        if (levels[0].Signal.Measure == Measure.Exceedances)
        {
            return await ExceedancesAsync(levels, from, to, observations, cancellationToken).ConfigureAwait(false);
        }

        // The window is full by then, as it would have been. Silence that began before counts from the last observation.
        var (machine, signal) = (levels[0].Machine, levels[0].Signal);
        var begin = from - (machine.IsSilence ? machine.Silence : signal.Reach);
        if (levels[0] is AcrossPair several)
        {
            // Of silence, what began before may have been heard of by a long period.
            begin -= machine.IsSilence ? several.Group.Members[0].Datastreams.Max(datastream => datastream.Period) : TimeSpan.Zero;
            var points = across.ReadAsync(several.Group, several.Datastream, signal, begin, to, new AcrossTip(), cancellationToken);
            var found = await Fold.EachAsync(levels.Select(pair => pair.Machine), signal, new FoldStart(default, from.Date), machine.IsSilence ? Counted(points, observations, cancellationToken) : points, cancellationToken).ConfigureAwait(false);
            var last = found[0].State;
            return machine.Hush(ref last, to) ? [[.. found[0].Episodes, last.Open]] : [.. found.Select(fold => fold.Episodes)];
        }

        var folds = await Fold.EachAsync(
            levels.Select(pair => pair.Machine), signal, new FoldStart(default, from.Date, signal.IsPlain ? default : from),
            Counted(stored.RangeAsync(levels[0].Datastream.Id, begin, to, cancellationToken), observations, cancellationToken), cancellationToken).ConfigureAwait(false);
        var state = folds[0].State;
        return machine.Hush(ref state, to) ? [[.. folds[0].Episodes, state.Open]] : [.. folds.Select(fold => fold.Episodes)];
    }

    /// <summary>The episodes of exceedances: counted from the begin of the year, judged from <paramref name="from"/> on.</summary>
    private async ValueTask<IReadOnlyList<IReadOnlyList<Episode>>> ExceedancesAsync(Pair[] levels, DateTime from, DateTime to, Counter observations, CancellationToken cancellationToken)
    {
        List<IReadOnlyList<Episode>> found = [];
        foreach (var pair in levels)
        {
            var run = new ExceedanceRun(stored, pair, options.Value.IgnoreQuality) { StepFrom = from };
            var (fold, _) = await run.RunAsync(ExceedanceRun.YearBegin(from, pair.Signal.Zone), to, cancellationToken).ConfigureAwait(false);
            observations.Add(pair.Above is null ? fold.Count : 0);
            found.Add(fold.Episodes);
        }

        return found;
    }

    /// <summary>Time in which at least one of the episodes was open.</summary>
    private static TimeSpan Covered(IEnumerable<Episode> episodes, DateTime to)
    {
        var (covered, until) = (TimeSpan.Zero, DateTime.MinValue);
        foreach (var episode in episodes.OrderBy(episode => episode.StartedAt))
        {
            var (begin, end) = (episode.StartedAt > until ? episode.StartedAt : until, episode.EndedAt ?? to);
            if (end > begin)
            {
                covered += end - begin;
                until = end;
            }
        }

        return covered;
    }

    private static async IAsyncEnumerable<Observation> Counted(IAsyncEnumerable<Observation> source, Counter counter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var observation in source.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            counter.Add();
            yield return observation;
        }
    }

    private static AlarmRow Row(Pair pair, in Episode episode, DateTime now)
    {
        var row = EpisodeDiff.New(pair.Origin, episode, now, now - pair.Terms.StaleAfter - pair.Datastream.Period, Cause.Observation);
        row.Unsettled = false;
        return row;
    }

    private sealed class Counter(long max)
    {
        public long Count { get; private set; }

        public void Add(long more = 1)
        {
            Count += more;
            if (Count > max)
            {
                throw new RehearsalTooLargeException(string.Create(
                    CultureInfo.InvariantCulture, $"The rule concerns more than {max} observations in that time ({AlertsOptions.Section}:{nameof(AlertsOptions.RehearsalObservationsMax)}): ask for fewer days, or for one station."));
            }
        }
    }
}
