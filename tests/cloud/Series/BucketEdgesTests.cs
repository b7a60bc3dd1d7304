using System.Globalization;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Buckets on the local clocks of the world, at every kind of change, against the time zone database itself.</summary>
public sealed class BucketEdgesTests
{
    private static readonly int[] WidthMinutes = [1, 7, 15, 40, 60, 61, 90, 120, 180, 360, 420, 720, 1440, 2160, 10080, 20160, 30240];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What <see cref="BucketEdges"/> takes for granted; where this fails the time zone data of the machine has something new.</summary>
    [Fact]
    public void The_framework_knows_the_offset_at_every_instant_and_changes_are_more_than_two_days_apart()
    {
        var (changes, wrong) = (0, new List<string>());
        foreach (var clock in ZoneClock.All())
        {
            var previous = ZoneClock.From;
            foreach (var change in clock.Changes)
            {
                changes++;
                Assert.True(change - previous > 2 * 86_400 || previous == ZoneClock.From, $"{clock.Zone.Id} changes twice within two days at {Utc(change):u}.");
                Assert.Equal(0, change % 60);
                foreach (var instant in new[] { (previous + change) / 2, change - 86_400, change - 3601, change - 1800, change - 1, change, change + 1, change + 1800, change + 3600, change + 86_400 })
                {
                    if (clock.Zone.GetUtcOffset(Utc(instant)).TotalSeconds != clock.Offset(instant))
                    {
                        wrong.Add($"{clock.Zone.Id} at {Utc(instant):u}: {clock.Zone.GetUtcOffset(Utc(instant))}, is {clock.Offset(instant)} s");
                    }
                }

                previous = change;
            }
        }

        Assert.Empty(wrong);
        Assert.InRange(changes, 10_000, int.MaxValue);
    }

    /// <summary>
    /// The reference watches the local clock minute by minute. Up to an hour: another bucket whenever the clock has changed or shows another multiple. Longer: whenever the latest time the
    /// clock has shown yet lies in another multiple.
    /// </summary>
    [Fact]
    public void Buckets_are_those_of_a_watched_clock_in_every_zone()
    {
        ZoneClock[] clocks = [.. ZoneClock.All().Where(clock => clock.Changes.Count > 0)];
        Gen.Select(Gen.Int[0, clocks.Length - 1], Gen.Int[0, 1000], Gen.Int[0, WidthMinutes.Length - 1], Gen.Long[0, long.MaxValue]).Sample(
            (zone, number, width, seed) =>
            {
                var clock = clocks[zone];
                Agree(clock, clock.Changes[number % clock.Changes.Count], WidthMinutes[width], seed);
            },
            iter: 1500);
    }

    /// <summary>Those the municipalities live in, and those whose clocks do what no other does: all of their changes.</summary>
    [Theory]
    [InlineData("Europe/Lisbon")]
    [InlineData("Atlantic/Madeira")]
    [InlineData("Atlantic/Azores")]
    [InlineData("Europe/Dublin")] // Its winter is the exception: daylight saving is negative.
    [InlineData("Africa/Casablanca")] // Four changes a year, around Ramadan; negative since 2018.
    [InlineData("Africa/Cairo")] // At midnight; four changes in 2010 and 2014.
    [InlineData("America/Asuncion")] // At midnight, both ways; a zone of its own since 2024.
    [InlineData("America/Santiago")] // At midnight.
    [InlineData("America/St_Johns")] // At one minute past midnight until 2011: the day begins, ends and begins.
    [InlineData("Australia/Lord_Howe")] // By half an hour.
    [InlineData("Asia/Pyongyang")] // Half an hour away and back.
    [InlineData("America/Caracas")]
    [InlineData("Asia/Kathmandu")]
    [InlineData("Pacific/Apia")] // A day left out.
    [InlineData("Pacific/Fakaofo")]
    [InlineData("Antarctica/Troll")] // By two hours.
    [InlineData("Antarctica/Casey")] // By three hours.
    public void Every_change_of_a_zone(string zone)
    {
        _ = ZoneClock.All();
        var clock = ZoneClock.Of(TimeZoneInfo.FindSystemTimeZoneById(zone));
        Assert.Equal(zone == "Asia/Kathmandu", clock.Changes.Count == 0);
        foreach (var change in clock.Changes.DefaultIfEmpty((ZoneClock.From + ZoneClock.To) / 2))
        {
            foreach (var minutes in new[] { 15, 60, 420, 1440 })
            {
                Agree(clock, change, minutes, change);
            }
        }
    }

