using CsCheck;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Tests.Kit;

public abstract partial class SeriesConformance
{
    [Theory]
    [InlineData(0, 15)]
    [InlineData(5, 16)]
    [InlineData(30, 23)]
    [InlineData(40, 29)]
    [InlineData(50, 35)]
    [InlineData(75, 40)]
    [InlineData(100, 50)]
    public async Task Percentiles_lie_between_the_closest_ranks(double percent, double expected)
    {
        // Places 1 to 5 are 15, 20, 35, 40, 50; percent p is place 1 + 4 p / 100.
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 0, 40), At(1, 1, 15), At(1, 2, 50), At(1, 3, 35), At(1, 4, 20), At(1, 60, 7) }, Cancel);
        foreach (var zone in Zones())
        {
            var hours = await series.AggregateAsync(Question(Statistic.Percentile, TimeSpan.FromHours(1), zone) with { Percent = percent }, Cancel);
            Assert.Equal(expected, hours[0].Value, 1e-12);

            // One value is every percentile.
            Assert.Equal(7, hours[1].Value);
        }
    }

    [Fact]
    public async Task A_percentile_among_ties_is_the_tie_and_extremes_do_not_overflow()
    {
        var series = await OpenAsync();
        await series.AppendAsync(Enumerable.Range(0, 50).Select(i => At(1, i, i < 40 ? 0.1 + 0.2 : 9)).ToArray(), Cancel);
        await series.AppendAsync(new[] { At(2, 0, double.MaxValue), At(2, 1, double.MinValue) }, Cancel);
        foreach (var percent in new[] { 0, 33.3, 79 })
        {
            Assert.Equal(0.1 + 0.2, Assert.Single(await series.AggregateAsync(Question(Statistic.Percentile, TimeSpan.FromHours(1)) with { Percent = percent }, Cancel)).Value);
        }

        var wide = Question(Statistic.Percentile, TimeSpan.FromHours(1)) with { Datastream = 2 };
        Assert.Equal(0, Assert.Single(await series.AggregateAsync(wide, Cancel)).Value);
        Assert.Equal(double.MaxValue, Assert.Single(await series.AggregateAsync(wide with { Percent = 100 }, Cancel)).Value);
    }

    [Fact]
    public async Task The_level_exceeded_a_tenth_of_the_time_is_the_ninetieth_percentile()
    {
        // 91 levels, 40.0 to 85.0 in steps of 0.5: nine of them, a tenth of the ninety steps, lie above 80.5.
        var series = await OpenAsync();
        await series.AppendAsync(Enumerable.Range(0, 91).Select(i => new Observation(1, Noon.AddSeconds(i * 37 % 91), 40 + (i * 0.5), Quality.Good)).ToArray(), Cancel);
        var question = Question(Statistic.Percentile, TimeSpan.FromHours(1));
        Assert.Equal(80.5, Assert.Single(await series.AggregateAsync(question with { Percent = 90 }, Cancel)).Value, 1e-9);
        Assert.Equal(62.5, Assert.Single(await series.AggregateAsync(question, Cancel)).Value, 1e-9);
        Assert.Equal(44.5, Assert.Single(await series.AggregateAsync(question with { Percent = 10 }, Cancel)).Value, 1e-9);
    }

    [Fact]
    public async Task Every_bucket_carries_its_envelope_whatever_was_asked()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 0, 3), At(1, 1, -8), At(1, 2, 5), At(1, 60, 4) }, Cancel);
        foreach (var statistic in Enum.GetValues<Statistic>())
        {
            var hours = await series.AggregateAsync(Question(statistic, TimeSpan.FromHours(1)), Cancel);
            Assert.Equal([(-8.0, 5.0), (4, 4)], hours.Select(bucket => (bucket.Min, bucket.Max)));
        }
    }

    [Fact]
    public async Task Coverage_counts_what_each_observation_stands_for()
    {
        var series = await OpenAsync();
        await series.AppendAsync(Minutes(Noon, 45), Cancel);
        await series.AppendAsync(Enumerable.Range(60, 60).Select(i => At(1, i, i) with { Coverage = 0.5, Quality = i < 80 ? Quality.Stuck : Quality.Good }).ToArray(), Cancel);
        await series.AppendAsync(Enumerable.Range(240, 120).Select(i => At(1, 120 + (i / 2.0), i)).ToArray(), Cancel);
        var question = Question(Statistic.Mean, TimeSpan.FromHours(1)) with { Cadence = TimeSpan.FromMinutes(1) };
        foreach (var zone in Zones())
        {
            var hours = await series.AggregateAsync(question with { Every = question.Every with { Zone = zone } }, Cancel);
            AssertShares([0.75, 0.5, 1], hours);

            // What is left out covers nothing.
            AssertShares([0.75, 1 / 3.0, 1], await series.AggregateAsync(question with { WithoutQuality = Quality.Stuck }, Cancel));

            // Against the whole bucket, also where the question ends inside it.
            AssertShares([0.5], await series.AggregateAsync(question with { To = Noon.AddMinutes(30) }, Cancel));
        }

        Assert.All(await series.AggregateAsync(question with { Cadence = TimeSpan.Zero }, Cancel), bucket => Assert.True(double.IsNaN(bucket.Coverage)));
    }

    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-29T00:00Z", 23)]
    [InlineData("Europe/Lisbon", "2026-10-24T23:00Z", 25)]
    [InlineData("Atlantic/Azores", "2026-03-29T01:00Z", 23)]
    [InlineData("Atlantic/Azores", "2026-10-25T00:00Z", 25)]
    [InlineData("Australia/Lord_Howe", "2026-10-03T13:30Z", 23.5)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T13:00Z", 24.5)]
    [InlineData("Asia/Kathmandu", "2026-05-31T18:15Z", 24)]
    [InlineData("America/St_Johns", "2026-03-08T03:30Z", 23)]
    public async Task A_local_day_is_covered_when_each_of_its_hours_is_however_many_it_has(string zone, string start, double hours)
    {
        var series = await OpenAsync();
        var first = Instant(start);
        var quarters = (int)(hours * 4);

        // A quarter of an hour on either side belongs to the neighbours.
        await series.AppendAsync(Enumerable.Range(-1, quarters + 2).Select(i => new Observation(1, first.AddMinutes(15 * i), 60, Quality.Good)).ToArray(), Cancel);
        var question = Question(Statistic.EnergyMean, TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById(zone)) with { Cadence = TimeSpan.FromMinutes(15) };
        var days = await series.AggregateAsync(question, Cancel);
        Assert.Equal([1, quarters, 1], days.Select(day => day.Count));
        Assert.Equal((first, first.AddHours(hours)), (days[1].Start, days[1].End));
        Assert.Equal(1, days[1].Coverage, 1e-12);
        Assert.Equal(60, days[1].Value, 1e-9);

        // One hour less is missing one hour of as many as the day has.
        var part = await series.AggregateAsync(question with { From = first.AddHours(1), To = first.AddHours(hours) }, Cancel);
        Assert.Equal((hours - 1) / hours, Assert.Single(part).Coverage, 1e-12);
    }

    [Fact]
    public async Task Percentiles_and_energy_means_are_those_of_the_definition_in_any_order_of_arrival()
    {
        var series = await OpenAsync();
        var datastream = 0;
        await Gen.Select(Gen.Double[-20, 120].Array[1, 40], Gen.Double[0, 100], Gen.Int[0, int.MaxValue]).SampleAsync(
            async (levels, percent, seed) =>
            {
                datastream++;
                var observations = levels.Select((level, i) => new Observation(datastream, Noon.AddSeconds(i), level, Quality.Good)).ToArray();
                new Random(seed).Shuffle(observations);
                foreach (var batch in observations.Chunk(1 + (seed % 17)))
                {
                    await series.AppendAsync(batch, Cancel);
                }

                var question = Question(Statistic.Percentile, TimeSpan.FromHours(1)) with { Datastream = datastream, Percent = percent };
                var value = Assert.Single(await series.AggregateAsync(question, Cancel)).Value;
                var below = levels.Count(level => level < value - 1e-9);
                var notAbove = levels.Count(level => level <= value + 1e-9);
                var place = 1 + ((levels.Length - 1) * percent / 100);
                Assert.InRange(place, below, notAbove + 1);
                Assert.True(below <= place && Math.Floor(place) <= notAbove, $"{percent} % of {levels.Length} levels is not {value}");

                var energy = Assert.Single(await series.AggregateAsync(question with { Statistic = Statistic.EnergyMean }, Cancel)).Value;
                Assert.Equal(10 * Math.Log10(levels.Select(level => Math.Pow(10, level / 10)).Sum() / levels.Length), energy, 1e-9);
            },
            iter: Repeats.Of(20, 120),
            threads: 1);
    }

    /// <summary>
    /// A percentile holds its observations in memory: of more than a million it is refused, and says what to do. A million take half a minute to store, so this is asked once of each implementation, not
    /// with each of its settings.
    /// </summary>
    /// <param name="series">An empty store.</param>
    public static async Task RefusesAPercentileOfMoreThanAMillionAsync(ISeries series)
    {
        ArgumentNullException.ThrowIfNull(series);
        const int count = 1_000_001;
        foreach (var chunk in Enumerable.Range(0, count).Chunk(50_000))
        {
            await series.AppendAsync(Array.ConvertAll(chunk, i => new Observation(1, Noon.AddMilliseconds(i), i, Quality.Good)), Cancel);
        }

        var question = Question(Statistic.Percentile, TimeSpan.FromDays(1));
        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await series.AggregateAsync(question, Cancel));
        Assert.Contains("at most 1", error.Message, StringComparison.Ordinal);
        Assert.Equal(499_999.5, Assert.Single(await series.AggregateAsync(question with { To = Noon.AddMilliseconds(1_000_000) }, Cancel)).Value, 1e-6);
        Assert.Equal(3, (await series.AggregateAsync(question with { Every = new BucketWidth(TimeSpan.FromMilliseconds(400_000)) }, Cancel)).Count);
    }

    private static void AssertShares(double[] expected, IReadOnlyList<Bucket> buckets)
    {
        Assert.Equal(expected.Length, buckets.Count);
        Assert.All(expected.Zip(buckets), pair => Assert.Equal(pair.First, pair.Second.Coverage, 1e-12));
    }
}
