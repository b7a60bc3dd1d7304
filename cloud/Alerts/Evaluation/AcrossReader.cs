using System.Runtime.CompilerServices;
using Hub.Cloud.Indicators;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>How far the datastreams that close a pair's windows have come; found when it is not known.</summary>
internal sealed class AcrossTip
{
    /// <summary>Time of their latest observation; null: not known yet.</summary>
    public DateTime? At { get; set; }
}

/// <summary>
/// Makes one stream out of several datastreams, which the machine takes like the observations of one: of silence their times with their periods, of windows of the clock what each closed one measures, at
/// its end. A function of the observations alone. Used by one caller at a time.
/// </summary>
internal sealed class AcrossReader(ISeries series, PlaceBook places, WindowMeans means)
{
    /// <summary>Other stations that must say something, for the municipality's median.</summary>
    public const int MunicipalityMin = 3;

    /// <summary>Most neighbours compared with, the nearest first.</summary>
    public const int NeighboursMax = 5;

    /// <summary>How far a neighbour may stand, metres.</summary>
    public const double NeighbourMetres = 3_000;

    /// <summary>Windows are read by the day, so that a run that stops early has not read all.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromDays(1);

    /// <summary>What is in [from, to), in order of time.</summary>
    /// <param name="group">The group.</param>
    /// <param name="anchor">The datastream whose pair it is.</param>
    /// <param name="signal">What the pair's machine is given.</param>
    /// <param name="from">Begin.</param>
    /// <param name="to">End, exclusive.</param>
    /// <param name="tip">How far the windows are closed; of silence it is not used.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public IAsyncEnumerable<Observation> ReadAsync(AcrossGroup group, Datastream anchor, Signal signal, DateTime from, DateTime to, AcrossTip tip, CancellationToken cancellationToken) =>
        group.Clock is null ? TimesAsync(group, anchor, from, to, cancellationToken) : PointsAsync(group, group.Clock, anchor, signal, from, to, tip, cancellationToken);

    /// <summary>Time of the latest observation in [from, to) of those that close the windows; <see cref="DateTime.MinValue"/> when there is none.</summary>
    public async ValueTask<DateTime> TipAsync(AcrossGroup group, Datastream anchor, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var tip = DateTime.MinValue;
        foreach (var closer in group.ClosersOf(anchor))
        {
            await foreach (var observation in series.RangeAsync(closer.Id, from, to, cancellationToken).ConfigureAwait(false))
            {
                tip = observation.PhenomenonTime > tip ? observation.PhenomenonTime : tip;
            }
        }

        return tip;
    }

