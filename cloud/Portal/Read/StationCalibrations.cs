using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read;

/// <summary>A calibration that made values of a datastream.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="Version">Its version as the station says it; 0 for none.</param>
/// <param name="From">UTC instant of the first value looked at that it made.</param>
/// <param name="Before">Whether it was so before the time that was looked at.</param>
/// <param name="Gain">Factor, as its values show it; NaN when they show none.</param>
/// <param name="Offset">What is added then, canonical unit; NaN when they show none.</param>
internal sealed record CalibrationView(Datastream Datastream, int Version, DateTime From, bool Before, double Gain, double Offset);

/// <summary>Finds out which calibrations made the values of a station. Safe for concurrent callers.</summary>
internal sealed class StationCalibrations(ISeries series)
{
    /// <summary>How far back it is looked, by the day.</summary>
    public static readonly TimeSpan Past = TimeSpan.FromDays(90);

    /// <summary>Values looked at to find factor and offset.</summary>
    private const int SampleMax = 300;

    /// <summary>The calibrations of a datastream, newest first: the version of the first value of each day, and where two days differ the instant between them. One that came and went within a day is not seen.</summary>
    public async ValueTask<IReadOnlyList<CalibrationView>> OfAsync(Datastream datastream, DateTime now, CancellationToken cancellationToken)
    {
        if (!series.TryGetLatest(datastream.Id, out var latest) || (latest.Calibration == 0 && !double.IsFinite(latest.Raw)))
        {
            return [];
        }

        List<(DateTime From, int Version)> changes = [];
        Observation? before = null;
        for (var day = now.Date - Past; day < now; day = day.AddDays(1))
        {
            if (await FirstAsync(datastream.Id, day, Min(day.AddDays(1), now), cancellationToken) is { } first)
            {
                if (before is { } known && known.Calibration != first.Calibration)
                {
                    changes.Add((await ChangeAsync(datastream.Id, known, first, cancellationToken), first.Calibration));
                }
                else if (before is null)
                {
                    changes.Add((first.PhenomenonTime, first.Calibration));
                }

                before = first;
            }
        }

        if (before is { } last && last.Calibration != latest.Calibration)
        {
            changes.Add((await ChangeAsync(datastream.Id, last, latest, cancellationToken), latest.Calibration));
        }

        List<CalibrationView> found = [];
        for (var i = changes.Count - 1; i >= 0; i--)
        {
            var end = i + 1 < changes.Count ? changes[i + 1].From : now;
            var (gain, offset) = LineOf(await SampleAsync(datastream.Id, changes[i].From, end, changes[i].Version, cancellationToken));
            found.Add(new(datastream, changes[i].Version, changes[i].From, i == 0 && changes[i].From < now.Date - Past + TimeSpan.FromDays(1), gain, offset));
        }

        return found;
    }

    /// <summary>Factor and offset by which every value follows from the one before calibration; NaN when there is no such line, or all are the same. Pure.</summary>
    public static (double Gain, double Offset) LineOf(IReadOnlyList<Observation> sample)
    {
        Observation[] usable = [.. sample.Where(static one => double.IsFinite(one.Raw))];
        if (usable.Length < 2)
        {
            return (double.NaN, double.NaN);
        }

        var (low, high) = (usable.MinBy(static one => one.Raw), usable.MaxBy(static one => one.Raw));
        var gain = (high.Result - low.Result) / (high.Raw - low.Raw);
        var offset = low.Result - (gain * low.Raw);
        var room = 1e-6 * Math.Max(1, usable.Max(static one => Math.Abs(one.Result)));
        return double.IsFinite(gain) && usable.All(one => Math.Abs((gain * one.Raw) + offset - one.Result) <= room) ? (gain, offset) : (double.NaN, double.NaN);
    }

    /// <summary>Instant of the first value of the newer of two versions, by halving the time between them.</summary>
    private async ValueTask<DateTime> ChangeAsync(int datastream, Observation older, Observation newer, CancellationToken cancellationToken)
    {
        var (low, high, best) = (older.PhenomenonTime, newer.PhenomenonTime, newer.PhenomenonTime);
        while (high - low > TimeSpan.FromSeconds(1))
        {
            var middle = low + TimeSpan.FromTicks((high - low).Ticks / 20 * 10);
            if (await FirstAsync(datastream, middle, best, cancellationToken) is var found && found?.Calibration == older.Calibration)
            {
                low = found!.Value.PhenomenonTime;
            }
            else
            {
                // Either the newer version begins here, or there is nothing between here and where it is known to be.
                (high, best) = (middle, found?.PhenomenonTime ?? best);
            }
        }

        return best;
    }

    private async ValueTask<Observation?> FirstAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        await foreach (var one in series.RangeAsync(datastream, from, to, cancellationToken))
        {
            return one;
        }

        return null;
    }

    private async ValueTask<IReadOnlyList<Observation>> SampleAsync(int datastream, DateTime from, DateTime to, int version, CancellationToken cancellationToken)
    {
        List<Observation> found = [];
        await foreach (var one in series.RangeAsync(datastream, from, to, cancellationToken))
        {
            if (one.Calibration == version)
            {
                found.Add(one);
                if (found.Count == SampleMax)
                {
                    break;
                }
            }
        }

        return found;
    }

    private static DateTime Min(DateTime a, DateTime b) => a < b ? a : b;
}
