using CsCheck;
using Hub.Edge.Sensors.Noise.Levels;
using Hub.Edge.Sensors.Noise.Microphone;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>Sound on the UTC clock: whatever crystals, schedulers and time servers do, intervals are aligned, never twice, and say what they lack.</summary>
public sealed class TimelineTests
{
    // The arithmetic does not depend on the rate, but the run time does: this is the slowest there is.
    private const int Rate = 32_000;
    private static readonly DateTime Start = new(2026, 11, 26, 10, 0, 40, 250, DateTimeKind.Utc);
    private static readonly TimeSpan Ten = TimeSpan.FromSeconds(10);

    [Fact]
    public void Intervals_are_aligned_and_the_first_says_what_it_lacks()
    {
        var station = new Station(Ten, everySecond: true);
        station.Play(seconds: 40);
        LevelReport[] periods = station.Of(Ten);
        Assert.Equal([0, 10, 20, 30], periods.Select(report => (report.Start - new DateTime(2026, 11, 26, 10, 0, 40, DateTimeKind.Utc)).TotalSeconds));

        // 0.25 s before the start and 0.25 s of settling.
        Assert.Equal(0.95, periods[0].Levels.Coverage, 0.0002);
        Assert.Equal([1, 1, 1], periods[1..].Select(report => report.Levels.Coverage));
        Assert.All(periods, report => Assert.Equal(-23.01, report.Levels.LAeq, 0.02));

        LevelReport[] seconds = station.Of(TimeSpan.FromSeconds(1));
        Assert.Equal(Enumerable.Range(40, seconds.Length).Select(second => second % 60), seconds.Select(report => report.Start.Second));
        Assert.Equal(0.5, seconds[0].Levels.Coverage, 0.002);
        Assert.All(seconds[1..], report => Assert.Equal(1, report.Levels.Coverage));
        Assert.All(seconds[1..], report => Assert.Equal(Rate, report.Levels.Measured));
        Assert.Equal((0, 0), (station.Timeline.Lost, station.Timeline.Discarded));
    }

    /// <summary>A crystal that is wrong by up to 200 ppm and blocks that come up to 40 ms late: the clock is followed and nothing counts as lost.</summary>
    [Fact]
    public void A_wrong_crystal_and_late_blocks_lose_nothing() =>
        Gen.Select(Gen.Double[-200, 200], Gen.Int[0, 40].Array[7, 31]).Sample(
            (partsPerMillion, delays) =>
            {
                var station = new Station(Ten) { PartsPerMillion = partsPerMillion, DelayMilliseconds = delays };
                station.Play(seconds: 120);
                LevelReport[] periods = station.Of(Ten);
                Assert.InRange(periods.Length, 10, 12);
                Assert.Equal(periods.Select((_, index) => periods[0].Start + (index * Ten)), periods.Select(report => report.Start));
                Assert.All(periods[1..], report => Assert.Equal(1, report.Levels.Coverage));
                Assert.Equal(0, station.Timeline.Lost);

                // The samples of an interval are those of its time, by a crystal that is wrong by this much.
                Assert.All(periods[4..], report => Assert.Equal(Rate * 10.0, report.Levels.Measured, Rate * 0.011));

                // The sound is where the clock is: a 10 s period drifts by at most 2 ms, and is brought back.
                Assert.InRange(station.LastBlockEnd - (periods[^1].Start + Ten), TimeSpan.FromMilliseconds(-60), Ten + TimeSpan.FromMilliseconds(200));
            },
            iter: 6);

    [Theory]
    [InlineData(0.4)]
    [InlineData(3)]
    [InlineData(8)]
    public void A_gap_is_missing_from_the_interval_it_is_in(double gap)
    {
        var station = new Station(Ten);
        station.Play(seconds: 20);
        station.Silence(TimeSpan.FromSeconds(gap));
        station.Play(seconds: 30, gapBefore: true);
        LevelReport[] periods = station.Of(Ten);
        Assert.Equal(periods.Select((_, index) => periods[0].Start + (index * Ten)), periods.Select(report => report.Start));
        double lost = periods[1..].Sum(report => 1 - report.Levels.Coverage) * 10;
        Assert.Equal(gap + 0.25, lost, 0.02);
        Assert.Equal(gap * Rate, station.Timeline.Lost, 1.0);
        Assert.All(periods, report => Assert.Equal(-23.01, report.Levels.LAeq, 0.02));
    }

    [Fact]
    public void An_overrun_too_short_to_see_is_still_a_loss()
    {
        var station = new Station(Ten);
        station.Play(seconds: 20);
        station.Play(seconds: 20, gapBefore: true);
        LevelReport[] periods = station.Of(Ten);
        Assert.Equal(1, station.Timeline.Lost);
        Assert.Single(periods[1..], report => report.Levels.Coverage < 1);
    }