    /// <summary>Whole years without a hole or an overlap, each day as many hours as the calendar says and begun at the local date's first moment.</summary>
    [Fact]
    public void Days_follow_each_other_without_hole_or_overlap()
    {
        var clocks = ZoneClock.All();
        Gen.Select(Gen.Int[0, clocks.Length - 1], Gen.Int[2000, 2035]).Sample(
            (zone, year) =>
            {
                var clock = clocks[zone];
                var edges = new BucketEdges(TimeSpan.FromDays(1), clock.Zone);
                var (start, end) = edges.Around(EventTime.Micros(new DateTime(year, 1, 1, 12, 0, 0, DateTimeKind.Utc)));
                for (var day = 0; day < 366; day++)
                {
                    Assert.Equal((start, end), edges.Around(start));
                    Assert.Equal((start, end), edges.Around(end - 1));
                    var next = edges.Around(end);
                    Assert.Equal(end, next.Start);

                    // Before and after a change of the offset, a day is longer or shorter by exactly that.
                    var (first, last) = (start / 1_000_000, end / 1_000_000);
                    var skipped = clock.Offset(last) - clock.Offset(first);
                    var dates = (LocalDate(clock, last) - LocalDate(clock, first)).Days;
                    var gap = LocalTime(clock, last) - LocalTime(clock, first);
                    Assert.Equal((dates * 86_400L) + (long)gap.TotalSeconds - skipped, last - first);
                    Assert.True(LocalTime(clock, first) == TimeSpan.Zero || clock.Changes.Contains(first), $"{clock.Zone.Id}: a day begins at {LocalTime(clock, first)}, {Utc(first):u}");
                    (start, end) = next;
                }
            },
            iter: 60);
    }

    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-29T12:00Z", "2026-03-29T00:00Z", 23)]
    [InlineData("Europe/Lisbon", "2026-10-25T12:00Z", "2026-10-24T23:00Z", 25)]
    [InlineData("Atlantic/Madeira", "2026-10-25T12:00Z", "2026-10-24T23:00Z", 25)]
    [InlineData("Atlantic/Azores", "2026-03-29T12:00Z", "2026-03-29T01:00Z", 23)] // 00:00 is left out.
    [InlineData("Atlantic/Azores", "2026-10-25T12:00Z", "2026-10-25T00:00Z", 25)] // 00:00 comes twice; the first begins the day.
    [InlineData("Europe/Dublin", "2026-03-29T12:00Z", "2026-03-29T00:00Z", 23)]
    [InlineData("Europe/Dublin", "2026-10-25T12:00Z", "2026-10-24T23:00Z", 25)]
    [InlineData("Africa/Casablanca", "2012-04-29T12:00Z", "2012-04-29T00:00Z", 23)]
    [InlineData("Africa/Casablanca", "2012-07-20T12:00Z", "2012-07-19T23:00Z", 25)]
    [InlineData("Africa/Casablanca", "2012-08-20T12:00Z", "2012-08-20T00:00Z", 23)]
    [InlineData("Africa/Casablanca", "2012-09-30T12:00Z", "2012-09-29T23:00Z", 25)]
    [InlineData("Africa/Casablanca", "2020-04-19T12:00Z", "2020-04-18T23:00Z", 25)]
    [InlineData("America/Asuncion", "2023-10-01T12:00Z", "2023-10-01T04:00Z", 23)] // 00:00 to 01:00.
    [InlineData("America/Asuncion", "2024-03-23T12:00Z", "2024-03-23T03:00Z", 25)] // 24:00 to 23:00.
    [InlineData("Africa/Cairo", "2023-04-28T12:00Z", "2023-04-27T22:00Z", 23)]
    [InlineData("Africa/Cairo", "2023-10-26T12:00Z", "2023-10-25T21:00Z", 25)]
    [InlineData("America/St_Johns", "2010-11-06T12:00Z", "2010-11-06T02:30Z", 24)] // At 00:01 of the 7th back to 23:01 of the 6th: the 7th has begun.
    [InlineData("America/St_Johns", "2010-11-07T12:00Z", "2010-11-07T02:30Z", 25)]
    [InlineData("Australia/Lord_Howe", "2026-04-05T00:00Z", "2026-04-04T13:00Z", 24.5)]
    [InlineData("Australia/Lord_Howe", "2026-10-04T00:00Z", "2026-10-03T13:30Z", 23.5)]
    [InlineData("Asia/Pyongyang", "2015-08-14T12:00Z", "2015-08-13T15:00Z", 24.5)]
    [InlineData("Asia/Pyongyang", "2018-05-04T14:00Z", "2018-05-03T15:30Z", 23.5)]
    [InlineData("Pacific/Apia", "2011-12-30T09:59Z", "2011-12-29T10:00Z", 24)] // The 29th; the 30th was left out.
    [InlineData("Pacific/Apia", "2011-12-30T10:00Z", "2011-12-30T10:00Z", 24)] // The 31st.
    [InlineData("Antarctica/Troll", "2026-03-29T12:00Z", "2026-03-29T00:00Z", 22)]
    [InlineData("Antarctica/Casey", "2010-03-05T00:00Z", "2010-03-04T13:00Z", 27)]
    public void Days_have_the_hours_of_the_calendar(string zone, string instant, string start, double hours)
    {
        var (from, to) = new BucketEdges(TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById(zone)).Around(EventTime.Micros(Instant(instant)));
        Assert.Equal((Instant(start), hours), (EventTime.Time(from), (EventTime.Time(to) - EventTime.Time(from)).TotalHours));
    }

