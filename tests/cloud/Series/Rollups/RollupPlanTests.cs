using System.Collections.Immutable;
using CsCheck;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Which months of rollups are written when.</summary>
public sealed class RollupPlanTests
{
    /// <summary>2024-10-04.</summary>
    private const int Today = 20_000;

    private static readonly int Month = RollupPlan.MonthOf(Today);
    private static readonly DateTimeOffset Noon = DateTimeOffset.UnixEpoch.AddDays(Today).AddHours(12);
    private static readonly TimeSpan Settle = TimeSpan.FromDays(1);
    private static readonly ImmutableArray<TimeSpan> Hours = [TimeSpan.FromHours(1)];

    [Fact]
    public void Months_are_those_of_the_calendar() =>
        Gen.Int[EventTime.Day(EventTime.MinMicros), EventTime.Day(EventTime.MaxMicros) - 31].Sample(day =>
        {
            var time = EventTime.TimeClamped(day * EventTime.MicrosPerDay);
            Assert.Equal(new DateTime(time.Year, time.Month, 1), EventTime.TimeClamped(RollupPlan.MonthOf(day) * EventTime.MicrosPerDay));
            Assert.Equal(new DateTime(time.Year, time.Month, 1).AddMonths(1), EventTime.TimeClamped(RollupPlan.MonthAfter(RollupPlan.MonthOf(day)) * EventTime.MicrosPerDay));
        });

    [Fact]
    public void Day_is_rolled_up_when_it_is_one_part_that_has_settled()
    {
        Assert.Null(Next([]));
        Assert.Null(Next([Part(1, Today)]));
        Assert.Null(Next([Part(1, Today - 1)]));
        Assert.Null(Next([Part(1, Today - 2), Part(2, Today - 2)]));
        Assert.Null(Next([Part(1, Today - 2) with { Created = Noon - CompactionPlan.Quiet + TimeSpan.FromTicks(1) }]));
        Assert.Null(Next([Part(1, Today - 2, PartKind.History)]));
        Assert.Null(Next([Part(1, Today - 2)], resolutions: []));
        Assert.Null(Next([Part(1, Today - 2)], skip: Month));
        var plan = Next([Part(1, Today - 2), Part(2, Today)])!;
        Assert.Equal((Month, 60, "1"), (plan.Month, plan.Minutes, Assert.Single(plan.Fresh).File));
        Assert.Empty(plan.Kept);
    }

    [Fact]
    public void Rows_of_days_that_are_as_they_were_are_kept_and_the_others_made_anew()
    {
        var old = Rollups(9, 60, (Today - 2, "1"), (Today - 3, "2"));
        Assert.Null(Next([old, Part(1, Today - 2), Part(2, Today - 3)]));

        // Late data: not before it has settled in turn.
        Assert.Null(Next([old, Part(1, Today - 2), Part(3, Today - 2), Part(2, Today - 3)]));
        var plan = Next([old, Part(4, Today - 2), Part(2, Today - 3)])!;
        Assert.Equal((old, "4"), (plan.Old, Assert.Single(plan.Fresh).File));
        Assert.Equal(new RollupSource(Today - 3, "2"), Assert.Single(plan.Kept));

        // A day that is gone.
        plan = Next([old, Part(2, Today - 3)])!;
        Assert.Empty(plan.Fresh);
        Assert.Single(plan.Kept);

        // All of them.
        plan = Next([old])!;
        Assert.True(plan.Fresh.IsEmpty && plan.Kept.IsEmpty);
    }

    [Fact]
    public void After_a_deletion_no_row_stays_that_was_made_of_a_part_that_is_gone()
    {
        var old = Rollups(9, 60, (Today - 2, "1"), (Today - 3, "2"));
        Assert.Null(RollupPlan.Outdated([old, Part(1, Today - 2), Part(2, Today - 3), Part(3, Today - 3)], Hours, Noon, Settle));
        var plan = RollupPlan.Outdated([old, Part(1, Today - 2), Part(4, Today - 3) with { Created = Noon }], Hours, Noon, Settle)!;
        Assert.Empty(plan.Fresh);
        Assert.Equal("1", Assert.Single(plan.Kept).File);
    }

    [Fact]
    public void Resolution_that_is_not_wanted_goes()
    {
        var plan = Next([Rollups(8, 15, (Today - 2, "1")), Rollups(9, 60, (Today - 2, "1")), Part(1, Today - 2)])!;
        Assert.Equal(("8", 15), (plan.Old!.File, plan.Minutes));
        Assert.True(plan.Fresh.IsEmpty && plan.Kept.IsEmpty);
    }

    [Fact]
    public void Plans_come_to_an_end_with_every_settled_day_rolled_up_once_for_each_resolution() =>
        Gen.Select(Gen.Select(Gen.Int[0, 90], Gen.Int[1, 2]).Array[0, 60], Gen.Int[1, 7]).Sample((days, chosen) =>
        {
            var number = 0;
            ImmutableArray<PartInfo> parts = [.. days.DistinctBy(day => day.Item1).SelectMany(day => Enumerable.Range(0, day.Item2).Select(_ => Part(++number, Today - day.Item1)))];
            ImmutableArray<TimeSpan> resolutions = [.. Series.Rollups.Resolutions.Where((_, i) => (chosen >> i & 1) != 0)];
            for (var round = 0; Next(parts, resolutions) is { } plan; round++)
            {
                Assert.True(round < 200, "there is an end");
                Assert.InRange(plan.Fresh.Length, 1, RollupPlan.FreshMax);
                Assert.All(plan.Fresh, part => Assert.Equal(plan.Month, RollupPlan.MonthOf(part.Day)));
                var made = Rollups(++number, plan.Minutes, [.. plan.Kept.Select(source => (source.Day, source.File)), .. plan.Fresh.Select(part => (part.Day, part.File))]);
                parts = [.. parts.Where(part => part != plan.Old), made with { Day = plan.Month }];
            }

            var settled = days.DistinctBy(day => day.Item1).Where(day => day.Item1 >= 2 && day.Item2 == 1).Select(day => Today - day.Item1).Order().ToList();
            foreach (var resolution in resolutions)
            {
                Assert.Equal(settled, parts.Where(part => part.Rollup?.Minutes == (int)resolution.TotalMinutes).SelectMany(part => part.Rollup!.Sources).Select(source => source.Day).Order());
            }
        });

    private static RollupPlan? Next(ImmutableArray<PartInfo> parts, ImmutableArray<TimeSpan>? resolutions = null, params int[] skip) =>
        RollupPlan.Next(parts, resolutions ?? Hours, Noon, Settle, skip.ToHashSet());

    private static PartInfo Part(int number, int day, PartKind kind = PartKind.Observations) =>
        new(number.ToString(System.Globalization.CultureInfo.InvariantCulture), kind, day, new PartSummary(1, 1, 0, 0, 1), Noon.AddDays(-1));

    private static PartInfo Rollups(int number, int minutes, params (int Day, string File)[] sources) =>
        Part(number, Month, PartKind.Rollups) with { Rollup = new RollupInfo(minutes, [.. sources.Select(source => new RollupSource(source.Day, source.File))]) };
}
