using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.QualityControl;

/// <summary>
/// Observations as they are stored, with the last days read held in memory, for neighbours are asked for again and again. Used by one caller at a time; <see cref="Forget"/> before anything that was
/// committed since is to be seen.
/// </summary>
internal sealed class SeriesSource(ISeries series) : ISampleSource
{
    /// <summary>Observations of one datastream on one UTC day: five a second.</summary>
    public const int DayObservationsMax = 432_000;

    /// <summary>Observations held, 20 bytes each.</summary>
    private const int HeldMax = 1_000_000;

    private readonly Dictionary<(int Datastream, int Day), Samples> _days = [];
    private int _held;

    /// <summary>Lets go of what was read.</summary>
    public void Forget()
    {
        _days.Clear();
        _held = 0;
    }

    public async ValueTask<Samples> ReadAsync(int datastream, long from, long to, CancellationToken cancellationToken)
    {
        var parts = new List<Samples>();
        for (var day = Instants.Day(from); day <= Instants.Day(to - 1); day++)
        {
            var samples = await DayAsync(datastream, day, cancellationToken).ConfigureAwait(false);
            if (samples.Count > 0)
            {
                parts.Add(samples);
            }
        }

        return Samples.Cut(parts, from, to);
    }

    public async ValueTask<IReadOnlyList<HourFigure>> HoursAsync(int datastream, AveragingRule averaging, int fromDay, int toDay, CancellationToken cancellationToken)
    {
        var question = new AggregateQuery(
            datastream, Instants.Time(Instants.Begin(fromDay)), Instants.Time(Instants.Begin(toDay)), new BucketWidth(TimeSpan.FromHours(1)), Statistics.Of(averaging), Flags.UnfitWitness);
        var buckets = await series.AggregateAsync(question, cancellationToken).ConfigureAwait(false);
        return [.. buckets.Select(bucket => new HourFigure(Instants.Micros(bucket.Start) / Instants.PerHour, bucket.Value))];
    }

    private async ValueTask<Samples> DayAsync(int datastream, int day, CancellationToken cancellationToken)
    {
        if (_days.TryGetValue((datastream, day), out var held))
        {
            return held;
        }

        var observations = new List<Observation>();
        await foreach (var observation in series.RangeAsync(datastream, Instants.Time(Instants.Begin(day)), Instants.Time(Instants.Begin(day + 1)), cancellationToken).ConfigureAwait(false))
        {
            if (observations.Count == DayObservationsMax)
            {
                throw new TooDenseException($"Datastream {datastream} has more than {DayObservationsMax} observations on one day.");
            }

            observations.Add(observation);
        }

        var samples = observations.Count == 0 ? Samples.None : new Samples(observations);
        if (_held + samples.Count + _days.Count > HeldMax)
        {
            Forget();
        }

        _days[(datastream, day)] = samples;
        _held += samples.Count;
        return samples;
    }
}