    [Theory]
    [InlineData(null, "2026-06-03T12:00Z", "2026-06-01T00:00Z", "2026-06-08T00:00Z")]
    [InlineData(null, "2026-06-07T23:59Z", "2026-06-01T00:00Z", "2026-06-08T00:00Z")]
    [InlineData(null, "1969-12-31T12:00Z", "1969-12-29T00:00Z", "1970-01-05T00:00Z")]
    [InlineData("Europe/Lisbon", "2026-01-01T12:00Z", "2025-12-29T00:00Z", "2026-01-05T00:00Z")] // Week 1 of 2026.
    [InlineData("Europe/Lisbon", "2026-03-29T12:00Z", "2026-03-23T00:00Z", "2026-03-29T23:00Z")] // 167 h.
    [InlineData("Europe/Lisbon", "2026-10-25T12:00Z", "2026-10-18T23:00Z", "2026-10-26T00:00Z")] // 169 h.
    [InlineData("Atlantic/Azores", "2026-03-29T12:00Z", "2026-03-23T01:00Z", "2026-03-30T00:00Z")]
    public void Weeks_begin_on_Monday(string? zone, string instant, string start, string end)
    {
        var (from, to) = new BucketEdges(TimeSpan.FromDays(7), zone is null ? null : TimeZoneInfo.FindSystemTimeZoneById(zone)).Around(EventTime.Micros(Instant(instant)));
        Assert.Equal((Instant(start), Instant(end)), (EventTime.Time(from), EventTime.Time(to)));
    }

    /// <summary>Weeks are counted from another edge than what is shorter: the edges of cells must be edges of weeks all the same.</summary>
    [Fact]
    public void Cells_make_weeks_because_their_edges_are_edges_of_weeks()
    {
        var week = TimeSpan.FromDays(7);
        Assert.All(Rollups.Resolutions, cell => Assert.Equal(0, BucketEdges.Origin(week.Ticks / TimeSpan.TicksPerMicrosecond) % (cell.Ticks / TimeSpan.TicksPerMicrosecond)));
        Assert.Equal(TimeSpan.FromHours(1), Rollups.Serving(new AggregateQuery(1, DateTime.UnixEpoch, DateTime.UnixEpoch.AddDays(70), new BucketWidth(week), Statistic.Mean)));
    }

    /// <summary>The model of the conformance suite and the store have no line in common.</summary>
    [Fact]
    public async Task Edges_agree_with_the_model()
    {
        var clocks = ZoneClock.All();
        await Gen.Select(Gen.Int[0, clocks.Length - 1], Gen.Int[0, 1000], Gen.Int[0, WidthMinutes.Length - 1], Gen.Int[-5760, 5760], Gen.Int[0, 59_999_999]).SampleAsync(
            async (zone, number, width, minute, micros) =>
            {
                var clock = clocks[zone];
                var change = clock.Changes.Count == 0 ? ZoneClock.From + (number * 1_000_000L) : clock.Changes[number % clock.Changes.Count];
                var instant = Utc(change + (minute * 60)).AddMicroseconds(micros);
                using var model = new MemorySeries();
                await model.AppendAsync(new[] { new Observation(1, instant, 1, Quality.Good) }, Cancel);
                var every = new BucketWidth(TimeSpan.FromMinutes(WidthMinutes[width]), clock.Zone);
                var expected = (await model.AggregateAsync(new AggregateQuery(1, DateTime.MinValue, DateTime.MaxValue, every, Statistic.Count), Cancel))[0];
                var (from, to) = new BucketEdges(every.Width, clock.Zone).Around(EventTime.Micros(instant));
                Assert.Equal((expected.Start, expected.End), (EventTime.Time(from), EventTime.Time(to)));
                Assert.InRange(instant, expected.Start, expected.End.AddTicks(-1));
            },
            iter: 1000);
    }