    [Fact]
    public void Whole_intervals_without_sound_are_not_reported()
    {
        var station = new Station(Ten);
        station.Play(seconds: 20);
        station.Silence(TimeSpan.FromSeconds(31));
        station.Play(seconds: 20, gapBefore: true);
        Assert.Equal([40, 50, 30, 40], station.Of(Ten).Select(report => report.Start.Second));
        Assert.Equal(31 * Rate, station.Timeline.Lost, 1.0);

        // A card that was away for a day: no million of empty seconds is walked through.
        station.Silence(TimeSpan.FromDays(1));
        station.Play(seconds: 20, gapBefore: true);
        Assert.Equal(27, station.Of(Ten)[^1].Start.Day);
    }

    [Fact]
    public void A_device_that_drops_sound_without_a_word_is_found_out()
    {
        // 2 % of the samples never come.
        var station = new Station(Ten) { PartsPerMillion = -20_000 };
        station.Play(seconds: 60);
        Assert.InRange(station.Timeline.Lost, Rate * 60 * 0.012, Rate * 60 * 0.021);
        Assert.Contains(station.Of(Ten)[1..], report => report.Levels.Coverage < 1);
    }

    [Fact]
    public void A_device_that_is_faster_than_its_rate_is_refused()
    {
        var station = new Station(Ten) { PartsPerMillion = 88_435 };
        SensorException failure = Assert.Throws<SensorException>(() => station.Play(seconds: 30));
        Assert.Contains("more than 32000 samples a second", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3600)]
    [InlineData(1_700_000_000)]
    [InlineData(-0.3)]
    [InlineData(-25)]
    [InlineData(-86_400)]
    public void A_clock_that_is_set_makes_no_interval_twice(double step)
    {
        var station = new Station(Ten, everySecond: true);
        station.Play(seconds: 30);
        int before = station.Reports.Count;
        station.Set(TimeSpan.FromSeconds(step));
        station.Play(seconds: 60);
        Assert.Equal(station.Reports.Count, station.Reports.Select(report => (report.Start, report.Length)).Distinct().Count());
        Assert.True(station.Reports.Count > before + 10, "It goes on after the step.");
        Assert.True(station.Timeline.Discarded >= 1);
        Assert.Equal(station.Utc, station.Of(TimeSpan.FromSeconds(1))[^1].Start, TimeSpan.FromSeconds(3));
        Assert.All(station.Reports, report => Assert.Equal(-23.01, report.Levels.LAeq, 0.02));
    }

    [Fact]
    public void A_block_allocates_nothing_even_when_intervals_end()
    {
        var meter = new SoundLevelMeter(new MeterSettings(48_000, -26) { Bands = true });
        int reports = 0;
        var timeline = new LevelTimeline(meter, Ten, everySecond: true, _ => reports++);
        double[] block = Signals.Sine(1000, 0.1, 48_000, 0.1);
        long now = 0;
        Run(120);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(220);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        // 33 seconds are over, of which the first was spent settling; and 3 periods.
        Assert.Equal(32 + 3, reports);

        void Run(int blocks)
        {
            for (int n = 0; n < blocks; n++)
            {
                now += TimeSpan.TicksPerSecond / 10;
                timeline.Add(block, now, new DateTime(Start.Date.Ticks + now, DateTimeKind.Utc), gapBefore: false);
            }
        }
    }

    /// <summary>A microphone hearing a steady tone, its crystal, and the station's clocks.</summary>
    private sealed class Station
    {
        private readonly double[] block = Signals.Sine(1000, 0.1, Rate, 0.1);
        private long now = 77 * TimeSpan.TicksPerDay;
        private long clock = Start.Ticks - (77 * TimeSpan.TicksPerDay);
        private double crystal;
        private int blocks;

        public Station(TimeSpan period, bool everySecond = false)
        {
            var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate) with { Settle = TimeSpan.FromMilliseconds(250) });
            Timeline = new LevelTimeline(meter, period, everySecond, Reports.Add);
        }

        public List<LevelReport> Reports { get; } = [];

        public LevelTimeline Timeline { get; }

        /// <summary>How much faster than its rate the card is.</summary>
        public double PartsPerMillion { get; init; }

        public int[] DelayMilliseconds { get; init; } = [0];

        public DateTime Utc => new(now + clock, DateTimeKind.Utc);

        public DateTime LastBlockEnd { get; private set; }

        public LevelReport[] Of(TimeSpan length) => [.. Reports.Where(report => report.Length == length)];

        public void Silence(TimeSpan time) => now += time.Ticks;

        public void Set(TimeSpan step) => clock += step.Ticks;

        public void Play(int seconds, bool gapBefore = false)
        {
            for (int n = 0; n < seconds * 10; n++)
            {
                crystal += TimeSpan.TicksPerSecond / 10 / (1 + (PartsPerMillion / 1e6));
                now += (long)crystal;
                crystal -= (long)crystal;
                long late = DelayMilliseconds[blocks++ % DelayMilliseconds.Length] * TimeSpan.TicksPerMillisecond;
                LastBlockEnd = Utc;
                Timeline.Add(block, now + late, new DateTime(now + late + clock, DateTimeKind.Utc), gapBefore && n == 0);
            }
        }
    }
}