    /// <summary>The times of all observations of a station, with their periods in seconds.</summary>
    private async IAsyncEnumerable<Observation> TimesAsync(AcrossGroup group, Datastream anchor, DateTime from, DateTime to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var streams = new List<(IAsyncEnumerator<Observation> Next, double Seconds)>();
        try
        {
            var queue = new PriorityQueue<int, (DateTime, int)>();
            foreach (var datastream in group.Members[0].Datastreams)
            {
                var stream = series.RangeAsync(datastream.Id, from, to, cancellationToken).GetAsyncEnumerator(cancellationToken);
                streams.Add((stream, datastream.Period.TotalSeconds));
                await PushAsync(streams.Count - 1).ConfigureAwait(false);
            }

            while (queue.TryDequeue(out var at, out _))
            {
                var (next, seconds) = streams[at];
                yield return new Observation(anchor.Id, next.Current.PhenomenonTime, seconds, Quality.Good);
                await PushAsync(at).ConfigureAwait(false);
            }

            async ValueTask PushAsync(int at)
            {
                if (await streams[at].Next.MoveNextAsync().ConfigureAwait(false))
                {
                    queue.Enqueue(at, (streams[at].Next.Current.PhenomenonTime, at));
                }
            }
        }
        finally
        {
            foreach (var (stream, _) in streams)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>What each window measures that has closed, at its end. One that lies out of the rule's times or area is there whenever something was observed in it: it ends what is open.</summary>
    private async IAsyncEnumerable<Observation> PointsAsync(
        AcrossGroup group, ClockWindows clock, Datastream anchor, Signal signal, DateTime from, DateTime to, AcrossTip tip, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A window that ends at the begin is the first: it began before.
        from = from > DateTime.UnixEpoch ? from : DateTime.UnixEpoch;
        var start = clock.Around(from.AddTicks(from == DateTime.UnixEpoch ? 0 : -1)).Start;
        start = start > DateTime.UnixEpoch ? start : DateTime.UnixEpoch;
        tip.At ??= await TipAsync(group, anchor, start, to, cancellationToken).ConfigureAwait(false);
        if (tip.At <= start)
        {
            yield break;
        }

        // Before the first observation there are no windows, and there may be years without any.
        var until = clock.Around(tip.At.Value).Start;
        start = await FirstAsync(group, clock, anchor, start, until, cancellationToken).ConfigureAwait(false);
        while (start < until)
        {
            var next = clock.Around(start + Step);
            var end = next.Start > start ? next.Start : next.End;
            end = end < until ? end : until;
            var known = new Dictionary<int, IReadOnlyDictionary<DateTime, double>>();
            foreach (var datastream in group.Rule.Measure.IsOfStation() ? group.Members[0].Datastreams : group.Members.SelectMany(member => member.Datastreams).Where(one => one.Id == anchor.Id || one.Station.Id != anchor.Station.Id))
            {
                var key = new MeansKey(datastream.Id, signal.Window.Ticks, signal.CoverageMin, signal.Zone);
                known[datastream.Id] = await means.OfAsync(datastream, key, start, end, cancellationToken).ConfigureAwait(false);
            }

            while (start < end)
            {
                var window = clock.Around(start);
                if (window.End >= to)
                {
                    yield break;
                }

                var isThere = group.ClosersOf(anchor).Any(closer => known[closer.Id].ContainsKey(window.End));
                if (window.End >= from && isThere)
                {
                    var measure = group.Rule.Measure == Measure.AirIndex ? ClassOf(group, known, window.End) : DifferenceOf(group, anchor, known, window);
                    if (measure is not null || !signal.Covers(window.End))
                    {
                        yield return new Observation(anchor.Id, window.End, measure ?? 0, Quality.Good);
                    }
                }

                start = window.End;
            }
        }
    }

    /// <summary>Begin of the window of the first observation in [start, until) of those that close the windows; <paramref name="until"/> when there is none.</summary>
    private async ValueTask<DateTime> FirstAsync(AcrossGroup group, ClockWindows clock, Datastream anchor, DateTime start, DateTime until, CancellationToken cancellationToken)
    {
        var first = until;
        foreach (var closer in group.ClosersOf(anchor))
        {
            await foreach (var observation in series.RangeAsync(closer.Id, start, first, cancellationToken).ConfigureAwait(false))
            {
                first = clock.Around(observation.PhenomenonTime).Start;
                break;
            }
        }

        return first > start ? first : start;
    }

    private static double? ClassOf(AcrossGroup group, Dictionary<int, IReadOnlyDictionary<DateTime, double>> known, DateTime end)
    {
        double? Average(AirPollutant pollutant) =>
            MeanOf(group.Members[0].Datastreams.Where(datastream => AirIndex.PollutantOf(datastream.Quantity.Id) == pollutant), known, end);

        return AirIndex.Of(new AirAverages(
            Average(AirPollutant.Ozone), Average(AirPollutant.NitrogenDioxide), Average(AirPollutant.SulphurDioxide), Average(AirPollutant.Pm10), Average(AirPollutant.Pm25)))?.Class;
    }

    private double? DifferenceOf(AcrossGroup group, Datastream anchor, Dictionary<int, IReadOnlyDictionary<DateTime, double>> known, (DateTime Start, DateTime End) window)
    {
        if (MeanOf([anchor], known, window.End) is not { } own)
        {
            return null;
        }

        var others = group.Members.Where(member => member.Station.Id != anchor.Station.Id);
        List<double> found;
        if (group.Rule.Measure == Measure.DifferenceToMunicipality)
        {
            found = [.. others.Select(member => MeanOf(member.Datastreams, known, window.End)).OfType<double>()];
        }
        else
        {
            var here = places.PlaceOf(anchor.Station, window.Start);
            found =
            [
                .. others.Select(member => (Metres: Metres(here, places.PlaceOf(member.Station, window.Start)), Member: member))
                    .Where(one => one.Metres <= NeighbourMetres)
                    .OrderBy(one => one.Metres).ThenBy(one => one.Member.Station.Id)
                    .Select(one => MeanOf(one.Member.Datastreams, known, window.End)).OfType<double>().Take(NeighboursMax),
            ];
        }

        if (found.Count < (group.Rule.Measure == Measure.DifferenceToMunicipality ? MunicipalityMin : 1))
        {
            return null;
        }

        found.Sort();
        return own - ((found[(found.Count - 1) / 2] + found[found.Count / 2]) / 2);
    }

    /// <summary>The mean of the first datastream that says something in the window that ends at an instant.</summary>
    private static double? MeanOf(IEnumerable<Datastream> datastreams, Dictionary<int, IReadOnlyDictionary<DateTime, double>> known, DateTime end)
    {
        foreach (var datastream in datastreams)
        {
            if (known[datastream.Id].TryGetValue(end, out var mean) && double.IsFinite(mean))
            {
                return mean;
            }
        }

        return null;
    }

    private static double Metres(AreaPoint one, AreaPoint other) => Distance.Metres(one.Latitude, one.Longitude, other.Latitude, other.Longitude);
}
