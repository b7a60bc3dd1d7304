using CsCheck;

namespace Hub.Cloud.Retention.Tests;

/// <summary>What is deleted is a pure function of policies, holds, streams and the clock.</summary>
public sealed class RetentionPlanTests
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
    private static readonly DateTime Now = Utc("2026-07-10T12:00:00Z");

    [Fact]
    public void Without_a_policy_nothing_goes()
    {
        Assert.Empty(Plan([], []));
        Assert.Empty(Plan([new RetentionPolicy(null, null)], []));
        Assert.Empty(Plan([new RetentionPolicy("no2", 30)], []));
    }

    [Fact]
    public void The_policy_of_a_property_goes_before_that_for_the_rest()
    {
        var plan = Plan([new RetentionPolicy(null, 30), new RetentionPolicy("laeq", null), new RetentionPolicy("pm10", 2)], []);
        var deletion = Assert.Single(plan);
        Assert.Equal("pm10", deletion.Property);
        Assert.Equal([1, 3], deletion.Datastreams);

        // Two whole legal days besides today's, in summer time: midnight of 8 July is 23:00 UTC of the 7th.
        Assert.Equal(Utc("2026-07-07T23:00:00Z"), deletion.Before);
        Assert.Equal([new Stretch(RetentionPlan.Beginning, deletion.Before)], deletion.Deleted);
        Assert.Equal(["laeq", "pm10"], Plan([new RetentionPolicy(null, 30)], []).Select(d => d.Property));
    }

    [Fact]
    public void A_hold_of_one_station_keeps_its_stretch_and_nothing_else()
    {
        var plan = Plan([new RetentionPolicy("pm10", 30)], [Hold("centro", null, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), Hold("centro", "pm10", "2026-01-20T00:00:00Z", "2026-03-01T00:00:00Z")]);
        Assert.Equal(2, plan.Count);
        var held = plan.Single(d => d.Datastreams.Contains(1));
        Assert.Equal([1], held.Datastreams);
        Assert.Equal([new Stretch(Utc("2026-01-01T00:00:00Z"), Utc("2026-03-01T00:00:00Z"))], held.Held);
        Assert.Equal([new Stretch(RetentionPlan.Beginning, Utc("2026-01-01T00:00:00Z")), new Stretch(Utc("2026-03-01T00:00:00Z"), held.Before)], held.Deleted);
        Assert.Empty(plan.Single(d => d.Datastreams.Contains(3)).Held);
    }

    [Fact]
    public void A_hold_without_ends_keeps_everything() => Assert.All(Plan([new RetentionPolicy(null, 1)], [Hold(null, null, null, null)]), deletion => Assert.Empty(deletion.Deleted));

    [Theory]
    [InlineData("2026-03-29T12:00:00Z", 0, "2026-03-29T00:00:00Z", "Europe/Lisbon")]
    [InlineData("2026-03-30T12:00:00Z", 0, "2026-03-29T23:00:00Z", "Europe/Lisbon")]
    [InlineData("2026-10-26T12:00:00Z", 1, "2026-10-24T23:00:00Z", "Europe/Lisbon")]
    [InlineData("2026-07-10T23:30:00Z", 0, "2026-07-10T23:00:00Z", "Europe/Lisbon")]
    [InlineData("2026-10-26T12:00:00Z", 1, "2026-10-25T00:00:00Z", "Atlantic/Azores")]
    [InlineData("2026-07-10T12:00:00Z", 0, "2026-07-09T18:30:00Z", "Asia/Kolkata")]
    [InlineData("2011-12-31T12:00:00Z", 1, "2011-12-30T10:00:00Z", "Pacific/Apia")]
    public void A_day_ends_at_legal_midnight(string now, int days, string expected, string zone) =>
        Assert.Equal(Utc(expected), RetentionPlan.DayBefore(Utc(now), days, TimeZoneInfo.FindSystemTimeZoneById(zone)));

    [Fact]
    public void A_policy_older_than_the_calendar_deletes_nothing() => Assert.Equal(RetentionPlan.Beginning, RetentionPlan.DayBefore(Utc("0001-01-02T00:00:00Z"), 3, Lisbon));

    [Fact]
    public void Deleted_and_held_share_what_is_before_the_end_and_no_hold_is_ever_deleted()
    {
        var instants = Gen.Int[0, 400].Select(day => Now.AddDays(-day));
        var holds = Gen.Select(Gen.Int[0, 2], Gen.Bool, instants, instants, Gen.Int[0, 3], (station, property, a, b, open) => new RetentionHold(
            1, "braga", station switch { 0 => "centro", 1 => "escola", _ => null }, property ? "pm10" : null, open is 1 or 3 ? null : a < b ? a : b, open is 2 or 3 ? null : (a < b ? b : a).AddDays(1), "x"));
        Gen.Select(holds.List[0, 6], Gen.Int[1, 300], Gen.Int[-200, 300], instants).Sample((list, days, rollups, instant) =>
        {
            foreach (var deletion in Plan([new RetentionPolicy(null, days) { RollupDays = rollups < 0 ? null : days + rollups }], list))
            {
                Assert.All(deletion.Deleted, stretch => Assert.True(!(stretch.To > deletion.RollupsBefore)));
                Assert.All(deletion.Condensed, stretch => Assert.True(stretch.From >= deletion.RollupsBefore));
                var all = deletion.Deleted.Concat(deletion.Condensed).Select(s => (s.From, s.To, Held: false)).Concat(deletion.Held.Select(s => (s.From, s.To, Held: true))).OrderBy(s => s.From).ToList();
                Assert.Equal(RetentionPlan.Beginning, all[0].From);
                Assert.Equal(deletion.Before, all[^1].To);
                Assert.All(all.Zip(all.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
                foreach (var datastream in deletion.Datastreams)
                {
                    var station = datastream == 1 || datastream == 2 ? "centro" : "escola";
                    var held = list.Exists(h => (h.Station is null || h.Station == station) && (h.Property is null || h.Property == deletion.Property) && !(instant < h.From) && !(instant >= h.To));
                    Assert.Equal(instant < deletion.Before && !held, deletion.Deleted.Concat(deletion.Condensed).Any(s => instant >= s.From && instant < s.To));
                }
            }
        });
    }

    private static IReadOnlyList<Deletion> Plan(IReadOnlyList<RetentionPolicy> policies, IReadOnlyList<RetentionHold> holds) =>
        RetentionPlan.Make([new KeptStream(3, "escola", "pm10"), new KeptStream(1, "centro", "pm10"), new KeptStream(2, "centro", "laeq")], policies, holds, Now, Lisbon);

    private static RetentionHold Hold(string? station, string? property, string? from, string? to) =>
        new(1, "braga", station, property, from is null ? null : Utc(from), to is null ? null : Utc(to), "case 12");

    private static DateTime Utc(string text) => DateTime.Parse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal);
}
