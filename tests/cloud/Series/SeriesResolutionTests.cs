using CsCheck;
using Xunit;

namespace Hub.Cloud.Series.Tests;

public sealed class SeriesResolutionTests
{
    private static readonly TimeZoneInfo[] Zones =
        [.. new[] { "Europe/Lisbon", "Atlantic/Azores", "Asia/Kathmandu", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia" }.Select(TimeZoneInfo.FindSystemTimeZoneById)];

    [Theory]
    [InlineData(24, 60, 2_000, null)]
    [InlineData(24, 60, 1_440, null)]
    [InlineData(24, 60, 1_439, 120)]
    [InlineData(24, 60, 500, 300)]
    [InlineData(7 * 24, 60, 2_000, 600)]
    [InlineData(30 * 24, 60, 2_000, 1_800)]
    [InlineData(365 * 24, 60, 2_000, 21_600)]
    [InlineData(365 * 24, 60, 500, 86_400)]
    [InlineData(365 * 24, 900, 20_000, 1_800)]
    [InlineData(365 * 24, 900, 10_000, 3_600)]
    [InlineData(10 * 365 * 24, 60, 2_000, 172_800)]
    [InlineData(365 * 24, 3_600, 20_000, null)]
    [InlineData(1, 1, 2_000, 2)]
    [InlineData(24, 0, 2_000, null)]
    public void The_width_of_a_usual_chart(int hours, int cadence, int points, int? width) =>
        Assert.Equal(width is { } seconds ? TimeSpan.FromSeconds(seconds) : null, SeriesResolution.For(TimeSpan.FromHours(hours), TimeSpan.FromSeconds(cadence), points));

    [Fact]
    public void Where_the_cadence_does_not_go_into_the_width_a_slightly_wider_one_is_taken()
    {
        // Ten minutes do not go into a quarter of an hour.
        Assert.Equal(TimeSpan.FromMinutes(30), SeriesResolution.For(TimeSpan.FromDays(7), TimeSpan.FromMinutes(10), 800));

        // Nothing usual is a multiple of 145 s.
        Assert.Equal(TimeSpan.FromMinutes(5), SeriesResolution.For(TimeSpan.FromDays(1), TimeSpan.FromSeconds(145), 300));
    }

    [Fact]
    public void No_stretch_has_more_buckets_than_points_whatever_its_begin_and_the_clock_there() =>
        Gen.Select(
            Gen.OneOf(Gen.Long[1, 3_600_000_000], Gen.Long[1, 40 * EventTime.MicrosPerDay], Gen.Long[1, 4_000 * EventTime.MicrosPerDay]),
            Gen.OneOf(Gen.Int[2, 60], Gen.Int[2, 20_000]),
            Gen.OneOf(Gen.Const(0), Gen.Int[1, 200_000]),
            Gen.Long[EventTime.Micros(new DateTime(2001, 1, 1)), EventTime.Micros(new DateTime(2030, 1, 1))],
            Gen.Int[0, Zones.Length - 1]).Sample((span, points, cadence, from, zone) =>
        {
            var width = SeriesResolution.For(TimeSpan.FromMicroseconds(span), TimeSpan.FromSeconds(cadence), points, raw: false)!.Value;
            Assert.True(width >= TimeSpan.FromSeconds(cadence));
            var edges = new BucketEdges(width, width >= TimeSpan.FromDays(1) ? Zones[zone] : null);
            var (count, at) = (0, from);
            while (at < from + span)
            {
                at = edges.Around(at).End;
                count++;
            }

            Assert.InRange(count, 1, points);
        });

    [Fact]
    public void A_day_of_23_hours_lies_between_two_others_in_less_than_a_day()
    {
        // From a minute before the legal day of 2026-03-29 in Lisbon to a minute after it.
        var (span, from) = (TimeSpan.FromMinutes((23 * 60) + 2), EventTime.Micros(new DateTime(2026, 3, 28, 23, 59, 0)));
        var lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
        var day = new BucketEdges(TimeSpan.FromDays(1), lisbon).Around(from).End;
        Assert.Equal(EventTime.MicrosPerDay * 23 / 24, new BucketEdges(TimeSpan.FromDays(1), lisbon).Around(day).End - day);
        Assert.Equal(TimeSpan.FromDays(2), SeriesResolution.For(span, TimeSpan.Zero, 2, raw: false));
    }

    [Fact]
    public void A_promise_that_cannot_be_kept_is_not_made()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SeriesResolution.For(TimeSpan.FromHours(1), TimeSpan.Zero, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => SeriesResolution.For(TimeSpan.Zero, TimeSpan.Zero, 2));

        // All of time, in two points.
        Assert.NotNull(SeriesResolution.For(DateTime.MaxValue - DateTime.MinValue, TimeSpan.FromMinutes(1), 2));
    }

    [Fact]
    public void What_is_read_depends_on_the_rollups_that_are_kept()
    {
        var year = TimeSpan.FromDays(365);
        Assert.Equal(525_600, SeriesResolution.Rows(year, TimeSpan.FromMinutes(1), TimeSpan.FromHours(6), []));
        Assert.Equal(8_760, SeriesResolution.Rows(year, TimeSpan.FromMinutes(1), TimeSpan.FromHours(6), Rollups.Resolutions));
        Assert.Equal(35_040, SeriesResolution.Rows(year, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30), Rollups.Resolutions));
        Assert.Equal(8_760, SeriesResolution.Rows(year, TimeSpan.FromHours(1), TimeSpan.FromHours(6), Rollups.Resolutions));
        Assert.Equal(0, SeriesResolution.Rows(TimeSpan.FromHours(-1), TimeSpan.FromMinutes(1), TimeSpan.FromHours(6), []));
    }

