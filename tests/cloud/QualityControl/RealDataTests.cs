using System.Globalization;
using System.IO.Compression;
using System.Text;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>
/// The hub's own checks over the real measurements of the demonstration: what official stations published is hardly ever flagged, and what is plainly broken in the citizens' data is. The shares are in the README.
/// </summary>
public sealed class RealDataTests(ITestOutputHelper output)
{
    private static readonly string Data = Path.Combine(Repository.Root, "firmware-config", "demo", "data");

    /// <summary>Column of the Zurich file, property, factor to its unit, and the share of values flagged at most, percent.</summary>
    public static TheoryData<string, string, double, double> Zurich => new()
    {
        { "CO", "co", 1.1644, 0 }, { "Hr", "relative_humidity", 1, 0.1 }, { "NO", "no", 1.2474, 0 }, { "NO2", "no2", 1.9125, 0.1 }, { "NOx", "nox", 1.9125, 0.1 }, { "O3", "o3", 1.9953, 0.1 }, { "p", "pressure", 1, 0.1 },
        { "PM10", "pm10", 1, 0.1 }, { "PM2.5", "pm2_5", 1, 0.1 }, { "SO2", "so2", 2.6633, 0 }, { "StrGlo", "solar_radiation", 1, 0.1 }, { "T", "temperature", 1, 0.1 }, { "WD", "wind_direction", 1, 0 },
        { "WVv", "wind_speed", 1, 0.1 }, { "RainDur", "rain_duration", 1, 0 },
    };

    [Theory]
    [MemberData(nameof(Zurich))]
    public async Task A_year_of_an_official_station_is_hardly_flagged(string column, string property, double factor, double most)
    {
        var rows = Lines("Zch_Stampfenbachstrasse_min30_2017.csv.gz", Encoding.Latin1).Skip(4).ToList();
        var at = Array.IndexOf(rows[0].Split(';'), column);
        var set = rows.Skip(6).Select(row => row.Split(';')).Where(fields => fields[at].Length > 0)
            .Select(fields => new Observation(1, Local(fields[0], "dd.MM.yyyy HH:mm", 1), factor * Number(fields[at]), Quality.Good)).ToList();
        Assert.True(set.Count > 16_000);
        await FlaggedAsync($"Zurich 2017 {column}", property, "air", [(1, set)], most);
    }

    [Theory]
    [InlineData(0, "nox")]
    [InlineData(8, "no2")]
    public async Task Eight_official_stations_are_hardly_flagged(int first, string property)
    {
        var rows = Lines("ol_nox_covid19_2020.csv.gz", Encoding.Latin1).Skip(7).Select(row => row.Split(';')).ToList();
        var streams = Enumerable.Range(0, 8).Select(stream => (stream + 1, rows.Where(fields => fields[first + stream + 1].Length > 0)
            .Select(fields => new Observation(stream + 1, Local(fields[0].Trim('"'), "dd.MM.yyyy HH:mm:ss", 1), 1.9125 * Number(fields[first + stream + 1]), Quality.Good)).ToList())).ToList();
        await FlaggedAsync($"Zurich 2020 {property}, 8 stations", property, "air", streams, 0.1);
    }

    [Fact]
    public async Task Fifty_citizen_sensors_show_the_broken_ones()
    {
        var boxes = Lines("pm25_berlin.csv.gz", Encoding.UTF8).Skip(1).Select(row => row.Split(',')).GroupBy(fields => fields[4]).OrderBy(box => box.Key, StringComparer.Ordinal).ToList();
        var streams = boxes.Select((box, index) => (index + 1, box.Select(fields => new Observation(index + 1, Micro(DateTime.Parse(fields[1], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal)), Number(fields[0]), Quality.Good))
            .DistinctBy(one => one.PhenomenonTime).OrderBy(one => one.PhenomenonTime).ToList())).ToList();
        var places = boxes.Select(box => (Number(box.First()[3]), Number(box.First()[2]))).ToList();
        var flagged = await FlaggedAsync("Berlin 2023 pm2_5, 50 sensors", "pm2_5", "sds011", streams, 5, places);

        // One says 32 for days, one 0 or 0.1: all they say is flagged, and of nobody else is anything flat.
        var broken = streams.Where(stream => stream.Item2.Max(one => one.Result) - stream.Item2.Min(one => one.Result) <= 0.1).ToDictionary(stream => stream.Item1, stream => stream.Item2.Count);
        Assert.Equal([15, 42], broken.Keys);
        Assert.Equal(broken, flagged.Where(one => one.Key.Check == QualityCheck.FlatLine).ToDictionary(one => one.Key.Datastream, one => one.Value));
        var spikes = flagged.Where(one => one.Key.Check == QualityCheck.Spike).ToList();
        Assert.InRange(spikes.Sum(one => one.Value), 50, 100);
        Assert.True(spikes.Count < 20);
    }

