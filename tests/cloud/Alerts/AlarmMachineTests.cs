using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

public sealed class AlarmMachineTests
{
    private const Quality Ignored = Quality.WarmingUp | Quality.OutOfRange | Quality.Stuck | Quality.ClockUncertain;
    private static readonly DateTime T0 = new(2026, 5, 4, 10, 0, 0, DateTimeKind.Utc);

    /// <summary>
    /// A script is "minute=value" entries, a letter after the value adds a flag (w warming up, o out of range, s saturated, u under-range, i incomplete);
    /// the outcome is "condition-start-end startValue/peak" for each episode, "." for an open end.
    /// </summary>
    [Theory]
    [InlineData("at the level counts", 0, "0=49 1=50 2=40", "1-1-2 50/50")]
    [InlineData("for zero starts at once and ends at the clear level", 0, "0=60 1=45 2=41 3=40", "0-0-3 60/60")]
    [InlineData("between clear and set the state stays", 0, "0=45 1=60 2=45 3=70 4=45 5=39", "1-1-5 60/70")]
    [InlineData("held long enough, started at the first observation that shows it", 10, "0=60 4=65 9=70 11=66 20=30", "0-11-20 66/70")]
    [InlineData("exactly the duration is enough", 10, "0=60 5=61 10=62", "0-10-. 62/62")]
    [InlineData("one observation under the level starts the wait anew", 10, "0=60 5=60 8=49 9=60 14=60 19=60", "9-19-. 60/60")]
    [InlineData("too short is no alarm", 10, "0=60 5=60 9=60 10=30", "")]
    [InlineData("a gap within the limit is believed", 30, "0=60 15=60 30=60", "0-30-. 60/60")]
    [InlineData("a longer gap starts the wait anew", 30, "0=60 16=60 31=60 46=60", "16-46-. 60/60")]
    [InlineData("a gap does not end an active alarm", 0, "0=60 600=60 601=30", "0-0-601 60/60")]
    [InlineData("nor does it start one", 10, "0=60 600=60", "")]
    [InlineData("ignored qualities are as if they were not there", 10, "0=60 3=0w 5=60 8=0o 10=60 12=999o 13=20", "0-10-13 60/60")]
    [InlineData("saturated above the level is at least that", 0, "0=60s 1=30", "0-0-1 60/60")]
    [InlineData("saturated below the level says nothing", 10, "0=60 5=45s 10=60", "0-10-. 60/60")]
    [InlineData("under-range is at most that, and clears", 0, "0=60 1=5u", "0-0-1 60/60")]
    [InlineData("incomplete counts", 0, "0=60i 1=30i", "0-0-1 60/60")]
    [InlineData("two episodes", 0, "0=60 1=40 2=55 3=90 4=10", "0-0-1 60/60 2-2-4 55/90")]
    public void Above(string what, int forMinutes, string script, string expected) =>
        Check(what, new AlarmMachine(Crossing.Above, 50, 40, TimeSpan.FromMinutes(forMinutes), TimeSpan.FromMinutes(15), Ignored), script, expected);

    [Theory]
    [InlineData("at the level counts", 0, "0=4 1=3 2=5", "1-1-2 3/3")]
    [InlineData("the lowest value is the peak", 0, "0=3 1=1 2=2 3=4 4=6", "0-0-4 3/1")]
    [InlineData("under-range below the level is at most that", 0, "0=2u 1=6", "0-0-1 2/2")]
    [InlineData("saturated above the level clears", 0, "0=2 1=6s", "0-0-1 2/2")]
    [InlineData("under-range above the level says nothing", 10, "0=2 5=4u 10=2", "0-10-. 2/2")]
    public void Below(string what, int forMinutes, string script, string expected) =>
        Check(what, new AlarmMachine(Crossing.Below, 3, 5, TimeSpan.FromMinutes(forMinutes), TimeSpan.FromMinutes(15), Ignored), script, expected);

    [Fact]
    public void No_observation_is_no_episode()
    {
        var machine = new AlarmMachine(Crossing.Above, 50, 40, TimeSpan.Zero, TimeSpan.FromMinutes(15), Ignored);
        var fold = Fold.Over(machine, Signal.Plain, new FoldStart(default, T0.Date), []);
        Assert.Empty(fold.Episodes);
        Assert.Equal(default, fold.State);
        Assert.False(machine.Takes(double.NaN, Quality.Good));
        Assert.False(machine.Takes(double.PositiveInfinity, Quality.Good));
    }

    private static void Check(string what, AlarmMachine machine, string script, string expected)
    {
        Observation[] observations = [.. script.Split(' ').Select(entry =>
        {
            var parts = entry.Split('=');
            var quality = parts[1][^1] switch
            {
                'w' => Quality.WarmingUp,
                'o' => Quality.OutOfRange,
                's' => Quality.Saturated,
                'u' => Quality.UnderRange,
                'i' => Quality.Incomplete,
                _ => Quality.Good,
            };
            return new Observation(1, T0.AddMinutes(int.Parse(parts[0], null)), int.Parse(parts[1].TrimEnd('w', 'o', 's', 'u', 'i'), null), quality);
        })];
        var fold = Fold.Over(machine, Signal.Plain, new FoldStart(default, T0.Date), observations);
        var found = string.Join(' ', fold.Episodes.Select(e => $"{Minute(e.ConditionAt)}-{Minute(e.StartedAt)}-{(e.EndedAt is { } end ? Minute(end) : ".")} {e.StartValue}/{e.Peak}"));
        Assert.True(expected == found, $"{what}: expected '{expected}', found '{found}'");
    }

    private static int Minute(DateTime at) => (int)(at - T0).TotalMinutes;
}
