using System.Collections.Immutable;
using CsCheck;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Which parts are merged when.</summary>
public sealed class CompactionPlanTests
{
    private const int Today = 20_000;

    private static readonly DateTimeOffset Noon = DateTimeOffset.UnixEpoch.AddDays(Today).AddHours(12);
    private static readonly TimeSpan Settle = TimeSpan.FromDays(1);

    [Fact]
    public void Nothing_to_do_is_said()
    {
        Assert.Null(Next([]));
        Assert.Null(Next([Part(1, Today - 50, 1_000)]));
        Assert.Null(Next([Part(1, Today, 1_000), Part(2, Today, 1_000), Part(3, Today, 1_000)]));

        // One of each kind, or of each day, is as it should be.
        Assert.Null(Next([Part(1, Today - 50, 1_000), Part(2, Today - 50, 1_000, PartKind.History), Part(3, Today - 51, 1_000)]));
    }

    [Fact]
    public void Four_of_about_the_same_size_are_merged_and_a_large_one_is_left_alone()
    {
        var plan = Next([Part(1, Today, 90_000), Part(2, Today, 1_000), Part(3, Today, 8_000), Part(4, Today, 1_500), Part(5, Today, 2_000)]);
        Assert.Equal(["2", "4", "5", "3"], plan!.Inputs.Select(part => part.File));
        Assert.Equal((Today, PartKind.Observations), (plan.Day, plan.Kind));
        Assert.Null(Next([Part(1, Today, 1), Part(2, Today, 10), Part(3, Today, 100), Part(4, Today, 1_000), Part(5, Today, 10_000)]));
    }

    [Fact]
    public void Day_that_has_settled_becomes_one_part_when_nothing_new_comes()
    {
        ImmutableArray<PartInfo> parts = [Part(1, Today - 2, 1_000_000), Part(2, Today - 2, 10)];
        Assert.Equal(["1", "2"], Next(parts)!.Inputs.Select(part => part.File));
        Assert.Null(Next([parts[0], parts[1] with { Created = Noon - CompactionPlan.Quiet + TimeSpan.FromTicks(1) }]));
        Assert.NotNull(Next([parts[0], parts[1] with { Created = Noon - CompactionPlan.Quiet }]));

        // The day before yesterday ended a day and a half ago, yesterday ended half a day ago.
        Assert.Null(Next([.. parts.Select(part => part with { Day = Today - 1 })]));
        Assert.NotNull(CompactionPlan.Next([.. parts.Select(part => part with { Day = Today - 1 })], Noon, 16, TimeSpan.FromHours(12)));
    }

    [Fact]
    public void Too_many_parts_of_a_day_are_merged_first_and_at_any_time()
    {
        var tier = Enumerable.Range(1, 4).Select(i => Part(i, Today - 1, 1_000));
        var many = Enumerable.Range(5, 17).Select(i => Part(i, Today, 1L << (2 * i)) with { Created = Noon });
        Assert.Equal(17, Next([.. tier, .. many])!.Inputs.Length);
        Assert.Equal(4, Next([.. tier, .. many.Skip(1)])!.Inputs.Length);
    }

    [Fact]
    public void Of_too_many_parts_those_of_about_the_same_size_are_merged_and_the_large_one_stays()
    {
        var plan = Next([Part(1, Today, 1_000_000), .. Enumerable.Range(2, 16).Select(i => Part(i, Today, 1_000))])!;
        Assert.Equal(Enumerable.Range(2, CompactionPlan.TierPartsMax).Select(i => $"{i}"), plan.Inputs.Select(part => part.File));
    }

    [Fact]
    public void A_merge_is_urgent_only_when_a_day_has_far_too_many_parts()
    {
        Assert.False(Next([.. Enumerable.Range(1, 32).Select(i => Part(i, Today, 1_000))])!.IsUrgent);
        Assert.True(Next([.. Enumerable.Range(1, 33).Select(i => Part(i, Today, 1_000))])!.IsUrgent);
    }

    [Fact]
    public void Merging_comes_to_an_end_and_never_rewrites_a_row_often() => Gen.Select(Gen.Int[1, 2_000].Array[1, 200], Gen.Int[1, 20]).Sample((sizes, partsPerDayMax) =>
    {
        // Flushes of all sizes come one after the other; after each, whatever is due is merged.
        ImmutableArray<PartInfo> parts = [];
        var (number, written) = (0, 0L);
        foreach (var size in sizes)
        {
            parts = parts.Add(Part(++number, Today, size));
            while (CompactionPlan.Next(parts, Noon, Math.Max(4, partsPerDayMax), Settle) is { } plan)
            {
                Assert.True(plan.Inputs.Length > 1);
                var merged = Part(++number, Today, plan.Inputs.Sum(part => part.Summary.Bytes));
                written += merged.Summary.Bytes;
                parts = [.. parts.Except(plan.Inputs), merged];
            }

            Assert.True(parts.Length <= Math.Max(4, partsPerDayMax));
        }

        Assert.Equal(sizes.Sum(size => (long)size), parts.Sum(part => part.Summary.Bytes));
        return written <= sizes.Sum(size => (long)size) * sizes.Length;
    });

    private static CompactionPlan? Next(ImmutableArray<PartInfo> parts) => CompactionPlan.Next(parts, Noon, 16, Settle);

    private static PartInfo Part(int number, int day, long bytes, PartKind kind = PartKind.Observations) =>
        new(FormattableString.Invariant($"{number}"), kind, day, new PartSummary(bytes, 1, 0, 0, bytes), Noon.AddHours(-6));
}
