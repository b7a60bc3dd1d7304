using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>Where observations come from.</summary>
internal interface ISampleSource
{
    /// <summary>Observations of a datastream with from &lt;= time &lt; to, microseconds since 1970 UTC, with the flags they were stored with.</summary>
    /// <exception cref="TooDenseException">There are more than are held in memory.</exception>
    ValueTask<Samples> ReadAsync(int datastream, long from, long to, CancellationToken cancellationToken);

    /// <summary>Hourly averages of a datastream over UTC days, in order of time, of observations that are fit witnesses.</summary>
    ValueTask<IReadOnlyList<HourFigure>> HoursAsync(int datastream, AveragingRule averaging, int fromDay, int toDay, CancellationToken cancellationToken);
}

/// <summary>A day has more observations than can be judged at once.</summary>
internal sealed class TooDenseException(string message) : Exception(message);

/// <summary>A datastream and those it is compared with.</summary>
/// <param name="Id">The datastream.</param>
/// <param name="Averaging">How its quantity combines.</param>
/// <param name="Sensor">Name of its sensor.</param>
/// <param name="Neighbours">Datastreams of the same property at other stations, station by station, nearest first, with the distance in metres: by the places at the begin of what is judged.</param>
/// <param name="Humidity">Datastreams of relative humidity at its station.</param>
/// <param name="Reference">The datastream of its property at a station of its municipality; null when there is none, or it is its own station.</param>
internal sealed record StreamPlace(
    int Id, AveragingRule Averaging, string Sensor, IReadOnlyList<(IReadOnlyList<int> Datastreams, double Metres)> Neighbours, IReadOnlyList<int> Humidity, Func<string, int?> Reference)
{
    /// <summary>Neighbours from an instant on, microseconds since 1970 UTC, where stations move meanwhile; in order of time.</summary>
    public IReadOnlyList<(long From, IReadOnlyList<(IReadOnlyList<int> Datastreams, double Metres)> Neighbours)> Later { get; init; } = [];
}

/// <summary>
/// Judges one datastream on one UTC day: a function of the observations within reach, the parameters and the places, whatever was judged before. The findings of any set of observations are therefore
/// those of its days, each judged once after the last change within its reach.
/// </summary>
internal static class DayJudge
{
    /// <summary>Most findings of one check on one day; what is found after them is counted, not kept.</summary>
    public const int FindingsPerCheckMax = 1_000;

