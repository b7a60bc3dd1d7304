using CsCheck;
using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Notifications;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

public sealed class RuleFileTests
{
    private const string Head = "rules:\n- rule: a\n  namePt: A\n  nameEn: A\n  severity: alert\n  property: pm10\n";

    private const string Levels = "rules:\n- rule: a\n  namePt: A\n  nameEn: A\n  severity: information\n  property: pm10\n  crossing: above\n  setLevel: 2\n  levels:\n";

    private static readonly Gen<Rule> AnyRule =
        from rule in Any<Rule>([.. OrderIndependenceTests.AllRules, AlertsBench.NoiseRule(slug: "silent") with { Measure = Measure.NoData, Window = TimeSpan.FromMinutes(20), SetLevel = 0, ClearLevel = 0 },
            FigureOrderTests.Figure(Measure.Ln, 55, 53, "ln"), FigureOrderTests.Count(35, TimeSpan.FromDays(1), 50.5, "days"), FigureOrderTests.Count(0, TimeSpan.FromHours(1), -0.1, "hours")])
        from tag in Any(null, "zona-mista", "null", "1")
        from name in Gen.String[Gen.Char[" :#'\"-|>&*!%@`{}[],?àÇ€abc0~"], 1, 30]
        from station in Any(null, "avenida", "null", "1", "true")
        from severity in Gen.Enum<Severity>()
        from corners in Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[3, 200]))
        from steps in Gen.Select(Gen.Double[0, 9], Gen.Double[0, 9], Gen.Int[0, 100_000], Gen.Int[0, 100_000]).Array[0, 2]
        from period in Any(null, 0, 60, (int?)3_661)
        from enabled in Gen.Bool
        select rule with
        {
            NamePt = string.IsNullOrWhiteSpace(name) ? "x" : name, NameEn = "~", Source = name, Station = station, Severity = severity, Tag = tag, PeriodSeconds = period, Enabled = enabled,
            SuppressedBy = enabled ? [] : ["first", "null", "1"],
            Area = [.. Enumerable.Range(0, corners).Select(i => new AreaPoint(-8.4 + Math.Cos(i * Math.Tau / corners), 41.5 + Math.Sin(i * Math.Tau / corners)))],
            Levels = rule.Measure is Measure.NoData or Measure.Exceedances ? [] : [.. Further(rule, severity, steps).TakeWhile(level => level.Severity <= Severity.Alert)],
            Schedule = rule is { Measure: Measure.NoData } or { OnClock: true } ? "" : "mo-fr 08:00-18:30, night; no holidays",
        };

    private static IEnumerable<RuleLevel> Further(Rule rule, Severity severity, (double Step, double Hysteresis, int ForSeconds, int OffForMillis)[] steps)
    {
        var (side, set) = (rule.Crossing == Crossing.Above ? 1 : -1, rule.SetLevel);
        foreach (var (step, hysteresis, forSeconds, offForMillis) in steps)
        {
            set += side * step;
            yield return new RuleLevel(++severity, set, set - (side * hysteresis), TimeSpan.FromSeconds(forSeconds), TimeSpan.FromMilliseconds(offForMillis));
        }
    }

    private static Gen<T> Any<T>(params T[] some) => Gen.Int[0, some.Length - 1].Select(at => some[at]);

    [Fact]
    public void Measures_of_several_datastreams_are_written_with_what_they_need_and_read_back()
    {
        Rule[] rules = [AcrossTests.Air with { Severity = Severity.Warning, Levels = [new(Severity.Alert, 5, 4)] }, AcrossTests.Offline with { Station = "se" }, AcrossTests.ToNeighbours, AcrossTests.ToTown];
        var yaml = RuleFile.Write(rules);
        Assert.Equal(rules, RuleFile.Read(yaml, "braga"));
        Assert.Equal(["air-index", "offline", "difference-to-neighbours", "difference-to-municipality"], yaml.Split('\n').Where(line => line.StartsWith("  measure: ", StringComparison.Ordinal)).Select(line => line[11..]));
        Assert.Equal(2, yaml.Split('\n').Count(line => line.StartsWith("  property: ", StringComparison.Ordinal)));
        Assert.Equal(3, yaml.Split('\n').Count(line => line.StartsWith("  crossing: ", StringComparison.Ordinal)));
        Assert.StartsWith("Line 2: rule \"air\": property must be empty for AirIndex", Assert.Throws<RuleFileException>(() => RuleFile.Read(yaml.Replace("  measure: air-index", "  property: pm10\n  measure: air-index", StringComparison.Ordinal), "braga")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_reads_as_what_was_written() => AnyRule.Array[0, 4].Sample(
        any =>
        {
            var rules = any.DistinctBy(rule => rule.Slug).OrderBy(rule => rule.Slug, StringComparer.Ordinal).ToArray();
            var yaml = RuleFile.Write(rules);
            Assert.Equal(rules, RuleFile.Read(yaml, "braga"));
            Assert.Equal(yaml, RuleFile.Write(RuleFile.Read(yaml, "braga")));
        },
        iter: Repeats.Of(100, 5_000));

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
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  area:\n  - [1, 2]\n  - [1, 2, 3]\n", "Line 2: rule \"a\": area[1] is no pair")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  area:\n  - [1, 2]\n  - [1, 95]\n  - [3, 4]\n", "Line 2: rule \"a\": area[1] must be longitude and latitude")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  area: here\n", "Line 9: ")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  suppressedBy:\n  - a\n", "Line 2: rule \"a\": suppressedBy must not come round to the rule 'a' itself")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  suppressedBy: [b]\n- rule: b\n  namePt: A\n  nameEn: A\n  severity: alert\n  property: pm10\n  crossing: above\n  setLevel: 1\n  suppressedBy: [a]\n",
        "Line 2: rule \"a\": suppressedBy must not come round to the rule 'a' itself")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  suppressedBy: [B]\n", "Line 2: rule \"a\": suppressedBy[0] must be 1 to 64")]
    [InlineData(Levels + "  - severity: extreme\n    setLevel: 3\n", "Line 10: rule \"a\": levels[0].severity is \"extreme\"; expected is one of")]
    [InlineData(Levels + "  - severity: warning\n    setLevel: 3\n  - setLevel: 4\n", "Line 12: rule \"a\": levels[1].severity is missing.")]
    [InlineData(Levels + "  - severity: warning\n", "Line 10: rule \"a\": levels[0].setLevel is missing.")]
    [InlineData(Levels + "  - severity: warning\n    setLevel: 3\n    for: long\n", "Line 10: rule \"a\": levels[0].for is \"long\"; expected is an ISO 8601 duration")]
    [InlineData(Levels + "  - severity: warning\n    setLevel: 3\n  - severity: alert\n    setLevel: 2\n", "Line 12: rule \"a\": levels[1].setLevel must not be below")]
    [InlineData(Levels + "  - severity: warning\n    setLevel: 3\n    clearLevel: 4\n", "Line 10: rule \"a\": levels[0].clearLevel must not be above")]
    [InlineData(Levels + "  -\n", "Line 2: rule \"a\": levels[0] is empty")]
    [InlineData(Levels + "  - severity: warning\n    colour: red\n", "Line 11: ")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  schedule: at noon\n", "Line 2: rule \"a\": schedule has 'at noon'")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  limit: 50\n", "Line 2: rule \"a\": limit must be empty for a measure other than Exceedances")]
    [InlineData(Head + "  crossing: above\n  setLevel: 1\n  tag: Zona Mista\n", "Line 2: rule \"a\": tag must be 1 to 40")]
    [InlineData(Head + "  measure: lden\n  window: P1D\n  onClock: true\n  crossing: above\n  setLevel: 65\n", "Line 2: rule \"a\": measure must not be Lden for 'pm10': it is made of sound levels")]
    [InlineData(Head + "  measure: exceedances\n  window: P1D\n  onClock: true\n  crossing: above\n  setLevel: 35\n", "Line 2: rule \"a\": limit must be a finite number")]
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
        Assert.Equal(["air-2008-50", "air-2024-2881", "air-days", "air-exceedances", "air-index-2024", "noise-night", "noise-rgr", "stations", "traffic"], RulePacks.All.Select(pack => pack.Name));
        Assert.Distinct(all.Select(rule => rule.Slug));
        Assert.All(RulePacks.All, pack => Assert.StartsWith($"# {pack.TitlePt}\n# {pack.TitleEn}\n", pack.Yaml, StringComparison.Ordinal));
        Assert.All(all.Where(rule => !rule.Measure.IsSilence()), rule => Assert.NotEqual("", rule.Source));
        Assert.Equal(
            [("air-index", 5d, 0d), ("no2-2024", 200d, 2d), ("o3", 240d, 0d), ("o3-2024", 240d, 0d), ("pm10-2024", 90d, 48d), ("pm2-5-2024", 50d, 48d), ("so2-2024", 350d, 2d)],
            all.Where(rule => rule.Levels.Count > 0).OrderBy(rule => rule.Slug, StringComparer.Ordinal).Select(rule => (rule.Slug, rule.Levels.Single().SetLevel, rule.Levels[0].For.TotalHours)));
        Assert.All(all.SelectMany(rule => rule.Levels), level => Assert.Equal(Severity.Alert, level.Severity));
        var no2 = all.Single(rule => rule.Slug == "no2-alert");
        Assert.Equal((400d, Measure.Mean, TimeSpan.FromHours(1), true, TimeSpan.FromHours(2), 0.75), (no2.SetLevel, no2.Measure, no2.Window, no2.OnClock, no2.For, no2.CoverageMin));
        Assert.Equal(
            ["zona-mista 65/55", "zona-nao-classificada 63/53", "zona-sensivel 55/45"],
            RuleFile.Read(RulePacks.All.Single(pack => pack.Name == "noise-rgr").Yaml, "braga").GroupBy(rule => rule.Tag).OrderBy(zone => zone.Key, StringComparer.Ordinal)
                .Select(zone => $"{zone.Key} {zone.Single(rule => rule.Measure == Measure.Lden).SetLevel}/{zone.Single(rule => rule.Measure == Measure.Ln).SetLevel}"));
        var counted = RuleFile.Read(RulePacks.All.Single(pack => pack.Name == "air-exceedances").Yaml, "braga");
        Assert.Equal(
            ["no2 1 h 200 (18)", "pm10 24 h 50 (35)", "so2 1 h 350 (24)", "so2 24 h 125 (3)"],
            counted.Where(rule => rule.Enabled).Select(rule => $"{rule.Property} {rule.Window.TotalHours} h {rule.Limit} ({rule.SetLevel})").Order(StringComparer.Ordinal));
        Assert.Equal(
            ["no2 1 h 200 (3)", "no2 24 h 50 (18)", "pm10 24 h 45 (18)", "pm2_5 24 h 25 (18)", "so2 1 h 350 (3)", "so2 24 h 50 (18)"],
            counted.Where(rule => !rule.Enabled).Select(rule => $"{rule.Property} {rule.Window.TotalHours} h {rule.Limit} ({rule.SetLevel})").Order(StringComparer.Ordinal));
        Assert.All(counted.Where(rule => !rule.Enabled), rule => Assert.Contains("from 1 January 2030", rule.Source, StringComparison.Ordinal));
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
