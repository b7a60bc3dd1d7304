using System.Collections.Immutable;
using Hub.Cloud.Series;

namespace Hub.Tests.Benchmarks.Series;

/// <summary>Writes days of the city's workload straight into settled parts, as the compaction leaves them: a billion readings in minutes, without the hours of ingesting them.</summary>
internal static class SettledDays
{
    private const int MinutesOfDay = 1_440;

    /// <summary>Adds whole days of a workload to the store in a folder, which nobody has open.</summary>
    /// <param name="folder">Folder of the store.</param>
    /// <param name="workload">At its beginning; days of it that are not whole are left out.</param>
    /// <param name="datastream">Identifier of a series, ascending with its number.</param>
    /// <param name="earlier">By so many days earlier than the workload says.</param>
    public static void Write(string folder, CityWorkload workload, Func<int, int> datastream, int earlier = 0)
    {
        using var place = new SeriesFolder(folder);
        place.Take();
        using var store = new PartStore(place, TimeProvider.System, 16, 1);
        store.Open();
        var parts = new List<PartInfo>();
        var day = new Day(workload, earlier);
        for (var number = 0; number < workload.Minutes / MinutesOfDay; number++)
        {
            day.Fill();
            parts.Add(day.Write(store, datastream));
        }

        store.Edit(edit => edit with
        {
            Manifest = edit.Manifest with
            {
                LastCommit = edit.Manifest.LastCommit + parts.Count,
                Parts = PartOrder.Sorted([.. edit.Manifest.Parts, .. parts]),
                Latest = Latest(store, edit.Manifest.Latest, Enumerable.Range(0, workload.SeriesCount).Select(series => day.Last(series, datastream(series)))),
            },
        });
    }

    private static string? Latest(PartStore store, string? before, IEnumerable<Observation> settled)
    {
        var file = new LatestFile(store);
        return file.Write([.. file.Read(before).Concat(settled).GroupBy(row => row.Datastream).Select(rows => rows.Aggregate((a, b) => LatestFile.IsLater(b, a) ? b : a))]);
    }

    /// <summary>One day of all series, turned from the order of arrival to that of a part.</summary>
    private sealed class Day(CityWorkload workload, int earlier)
    {
        private readonly Visit[] _visits = new Visit[workload.Stations];
        private readonly long[] _seconds = new long[workload.Stations];
        private readonly float[] _values = new float[workload.SeriesCount * MinutesOfDay];
        private long _start;

        public void Fill()
        {
            for (var minute = 0; minute < MinutesOfDay; minute++)
            {
                workload.Take(_visits);
                foreach (ref readonly var visit in _visits.AsSpan())
                {
                    for (var quantity = 0; quantity < CityWorkload.Quantities; quantity++)
                    {
                        _values[(workload.Series(visit.Station, quantity) * MinutesOfDay) + minute] = (float)visit[quantity];
                    }

                    _seconds[visit.Station] = visit.Seconds % 60;
                    _start = visit.Seconds - (visit.Seconds % 86_400) - (earlier * 86_400L);
                }
            }
        }

        public PartInfo Write(PartStore store, Func<int, int> datastream)
        {
            var number = (int)(_start / 86_400);
            var name = store.NewPartName(number);
            using var writer = new PartWriter(Path.Combine(store.Folder.Parts(PartKind.Observations), name));
            var rows = new ObservationColumns();
            for (var series = 0; series < workload.SeriesCount; series++)
            {
                rows.Clear();
                for (var minute = 0; minute < MinutesOfDay; minute++)
                {
                    rows.Add(At(series, datastream(series), minute));
                }

                writer.Add(datastream(series), rows);
            }

            return store.Describe(name, PartKind.Observations, number, writer.Complete());
        }

        public Observation Last(int series, int datastream) => At(series, datastream, MinutesOfDay - 1);

        private Observation At(int series, int datastream, int minute) => new(
            datastream,
            DateTime.UnixEpoch.AddSeconds(_start + (minute * 60) + _seconds[series % workload.Stations]),
            Math.Round(_values[(series * MinutesOfDay) + minute] * 10d) / 10,
            Edge.Contract.Readings.Quality.Good);
    }
}
