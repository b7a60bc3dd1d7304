using CsCheck;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Indicators;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>
/// Promise 2 for rules whose measure needs several datastreams: whatever order they come in, with stops and crashes, with datastreams that become known and stations that move in between, the history is the
/// one that the definition of the measure gives, each window looked for among all observations.
/// </summary>
public sealed class AcrossOrderTests
{
    private static readonly DateTime Begin = AlertsBench.T0.AddDays(-4);

    private static readonly string[] Properties = ["", "laeq", "laeq", "pm10", "laeq", "laeq", "laeq", "no2", "no2", "o3", "battery"];

    private static readonly Gen<Observation> AnyObservation =
        from datastream in Gen.Int[1, Properties.Length - 1]
        from minute in Gen.OneOf(Gen.Int[0, 200], Gen.Int[60, 119], Gen.Int[0, 2 * 24 * 60])
        from level in Gen.Int[40, 80]
        from quality in Gen.Frequency((10, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.Stuck)), (1, Gen.Const(Quality.Saturated)))
        from revision in Gen.Frequency((6, Gen.Const(0)), (1, Gen.Const(1)))
        select Obs.At(datastream, Begin.AddMinutes(minute), Properties[datastream] == "laeq" ? level : (level - 38) * 4, quality, revision);

    /// <summary>What happens between two batches.</summary>
    private enum Between
    {
        Nothing,
        CatchUp,
        Restart,
        Crash,
        Wait,
        Station,
    }

    /// <summary>A way in which observations and stations become known.</summary>
    private sealed record Course(Observation[] Delivery, int[] BatchSizes, Between[] Betweens, (int Station, int Minute, int Place)[] Moves)
    {
        public override string ToString() =>
            $"{string.Join(' ', Delivery.Select(o => $"{o.Datastream}@{(o.PhenomenonTime - Begin).TotalMinutes}={o.Result}/{o.Quality}/{o.Revision}"))}; {string.Join(' ', BatchSizes)}; {string.Join(' ', Betweens)}; {string.Join(' ', Moves)}";
    }

    private static readonly Gen<Course> AnyCourse =
        from set in AnyObservation.Array[20, 120]
        from order in Gen.Int[0, 2]
        from shuffled in Gen.Shuffle(set)
        from again in Gen.Int[0, set.Length - 1].Array[0, 10]
        from sizes in Gen.Int[1, 30].Array[1, 12]
        from betweens in Gen.Frequency(
            (4, Gen.Const(Between.Nothing)), (6, Gen.Const(Between.CatchUp)), (1, Gen.Const(Between.Restart)), (1, Gen.Const(Between.Crash)), (2, Gen.Const(Between.Wait)), (2, Gen.Const(Between.Station))).Array[1, 12]
        from moves in Gen.Select(Gen.Int[0, 3], Gen.Int[0, 200], Gen.Int[0, 2]).Array[0, 2]
        select new Course(
            [
                .. order switch { 0 => (IEnumerable<Observation>)shuffled, 1 => set.OrderBy(o => o.PhenomenonTime), _ => set.OrderBy(o => o.PhenomenonTime.AddMinutes(o.Datastream * 25)) }, .. again.Select(index => set[index]),
            ],
            sizes, betweens, moves);

    /// <summary>Avenida, Sé and Parque stand 1 to 2 km apart, Rio 8 km away.</summary>
    private static readonly (string Slug, double Latitude)[] Places = [("avenida", 41.55), ("se", 41.56), ("parque", 41.565), ("rio", 41.62)];

    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    private static Rule Difference(string slug, Measure measure, double set, double clear) => AlertsBench.NoiseRule(set, clear, slug: slug) with
    {
        Severity = Severity.Information, Measure = measure, Window = TimeSpan.FromHours(1), OnClock = true, CoverageMin = 0.01,
    };

    private static readonly Rule[] Differences =
    [
        Difference("town", Measure.DifferenceToMunicipality, 2, 1),
        Difference("town-levels", Measure.DifferenceToMunicipality, 0, -1) with { Levels = [new(Severity.Warning, 4, 2), new(Severity.Alert, 8, 3, TimeSpan.FromHours(1))] },
        Difference("town-quiet", Measure.DifferenceToMunicipality, -3, 0) with { Crossing = Crossing.Below, Window = TimeSpan.FromMinutes(20) },
        Difference("town-day", Measure.DifferenceToMunicipality, 1, 0) with { Window = TimeSpan.FromDays(1), CoverageMin = 0 },
        Difference("near", Measure.DifferenceToNeighbours, 2, 1),
        Difference("near-held", Measure.DifferenceToNeighbours, 1, 0) with { For = TimeSpan.FromHours(1), OffFor = TimeSpan.FromHours(1), CoverageMin = 0 },
        Difference("near-morning", Measure.DifferenceToNeighbours, 1, 1) with { Schedule = "mo-su 12:00-15:00", Window = TimeSpan.FromMinutes(30), CoverageMin = 0 },
        Difference("town-minutes", Measure.DifferenceToMunicipality, 1, 1) with { PeriodSeconds = 60 },
        Difference("one-station", Measure.DifferenceToNeighbours, 3, 1) with { Station = "se", Area = [new(-8.5, 41.5), new(-8.3, 41.5), new(-8.3, 41.57), new(-8.5, 41.57)] },
    ];

    private static readonly Rule AirRule = AlertsBench.NoiseRule(3, 2, slug: "air") with
    {
        Severity = Severity.Information, Property = "", Measure = Measure.AirIndex, Window = TimeSpan.FromHours(1), OnClock = true, CoverageMin = 0.15,
    };

    private static readonly Rule[] Airs =
    [
        AirRule,
        AirRule with { Slug = "air-levels", SetLevel = 2, ClearLevel = 1, Levels = [new(Severity.Warning, 4, 3), new(Severity.Alert, 5, 3)] },
        AirRule with { Slug = "air-held", For = TimeSpan.FromHours(1), CoverageMin = 0 },
    ];

    [Fact]
    public async Task Differences_are_a_function_of_all_observations() =>
        await Gen.Select(AnyCourse, Gen.Shuffle(Differences)).SampleAsync(
            (course, rules) => CheckAsync(course, rules[..2], (bench, rule, machine) => DifferencesAsync(bench, rule)), iter: Repeats.Of(60, 4_000), threads: 2);

    [Fact]
    public async Task The_air_index_is_a_function_of_all_observations() =>
        await Gen.Select(AnyCourse, Gen.Int[0, 2]).SampleAsync(
            (course, rule) => CheckAsync(course, [Airs[rule]], (bench, one, machine) => ClassesAsync(bench, one)), iter: Repeats.Of(40, 2_500), threads: 2);

    [Fact]
    public async Task A_station_offline_is_a_function_of_all_observations_and_of_how_far_time_has_come() =>
        await Gen.Select(AnyCourse, Gen.Int[10, 90]).SampleAsync(CheckOfflineAsync, iter: Repeats.Of(40, 2_500), threads: 2);

    private static async Task<AlertsBench> StartAsync(Course course)
    {
        // Some datastreams become known later; what was observed by them meanwhile waits.
        var late = course.Betweens.Contains(Between.Station);
        return await AlertsBench.StartAsync(prepare: bench =>
        {
            for (var id = 4; id < Properties.Length; id++)
            {
                if (!late || id is 4 or 7)
                {
                    Add(bench, id);
                }
            }

            foreach (var (slug, latitude) in Places.Where(place => bench.Stations.All.Any(station => station.Slug == place.Slug)))
            {
                bench.Stations.Move(slug, DateTime.MinValue, latitude, -8.42);
            }
        });
    }

    private static void Add(AlertsBench bench, int id)
    {
        if (bench.Stations.TryGetDatastream(id, out _))
        {
            return;
        }

        var (station, period) = id switch { 4 => ("parque", 60), 5 => ("rio", 60), 6 => ("rio", 600), 7 => ("avenida", 600), 8 => ("avenida", 600), 9 => ("se", 600), _ => ("se", 0) };
        var isNew = bench.Stations.All.All(known => known.Slug != station);
        bench.Stations.Add(id, station, Properties[id], period);
        if (isNew)
        {
            bench.Stations.Move(station, DateTime.MinValue, Places.Single(place => place.Slug == station).Latitude, -8.42);
        }
    }

    private static async Task DeliverAsync(AlertsBench bench, Course course, Rule[] rules, TimeSpan wait)
    {
        foreach (var rule in rules)
        {
            await bench.Alerts.SaveAsync(rule, default);
        }

        await bench.CaughtUpAsync();
        var (at, moves, next) = (0, new Queue<(int Station, int Minute, int Place)>(course.Moves), 5);
        for (var batch = 0; at < course.Delivery.Length; batch++)
        {
            var size = Math.Min(course.BatchSizes[batch % course.BatchSizes.Length], course.Delivery.Length - at);
            await bench.AppendAsync(course.Delivery[at..(at + size)]);
            at += size;
            switch (course.Betweens[batch % course.Betweens.Length])
            {
                case Between.CatchUp:
                    await bench.CaughtUpAsync();
                    break;
                case Between.Restart:
                    await bench.StopEvaluatorAsync();
                    await bench.StartEvaluatorAsync();
                    break;
                case Between.Crash:
                    await bench.CrashAsync(bench.Series.LastCommit / 2);
                    break;
                case Between.Wait:
                    bench.Time.Advance(wait);
                    await MoveAsync();
                    break;
                case Between.Station:
                    for (var i = 0; i < 2 && next < Properties.Length; i++)
                    {
                        Add(bench, next++);
                    }

                    break;
                default:
                    break;
            }
        }

        while (next < Properties.Length)
        {
            Add(bench, next++);
        }

        while (moves.Count > 0)
        {
            await MoveAsync();
        }

        await bench.CaughtUpAsync();

        async Task MoveAsync()
        {
            // A move is heeded while the hub runs: one of the moment of its start counts as known before.
            await bench.CaughtUpAsync();
            if (moves.TryDequeue(out var move) && bench.Stations.All.Any(station => station.Slug == Places[move.Station].Slug))
            {
                bench.Stations.Move(Places[move.Station].Slug, Begin.AddMinutes(move.Minute), 41.55 + (move.Place * 0.02), -8.42);
            }
        }
    }

    private static async Task CheckAsync(Course course, Rule[] rules, Func<AlertsBench, Rule, AlarmMachine, Task<List<(Datastream, List<(DateTime, double?, bool)>)>>> measured)
    {
        await using var bench = await StartAsync(course);
        await DeliverAsync(bench, course, rules, TimeSpan.FromSeconds(30));
        var expected = new List<string>();
        foreach (var (rule, suffix) in rules.SelectMany(rule => rule.EachLevel().Select((level, i) => (level, i == 0 ? "" : "-" + level.Severity.ToString().ToLowerInvariant()))))
        {
            var gap = rule.Window == TimeSpan.FromDays(1) ? TimeSpan.FromHours(26) : rule.Window;
            var machine = new AlarmMachine(rule.Crossing, rule.SetLevel, rule.ClearLevel, rule.For, gap, new AlertsOptions().IgnoreQuality) { OffFor = rule.OffFor, TakesAll = true };
            foreach (var (anchor, points) in await measured(bench, rule, machine))
            {
                var (state, episodes) = (default(MachineState), new List<Episode>());
                foreach (var (at, value, isInForce) in points)
                {
                    Episode ended = default;
                    var step = !isInForce ? AlarmMachine.Rest(ref state, at, value ?? 0, out ended) : value is { } known ? machine.Take(ref state, at, known, out ended) : Step.Nothing;
                    if (step == Step.Ended)
                    {
                        episodes.Add(ended);
                    }
                }

                if (state.Phase == Phase.Active)
                {
                    episodes.Add(state.Open);
                }

                expected.AddRange(episodes.Select(e =>
                    $"{rule.Slug}-{anchor.Station.Slug}-{anchor.Id}-{e.StartedAt:yyyyMMdd'T'HHmmss'Z'}{suffix} {e.ConditionAt:O} {e.StartedAt:O} {e.EndedAt:O} {e.StartValue} {e.Peak} {e.LastValue}"));
            }
        }

        Assert.Equal(expected.Order(StringComparer.Ordinal), await bench.EpisodesAsync());
        if (course.Moves.Length == 0 && !course.Betweens.Contains(Between.Station))
        {
            // A move evaluates the rule anew: what it finds then and is over is recorded, not told.
            await OrderIndependenceTests.CheckToldAsync(bench);
        }
    }

    private static async Task CheckOfflineAsync(Course course, int minutes)
    {
        var rule = AlertsBench.NoiseRule(slug: "offline") with { Property = "", Measure = Measure.Offline, Window = TimeSpan.FromMinutes(minutes) };
        await using var bench = await StartAsync(course);
        await DeliverAsync(bench, course, [rule], TimeSpan.FromMinutes(minutes + 5));
        bench.Time.Advance(TimeSpan.FromMinutes(minutes + 1));
        await bench.CaughtUpAsync();

        var expected = new List<string>();
        foreach (var station in bench.Stations.All)
        {
            // Silence is what no period reaches into, a window after its end.
            var heard = new List<(DateTime From, DateTime To)>();
            foreach (var datastream in bench.Stations.DatastreamsOf(station.Id))
            {
                heard.AddRange((await OfAsync(bench, datastream.Id)).Select(o => (o.PhenomenonTime, o.PhenomenonTime + datastream.Period)));
            }

            var anchor = bench.Stations.DatastreamsOf(station.Id).Min(datastream => datastream.Id);
            foreach (var to in heard.Select(one => one.To).Distinct())
            {
                var next = heard.Where(one => one.From > to).Select(one => (DateTime?)one.From).Min();
                if (!heard.Any(one => one.From <= to && one.To > to) && (next is null || next - to > rule.Window))
                {
                    var length = next is { } end ? (end - to).TotalMinutes : minutes;
                    expected.Add($"offline-{station.Slug}-{anchor}-{to + rule.Window:yyyyMMdd'T'HHmmss'Z'} {to:O} {to + rule.Window:O} {next:O} {(double)minutes} {length} {length}");
                }
            }
        }

        Assert.Equal(expected.Order(StringComparer.Ordinal), await bench.EpisodesAsync());
    }

    private static async Task<List<Observation>> OfAsync(AlertsBench bench, int datastream)
    {
        var all = new List<Observation>();
        await foreach (var observation in bench.Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, default))
        {
            all.Add(observation);
        }

        return all;
    }

    /// <summary>Windows of a datastream by their ends, with the mean where one is measured; in a zone an hour from UTC all those days.</summary>
    private static async Task<Dictionary<DateTime, double?>> WindowsAsync(AlertsBench bench, Datastream datastream, Rule rule)
    {
        var summer = TimeSpan.FromHours(1);
        return (await OfAsync(bench, datastream.Id)).GroupBy(o => (o.PhenomenonTime + summer).Ticks / rule.Window.Ticks).ToDictionary(
            window => new DateTime((window.Key + 1) * rule.Window.Ticks, DateTimeKind.Utc) - summer,
            window =>
            {
                var good = window.Where(o => o.Quality != Quality.Stuck).Select(o => o.Result).ToList();
                var isCovered = datastream.Period == TimeSpan.Zero ? good.Count > 0 : good.Count > 0 && good.Count * datastream.Period >= rule.Window * rule.CoverageMin;
                return !isCovered ? (double?)null
                    : datastream.Quantity.Averaging == AveragingRule.EnergyMean ? 10 * Math.Log10(good.Aggregate(0.0, (sum, one) => sum + Math.Pow(10, one / 10)) / good.Count)
                    : good.Aggregate(0.0, (sum, one) => sum + one) / good.Count;
            });
    }

    private static double? First(IEnumerable<Dictionary<DateTime, double?>> windows, DateTime end) => windows.Select(all => all.GetValueOrDefault(end)).FirstOrDefault(mean => mean is not null);

    private static async Task<List<(Datastream, List<(DateTime, double?, bool)>)>> DifferencesAsync(AlertsBench bench, Rule rule)
    {
        var streams = bench.Stations.All.SelectMany(station => bench.Stations.DatastreamsOf(station.Id))
            .Where(datastream => datastream.Quantity.Id == rule.Property && (rule.PeriodSeconds is null || rule.PeriodSeconds == (int)datastream.Period.TotalSeconds)).OrderBy(datastream => datastream.Id).ToList();
        var windows = new Dictionary<int, Dictionary<DateTime, double?>>();
        foreach (var datastream in streams)
        {
            windows[datastream.Id] = await WindowsAsync(bench, datastream, rule);
        }

        var found = new List<(Datastream, List<(DateTime, double?, bool)>)>();
        var moved = (await bench.Stations.MovedAsync(default)).ToLookup(place => place.StationId, place => place.Location);
        foreach (var anchor in streams.Where(datastream => rule.Station is null || datastream.Station.Slug == rule.Station))
        {
            var tip = (await OfAsync(bench, anchor.Id)).Select(o => o.PhenomenonTime).LastOrDefault();
            var points = new List<(DateTime, double?, bool)>();
            foreach (var end in windows[anchor.Id].Keys.Where(end => end <= tip).Order())
            {
                var start = end - rule.Window;
                var others = streams.Where(other => other.Station.Id != anchor.Station.Id).GroupBy(other => other.Station.Id)
                    .Select(station => (Away: Away(station.Key, anchor.Station.Id, start), Station: station.Key, Mean: First(station.Select(other => windows[other.Id]), end)))
                    .Where(station => station.Mean is not null);
                var compared = rule.Measure == Measure.DifferenceToMunicipality ? others.ToList() : [.. others.Where(one => one.Away * 111_195 <= 3_000).OrderBy(one => one.Away).ThenBy(one => one.Station).Take(5)];
                var sorted = compared.Select(one => one.Mean!.Value).Order().ToList();
                var isKnown = windows[anchor.Id][end] is not null && sorted.Count >= (rule.Measure == Measure.DifferenceToMunicipality ? 3 : 1);
                points.Add((end, isKnown ? windows[anchor.Id][end] - ((sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2) : null, IsInForce(start, end, anchor.Station.Id)));
            }

            found.Add((anchor, points));
        }

        return found;

        // All stand on one meridian: degrees of latitude.
        double Latitude(int station, DateTime at) => moved[station].OrderBy(place => place.Since).Last(place => place.Since <= at).Latitude;

        double Away(int one, int other, DateTime at) => Math.Abs(Latitude(one, at) - Latitude(other, at));

        bool IsInForce(DateTime start, DateTime end, int station)
        {
            for (var at = start; at < end; at = at.AddMinutes(1))
            {
                if (RuleSchedule.Parse(rule.Schedule)?.Covers(at, Lisbon) == false || !rule.IsAt(-8.42, Latitude(station, at)))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private static async Task<List<(Datastream, List<(DateTime, double?, bool)>)>> ClassesAsync(AlertsBench bench, Rule rule)
    {
        var found = new List<(Datastream, List<(DateTime, double?, bool)>)>();
        foreach (var station in bench.Stations.All)
        {
            var streams = bench.Stations.DatastreamsOf(station.Id).Where(datastream => AirIndex.PollutantOf(datastream.Quantity.Id) is not null).OrderBy(datastream => datastream.Id).ToList();
            var (tip, windows) = (DateTime.MinValue, new Dictionary<int, Dictionary<DateTime, double?>>());
            foreach (var datastream in streams)
            {
                windows[datastream.Id] = await WindowsAsync(bench, datastream, rule);
                tip = (await OfAsync(bench, datastream.Id)).Select(o => o.PhenomenonTime).Append(tip).Max();
            }

            double? Mean(string property, DateTime end) => First(streams.Where(datastream => datastream.Quantity.Id == property).Select(datastream => windows[datastream.Id]), end);
            if (streams.Count > 0)
            {
                found.Add((streams[0], [.. windows.Values.SelectMany(all => all.Keys).Distinct().Where(end => end <= tip).Order().Select(end =>
                    (end, (double?)AirIndex.Of(new AirAverages(Ozone: Mean("o3", end), NitrogenDioxide: Mean("no2", end), Pm10: Mean("pm10", end)))?.Class, true))]));
            }
        }

        return found;
    }
}
