using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Tests.Kit;

public abstract partial class SeriesConformance
{
    [Fact]
    public async Task Each_statistic_gives_the_worked_answer()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 1, 60), At(1, 0, 70), At(1, 2, -5), At(1, 60, 80) }, Cancel);
        foreach (var zone in Zones())
        {
            await Expect(Statistic.Count, 3, 1);
            await Expect(Statistic.Sum, 125, 80);
            await Expect(Statistic.Min, -5, 80);
            await Expect(Statistic.Max, 70, 80);
            await Expect(Statistic.Mean, 125 / 3.0, 80);
            await Expect(Statistic.First, 70, 80);
            await Expect(Statistic.Last, -5, 80);

            // 10 lg((10^7 + 10^6 + 10^-0.5) / 3)
            await Expect(Statistic.EnergyMean, 65.6427143, 80);

            async Task Expect(Statistic statistic, double first, double second)
            {
                var buckets = await series.AggregateAsync(Question(statistic, TimeSpan.FromHours(1), zone), Cancel);
                Assert.Equal(2, buckets.Count);
                Assert.Equal(first, buckets[0].Value, 1e-6);
                Assert.Equal(second, buckets[1].Value, 1e-6);
                Assert.Equal((Noon, Noon.AddHours(1), 3L), (buckets[0].Start, buckets[0].End, buckets[0].Count));
                Assert.Equal((Noon.AddHours(1), Noon.AddHours(2), 1L), (buckets[1].Start, buckets[1].End, buckets[1].Count));
                Assert.Equal((DateTimeKind.Utc, DateTimeKind.Utc), (buckets[0].Start.Kind, buckets[0].End.Kind));
            }
        }
    }

    [Fact]
    public async Task Directions_are_averaged_on_the_circle()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 0, 350), At(1, 1, 20), At(1, 60, 270), At(1, 120, 0), At(1, 121, 180), At(1, 180, 350), At(1, 181, 10) }, Cancel);
        foreach (var zone in Zones())
        {
            var means = await series.AggregateAsync(Question(Statistic.CircularMean, TimeSpan.FromHours(1), zone), Cancel);
            Assert.Equal(5, means[0].Value, 1e-9);
            Assert.Equal(270, means[1].Value, 1e-9);
            Assert.True(double.IsNaN(means[2].Value), "opposite winds have no mean direction");
            Assert.InRange(Math.Min(means[3].Value, 360 - means[3].Value), 0, 1e-9);
            Assert.InRange(means[3].Value, 0, 359.9999999999999);
        }
    }

    [Fact]
    public async Task Flags_are_gathered_and_flagged_observations_can_be_left_out()
    {
        var series = await OpenAsync();
        await series.AppendAsync(
            new[]
            {
                At(1, 0, 1) with { Quality = Quality.WarmingUp | Quality.Incomplete },
                At(1, 1, 2) with { Quality = Quality.Incomplete },
                At(1, 2, 6),
                At(1, 60, 9) with { Quality = Quality.WarmingUp },
            },
            Cancel);
        foreach (var zone in Zones())
        {
            var question = Question(Statistic.Mean, TimeSpan.FromHours(1), zone);
            var all = await series.AggregateAsync(question, Cancel);
            Assert.Equal([Quality.WarmingUp | Quality.Incomplete, Quality.WarmingUp], all.Select(bucket => bucket.Quality));
            var some = await series.AggregateAsync(question with { WithoutQuality = Quality.WarmingUp | Quality.Stuck }, Cancel);
            var only = Assert.Single(some);
            Assert.Equal((4.0, 2L, Quality.Incomplete), (only.Value, only.Count, only.Quality));
        }
    }

    [Fact]
    public async Task Utc_buckets_are_aligned_to_the_epoch_also_before_it()
    {
        var series = await OpenAsync();
        DateTime[] times = [Utc(1969, 12, 31, 23, 59), Utc(1969, 12, 31, 23, 30), Utc(1970, 1, 1), Times.Earliest, Times.Latest];
        await series.AppendAsync(times.Select((time, i) => new Observation(1, time, i, Quality.Good)).ToArray(), Cancel);
        var days = await series.AggregateAsync(Question(Statistic.Count, TimeSpan.FromDays(1)), Cancel);
        Assert.Equal([Times.Earliest.Date, Utc(1969, 12, 31), Utc(1970, 1, 1), Times.Latest.Date], days.Select(bucket => bucket.Start));
        Assert.Equal([1, 2, 1, 1], days.Select(bucket => bucket.Value));

        // From the question's own bounds, not from the edges of the bucket.
        var part = Assert.Single(await series.AggregateAsync(
            new AggregateQuery(1, Utc(1969, 12, 31, 23, 45), Utc(1970, 1, 1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Count), Cancel));
        Assert.Equal((Utc(1969, 12, 31, 23), Utc(1970, 1, 1), 1L), (part.Start, part.End, part.Count));
        var odd = await series.AggregateAsync(new AggregateQuery(1, Utc(1969, 1, 1), Utc(1971, 1, 1), new BucketWidth(TimeSpan.FromMinutes(7)), Statistic.Count), Cancel);
        Assert.Equal([Utc(1969, 12, 31, 23, 25), Utc(1969, 12, 31, 23, 53), Utc(1970, 1, 1)], odd.Select(bucket => bucket.Start));
    }

    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-29", "2026-03-29T00:00Z", "2026-03-29T23:00Z")]
    [InlineData("Europe/Lisbon", "2026-10-25", "2026-10-24T23:00Z", "2026-10-26T00:00Z")]
    [InlineData("Europe/Lisbon", "2026-07-01", "2026-06-30T23:00Z", "2026-07-01T23:00Z")]
    [InlineData("Atlantic/Azores", "2026-03-29", "2026-03-29T01:00Z", "2026-03-30T00:00Z")]
    [InlineData("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00Z", "2026-10-26T01:00Z")]
    [InlineData("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15Z", "2026-01-01T18:15Z")]
    [InlineData("America/Santiago", "2026-09-06", "2026-09-06T04:00Z", "2026-09-07T03:00Z")]
    public async Task Local_days_follow_the_calendar(string zone, string day, string start, string end)
    {
        var series = await OpenAsync();
        var place = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var (first, last) = (Instant(start), Instant(end));
        Observation[] inside = [.. new[] { first, first + ((last - first) / 2), last.AddMicroseconds(-1) }.Select(time => new Observation(1, time, 1, Quality.Good))];
        Observation[] outside = [.. new[] { first.AddMicroseconds(-1), last }.Select(time => new Observation(1, time, 1, Quality.Good))];
        await series.AppendAsync(inside.Concat(outside).ToArray(), Cancel);
        var days = await series.AggregateAsync(Question(Statistic.Count, TimeSpan.FromDays(1), place), Cancel);
        Assert.Equal([1, 3, 1], days.Select(bucket => bucket.Count));
        Assert.Equal((first, last), (days[1].Start, days[1].End));
        Assert.Equal(day, TimeZoneInfo.ConvertTimeFromUtc(days[1].Start, place).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((days[1].Start, days[1].End), (days[0].End, days[2].Start));
    }

    [Fact]
    public async Task Local_hours_follow_the_offset_and_the_hour_that_comes_twice_is_two()
    {
        var series = await OpenAsync();
        await series.AppendAsync(Minutes(Utc(2026, 10, 25), 180), Cancel);
        var lisbon = await Starts("Europe/Lisbon");
        Assert.Equal([Utc(2026, 10, 25), Utc(2026, 10, 25, 1), Utc(2026, 10, 25, 2)], lisbon);
        var kathmandu = await Starts("Asia/Kathmandu");
        Assert.Equal([Utc(2026, 10, 24, 23, 15), Utc(2026, 10, 25, 0, 15), Utc(2026, 10, 25, 1, 15), Utc(2026, 10, 25, 2, 15)], kathmandu);

        // Lord Howe sets its clock by half an hour: on 2026-04-05 at 02:00 (15:00 UTC) back to 01:30, on 2026-10-04 at 02:00 (15:30 UTC) on to 02:30.
        var back = await HowHours(Utc(2026, 4, 4, 13), 240);
        Assert.Equal([(Utc(2026, 4, 4, 13), 60.0), (Utc(2026, 4, 4, 14), 60), (Utc(2026, 4, 4, 15), 30), (Utc(2026, 4, 4, 15, 30), 60), (Utc(2026, 4, 4, 16, 30), 60)], back);
        var on = await HowHours(Utc(2026, 10, 3, 14, 30), 150);
        Assert.Equal([(Utc(2026, 10, 3, 14, 30), 60.0), (Utc(2026, 10, 3, 15, 30), 30), (Utc(2026, 10, 3, 16), 60)], on);

        async Task<List<DateTime>> Starts(string zone)
        {
            var buckets = await series.AggregateAsync(Question(Statistic.Count, TimeSpan.FromHours(1), TimeZoneInfo.FindSystemTimeZoneById(zone)), Cancel);
            return [.. buckets.Select(bucket => bucket.Start)];
        }

        async Task<List<(DateTime, double)>> HowHours(DateTime from, int minutes)
        {
            await series.AppendAsync(Minutes(from, minutes), Cancel);
            var buckets = await series.AggregateAsync(
                new AggregateQuery(1, from, from.AddMinutes(minutes), new BucketWidth(TimeSpan.FromHours(1), TimeZoneInfo.FindSystemTimeZoneById("Australia/Lord_Howe")), Statistic.Count), Cancel);
            return [.. buckets.Select(bucket => (bucket.Start, (bucket.End - bucket.Start).TotalMinutes))];
        }
    }

    [Fact]
    public async Task Longer_local_buckets_stretch_with_the_clock()
    {
        var series = await OpenAsync();
        await series.AppendAsync(Minutes(Utc(2026, 10, 24, 22), 600), Cancel);
        var buckets = await series.AggregateAsync(Question(Statistic.Count, TimeSpan.FromHours(6), TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon")), Cancel);
        Assert.Equal([(Utc(2026, 10, 24, 17), 6.0), (Utc(2026, 10, 24, 23), 7), (Utc(2026, 10, 25, 6), 6)], buckets.Select(b => (b.Start, (b.End - b.Start).TotalHours)));
        Assert.Equal([60L, 420, 120], buckets.Select(b => b.Count));
    }

    [Fact]
    public async Task Impossible_widths_are_refused()
    {
        var series = await OpenAsync();
        foreach (var width in new[] { TimeSpan.Zero, TimeSpan.FromHours(-1), TimeSpan.FromTicks(1), TimeSpan.FromTicks(15) })
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await series.AggregateAsync(Question(Statistic.Mean, width), Cancel));
        }
    }

    [Fact]
    public async Task Impossible_percentages_and_cadences_are_refused()
    {
        var series = await OpenAsync();
        var question = Question(Statistic.Percentile, TimeSpan.FromHours(1));
        foreach (var percent in new[] { -0.001, 100.001, double.NaN, double.PositiveInfinity })
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await series.AggregateAsync(question with { Percent = percent }, Cancel));
        }

        await Assert.ThrowsAsync<ArgumentException>(async () => await series.AggregateAsync(question with { Cadence = TimeSpan.FromTicks(-1) }, Cancel));
    }

    private static Observation[] Minutes(DateTime from, int count) => [.. Enumerable.Range(0, count).Select(i => new Observation(1, from.AddMinutes(i), i, Quality.Good))];

    private static DateTime Instant(string text) => DateTime.Parse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal);

    private static TimeZoneInfo?[] Zones() => [null, TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon")];
}
