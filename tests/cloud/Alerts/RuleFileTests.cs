using CsCheck;
using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Notifications;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

public sealed class RuleFileTests
{
    private const string Head = "rules:\n- rule: a\n  namePt: A\n  nameEn: A\n  severity: alert\n  property: pm10\n";

    private static readonly Gen<Rule> AnyRule =
        from rule in Any<Rule>([.. OrderIndependenceTests.AllRules, AlertsBench.NoiseRule(slug: "silent") with { Measure = Measure.NoData, Window = TimeSpan.FromMinutes(20), SetLevel = 0, ClearLevel = 0 }])
        from name in Gen.String[Gen.Char[" :#'\"-|>&*!%@`{}[],?àÇ€abc0~"], 1, 30]
        from station in Any(null, "avenida", "null", "1", "true")
        from severity in Gen.Enum<Severity>()
        from period in Any(null, 0, 60, (int?)3_661)
        from enabled in Gen.Bool
        select rule with
        {
            NamePt = string.IsNullOrWhiteSpace(name) ? "x" : name, NameEn = "~", Source = name, Station = station, Severity = severity, PeriodSeconds = period, Enabled = enabled,
            Schedule = rule is { Measure: Measure.NoData } or { OnClock: true } ? "" : "mo-fr 08:00-18:30, night; no holidays",
        };

    private static Gen<T> Any<T>(params T[] some) => Gen.Int[0, some.Length - 1].Select(at => some[at]);

    [Fact]
    public void A_file_reads_as_what_was_written() => AnyRule.Array[0, 4].Sample(
        any =>
        {
            var rules = any.DistinctBy(rule => rule.Slug).OrderBy(rule => rule.Slug, StringComparer.Ordinal).ToArray();
            var yaml = RuleFile.Write(rules);
            Assert.Equal(rules, RuleFile.Read(yaml, "braga"));
            Assert.Equal(yaml, RuleFile.Write(RuleFile.Read(yaml, "braga")));
        },
        iter: 500);

    [Theory]
    [InlineData("", "Line 1: There is no list \"rules\".")]
    [InlineData("rules:", "Line 1: There is no list \"rules\".")]
    [InlineData("- a", "Line 1: ")]
    [InlineData("rules: [", "Line 2: ")]
    [InlineData("rules:\n- rule: a\n  colour: red", "Line 3: ")]
    [InlineData("rules:\n- rule: a\n- rule: a\n", "Line 2: rule \"a\": crossing is missing.")]
    [InlineData(Head + "  crossing: above\n  setLevel: high\n", "Line 8: ")]
    [InlineData(Head + "  crossing: over\n  setLevel: 1\n", "Line 2: rule \"a\": crossing is \"over\"; expected is one of above, below.")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  for: P1M\n", "Line 2: rule \"a\": for is \"P1M\"; expected is an ISO 8601 duration")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  clearLevel: 2\n", "Line 2: rule \"a\": clearLevel must not be above")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  schedule: at noon\n", "Line 2: rule \"a\": schedule has 'at noon'")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  setLevel: 2\n", "Line 9: ")]
    public void What_is_wrong_is_said_with_its_line(string yaml, string begin)
    {
        var refused = Assert.Throws<RuleFileException>(() => RuleFile.Read(yaml, "braga"));
        Assert.StartsWith(begin, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_twice_and_a_file_too_long_are_refused()
    {
        var twice = RuleFile.Write([AlertsBench.NoiseRule()]);
        Assert.Contains("is there twice", Assert.Throws<RuleFileException>(() => RuleFile.Read(twice + twice[twice.IndexOf('-', StringComparison.Ordinal)..], "braga")).Message, StringComparison.Ordinal);
        Assert.Throws<RuleFileException>(() => RuleFile.Read(new string('#', RuleFile.LengthMax + 1), "braga"));
    }

    [Fact]
    public void Every_pack_is_right_says_where_it_comes_from_and_meets_no_other()
    {
        var all = RulePacks.All.SelectMany(pack => RuleFile.Read(pack.Yaml, "braga")).ToList();
        Assert.Equal(["air-2008-50", "air-2024-2881", "air-days", "noise-night", "stations", "traffic"], RulePacks.All.Select(pack => pack.Name));
        Assert.Distinct(all.Select(rule => rule.Slug));
        Assert.All(RulePacks.All, pack => Assert.StartsWith($"# {pack.Title}\n", pack.Yaml, StringComparison.Ordinal));
        Assert.All(all.Where(rule => rule.Measure != Measure.NoData), rule => Assert.NotEqual("", rule.Source));
        var no2 = all.Single(rule => rule.Slug == "no2-alert");
        Assert.Equal((400d, Measure.Mean, TimeSpan.FromHours(1), true, TimeSpan.FromHours(2), 0.75), (no2.SetLevel, no2.Measure, no2.Window, no2.OnClock, no2.For, no2.CoverageMin));
    }
}

public sealed class RuleScheduleTests
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    [Theory]
    [InlineData("night", "2026-01-05T22:59:59Z", false)]
    [InlineData("night", "2026-01-05T23:00:00Z", true)]
    [InlineData("night", "2026-01-06T06:59:59Z", true)]
    [InlineData("night", "2026-01-06T07:00:00Z", false)]
    [InlineData("night", "2026-07-05T22:00:00Z", true)]
    [InlineData("day, evening", "2026-07-05T21:59:00Z", true)]
    [InlineData("fr 23:00-07:00", "2026-01-10T03:00:00Z", true)]
    [InlineData("fr 23:00-07:00", "2026-01-09T03:00:00Z", false)]
    [InlineData("sa-mo 00:00-24:00", "2026-01-05T12:00:00Z", true)]
    [InlineData("sa-mo 00:00-24:00", "2026-01-06T12:00:00Z", false)]
    [InlineData("mo-fr 08:00-18:30; no holidays", "2026-04-24T12:00:00Z", true)]
    [InlineData("mo-fr 08:00-18:30; no holidays", "2026-12-25T12:00:00Z", false)]
    [InlineData("00:00-24:00; holidays", "2026-04-25T12:00:00Z", true)]
    [InlineData("00:00-24:00; holidays", "2026-06-04T12:00:00Z", true)]
    public void In_force_by_the_clock_of_the_municipality(string schedule, string at, bool expected) =>
        Assert.Equal(expected, RuleSchedule.Parse(schedule)!.Covers(DateTime.Parse(at, null, System.Globalization.DateTimeStyles.AdjustToUniversal), Lisbon));

    [Theory]
    [InlineData(2024, 3, 31)]
    [InlineData(2025, 4, 20)]
    [InlineData(2026, 4, 5)]
    [InlineData(2038, 4, 25)]
    [InlineData(2285, 3, 22)]
    public void Easter(int year, int month, int day) => Assert.Equal(new DateTime(year, month, day), RuleSchedule.Easter(year));

    [Theory]
    [InlineData("nights")]
    [InlineData("25:00-26:00")]
    [InlineData("08:60-09:00")]
    [InlineData("08:00-08:00")]
    [InlineData("24:00-08:00")]
    [InlineData("mo-xx 08:00-09:00")]
    [InlineData("08:00-09:00;")]
    [InlineData("08:00-09:00; weekends")]
    [InlineData("8:00-9:00")]
    public void What_is_no_schedule_is_refused(string text) => Assert.Throws<FormatException>(() => RuleSchedule.Parse(text));
}