    [Theory]
    [InlineData("test_data_laeq1m.csv.gz")]
    [InlineData("test_data_laeq1s.csv.gz")]
    public async Task A_noise_monitor_is_not_flagged(string file)
    {
        var set = Lines(file, Encoding.UTF8).Skip(1).Select(row => row.Split(','))
            .Select(fields => new Observation(1, Local(fields[0], "yyyy-MM-dd HH:mm:ss", 0), Number(fields[1]), Quality.Good)).DistinctBy(one => one.PhenomenonTime).OrderBy(one => one.PhenomenonTime).ToList();
        await FlaggedAsync(file, "laeq", "noise", [(1, set)], 0);
    }

    [Theory]
    [InlineData("158595")]
    [InlineData("192627")]
    public async Task Traffic_counters_are_not_flagged(string road)
    {
        var rows = Lines($"AarhusTrafficData{road}.csv.gz", Encoding.UTF8).Skip(1).Select(row => row.Split(',')).ToList();
        foreach (var (column, property) in new[] { (6, "vehicle_count"), (2, "space_mean_speed") })
        {
            var set = rows.Select(fields => new Observation(1, Local(fields[5], "yyyy-MM-dd'T'HH:mm:ss", 0), Number(fields[column]), Quality.Good)).DistinctBy(one => one.PhenomenonTime).OrderBy(one => one.PhenomenonTime).ToList();
            await FlaggedAsync($"Aarhus {road} {property}", property, "traffic", [(1, set)], 0);
        }
    }

    private async Task<Dictionary<(QualityCheck Check, int Datastream), int>> FlaggedAsync(string name, string property, string sensor, List<(int Id, List<Observation> Set)> streams, double most, List<(double Latitude, double Longitude)>? places = null)
    {
        Assert.True(QuantityCatalogue.TryGet(property, out var quantity));
        var source = new ListedSource(streams.ToDictionary(stream => stream.Id, stream => new Samples(stream.Set)));
        var history = new ParameterHistory([], CheckDefaults.Of(property));
        var (flagged, judged) = (new SortedDictionary<QualityCheck, int>(), 0);
        var byStream = new Dictionary<(QualityCheck Check, int Datastream), int>();
        foreach (var (id, set) in streams.Where(stream => stream.Set.Count > 0))
        {
            List<(IReadOnlyList<int>, double)> neighbours = places is null
                ? []
                : [.. streams.Where(other => other.Id != id).Select(other => (other.Id, Metres: Distance.Metres(Place(places, id), Place(places, other.Id)))).OrderBy(other => other.Metres).Select(other => ((IReadOnlyList<int>)[other.Id], other.Metres))];
            var place = new StreamPlace(id, quantity.Averaging, sensor, neighbours, [], _ => null);
            for (var day = Instants.Day(Instants.Micros(set[0].PhenomenonTime)); day <= Instants.Day(Instants.Micros(set[^1].PhenomenonTime)); day++)
            {
                var (findings, _, count) = await DayJudge.JudgeAsync(place, day, history.Within(Instants.Begin(day), Instants.Begin(day + 1)), source, TestContext.Current.CancellationToken);
                judged += count;
                foreach (var finding in findings)
                {
                    flagged[finding.Check] = flagged.GetValueOrDefault(finding.Check) + finding.Count;
                    byStream[(finding.Check, id)] = byStream.GetValueOrDefault((finding.Check, id)) + finding.Count;
                }
            }
        }

        output.WriteLine($"{name}: {judged} values; {string.Join(", ", flagged.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key} {100.0 * one.Value / judged:0.###} %")))}");
        Assert.Equal(streams.Sum(stream => stream.Set.Count), judged);
        Assert.True(flagged.Values.Sum() * 100.0 / judged <= most, $"{name}: {string.Join(", ", flagged)} of {judged}");
        return byStream;
    }

    private static Stations.Station Place(List<(double Latitude, double Longitude)> places, int id) => new(id, "", "", "", places[id - 1].Latitude, places[id - 1].Longitude, true, "");

    private static IEnumerable<string> Lines(string file, Encoding encoding)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(Data, file)), CompressionMode.Decompress), encoding);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static DateTime Local(string text, string format, int offsetHours) =>
        DateTime.SpecifyKind(DateTime.ParseExact(text, format, CultureInfo.InvariantCulture).AddHours(-offsetHours), DateTimeKind.Utc);

    private static DateTime Micro(DateTime time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

    private sealed class ListedSource(Dictionary<int, Samples> streams) : ISampleSource
    {
        public ValueTask<Samples> ReadAsync(int datastream, long from, long to, CancellationToken cancellationToken) => new(Samples.Cut([streams[datastream]], from, to));

        public ValueTask<IReadOnlyList<HourFigure>> HoursAsync(int datastream, AveragingRule averaging, int fromDay, int toDay, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