    /// <summary>Compares all buckets that lie whole in the days (for short ones, the hours) around a change.</summary>
    private static void Agree(ZoneClock clock, long change, int minutes, long seed)
    {
        var width = minutes * 60L;
        var around = minutes < 60 ? 4 * 3600 : (2 * 86_400) + width;
        var edges = new BucketEdges(TimeSpan.FromMinutes(minutes), clock.Zone);
        var watched = Watch(clock, change - around, change + around, width);
        Assert.NotEmpty(watched);
        foreach (var (start, end) in watched)
        {
            var (from, to) = (start * 1_000_000, end * 1_000_000);
            var inside = from + (long)((ulong)seed % (ulong)(to - from));
            foreach (var instant in new[] { from, inside, to - 1 })
            {
                Assert.True((from, to) == edges.Around(instant), $"{clock.Zone.Id}, {minutes} min, {EventTime.Time(instant):O}: {Text(edges.Around(instant))}, is {Text((from, to))}.");
            }

            Assert.Equal(from, edges.Around(from - 1).End);
            Assert.Equal(to, edges.Around(to).Start);
        }
    }

    private static List<(long Start, long End)> Watch(ZoneClock clock, long from, long to, long width)
    {
        var buckets = new List<(long, long)>();
        var origin = width % (7 * 86_400) == 0 ? -3 * 86_400 : 0;
        var (latest, key, start) = (long.MinValue, default((long, long)), long.MinValue);

        // From two days before: the clock may have shown later times than it does now.
        for (var now = from - (from % 60) - (2 * 86_400); now < to; now += 60)
        {
            var local = now + clock.Offset(now);
            latest = Math.Max(latest, local);
            var next = width <= 3600 ? (local - now, EventTime.FloorDivide(local, width)) : (0, EventTime.FloorDivide(latest - origin, width));
            if (next != key)
            {
                if (start >= from)
                {
                    buckets.Add((start, now));
                }

                (key, start) = (next, now);
            }
        }

        return buckets;
    }

    private static string Text((long From, long To) bucket) => $"{EventTime.Time(bucket.From):O} to {EventTime.Time(bucket.To):O}";

    private static DateTime LocalDate(ZoneClock clock, long instant) => Utc(instant + clock.Offset(instant)).Date;

    private static TimeSpan LocalTime(ZoneClock clock, long instant) => Utc(instant + clock.Offset(instant)).TimeOfDay;

    private static DateTime Utc(long seconds) => DateTime.UnixEpoch.AddSeconds(seconds);

    private static DateTime Instant(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);

    [Theory]
    [InlineData("Europe/Lisbon", "2026-03-28T07:00", "2026-03-29T06:00")]
    [InlineData("Europe/Lisbon", "2026-10-24T06:00", "2026-10-25T07:00")]
    [InlineData("Atlantic/Azores", "2026-03-28T08:00", "2026-03-29T07:00")]
    [InlineData("Atlantic/Azores", "2026-10-24T07:00", "2026-10-25T08:00")]
    public void Days_may_begin_at_another_time_than_midnight(string zone, string start, string end)
    {
        var edges = new BucketEdges(TimeSpan.FromDays(1), TimeZoneInfo.FindSystemTimeZoneById(zone), TimeSpan.FromHours(7));
        var (from, to) = (EventTime.Micros(Instant(start)), EventTime.Micros(Instant(end)));
        foreach (var instant in new[] { from, from + 1, (from + to) / 2, to - 1 })
        {
            Assert.Equal((from, to), edges.Around(instant));
        }

        Assert.Equal(from, edges.Around(from - 1).End);
        Assert.Equal(to, edges.Around(to).Start);
    }
}
