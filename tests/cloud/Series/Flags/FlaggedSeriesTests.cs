using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>With nothing flagged the overlay is the store it lies over.</summary>
public sealed class FlaggedSeriesConformanceTests : SeriesConformance, IDisposable
{
    private readonly MemorySeries _series = new();

    public void Dispose() => _series.Dispose();

    protected override Task<ISeries> OpenAsync() => Task.FromResult<ISeries>(new FlaggedSeries(_series, new ListedFindings()));
}

/// <summary>Whatever is asked through the overlay is answered, to the last bit, as by a store that has the flags in its observations.</summary>
public sealed class FlaggedSeriesTests
{
    private static readonly DateTime T0 = new(2026, 3, 27, 20, 0, 0, DateTimeKind.Utc);

    private static readonly Gen<(int Datastream, int Minute, double Value, Quality Quality, double Coverage)> AnyObservation =
        from datastream in Gen.Int[1, 3]
        from minute in Gen.Int[0, 5 * 1440]
        from value in Gen.Double[0, 100]
        from quality in Gen.Frequency((6, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.Incomplete)), (1, Gen.Const(Quality.Stuck)))
        from coverage in Gen.Frequency((3, Gen.Const(double.NaN)), (1, Gen.Double[0, 1]))
        select (datastream, minute, value, quality, coverage);

    private static readonly Gen<AggregateQuery> AnyQuestion =
        from datastream in Gen.Int[1, 3]
        from begin in Gen.Int[-10, 5 * 1440]
        from length in Gen.OneOf(Gen.Int[1, 500], Gen.Int[500, 6 * 1440])
        from width in Gen.OneOf(Gen.Const(7), Gen.Const(15), Gen.Const(60), Gen.Const(180), Gen.Const(1440))
        from zone in Gen.OneOf(Gen.Const((string?)null), Gen.Const((string?)"Europe/Lisbon"))
        from statistic in Gen.Enum<Statistic>()
        from without in Gen.OneOf(Gen.Const(Quality.Good), Gen.Const(Quality.Spike), Gen.Const(Quality.Stuck | Quality.Drift), Gen.Const((Quality)int.MaxValue))
        from cadence in Gen.Int[0, 1]
        select new AggregateQuery(
            datastream, T0.AddMinutes(begin), T0.AddMinutes(begin + length), new BucketWidth(TimeSpan.FromMinutes(width), zone is null ? null : TimeZoneInfo.FindSystemTimeZoneById(zone)), statistic, without)
        {
            Percent = 90, Cadence = TimeSpan.FromMinutes(cadence),
        };

    /// <summary>Flags for runs of observations: which begin one, how long, which flag. A flag at most once per observation of a run.</summary>
    private static readonly Gen<(int Share, int Length, Quality Flag)[]> AnyRuns =
        (from share in Gen.Int[0, 99]
         from length in Gen.Int[1, 60]
         from flag in Gen.OneOf(Gen.Const(Quality.Spike), Gen.Const(Quality.Drift), Gen.Const(Quality.Stuck | Quality.Step))
         select (share, length, flag)).Array[0, 6];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_answers_are_those_of_a_store_with_the_flags_in_it()
    {
        await using var plain = await Store.OpenAsync();
        await using var baked = await Store.OpenAsync();
        var round = 0;
        await (from observations in AnyObservation.Array[1, 600] from runs in AnyRuns from questions in AnyQuestion.Array[12] select (observations, runs, questions)).SampleAsync(
            async sample =>
            {
                // Each case on datastreams of its own: opening a store takes longer than asking it.
                var shift = 10 * ++round;
                Observation[] set =
                [
                    .. sample.observations.DistinctBy(one => (one.Datastream, one.Minute)).OrderBy(one => one.Datastream).ThenBy(one => one.Minute)
                        .Select(one => new Observation(one.Datastream + shift, T0.AddMinutes(one.Minute), one.Value, one.Quality) { Coverage = one.Coverage }),
                ];
                var flags = new Quality[set.Length];
                foreach (var (share, length, flag) in sample.runs)
                {
                    var begin = share * set.Length / 100;
                    for (var at = begin; at < Math.Min(set.Length, begin + length); at++)
                    {
                        flags[at] |= flag;
                    }
                }

                await plain.Series.AppendAsync(set, Cancel);
                await baked.Series.AppendAsync(set.Select((one, at) => one with { Quality = one.Quality | flags[at] }).ToArray(), Cancel);
                var findings = new ListedFindings(set.Zip(flags));
                ISeries overlaid = new FlaggedSeries(plain.Series, findings);
                int[] datastreams = [shift + 1, shift + 2, shift + 3];
                foreach (var datastream in datastreams)
                {
                    Assert.Equal(baked.Series.TryGetLatest(datastream, out var latest), overlaid.TryGetLatest(datastream, out var overlaidLatest));
                    Assert.Equal(latest, overlaidLatest);
                }

                foreach (var question in sample.questions.Select(question => question with { Datastream = question.Datastream + shift }))
                {
                    Assert.Equal(await ListAsync(baked.Series.RangeAsync(question.Datastream, question.From, question.To, Cancel)), await ListAsync(overlaid.RangeAsync(question.Datastream, question.From, question.To, Cancel)));
                    Assert.Equal(await baked.Series.AggregateAsync(question, Cancel), await overlaid.AggregateAsync(question, Cancel));
                    var (expected, many) = (await ((ISeries)baked.Series).AggregateManyAsync(datastreams, question, Cancel), await overlaid.AggregateManyAsync(datastreams, question, Cancel));
                    Assert.Equal(expected.Keys.Order(), many.Keys.Order());
                    Assert.All(expected, entry => Assert.Equal(entry.Value, many[entry.Key]));
                }
            },
            iter: 300,
            threads: 1);
    }

    /// <summary>A member that a store may leave out would be answered for it, and for all readers, by what the seam says of stores that cannot.</summary>
    [Fact]
    public void Every_member_of_the_seam_is_its_own()
    {
        var map = typeof(FlaggedSeries).GetInterfaceMap(typeof(ISeries));
        Assert.NotEmpty(map.TargetMethods);
        Assert.All(map.TargetMethods, method => Assert.True(method.DeclaringType == typeof(FlaggedSeries), $"{method.Name} is left to {method.DeclaringType}"));
    }

    [Fact]
    public async Task Flags_found_since_are_kept_with_the_rollups_when_observations_go()
    {
        // A value a minute over three days; what is flagged lies in the first two, and across an hour, a day and the end of what is condensed.
        Observation[] set = [.. Enumerable.Range(0, 3 * 1440).Select(minute => new Observation(1, T0.Date.AddMinutes(minute), (minute * 37 % 991) / 10.0, minute % 500 == 7 ? Quality.Stuck : Quality.Good))];
        var flags = set.Select((_, minute) => minute is >= 50 and < 70 or >= 1430 and < 1450 or >= 2870 and < 2890 ? Quality.Spike : minute == 300 ? Quality.Drift : Quality.Good).ToArray();
        var findings = new ListedFindings(set.Zip(flags));
        await using var plain = await Store.OpenAsync(findings: findings);
        await using var baked = await Store.OpenAsync();
        await plain.Series.AppendAsync(set, Cancel);
        await baked.Series.AppendAsync(set.Select((one, at) => one with { Quality = one.Quality | flags[at] }).ToArray(), Cancel);
        ISeries overlaid = new FlaggedSeries(plain.Series, findings);
        Assert.True(overlaid.CanCondense);
        Assert.Equal(2 * 1440, await overlaid.CondenseAsync([1], T0.Date, T0.Date.AddDays(2), Cancel));
        Assert.Equal(2 * 1440, await baked.Series.CondenseAsync([1], T0.Date, T0.Date.AddDays(2), Cancel));

        // Findings go with what is condensed: the figures are the same without them.
        var removed = new FlaggedSeries(plain.Series, new ListedFindings(set.Zip(flags).Where(one => one.First.PhenomenonTime >= T0.Date.AddDays(2))));
        Assert.Equal(1440, await overlaid.CountAsync(1, DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal(2, (await overlaid.CondensedAsync(DateTime.MinValue, DateTime.MaxValue, Cancel))[1]);
        foreach (var minutes in new[] { 15, 60, 1440 })
        {
            foreach (var statistic in new[] { Statistic.Count, Statistic.Mean, Statistic.Max, Statistic.EnergyMean, Statistic.Last })
            {
                foreach (var without in new[] { Quality.Good, Quality.Spike, Quality.Drift, Quality.Stuck, (Quality)int.MaxValue })
                {
                    var question = new AggregateQuery(1, T0.Date, T0.Date.AddDays(3), new BucketWidth(TimeSpan.FromMinutes(minutes)), statistic, without);
                    var expected = await baked.Series.AggregateAsync(question, Cancel);
                    Assert.Equal(expected, await overlaid.AggregateAsync(question, Cancel));
                    Assert.Equal(expected, (await overlaid.AggregateManyAsync([1], question, Cancel))[1]);
                    Assert.Equal(expected, await removed.AggregateAsync(question, Cancel));
                }
            }
        }

        // A bucket of days of both kinds is the store's: nobody can fold the first ones again.
        var all = new AggregateQuery(1, T0.Date, T0.Date.AddDays(3), new BucketWidth(TimeSpan.FromDays(30)), Statistic.Count);
        Assert.Equal(3 * 1440, Assert.Single(await overlaid.AggregateAsync(all, Cancel)).Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_day_that_is_condensed_while_it_is_asked_about_is_told_with_its_flags(bool many)
    {
        Observation[] set = [.. Enumerable.Range(0, 2 * 1440).Select(minute => new Observation(1, T0.Date.AddMinutes(minute), minute % 97, Quality.Good))];
        var flags = set.Select((_, minute) => minute is >= 600 and < 700 or >= 2000 and < 2100 ? Quality.Spike : Quality.Good).ToArray();
        var question = new AggregateQuery(1, T0.Date, T0.Date.AddDays(2), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Mean, Quality.Spike);
        await using var baked = await Store.OpenAsync();
        await baked.Series.AppendAsync(set.Select((one, at) => one with { Quality = one.Quality | flags[at] }).ToArray(), Cancel);
        var expected = await baked.Series.AggregateAsync(question, Cancel);

        // The first day goes, and its findings with it, after the store has answered from its observations and before the overlay looks what was found.
        for (var looks = 1; looks <= 3; looks++)
        {
            var findings = new PassingFindings(new ListedFindings(set.Zip(flags)), looks);
            await using var plain = await Store.OpenAsync(findings: findings);
            await plain.Series.AppendAsync(set, Cancel);
            ISeries overlaid = new FlaggedSeries(plain.Series, findings);
            findings.Meanwhile = async () =>
            {
                await overlaid.CondenseAsync([1], T0.Date, T0.Date.AddDays(1), Cancel);
                return T0.Date.AddDays(1);
            };
            Assert.Equal(expected, many ? (await overlaid.AggregateManyAsync([1], question, Cancel))[1] : await overlaid.AggregateAsync(question, Cancel));
            Assert.True(findings.HasPassed);
            Assert.Equal(expected, await overlaid.AggregateAsync(question, Cancel));
        }
    }

    [Fact]
    public async Task Everything_else_passes_through()
    {
        using var stored = new MemorySeries();
        var observation = new Observation(1, T0, 5, Quality.Good);
        ISeries overlaid = new FlaggedSeries(stored, new ListedFindings([(observation, Quality.Spike)]));
        Assert.Same(stored, overlaid.Stored());
        Assert.Same(stored, stored.Stored());
        var heard = new Heard();
        using var subscription = overlaid.Subscribe(heard);
        var receipt = await overlaid.AppendAsync(new[] { observation, observation with { Result = 4 } }, Cancel);
        Assert.Equal((1L, 1L), (receipt.Commit, overlaid.LastCommit));
        Assert.Equal(Quality.Good, Assert.Single(Assert.Single(heard.Commits).Observations).Quality);
        Assert.Equal(Quality.Good, Assert.Single(await ListAsync(overlaid.HistoryAsync(1, T0, T0.AddDays(1), Cancel))).Quality);
        Assert.Equal(Quality.Spike, Assert.Single(await ListAsync(overlaid.RangeAsync(1, T0, T0.AddDays(1), Cancel))).Quality);
        Assert.Equal(Quality.Good, Assert.Single(await ListAsync(stored.RangeAsync(1, T0, T0.AddDays(1), Cancel))).Quality);
        Assert.Equal([1], await overlaid.DatastreamsAsync(T0, T0.AddDays(1), Cancel));
        Assert.Equal(T0, (await overlaid.ChangedSinceAsync(0, Cancel))[1]);
        Assert.Equal(((ISeries)stored).HeldWithin(T0, T0.AddDays(1)), overlaid.HeldWithin(T0, T0.AddDays(1)));
        Assert.Equal(1, await overlaid.DeleteAsync([1], T0, T0.AddDays(1), Cancel));
    }

    private static async Task<List<Observation>> ListAsync(IAsyncEnumerable<Observation> observations)
    {
        var list = new List<Observation>();
        await foreach (var observation in observations)
        {
            list.Add(observation);
        }

        return list;
    }

    private sealed class Heard : ISeriesObserver
    {
        public List<HeardCommit> Commits { get; } = [];

        public void OnCommitted(SeriesCommit commit) => Commits.Add(HeardCommit.Of(commit));
    }
}

/// <summary>Findings of observations with their flags: consecutive ones of a datastream with the same flags are one stretch.</summary>
internal sealed class ListedFindings : IFindings
{
    private readonly Dictionary<int, List<FlagStretch>> _stretches = [];

    public ListedFindings(IEnumerable<(Observation Observation, Quality Flags)> flagged)
    {
        var before = (Datastream: 0, Flags: Quality.Good);
        foreach (var (observation, flags) in flagged)
        {
            if (flags != Quality.Good)
            {
                if (!_stretches.TryGetValue(observation.Datastream, out var list))
                {
                    _stretches[observation.Datastream] = list = [];
                }

                var end = observation.PhenomenonTime.AddMicroseconds(1);
                if (before == (observation.Datastream, flags))
                {
                    list[^1] = list[^1] with { To = end };
                }
                else
                {
                    list.Add(new FlagStretch(observation.PhenomenonTime, end, flags));
                }
            }

            before = (observation.Datastream, flags);
        }
    }

    public ListedFindings() : this([])
    {
    }

    public Quality At(int datastream, DateTime time) =>
        _stretches.GetValueOrDefault(datastream, []).Find(stretch => stretch.From <= time && time < stretch.To).Flags;

    public IReadOnlyList<FlagStretch> Within(int datastream, DateTime from, DateTime to) =>
        [.. _stretches.GetValueOrDefault(datastream, []).Where(stretch => stretch.To > from && stretch.From < to)];
}

/// <summary>Findings of which some go, with their observations, in the moment they are looked at for the n-th time.</summary>
internal sealed class PassingFindings(ListedFindings listed, int looks) : IFindings
{
    private int _looks;
    private volatile bool _passing;
    private DateTime _gone = DateTime.MinValue;

    /// <summary>What happens in that moment; gives the time before which nothing is found any more.</summary>
    public Func<Task<DateTime>> Meanwhile { get; set; } = () => Task.FromResult(DateTime.MinValue);

    /// <summary>Whether it has happened.</summary>
    public bool HasPassed { get; private set; }

    public Quality At(int datastream, DateTime time) => time < _gone ? Quality.Good : listed.At(datastream, time);

    public IReadOnlyList<FlagStretch> Within(int datastream, DateTime from, DateTime to)
    {
        // The store itself looks too, while it condenses.
        if (!_passing && Interlocked.Increment(ref _looks) == looks)
        {
            _passing = true;
            _gone = Task.Run(Meanwhile).GetAwaiter().GetResult();
            HasPassed = true;
        }

        return [.. listed.Within(datastream, from, to).Where(stretch => stretch.From >= _gone)];
    }
}
