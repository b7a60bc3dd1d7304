using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Thresholds.Tests;

public sealed class BookTests
{
    [Fact]
    public void A_rule_watches_its_own_sensor_and_period()
    {
        ThresholdBook book = Sample.Book(Sample.Rule(sensor: "air", period: 60));
        Assert.False(book.Take(Sample.Reading(99, sensor: "other")).Changed);
        Assert.False(book.Take(Sample.Reading(99, period: 300)).Changed);
        Assert.False(book.Take(Sample.Reading(99, property: "pm2_5")).Changed);
        Assert.False(book.Word("pm10-high").On);
        Assert.True(book.Take(Sample.Reading(99)).Changed);
        Assert.Equal(new AlarmWord(true, Sample.Noon, "air", "pm10", 99), book.Word("pm10-high"));
        Assert.Equal(AlarmWord.Off, book.Word("no-such-rule"));
    }

    [Fact]
    public void An_alarm_is_on_while_any_of_its_series_is()
    {
        ThresholdBook book = Sample.Book(Sample.Rule());
        book.Take(Sample.Reading(60, 0));
        book.Take(Sample.Reading(60, 10, "other"));
        book.Take(Sample.Reading(10, 60));
        Assert.True(book.Word("pm10-high").On);
        Assert.Equal([ThresholdPhase.Normal, ThresholdPhase.Active], book.States().OrderBy(state => state.Sensor).Select(state => state.Phase));
        book.Take(Sample.Reading(10, 70, "other"));
        Assert.False(book.Word("pm10-high").On);
    }

    [Fact]
    public void A_rule_that_did_not_change_goes_on_and_one_that_did_begins_anew()
    {
        ThresholdBook book = Sample.Book(Sample.Rule("a"), Sample.Rule("b"), Sample.Rule("c"));
        book.Take(Sample.Reading(60));
        book.Set([Sample.Rule("a"), Sample.Rule("b", set: 55)], complete: true);
        Assert.Equal((true, false, false), (book.Word("a").On, book.Word("b").On, book.Word("c").On));
        Assert.Equal("a", Assert.Single(book.Active()).Rule.Slug);
        book.Take(Sample.Reading(60, 60));
        Assert.True(book.Word("b").On);
    }

    [Fact]
    public void What_was_on_before_a_restart_is_on_until_a_reading_ends_it_whatever_the_clock_says()
    {
        ThresholdBook before = Sample.Book(Sample.Rule("a"), Sample.Rule("b"));
        before.Take(Sample.Reading(60));
        var book = new ThresholdBook(TimeSpan.FromMinutes(15));
        book.Restore(before.Active());
        book.Set([Sample.Rule("a")], complete: false);
        Assert.True(book.Word("a").On);

        // The hub's rules have not come yet: what is known of them is not forgotten.
        Assert.Equal(["a", "b"], book.Active().Select(alarm => alarm.Rule.Slug).Order());
        book.Set([Sample.Rule("a"), Sample.Rule("b")], complete: true);
        Assert.True(book.Word("b").On);

        // A Pi without a clock: minutes after 1970.
        Reading reading = Sample.Reading(44) with { PhenomenonTime = new DateTime(1970, 1, 1, 0, 1, 0, DateTimeKind.Utc) };
        Assert.True(book.Take(reading).Changed);
        Assert.Equal((false, false), (book.Word("a").On, book.Word("b").On));
    }

    [Fact]
    public void A_restored_alarm_of_another_rule_is_not_taken_up_and_forgotten_when_the_rules_are_complete()
    {
        ThresholdBook before = Sample.Book(Sample.Rule("a"));
        before.Take(Sample.Reading(60));
        var book = new ThresholdBook(TimeSpan.FromMinutes(15));
        book.Restore(before.Active());
        book.Set([Sample.Rule("a", set: 58)], complete: true);
        Assert.False(book.Word("a").On);
        Assert.Empty(book.Active());
    }

    [Fact]
    public void Series_are_bounded_and_those_beyond_are_counted()
    {
        ThresholdBook book = Sample.Book(Sample.Rule());
        for (int n = 0; n < ThresholdBook.SeriesMax; n++)
        {
            Assert.Equal(0, book.Take(Sample.Reading(1, sensor: $"s{n}")).Refused);
        }

        Assert.Equal(1, book.Take(Sample.Reading(99, sensor: "more")).Refused);
        Assert.True(book.Take(Sample.Reading(99, 60, "s0")).Changed);
        Assert.Equal(ThresholdBook.SeriesMax, book.States().Count);
    }

    [Fact]
    public void A_reading_twice_and_one_that_is_late_are_passed_over_and_counted()
    {
        ThresholdBook book = Sample.Book(Sample.Rule());
        book.Take(Sample.Reading(60, 60));
        Assert.Equal(new BookStep(false, 1, 0), book.Take(Sample.Reading(10, 60)));
        Assert.Equal(new BookStep(false, 1, 0), book.Take(Sample.Reading(10, 0)));
        Assert.True(book.Word("pm10-high").On);
    }

    [Fact]
    public void Watching_allocates_nothing()
    {
        ThresholdBook book = Sample.Book([.. Enumerable.Range(0, 20).Select(n => Sample.Rule($"r{n}", set: 50 + n, forSeconds: n * 10))]);
        var readings = new Reading[2000];
        for (int n = 0; n < readings.Length; n++)
        {
            readings[n] = Sample.Reading(n % 40, n);
        }

        for (int n = 0; n < 1000; n++)
        {
            book.Take(readings[n]);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int n = 1000; n < readings.Length; n++)
        {
            book.Take(readings[n]);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>Whoever looks at outputs sees what the series say, with readings and rules coming from several threads.</summary>
    [Fact]
    public void Word_and_states_agree_under_concurrent_readings() =>
        Gen.Int[0, 1].Array[20, 200].Sample(
            steps =>
            {
                ThresholdBook book = Sample.Book(Sample.Rule());
                Parallel.For(0, 4, sensor =>
                {
                    for (int n = 0; n < steps.Length; n++)
                    {
                        book.Take(Sample.Reading(steps[(n + sensor) % steps.Length] * 60, n, $"s{sensor}"));
                    }
                });
                Assert.Equal(book.States().Any(state => state.Phase == ThresholdPhase.Active), book.Word("pm10-high").On);
                Assert.Equal(book.States().Count(state => state.Phase == ThresholdPhase.Active), book.Active().Count);
            },
            iter: 50,
            threads: 1);

    [Fact]
    public void The_hubs_rules_go_over_those_of_the_station_file()
    {
        EdgeRule[] inForce = [.. ThresholdsDecisions.InForce([Sample.Rule("a"), Sample.Rule("b")], [Sample.Rule("b", set: 80), Sample.Rule("c")])];
        Assert.Equal([("a", 50.0), ("b", 80.0), ("c", 50.0)], inForce.Select(rule => (rule.Slug, rule.SetLevel)).Order());
    }
}
