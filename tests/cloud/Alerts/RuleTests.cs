using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Notifications;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

public sealed class RuleTests
{
    private static readonly Rule Good = AlertsBench.NoiseRule();
    private static readonly Rule Lden = FigureOrderTests.Figure(Measure.Lden, 65, 65, "lden");
    private static readonly Rule Days = FigureOrderTests.Count(35, TimeSpan.FromDays(1), 50, "days") with { Property = "pm10" };

    public static TheoryData<string, Rule> Broken => new()
    {
        { "Municipality", Good with { Municipality = "Évora" } },
        { "Slug", Good with { Slug = "" } },
        { "Slug", Good with { Slug = "-a" } },
        { "NamePt", Good with { NamePt = " " } },
        { "NameEn", Good with { NameEn = "a\nb" } },
        { "Severity", Good with { Severity = 0 } },
        { "Property", Good with { Property = "pm3" } },
        { "Station", Good with { Station = "a/b" } },
        { "Sensor", Good with { Sensor = "A" } },
        { "PeriodSeconds", Good with { PeriodSeconds = -1 } },
        { "Crossing", Good with { Crossing = 0 } },
        { "SetLevel", Good with { SetLevel = double.NaN } },
        { "ClearLevel", Good with { ClearLevel = double.NegativeInfinity } },
        { "ClearLevel", Good with { ClearLevel = 71 } },
        { "ClearLevel", Good with { Crossing = Crossing.Below, ClearLevel = 69 } },
        { "For", Good with { For = TimeSpan.FromSeconds(-1) } },
        { "For", Good with { For = TimeSpan.FromDays(8) } },
        { "OffFor", Good with { OffFor = TimeSpan.FromDays(8) } },
        { "Measure", Good with { Measure = (Measure)99 } },
        { "Measure", Good with { Property = "wind_direction", Measure = Measure.Mean, Window = TimeSpan.FromHours(1) } },
        { "Measure", Good with { Measure = Measure.Sum, Window = TimeSpan.FromHours(1) } },
        { "Measure", Good with { Property = "lafmax", Measure = Measure.Mean, Window = TimeSpan.FromHours(1) } },
        { "Measure", Good with { Property = "wind_direction", Measure = Measure.Spread, Window = TimeSpan.FromHours(1) } },
        { "SetLevel", Good with { Measure = Measure.GoodShare, Window = TimeSpan.FromHours(1), SetLevel = 101 } },
        { "ClearLevel", Good with { Measure = Measure.GoodShare, Window = TimeSpan.FromHours(1), SetLevel = 50, ClearLevel = -1 } },
        { "Levels[0].SetLevel", Good with { Measure = Measure.GoodShare, Window = TimeSpan.FromHours(1), SetLevel = 90, ClearLevel = 80, Levels = [new(Severity.Alert, 110, 80)] } },
        { "Window", Good with { Measure = Measure.Mean } },
        { "Window", Good with { Measure = Measure.Mean, Window = TimeSpan.FromDays(8) } },
        { "Window", Good with { Window = TimeSpan.FromHours(1) } },
        { "OnClock", Good with { OnClock = true } },
        { "OnClock", Good with { Measure = Measure.Mean, Window = TimeSpan.FromMinutes(7), OnClock = true } },
        { "OnClock", Good with { Measure = Measure.Mean, Window = TimeSpan.FromHours(2), OnClock = true } },
        { "OnClock", Good with { Measure = Measure.NoData, Window = TimeSpan.FromHours(1), OnClock = true } },
        { "Percent", Good with { Percent = 50 } },
        { "Percent", Good with { Measure = Measure.Percentile, Window = TimeSpan.FromHours(1), Percent = 100 } },
        { "CoverageMin", Good with { CoverageMin = 1.1 } },
        { "For", Good with { Measure = Measure.NoData, Window = TimeSpan.FromHours(1), For = TimeSpan.FromMinutes(1) } },
        { "Edge", Good with { Edge = true, Measure = Measure.Mean, Window = TimeSpan.FromHours(1) } },
        { "Schedule", Good with { Schedule = "always" } },
        { "Schedule", Good with { Measure = Measure.Mean, Window = TimeSpan.FromDays(1), OnClock = true, Schedule = "night" } },
        { "Schedule", Good with { Measure = Measure.NoData, Window = TimeSpan.FromDays(1), Schedule = "night" } },
        { "Source", Good with { Source = new string('x', 501) } },
        { "Edge", Good with { Edge = true, Schedule = "night" } },
        { "Edge", Good with { Edge = true, OffFor = TimeSpan.FromMinutes(1) } },
        { "Levels", Good with { Measure = Measure.NoData, Window = TimeSpan.FromHours(1), Levels = [new(Severity.Alert, 80, 75)] } },
        { "Levels[0]", Good with { Levels = [null!] } },
        { "Levels[0].Severity", Good with { Levels = [new((Severity)9, 80, 75)] } },
        { "Levels[0].Severity", Good with { Levels = [new(Severity.Warning, 80, 75)] } },
        { "Levels[1].Severity", Good with { Severity = Severity.Information, Levels = [new(Severity.Alert, 80, 75), new(Severity.Warning, 90, 85)] } },
        { "Levels[1].Severity", Good with { Severity = Severity.Information, Levels = [new(Severity.Warning, 80, 75), new(Severity.Warning, 90, 85)] } },
        { "Levels[0].SetLevel", Good with { Levels = [new(Severity.Alert, double.NaN, 75)] } },
        { "Levels[0].SetLevel", Good with { Levels = [new(Severity.Alert, 69.9, 60)] } },
        { "Levels[0].SetLevel", Good with { Crossing = Crossing.Below, ClearLevel = 75, Levels = [new(Severity.Alert, 71, 75)] } },
        { "Levels[1].SetLevel", Good with { Severity = Severity.Information, Levels = [new(Severity.Warning, 80, 75), new(Severity.Alert, 79, 75)] } },
        { "Levels[0].ClearLevel", Good with { Levels = [new(Severity.Alert, 80, 81)] } },
        { "Levels[0].ClearLevel", Good with { Levels = [new(Severity.Alert, 80, double.PositiveInfinity)] } },
        { "Levels[0].For", Good with { Levels = [new(Severity.Alert, 80, 75, TimeSpan.FromDays(8))] } },
        { "Levels[0].OffFor", Good with { Levels = [new(Severity.Alert, 80, 75, default, TimeSpan.FromSeconds(-1))] } },
        { "SuppressedBy[1]", Good with { SuppressedBy = ["a", "A b"] } },
        { "SuppressedBy[1]", Good with { SuppressedBy = ["a", "a"] } },
        { "SuppressedBy", Good with { SuppressedBy = ["a", Good.Slug] } },
        { "SuppressedBy", Good with { SuppressedBy = [.. Enumerable.Range(0, 11).Select(i => $"rule-{i}")] } },
        { "Property", AcrossTests.Offline with { Property = "laeq" } },
        { "Property", AcrossTests.ToTown with { Property = "" } },
        { "Property", Good with { Property = "" } },
        { "Property", AcrossTests.Air with { Property = "pm10" } },
        { "Sensor", AcrossTests.Offline with { Sensor = "s1" } },
        { "PeriodSeconds", AcrossTests.Air with { PeriodSeconds = 60 } },
        { "Window", AcrossTests.Offline with { Window = TimeSpan.FromDays(8) } },
        { "OnClock", AcrossTests.Offline with { OnClock = true } },
        { "For", AcrossTests.Offline with { For = TimeSpan.FromMinutes(1) } },
        { "Schedule", AcrossTests.Offline with { Schedule = "night" } },
        { "Levels", AcrossTests.Offline with { Levels = [new(Severity.Alert, 80, 75)] } },
        { "Edge", AcrossTests.Offline with { Edge = true } },
        { "Edge", AcrossTests.ToTown with { Edge = true } },
        { "Edge", AcrossTests.Air with { Edge = true } },
        { "OnClock", AcrossTests.ToTown with { OnClock = false } },
        { "Window", AcrossTests.ToTown with { Window = TimeSpan.FromMinutes(5) } },
        { "OnClock", AcrossTests.ToNeighbours with { Window = TimeSpan.FromHours(2) } },
        { "Measure", AcrossTests.ToNeighbours with { Property = "wind_direction" } },
        { "Measure", AcrossTests.ToTown with { Property = "lafmax" } },
        { "Window", AcrossTests.Air with { Window = TimeSpan.FromMinutes(30) } },
        { "OnClock", AcrossTests.Air with { OnClock = false } },
        { "SetLevel", AcrossTests.Air with { SetLevel = 7 } },
        { "SetLevel", AcrossTests.Air with { SetLevel = 3.5 } },
        { "ClearLevel", AcrossTests.Air with { ClearLevel = 4 } },
        { "Levels[0].ClearLevel", AcrossTests.Air with { Levels = [new(Severity.Alert, 5, 5)] } },
        { "Area", Good with { Area = [new(0, 0), new(1, 0)] } },
        { "Area", Good with { Area = [new(0, 0), new(1, 0), new(0, 0)] } },
        { "Area", Good with { Area = [.. Enumerable.Range(0, 201).Select(i => new AreaPoint(i / 10.0, i * i / 1000.0))] } },
        { "Area", Good with { Area = [new(0, 0), new(1, 1), new(1, 0), new(0, 1)] } },
        { "Area", Good with { Area = [new(0, 0), new(1, 1), new(2, 2)] } },
        { "Area[1]", Good with { Area = [new(0, 0), new(181, 0), new(1, 1)] } },
        { "Area[2]", Good with { Area = [new(0, 0), new(1, 0), new(1, -90.1)] } },
        { "Tag", Good with { Tag = "Zona" } },
        { "Tag", Good with { Tag = "" } },
        { "Tag", Good with { Tag = new string('a', 41) } },
        { "Edge", Good with { Edge = true, Tag = "zona-mista" } },
        { "Limit", Good with { Limit = 50 } },
        { "Measure", Lden with { Property = "pm10" } },
        { "Measure", Lden with { Property = "lafmax", Measure = Measure.Ln } },
        { "Window", Lden with { OnClock = false } },
        { "Window", Lden with { Measure = Measure.Ln, Window = TimeSpan.FromHours(1) } },
        { "Schedule", Lden with { Schedule = "night" } },
        { "Edge", Lden with { Edge = true } },
        { "Measure", Days with { Property = "lafmax" } },
        { "Measure", Days with { Property = "vehicle_count" } },
        { "Limit", Days with { Limit = null } },
        { "Limit", Days with { Limit = double.NaN } },
        { "Window", Days with { OnClock = false } },
        { "Window", Days with { Window = TimeSpan.FromMinutes(30) } },
        { "Crossing", Days with { Crossing = Crossing.Below } },
        { "Schedule", Days with { Window = TimeSpan.FromHours(1), Schedule = "night" } },
        { "SetLevel", Days with { SetLevel = 35.5 } },
        { "ClearLevel", Days with { ClearLevel = -1 } },
        { "For", Days with { For = TimeSpan.FromDays(1) } },
        { "OffFor", Days with { OffFor = TimeSpan.FromDays(1) } },
        { "Levels[0].SetLevel", Days with { Levels = [new(Severity.Alert, 40.5, 40)] } },
        { "Levels[0].For", Days with { Levels = [new(Severity.Alert, 40, 40, TimeSpan.FromHours(1))] } },
        { "Edge", Days with { Edge = true } },
        { "Area[0]", Good with { Area = [new(double.NaN, 0), new(1, 0), new(1, 1)] } },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_rule_that_breaks_one_is_refused_by_the_name_of_the_field(string field, Rule rule)
    {
        var refused = Assert.Throws<ArgumentException>(() => RuleValidation.Check(rule));
        Assert.StartsWith(field + " ", refused.Message, StringComparison.Ordinal);
        Assert.Equal(field, refused.ParamName);
    }

    [Fact]
    public async Task Rules_are_kept_over_a_restart_and_listed_by_slug()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Good with { Slug = "b" }, default);
        await bench.Alerts.SaveAsync(Good with { Slug = "a", For = TimeSpan.FromMinutes(90), PeriodSeconds = 60, Sensor = "s1", Station = "se" }, default);
        var measured = Good with { Slug = "c", Measure = Measure.Percentile, Percent = 95, Window = TimeSpan.FromHours(1), OnClock = true, CoverageMin = 0, OffFor = TimeSpan.FromMinutes(3), Schedule = "night", Source = "DL 9/2007",
            Levels = [new(Severity.Alert, 80.1, 75, TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1.5))], Area = [new(-8.5, 41.5), new(-8.4, 41.5), new(-8.4, 41.6), new(-8.5, 41.5)], SuppressedBy = ["a", "gone"] };
        await bench.Alerts.SaveAsync(measured, default);
        await bench.Alerts.SaveAsync(Days with { Slug = "d", Tag = "zona-mista" }, default);
        await bench.Alerts.SaveAsync(Good with { Slug = "b", NamePt = "Outro nome", Severity = Severity.Alert }, default);
        await bench.StopEvaluatorAsync();
        await bench.StartEvaluatorAsync();
        Assert.Equal(
            [Good with { Slug = "a", For = TimeSpan.FromMinutes(90), PeriodSeconds = 60, Sensor = "s1", Station = "se" }, Good with { Slug = "b", NamePt = "Outro nome", Severity = Severity.Alert }, measured, Days with { Slug = "d", Tag = "zona-mista" }],
            bench.Alerts.Rules("braga"));
        Assert.Empty(bench.Alerts.Rules("aveiro"));
        await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Alerts.SaveAsync(Good with { Slug = "Ç" }, default));
        Assert.Equal(4, bench.Alerts.Rules(null).Count);
    }

    [Fact]
    public void Each_level_can_be_had_as_a_rule_of_its_own()
    {
        var rule = Good with { Levels = [new(Severity.Alert, 80, 75, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(3))] };
        var alert = Good with { Severity = Severity.Alert, SetLevel = 80, ClearLevel = 75, For = TimeSpan.FromMinutes(5), OffFor = TimeSpan.FromMinutes(3) };
        Assert.Equal([Good, alert], rule.EachLevel());
        Assert.Equal(alert, rule.LevelOf(Severity.Alert));
        Assert.Equal(Good, rule.LevelOf(Severity.Warning));
        Assert.Equal(Good, rule.LevelOf(Severity.Information));
    }

    [Fact]
    public async Task Rules_that_would_suppress_each_other_are_refused()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Good with { Slug = "a", SuppressedBy = ["b", "d"] }, default);
        await bench.Alerts.SaveAsync(Good with { Slug = "b", SuppressedBy = ["c", "d"] }, default);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Alerts.SaveAsync(Good with { Slug = "c", SuppressedBy = ["a"] }, default));
        Assert.StartsWith("SuppressedBy must not come round to the rule 'c' itself", refused.Message, StringComparison.Ordinal);
        await bench.Alerts.SaveAsync(Good with { Slug = "c", SuppressedBy = ["d"] }, default);
        await bench.Alerts.SaveAsync(Good with { Slug = "a" }, default);
        await bench.Alerts.SaveAsync(Good with { Slug = "d", SuppressedBy = ["a"] }, default);
    }

    [Fact]
    public async Task The_number_of_rules_is_limited()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Settings["Hub:Alerts:RuleCountMax"] = "1");
        await bench.Alerts.SaveAsync(Good, default);
        await bench.Alerts.SaveAsync(Good with { SetLevel = 80 }, default);
        var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Alerts.SaveAsync(Good with { Slug = "one-more" }, default));
        Assert.Contains("Hub:Alerts:RuleCountMax", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_rules_are_changed_at_once_and_judged_by_what_they_say_afterwards()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Settings["Hub:Alerts:RuleCountMax"] = "3");
        var (a, b, c) = (Good with { Slug = "a" }, Good with { Slug = "b" }, Good with { Slug = "c" });
        await bench.Alerts.ApplyAsync("braga", [a with { SuppressedBy = ["b"] }, b, c], [], default);

        // Whichever of the two comes first, one after the other would be refused half-way.
        await bench.Alerts.ApplyAsync("braga", [a, b with { SuppressedBy = ["a"] }], [], default);
        await bench.Alerts.ApplyAsync("braga", [b, a with { SuppressedBy = ["b"] }], ["not-there"], default);

        // Of a full municipality: what goes makes room.
        await bench.Alerts.ApplyAsync("braga", [Good with { Slug = "d" }], ["c"], default);
        Assert.Equal(["a", "b", "d"], bench.Alerts.Rules("braga").Select(rule => rule.Slug));
    }

    [Fact]
    public async Task Of_several_rules_of_which_one_is_refused_none_is_taken()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Settings["Hub:Alerts:RuleCountMax"] = "2");
        var (a, b) = (Good with { Slug = "a" }, Good with { Slug = "b" });
        await bench.Alerts.SaveAsync(a, default);
        await RefusedAsync("Rule \"b\": ClearLevel", [a with { SetLevel = 90 }, b with { ClearLevel = 1000 }], []);
        await RefusedAsync("Rule \"a\": SuppressedBy must not come round to the rule 'a' itself", [a with { SuppressedBy = ["b"] }, b with { SuppressedBy = ["a"] }], []);
        await RefusedAsync("Rule \"b\": it must be named once.", [b, b], []);
        await RefusedAsync("Rule \"a\": it must be named once.", [a with { SetLevel = 90 }], ["a"]);
        await RefusedAsync("Rule \"b\": it is one of \"porto\", not of \"braga\".", [b with { Municipality = "porto" }], ["a"]);
        await RefusedAsync("Slug: the municipality has reached its limit of 2 rules", [b, Good with { Slug = "c" }], []);

        async Task RefusedAsync(string reason, Rule[] saved, string[] removed)
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Alerts.ApplyAsync("braga", saved, removed, default));
            Assert.StartsWith(reason, refused.Message, StringComparison.Ordinal);
            Assert.Equal([a], bench.Alerts.Rules("braga"));
        }
    }

    [Theory]
    [InlineData("Hub:Alerts:Horizon", "00:10:00")]
    [InlineData("Hub:Alerts:PresentWithin", "00:20:00")]
    [InlineData("Hub:Alerts:StaleAfter", "2.00:00:00")]
    [InlineData("Hub:Alerts:SettleFor", "-00:00:01")]
    [InlineData("Hub:Alerts:PendingGapMax", "00:00:00")]
    [InlineData("Hub:Alerts:RuleCountMax", "0")]
    [InlineData("Hub:Alerts:RehearsalObservationsMax", "10")]
    public void A_setting_out_of_range_is_refused_by_its_full_key(string key, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [key] = value }).Build();
        using var services = new ServiceCollection().AddLogging().AddHubAlerts(configuration).BuildServiceProvider();
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<AlertsOptions>>().Value);
        Assert.Contains(key + " must be", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quality_flags_are_read_from_names()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Hub:Alerts:IgnoreQuality"] = "Stuck, SuspectHumidity" }).Build();
        using var services = new ServiceCollection().AddLogging().AddHubAlerts(configuration).BuildServiceProvider();
        Assert.Equal(
            Hub.Edge.Contract.Readings.Quality.Stuck | Hub.Edge.Contract.Readings.Quality.SuspectHumidity, services.GetRequiredService<IOptions<AlertsOptions>>().Value.IgnoreQuality);
    }
}