    /// <summary>Findings in order of check and time, and how many there were beyond the limit.</summary>
    public static async ValueTask<(List<Finding> Findings, int Dropped, int Judged)> JudgeAsync(
        StreamPlace place, int day, IReadOnlyList<ParameterSegment> segments, ISampleSource source, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        var (begin, end) = (Instants.Begin(day), Instants.Begin(day + 1));
        var own = await source.ReadAsync(place.Id, begin, end, cancellationToken).ConfigureAwait(false);
        if (own.Count == 0)
        {
            return (findings, 0, 0);
        }

        var dropped = 0;
        foreach (var segment in segments)
        {
            var parameters = segment.Parameters;
            var reach = Math.Max(
                parameters.Step is { } step ? StepCheck.Reach(step) : 0,
                Math.Max(parameters.FlatLine is { } flat ? FlatLineCheck.Reach(flat) : 0, parameters.Spike is { } spike ? SpikeCheck.Reach(spike) : 0));
            var around = reach == 0 ? own : await source.ReadAsync(place.Id, segment.From - reach, segment.To + reach, cancellationToken).ConfigureAwait(false);
            var fit = around.Fit(Flags.Unfit, parameters.Range);
            if (parameters.Range is { } range)
            {
                Add(QualityCheck.Range, RangeCheck.Judge(own, range));
            }

            if (parameters.Step is not null)
            {
                Add(QualityCheck.Step, StepCheck.Judge(fit, parameters.Step, place.Averaging));
            }

            if (parameters.FlatLine is not null)
            {
                Add(QualityCheck.FlatLine, FlatLineCheck.Judge(fit.Fit(FlatLineCheck.Ends, null), parameters.FlatLine));
            }

            if (parameters.Spike is not null)
            {
                Add(QualityCheck.Spike, await SpikesAsync(fit, segment, parameters.Spike).ConfigureAwait(false));
            }

            if (parameters.Humidity is { } humidity && HumidityCheck.IsOptical(place.Sensor, humidity))
            {
                Add(QualityCheck.Humidity, await MoistAsync(fit, segment, humidity).ConfigureAwait(false));
            }

            if (parameters.Drift is { } drift && place.Reference(drift.Reference) is { } reference)
            {
                Add(QualityCheck.Drift, await DriftAsync(reference, drift).ConfigureAwait(false));
            }

            // Stretches of consecutive observations of the day within the segment.
            void Add(QualityCheck check, List<Verdict> verdicts)
            {
                var (at, kept) = (0, 0);
                Finding? open = null;
                var excess = 0.0;
                foreach (var verdict in verdicts)
                {
                    if (verdict.Time < Math.Max(begin, segment.From) || verdict.Time >= Math.Min(end, segment.To))
                    {
                        continue;
                    }

                    var index = own.FirstAt(verdict.Time);
                    var beyond = check == QualityCheck.Range ? Math.Abs(verdict.Value - verdict.Limit) : Math.Abs(verdict.Value) - verdict.Limit;
                    if (open is { } stretch && index == at + 1)
                    {
                        stretch = stretch with { To = Instants.Time(verdict.Time + 1), Count = stretch.Count + 1 };
                        open = beyond > excess && check != QualityCheck.FlatLine ? stretch with { Value = verdict.Value, Limit = verdict.Limit } : stretch;
                        excess = Math.Max(excess, beyond);
                    }
                    else
                    {
                        Close();
                        open = new Finding(place.Id, Instants.Time(verdict.Time), Instants.Time(verdict.Time + 1), check, 1, verdict.Value, verdict.Limit, segment.Version);
                        excess = beyond;
                    }

                    at = index;
                }

                Close();

                void Close()
                {
                    if (open is not { } whole)
                    {
                        return;
                    }

                    if (kept == FindingsPerCheckMax)
                    {
                        dropped++;
                        return;
                    }

                    findings.Add(whole);
                    kept++;
                }
            }
        }

        findings.Sort(static (one, other) => one.Check != other.Check ? one.Check.CompareTo(other.Check) : one.From.CompareTo(other.From));
        return (findings, dropped, own.Count);

        async ValueTask<List<Verdict>> SpikesAsync(Samples fit, ParameterSegment segment, SpikeParameters spike)
        {
            var candidates = SpikeCheck.Candidates(fit, spike, place.Averaging, Math.Max(begin, segment.From), Math.Min(end, segment.To));
            if (candidates.Count == 0)
            {
                return [];
            }

            // Each by the neighbours that stood there at its time.
            var verdicts = new List<Verdict>();
            var neighbours = place.Neighbours;
            for (int era = 0, at = 0; at < candidates.Count; era++)
            {
                var until = era < place.Later.Count ? place.Later[era].From : long.MaxValue;
                var some = candidates.Skip(at).TakeWhile(candidate => fit.Times[candidate] < until).ToList();
                if (some.Count > 0)
                {
                    verdicts.AddRange(SpikeCheck.Judge(fit, some, await WitnessesAsync(fit, some, neighbours, segment, spike).ConfigureAwait(false), spike));
                }

                at += some.Count;
                neighbours = era < place.Later.Count ? place.Later[era].Neighbours : neighbours;
            }

            return verdicts;
        }

        // Only now: most days have no value that stands out, and need no neighbour.
        async ValueTask<List<Samples>> WitnessesAsync(
            Samples fit, List<int> candidates, IReadOnlyList<(IReadOnlyList<int> Datastreams, double Metres)> neighbours, ParameterSegment segment, SpikeParameters spike)
        {
            var witnesses = new List<Samples>();
            var (from, to) = (fit.Times[candidates[0]] - SpikeCheck.Reach(spike), fit.Times[candidates[^1]] + SpikeCheck.Reach(spike) + 1);
            foreach (var (datastreams, metres) in neighbours.Take(SpikeCheck.NeighboursMax))
            {
                if (metres > spike.WithinMetres)
                {
                    break;
                }

                var parts = new List<Samples>();
                foreach (var datastream in datastreams)
                {
                    parts.Add((await source.ReadAsync(datastream, from, to, cancellationToken).ConfigureAwait(false)).Fit(Flags.UnfitWitness, segment.Parameters.Range));
                }

                witnesses.Add(Samples.Merged(parts));
            }

            return witnesses;
        }

        async ValueTask<List<Verdict>> MoistAsync(Samples fit, ParameterSegment segment, HumidityParameters parameters)
        {
            var reach = HumidityCheck.Reach(parameters);
            var sensors = new List<Samples>();
            foreach (var datastream in place.Humidity)
            {
                sensors.Add((await source.ReadAsync(datastream, segment.From - reach, segment.To + reach + 1, cancellationToken).ConfigureAwait(false)).Fit(Flags.UnfitWitness & ~Edge.Contract.Readings.Quality.Saturated, null));
            }

            return sensors.Count == 0 ? [] : HumidityCheck.Judge(fit, sensors, parameters);
        }

        async ValueTask<List<Verdict>> DriftAsync(int reference, DriftParameters parameters)
        {
            var first = day + 1 - parameters.Days;
            var figures = await source.HoursAsync(place.Id, place.Averaging, first, day + 1, cancellationToken).ConfigureAwait(false);
            var others = await source.HoursAsync(reference, place.Averaging, first, day + 1, cancellationToken).ConfigureAwait(false);
            return DriftCheck.Judge(figures, others, day, parameters) is { } drift ? [.. own.Times.Select(time => new Verdict(time, drift.Difference, drift.Limit))] : [];
        }
    }
}