    [Theory]
    [InlineData(30, null, 15)]
    [InlineData(20, null, 1)]
    [InlineData(180, null, 60)]
    [InlineData(1440, null, 60)]
    [InlineData(1440, "Europe/Lisbon", 60)]
    [InlineData(7 * 1440, "Europe/Lisbon", 60)]
    [InlineData(30, "Asia/Kathmandu", 15)]
    [InlineData(1, null, 1)]
    [InlineData(60, "Europe/Lisbon", 60)]
    [InlineData(1440, "Atlantic/Azores", 60)]
    [InlineData(1440, "Asia/Kathmandu", 15)]
    [InlineData(1440, "Australia/Lord_Howe", 15)]
    [InlineData(360, "Europe/Lisbon", 60)]
    public void A_question_is_folded_from_the_coarsest_rollup_that_makes_it_up(int minutes, string? zone, int cells)
    {
        var every = new BucketWidth(TimeSpan.FromMinutes(minutes), zone is null ? null : TimeZoneInfo.FindSystemTimeZoneById(zone));
        var question = new AggregateQuery(1, DateTime.MinValue, DateTime.MaxValue, every, Statistic.Mean);
        Assert.Equal(TimeSpan.FromMinutes(cells), Rollups.Serving(question));
        Assert.Null(Rollups.Serving(question with { Statistic = Statistic.Percentile }));
        Assert.Null(Rollups.Serving(question with { Every = new BucketWidth(TimeSpan.FromSeconds(90)) }));
        Assert.Null(Rollups.Serving(question with { Every = new BucketWidth(TimeSpan.FromSeconds(1)) }));
    }

    /// <summary>Over a year: of a minute's cadence observations cost more than the cells that may answer instead, of rarer readings the cells do; where none may, only observations count.</summary>
    [Theory]
    [InlineData(60, 6 * 3_600, Statistic.Mean, 525_600)]
    [InlineData(600, 6 * 3_600, Statistic.Mean, 52_560)]
    [InlineData(900, 6 * 3_600, Statistic.Mean, 43_800)]
    [InlineData(3_600, 6 * 3_600, Statistic.Mean, 43_800)]
    [InlineData(86_400, 86_400, Statistic.Mean, 1_825)]
    [InlineData(3_600, 6 * 3_600, Statistic.Percentile, 8_760)]
    [InlineData(3_600, 420, Statistic.Mean, 8_760)]
    [InlineData(60, 300, Statistic.Mean, 525_600)]
    [InlineData(10, 300, Statistic.Mean, 3_153_600)]
    [InlineData(1, 300, Statistic.Mean, 31_536_000)]
    public void Cells_that_may_answer_are_part_of_what_a_question_costs(int cadence, int width, Statistic statistic, long rows)
    {
        var (from, to) = (new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var question = new AggregateQuery(1, from, to, new BucketWidth(TimeSpan.FromSeconds(width)), statistic);
        Assert.Equal(rows, QuestionCost.Of(to - from, TimeSpan.FromSeconds(cadence), question));
        Assert.Equal(0, QuestionCost.Of(TimeSpan.Zero, TimeSpan.FromSeconds(cadence), question));
    }
}
