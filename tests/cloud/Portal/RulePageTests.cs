using System.Net;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>Rules by form: listed, made, tried, changed, switched and removed by the operators of a municipality, and by nobody else.</summary>
public sealed class RulePageTests
{
    private const string List = "/rules?municipality=braga";
    private const string Page = "/rules/braga/pm25-alto";
    private const string NewPage = "/rules/braga/new";

    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_list_says_in_a_sentence_what_each_rule_does_and_how_it_stands()
    {
        await using var host = await StartAsync();
        host.City.Alerts.AllRules.Add(Rule("noite", "laeq") with
        {
            NamePt = "Noite <ruidosa>", Station = "se", Enabled = false, Measure = Measure.Mean, Window = TimeSpan.FromHours(1), OnClock = true, SetLevel = 55, ClearLevel = 52, Schedule = "night",
            Levels = [new(Severity.Alert, 65.5, 60, TimeSpan.FromHours(2))],
        });
        using var browser = await SignedInAsync(host);
        var page = (await browser.GetStringAsync(List, Cancel)).Replace("&#xA0;", " ", StringComparison.Ordinal);
        var html = Html.Read(page);
        Assert.Empty(html.Faults);
        foreach (var text in new[]
        {
            "2 regras", "Cada valor de partículas PM2,5 igual ou acima de 25 µg/m³ durante 10 min.", "Todas as estações", "2 alarmes abertos", "Ligada",
            "Noite &lt;ruidosa&gt;", "Média de 1 h (pelo relógio) de nível sonoro contínuo equivalente LAeq igual ou acima de 55 dB(A); à noite (23–07 h).", "Largo da Sé", "Nenhum alarme aberto", "Desligada",
            "Alerta</span> igual ou acima de 65,5 dB(A) durante 2 h",
        })
        {
            Assert.Contains(text, page, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("noite-ruidosa", page, StringComparison.Ordinal);
        Assert.Contains(html.Tags, tag => tag["href"] == Page);
        Assert.Contains(html.Tags, tag => tag["href"] == NewPage);
        Assert.Contains("href=\"/rules\"", await browser.GetStringAsync("/alarms", Cancel), StringComparison.Ordinal);
        Assert.Contains("href=\"/rules?municipality=braga\"", await browser.GetStringAsync("/alarms?municipality=braga", Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain("\"/rules", await browser.GetStringAsync("/alarms?municipality=evora", Cancel), StringComparison.Ordinal);

        host.City.Alerts.AllRules.Clear();
        page = await browser.GetStringAsync("/rules?lang=en", Cancel);
        Assert.Contains("There are no rules yet", page, StringComparison.Ordinal);
        Assert.Empty(Html.Read(page).Faults);
    }

    [Theory]
    [InlineData(Measure.Value, 0, "Cada valor de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Each value of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.Mean, 60, "Média de 1 h de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Mean over 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.Sum, 60, "Soma de 1 h de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Sum over 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.Max, 15, "Maior valor em 15 min de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Largest value in 15 min of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.Min, 15, "Menor valor em 15 min de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Smallest value in 15 min of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.Percentile, 60, "Percentil 90,5 em 1 h de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Percentile 90.5 over 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.Count, 60, "Número de valores em 1 h de dióxido de azoto (NO2) igual ou acima de 200", "Number of values in 1 h of nitrogen dioxide (NO2) at or above 200")]
    [InlineData(Measure.Change, 60, "Variação em 1 h de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Change within 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.Spread, 60, "Amplitude em 1 h de dióxido de azoto (NO2) igual ou acima de 200 µg/m³", "Spread within 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.GoodShare, 60, "Percentagem de valores bons em 1 h de dióxido de azoto (NO2) igual ou acima de 200 %", "Share of good values within 1 h of nitrogen dioxide (NO2) at or above 200 %")]
    [InlineData(Measure.NoData, 2_880, "Nenhum valor de dióxido de azoto (NO2) durante 2 d", "No value of nitrogen dioxide (NO2) for 2 d")]
    [InlineData(Measure.NoData, 120, "Nenhum valor de dióxido de azoto (NO2) durante 2 h", "No value of nitrogen dioxide (NO2) for 2 h")]
    [InlineData(Measure.Offline, 30, "Nenhum valor da estação durante 30 min", "No value from the station for 30 min")]
    [InlineData(Measure.DifferenceToMunicipality, 60, "Diferença para a mediana do município na média de 1 h de dióxido de azoto (NO2) igual ou acima de 200 µg/m³",
        "Difference to the median of the municipality in the mean over 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.DifferenceToNeighbours, 60, "Diferença para a mediana das estações vizinhas na média de 1 h de dióxido de azoto (NO2) igual ou acima de 200 µg/m³",
        "Difference to the median of nearby stations in the mean over 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³")]
    [InlineData(Measure.AirIndex, 60, "Classe do índice de qualidade do ar de 1 h igual ou acima de 200", "Air quality index class over 1 h at or above 200")]
    public void Every_measure_has_a_sentence_in_both_languages(Measure measure, int minutes, string pt, string en)
    {
        var rule = Rule("x", "no2") with { Measure = measure, Window = TimeSpan.FromMinutes(minutes), SetLevel = 200, ClearLevel = 200, Percent = measure == Measure.Percentile ? 90.5 : 0 };
        Assert.Equal((pt, en), (Plain(RuleWords.Sentence(Speech.Pt, rule)), Plain(RuleWords.Sentence(Speech.En, rule))));
    }

    [Fact]
    public void Figures_are_said_for_what_they_are()
    {
        var lden = Rule("x", "laeq") with { Measure = Measure.Lden, Window = TimeSpan.FromDays(1), OnClock = true, SetLevel = 65, ClearLevel = 65 };
        var days = Rule("x", "pm10") with { Measure = Measure.Exceedances, Window = TimeSpan.FromDays(1), OnClock = true, Limit = 50, SetLevel = 35, ClearLevel = 35, Tag = "zona-mista" };
        Assert.Equal("Lden de um dia, das 07 às 07 h, de nível sonoro contínuo equivalente LAeq igual ou acima de 65 dB(A)", Plain(RuleWords.Sentence(Speech.Pt, lden)));
        Assert.Equal("Dias do ano com média de partículas PM10 acima de 50 µg/m³: mais de 35", Plain(RuleWords.Sentence(Speech.Pt, days)));
        Assert.Equal("Days of the year with a mean of PM10 particles above 50 µg/m³: more than 35", Plain(RuleWords.Sentence(Speech.En, days)));
        Assert.Equal("Hours of the year with a mean of PM10 particles above 50 µg/m³: more than 35", Plain(RuleWords.Sentence(Speech.En, days with { Window = TimeSpan.FromHours(1) })));
        Assert.Equal("All stations · with the tag zona-mista", RuleWords.Where(Speech.En, days, null));
        Assert.Equal("", RuleWords.UnitOf("pm10", Measure.Exceedances));
        Assert.Equal(("dB(A)", "máx. 35 por ano"), (RuleWords.UnitOf("laeq", Measure.Ln), ChartFacts.Limit(Speech.Pt, days, 1, "")));
    }

    [Theory]
    [InlineData("night", "à noite (23–07 h)", "at night (23–07 h)")]
    [InlineData("mo-fr 08:00-18:30, sa 09:00-13:00; no holidays", "seg–sex 08:00–18:30, sáb 09:00–13:00, exceto feriados", "Mon–Fri 08:00–18:30, Sat 09:00–13:00, except holidays")]
    [InlineData("day; holidays", "de dia (07–20 h), só em feriados", "by day (07–20 h), only on holidays")]
    public void Schedules_are_said_in_words(string schedule, string pt, string en) =>
        Assert.Equal((pt, en), (RuleWords.Schedule(Speech.Pt, schedule), RuleWords.Schedule(Speech.En, schedule)));

    [Fact]
    public async Task A_rule_is_made_by_form_with_a_name_for_addresses_made_from_its_own()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(NewPage, Cancel);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("Medidas no município", page, StringComparison.Ordinal);
        using var answer = await PostAsync(
            browser, NewPage, "Save", page, ("namePt", "Ruído à noite!"), ("nameEn", "Loud night"), ("property", "laeq"), ("station", "se"), ("measure", "percentile"), ("window.number", "1"), ("window.unit", "h"), ("onClock", "on"),
            ("percent", "90"), ("coverage", "80"), ("levels[0].severity", "1"), ("levels[0].set", "55,5"), ("levels[0].clear", "52"), ("levels[0].for.number", "2"), ("levels[0].for.unit", "h"), ("levels[1].severity", ""), ("levels[1].set", ""), ("levels[2].severity", "3"),
            ("levels[2].set", "65"), ("levels[2].offFor.number", "90"), ("levels[2].offFor.unit", "s"), ("schedule", "night"), ("source", "DL 9/2007"), ("enabled", "on"));
        Assert.Equal("/rules?municipality=braga&done=saved&rule=ruido-a-noite#done", answer.Headers.Location?.ToString());
        var made = host.City.Alerts.AllRules.Single(rule => rule.Slug == "ruido-a-noite");
        Assert.Equal(
            new("braga", "ruido-a-noite", "Ruído à noite!", "Loud night", Severity.Information, "laeq", "se", null, null, Crossing.Above, 55.5, 52, TimeSpan.FromHours(2))
            {
                Measure = Measure.Percentile, Window = TimeSpan.FromHours(1), OnClock = true, Percent = 90, CoverageMin = 0.8, Schedule = "night", Source = "DL 9/2007",
                Levels = [new(Severity.Alert, 65, 65, default, TimeSpan.FromSeconds(90))],
            },
            made);
        var note = Assert.Single(host.Audit.Notes);
        Assert.Equal(("braga", "rule-saved", "ruido-a-noite", "braga"), (note.Municipality, note.Action, note.Subject, note.By));
        using var details = JsonDocument.Parse(note.Details);
        Assert.Equal(("percentile", "PT1H", "dB"), (details.RootElement.GetProperty("measure").GetString(), details.RootElement.GetProperty("window").GetString(), details.RootElement.GetProperty("unit").GetString()));
        Assert.Equal(65, details.RootElement.GetProperty("levels")[0].GetProperty("setLevel").GetDouble());
        page = await browser.GetStringAsync(answer.Headers.Location!.ToString(), Cancel);
        Assert.Contains("Regra guardada: Ruído à noite!.", page, StringComparison.Ordinal);

        // The same name again is another rule's.
        using var again = await PostAsync(browser, NewPage, "Save", page, ("namePt", "Ruído à noite!"), ("nameEn", "Loud night"), ("property", "laeq"), ("measure", "value"), ("levels[0].severity", "1"), ("levels[0].set", "55"));
        Assert.Contains("Já há uma regra com este nome no endereço", await again.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(made, host.City.Alerts.AllRules.Single(rule => rule.Slug == "ruido-a-noite"));
    }

    [Fact]
    public async Task A_form_that_is_sent_back_as_it_came_changes_nothing_of_the_rule()
    {
        await using var host = await StartAsync();
        Rule[] rules =
        [
            Rule("todo", "laeq") with
            {
                Station = "se", Sensor = "slm-1", PeriodSeconds = 60, Crossing = Crossing.Below, SetLevel = 55.25, ClearLevel = 60, For = TimeSpan.FromSeconds(90), OffFor = TimeSpan.FromMinutes(5), Measure = Measure.Percentile,
                Window = TimeSpan.FromMinutes(30), OnClock = true, Percent = 12.5, CoverageMin = 0.29, Schedule = "mo-fr 08:00-18:30; no holidays", Source = "“Decreto”", Enabled = false,
                Levels = [new(Severity.Alert, 40, 45, TimeSpan.FromHours(36), TimeSpan.FromDays(2))],
                Area = [new(-8.44, 41.54), new(-8.4, 41.54), new(-8.42, 41.571234)], SuppressedBy = ["silencio", "instante"],
            },
            Rule("preso", "no2") with { Measure = Measure.Spread, Crossing = Crossing.Below, Window = TimeSpan.FromHours(6), For = default, SetLevel = 0, ClearLevel = 1 },
            Rule("bons", "no2") with { Measure = Measure.GoodShare, Crossing = Crossing.Below, Window = TimeSpan.FromHours(6), For = default, SetLevel = 50, ClearLevel = 80 },
            Rule("silencio", "no2") with { Measure = Measure.NoData, Window = TimeSpan.FromHours(3), For = default, SetLevel = 0, ClearLevel = 0 },
            Rule("parada", "") with { Measure = Measure.Offline, Window = TimeSpan.FromMinutes(30), For = default, SetLevel = 0, ClearLevel = 0 },
            Rule("diferente", "laeq") with { Measure = Measure.DifferenceToNeighbours, Window = TimeSpan.FromHours(1), OnClock = true, SetLevel = 6, ClearLevel = 3 },
            Rule("ar", "") with { Measure = Measure.AirIndex, Window = TimeSpan.FromHours(1), OnClock = true, SetLevel = 4, ClearLevel = 3, Severity = Severity.Warning, Levels = [new(Severity.Alert, 5, 4)] },
            Rule("noites", "laeq") with { Measure = Measure.Ln, Window = TimeSpan.FromDays(1), OnClock = true, For = default, SetLevel = 55, ClearLevel = 53, Tag = "zona-mista" },
            Rule("vezes", "no2") with { Measure = Measure.Exceedances, Window = TimeSpan.FromHours(1), OnClock = true, For = default, Limit = 200.5, SetLevel = 18, ClearLevel = 18, Levels = [new(Severity.Alert, 30, 30)] },
            Rule("instante", "temperature") with { PeriodSeconds = 0, SetLevel = -3, ClearLevel = -4, Edge = true },
        ];
        host.City.Alerts.AllRules.AddRange(rules);
        foreach (var language in new[] { "pt-PT", "en-GB" })
        {
            using var browser = await SignedInAsync(host, language);
            foreach (var rule in rules)
            {
                var page = await browser.GetStringAsync("/rules/braga/" + rule.Slug, Cancel);
                Assert.Empty(Html.Read(page).Faults);
                using var answer = await PostAsync(browser, "/rules/braga/" + rule.Slug, "Save", page, Filled(page));
                Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
                Assert.Equal(rule, host.City.Alerts.AllRules.Single(known => known.Slug == rule.Slug));
            }
        }
    }

    [Theory]
    [InlineData("namePt", "", "namePt", "Write a name")]
    [InlineData("nameEn", " ", "nameEn", "Write a name")]
    [InlineData("property", "", "property", "Choose the quantity")]
    [InlineData("property", "unicorns", "property", "'unicorns' is unknown")]
    [InlineData("station", "nowhere", "station", "There is no such station")]
    [InlineData("sensor", "Ärger", "sensor", "must be 1 to 64 of a-z")]
    [InlineData("period.number", "x", "period", "Write a length of time")]
    [InlineData("area", "over there", "area", "Write 3 to 200 corners")]
    [InlineData("area", "-8.44 41.54; -8.4 41.54", "area", "Write 3 to 200 corners")]
    [InlineData("suppressedBy", "No Slug!", "suppressedBy", "Choose at most 10 rules")]
    [InlineData("suppressedBy", "pm25-alto", "suppressedBy", "must not come round to the rule")]
    [InlineData("measure", "sum", "measure", "Sum says nothing of")]
    [InlineData("window.number", "9", "window", "must be zero for single values")]
    [InlineData("window.number", "1e300", "window", "Write a length of time")]
    [InlineData("onClock", "on", "onClock", "must be false for single values")]
    [InlineData("percent", "90", "percent", "0 for a measure other than Percentile")]
    [InlineData("percent", "many", "percent", "Write a number")]
    [InlineData("coverage", "175", "coverage", "must be 0 to 1")]
    [InlineData("levels[0].severity", "9", "level-0-severity", "Choose the severity")]
    [InlineData("levels[0].set", "", "level-0-set", "Write a number")]
    [InlineData("levels[0].clear", "99", "level-0-clear", "must not be above the set level 25")]
    [InlineData("levels[0].for.number", "999999", "level-0-for", "must be zero to 7.00:00:00")]
    [InlineData("levels[0].offFor.number", "999999", "level-0-off", "must be zero to 7.00:00:00")]
    [InlineData("levels[2].set", "12", "level-2-severity", "Choose the severity")]
    [InlineData("schedule", "sometimes <b>", "schedule", "has &#x27;sometimes &lt;b&gt;&#x27;")]
    [InlineData("source", "a\u0001b", "source", "without control characters")]
    [InlineData("edge+schedule", "night", "edge", "stations watch only single values")]
    public async Task What_cannot_be_is_said_at_its_field_and_everything_typed_stays(string name, string value, string field, string reason)
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, "en-GB");
        var page = await browser.GetStringAsync(Page, Cancel);
        var before = host.City.Alerts.AllRules.ToArray();
        List<(string, string)> typed = [.. Filled(page).Where(one => one.Name != name && !(one.Name == "schedule" && name.StartsWith("edge", StringComparison.Ordinal))), (name.StartsWith("edge", StringComparison.Ordinal) ? "schedule" : name, value)];
        if (name.StartsWith("edge", StringComparison.Ordinal))
        {
            typed.Add(("edge", "on"));
        }

        if (name == "measure")
        {
            typed.RemoveAll(one => one.Item1 == "window.number");
            typed.Add(("window.number", "1"));
        }

        typed.RemoveAll(one => one.Item1 == "levels[1].set");
        typed.Add(("levels[1].severity", "3"));
        typed.Add(("levels[1].set", "77.125"));
        using var answer = await PostAsync(browser, Page, "Save", page, [.. typed]);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        page = await answer.Content.ReadAsStringAsync(Cancel);
        var html = Html.Read(page);
        Assert.Empty(html.Faults);
        var faulty = html.Tags.Single(tag => tag["id"] == field);
        Assert.Equal(("true", "about-" + field), (faulty["aria-invalid"], faulty["aria-describedby"]));
        Assert.Single(html.Tags, tag => tag["aria-invalid"] == "true");
        Assert.Contains(html.Tags, tag => tag.Name == "a" && tag["href"] == "#" + field);
        Assert.Contains(reason.Replace("'", "&#x27;", StringComparison.Ordinal), page, StringComparison.Ordinal);
        Assert.Contains(html.Tags, tag => tag["name"] == "levels[1].set" && tag["value"] == "77.125");
        if (html.Tags.FirstOrDefault(tag => tag.Name == "input" && tag["name"] == name) is { } input && input["type"] != "checkbox")
        {
            Assert.Equal(value.Trim(), input["value"] ?? "");
        }

        Assert.Equal(before, host.City.Alerts.AllRules);
        Assert.Empty(host.Audit.Notes);
    }

    [Fact]
    public async Task What_is_wrong_with_a_further_level_is_said_at_the_row_it_was_typed_in()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        foreach (var (row, set, severity, field) in new[] { (1, "20", "3", "level-1-set"), (2, "20", "3", "level-2-set"), (2, "30", "1", "level-2-severity") })
        {
            var page = await browser.GetStringAsync(Page, Cancel);
            using var answer = await PostAsync(
                browser, Page, "Save", page, [.. Filled(page).Where(one => !one.Name.StartsWith($"levels[{row}]", StringComparison.Ordinal)), ($"levels[{row}].severity", severity), ($"levels[{row}].set", set)]);
            page = await answer.Content.ReadAsStringAsync(Cancel);
            Assert.Equal(field, Html.Read(page).Tags.Single(tag => tag["aria-invalid"] == "true")["id"]);
        }
    }

    [Fact]
    public async Task A_trial_shows_what_would_have_been_saves_nothing_and_keeps_what_is_typed()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(NewPage, Cancel);
        (string, string)[] typed = [("property", "pm2_5"), ("measure", "value"), ("levels[0].severity", "2"), ("levels[0].set", "30"), ("levels[0].clear", "28,5"), ("coverage", "75"), ("days", "30")];
        using var answer = await PostAsync(browser, NewPage, "Try", page, typed);
        page = await answer.Content.ReadAsStringAsync(Cancel);
        var html = Html.Read(page);
        Assert.Empty(html.Faults);
        var (rule, from, to) = Assert.Single(host.City.Alerts.Rehearsed);
        Assert.Equal((Noon.AddDays(-30), Noon, 30d, 28.5), (from, to, rule.SetLevel, rule.ClearLevel));
        foreach (var text in new[] { "Nos últimos 30 dias teria dado 2 alarmes.", "2 de 4", "2,5 %", "Avenida Central", "ainda aberto", "38,4" })
        {
            Assert.Contains(text, page, StringComparison.Ordinal);
        }

        Assert.Contains(html.Tags, tag => tag["name"] == "levels[0].clear" && tag["value"] == "28,5");
        Assert.Contains(html.Tags, tag => tag["value"] == "pm2_5" && tag["selected"] == "selected");
        Assert.DoesNotContain(html.Tags, tag => tag["aria-invalid"] == "true");
        Assert.Empty(host.Audit.Notes);
        Assert.Equal(3, host.City.Alerts.AllRules.Count);

        host.City.Alerts.TooLarge = "more than 5 observations";
        using var large = await PostAsync(browser, NewPage, "Try", page, typed);
        page = await large.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("escolha menos dias, ou uma só estação", page, StringComparison.Ordinal);
        Assert.Contains("more than 5 observations", page, StringComparison.Ordinal);
        using var bad = await PostAsync(browser, NewPage, "Try", page, [.. typed.Where(one => one.Item1 != "levels[0].clear"), ("levels[0].clear", "31")]);
        page = await bad.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("aria-invalid=\"true\"", page, StringComparison.Ordinal);
        Assert.Contains("Não foi experimentada: há campos por corrigir.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_that_somebody_else_changed_meanwhile_is_not_written_over_unseen()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var stale = await browser.GetStringAsync(Page, Cancel);
        var other = host.City.Alerts.AllRules.Single(rule => rule.Slug == "pm25-alto") with { SetLevel = 40, Station = "ponte", Source = "de outro" };
        await host.City.Alerts.SaveAsync(other, Cancel);
        using var answer = await PostAsync(browser, Page, "Save", stale, Filled(stale));
        var page = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Empty(Html.Read(page).Faults);
        foreach (var text in new[] { "Outra pessoa mudou esta regra entretanto", "<dt>Primeiro nível: Começa em</dt><dd>40</dd>", "<dt>Estação</dt><dd>Parque da Ponte</dd>", "<dd>de outro</dd>" })
        {
            Assert.Contains(text, page, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("<dt>Grandeza</dt>", page, StringComparison.Ordinal);
        Assert.Equal(other, host.City.Alerts.AllRules.Single(rule => rule.Slug == "pm25-alto"));
        Assert.Empty(host.Audit.Notes);

        // Seen and sent again it holds.
        using var again = await PostAsync(browser, Page, "Save", page, Filled(page));
        Assert.Equal(HttpStatusCode.Redirect, again.StatusCode);
        Assert.Equal(25, host.City.Alerts.AllRules.Single(rule => rule.Slug == "pm25-alto").SetLevel);

        // Nor is one that was removed made anew unseen.
        stale = await browser.GetStringAsync(Page, Cancel);
        await host.City.Alerts.RemoveAsync("braga", "pm25-alto", Cancel);
        using var gone = await PostAsync(browser, Page, "Save", stale, Filled(stale));
        page = await gone.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("A regra foi removida. Nada foi guardado", page, StringComparison.Ordinal);
        Assert.DoesNotContain(host.City.Alerts.AllRules, rule => rule.Slug == "pm25-alto");
    }

    [Fact]
    public async Task A_rule_is_switched_off_and_on_and_removed_after_a_question()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var list = await browser.GetStringAsync(List, Cancel);
        foreach (var (enabled, done) in new[] { ("false", "off"), ("true", "on"), ("true", "on") })
        {
            using var answer = await browser.PostAsync("/rules?handler=Switch", Form(list, ("municipality", "braga"), ("rule", "pm25-alto"), ("enabled", enabled)), Cancel);
            Assert.Equal($"/rules?municipality=braga&done={done}&rule=pm25-alto#done", answer.Headers.Location?.ToString());
            Assert.Equal(enabled == "true", host.City.Alerts.AllRules.Single(rule => rule.Slug == "pm25-alto").Enabled);
        }

        var page = await browser.GetStringAsync(Page + "/remove", Cancel);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("Tem 2 alarmes abertos, que terminam como anulados.", page, StringComparison.Ordinal);
        Assert.Contains("O histórico dos alarmes fica.", page, StringComparison.Ordinal);
        using var removed = await browser.PostAsync(Page + "/remove", Form(page), Cancel);
        Assert.Equal("/rules?municipality=braga&done=removed#done", removed.Headers.Location?.ToString());
        Assert.Contains("A regra foi removida.", await browser.GetStringAsync(removed.Headers.Location!.ToString(), Cancel), StringComparison.Ordinal);
        using var again = await browser.PostAsync(Page + "/remove", Form(page), Cancel);
        Assert.Equal(["rule-saved", "rule-saved", "rule-removed"], host.Audit.Notes.Select(note => note.Action));
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync(Page, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync(Page + "/remove", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_pack_shows_what_it_would_add_and_adds_it_switched_off_leaving_the_municipalitys_own_alone()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var rules = RuleFile.Read(RulePacks.All.Single(pack => pack.Name == "air-2024-2881").Yaml, "braga");
        var own = rules[0] with { Source = "nossa" };
        await host.City.Alerts.SaveAsync(own, Cancel);
        Assert.Contains("href=\"/rules/braga/packs/air-2024-2881\"", await browser.GetStringAsync(List, Cancel), StringComparison.Ordinal);
        var page = await browser.GetStringAsync("/rules/braga/packs/air-2024-2881", Cancel);
        Assert.Empty(Html.Read(page).Faults);
        foreach (var text in new[] { "Já existe e é diferente: fica como está", "Seria acrescentada", $"Acrescentar {rules.Count - 1} regras" })
        {
            Assert.Contains(text, page, StringComparison.Ordinal);
        }

        using var answer = await browser.PostAsync("/rules/braga/packs/air-2024-2881", Form(page, ("off", "on")), Cancel);
        Assert.Equal("/rules?municipality=braga&done=taken#done", answer.Headers.Location?.ToString());
        Assert.Equal([own, .. rules.Skip(1).Select(rule => rule with { Enabled = false })], host.City.Alerts.AllRules.Where(rule => rules.Any(one => one.Slug == rule.Slug)));
        Assert.Equal(rules.Count - 1, host.Audit.Notes.Count(note => note.Action == "rule-saved"));
        page = await browser.GetStringAsync("/rules/braga/packs/air-2024-2881", Cancel);
        Assert.Contains("nada a acrescentar", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/rules/evora/packs/air-2024-2881", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.PostAsync("/rules/evora/packs/air-2024-2881", Form(await browser.GetStringAsync(List, Cancel)), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/rules/braga/packs/none", Cancel)).StatusCode);
    }

    [Fact]
    public async Task For_anybody_else_there_are_no_such_pages_and_forms_need_their_token()
    {
        await using var host = await StartAsync();
        var before = host.City.Alerts.AllRules.ToArray();
        using var stranger = host.Browser();
        using var browser = await SignedInAsync(host);
        foreach (var (who, town) in new[] { (stranger, "braga"), (browser, "evora"), (browser, "nowhere") })
        {
            var token = await who.GetStringAsync(who == stranger ? "/login" : List, Cancel);
            foreach (var path in new[] { $"/rules?municipality={town}", $"/rules/{town}/new", $"/rules/{town}/pm25-alto", $"/rules/{town}/noite-ruidosa", $"/rules/{town}/noite-ruidosa/remove" })
            {
                Assert.Equal(HttpStatusCode.NotFound, (await who.GetAsync(path, Cancel)).StatusCode);
            }

            foreach (var path in new[] { "/rules?handler=Switch", $"/rules/{town}/pm25-alto?handler=Save", $"/rules/{town}/noite-ruidosa?handler=Save", $"/rules/{town}/new?handler=Try", $"/rules/{town}/pm25-alto/remove", $"/rules/{town}/noite-ruidosa/remove" })
            {
                using var answer = await who.PostAsync(path, Form(token, ("municipality", town), ("rule", "noite-ruidosa"), ("enabled", "false")), Cancel);
                Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            }
        }

        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync("/rules", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/rules/braga/none", Cancel)).StatusCode);
        Assert.DoesNotContain("/rules", await stranger.GetStringAsync("/alarms?municipality=braga", Cancel), StringComparison.Ordinal);
        using var plain = new FormUrlEncodedContent([KeyValuePair.Create("municipality", "braga"), KeyValuePair.Create("rule", "pm25-alto"), KeyValuePair.Create("enabled", "false")]);
        foreach (var path in new[] { "/rules?handler=Switch", Page + "?handler=Save", Page + "?handler=Try", Page + "/remove" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync(path, plain, Cancel)).StatusCode);
        }

        Assert.Equal(before, host.City.Alerts.AllRules);
        Assert.Empty(host.Audit.Notes);
        Assert.Empty(host.City.Alerts.Rehearsed);
    }

    [Theory]
    [InlineData("-8.44, 41.54\n-8.4, 41.54\n-8.42, 41.57")]
    [InlineData("-8,44 41,54\r\n-8,4 41,54\r\n\r\n-8,42 41,57")]
    [InlineData("-8.44,41.54; -8.4,41.54; -8.42,41.57")]
    public void An_area_is_read_as_people_write_coordinates(string text) =>
        Assert.Equal([new(-8.44, 41.54), new(-8.4, 41.54), new(-8.42, 41.57)], RuleForm.ReadArea(text)!);

    [Theory]
    [InlineData("-8,44,41,54")]
    [InlineData("-8.44")]
    [InlineData("-8.44 41.54 3")]
    [InlineData("west, north")]
    public void What_can_be_read_in_two_ways_or_none_is_no_area(string text) => Assert.Null(RuleForm.ReadArea(text));

    [Fact]
    public async Task An_area_is_drawn_with_the_stations_in_it_and_nothing_is_saved()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, "en");
        var page = await browser.GetStringAsync(NewPage, Cancel);
        using var shown = await PostAsync(browser, NewPage, "Area", page, ("area", "-8.43, 41.548\n-8.42, 41.548\n-8.42, 41.553\n-8.43, 41.553"), ("suppressedBy", "pm25-alto"));
        var text = await shown.Content.ReadAsStringAsync(Cancel);
        var html = Html.Read(text);
        Assert.Empty(html.Faults);
        Assert.Contains("2 stations in this area: Avenida Central, Largo da Sé", text, StringComparison.Ordinal);
        Assert.Equal(4, html.Tags.Single(tag => tag.Name == "polygon")["points"]!.Split(' ').Length);
        Assert.NotNull(html.Tags.Single(tag => tag["id"] == "parent-pm25-alto")["checked"]);
        Assert.DoesNotContain("Give the rule a name", text, StringComparison.Ordinal);
        using var bad = await PostAsync(browser, NewPage, "Area", page, ("area", "over there"));
        Assert.Equal("true", Html.Read(await bad.Content.ReadAsStringAsync(Cancel)).Tags.Single(tag => tag["id"] == "area")["aria-invalid"]);
        Assert.Single(host.City.Alerts.Rules("braga"));
    }

    [Theory]
    [InlineData("Ruído à noite!", "ruido-a-noite")]
    [InlineData("  PM2,5 — acima ", "pm2-5-acima")]
    [InlineData("日本", "")]
    public void A_name_for_addresses_is_made_of_plain_letters(string name, string slug) => Assert.Equal(slug, RuleForm.SlugOf(name));

    private static string Plain(string text) => text.Replace('\u00A0', ' ');

    private static Rule Rule(string slug, string property) => new("braga", slug, slug, slug, Severity.Warning, property, null, null, null, Crossing.Above, 10, 10, default);

    private static Task<PortalHost> StartAsync() => PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));

    private static async Task<HttpClient> SignedInAsync(PortalHost host, string language = "pt-PT")
    {
        var browser = host.Browser(language);
        using var answer = await browser.PostAsync("/login", Form(await browser.GetStringAsync("/login", Cancel), ("name", "braga"), ("password", "right"), ("back", "/")), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return browser;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient browser, string path, string handler, string page, params (string Name, string Value)[] fields) =>
        browser.PostAsync($"{path}?handler={handler}", Form(page, fields), Cancel);

    /// <summary>The rule's form as a browser would send it back.</summary>
    private static (string Name, string Value)[] Filled(string page)
    {
        var html = Html.Read(page);
        List<(string, string)> fields = [];
        string? select = null;
        foreach (var tag in html.Tags.SkipWhile(tag => tag["class"] != "rule-form"))
        {
            if (tag.Name == "input" && tag["name"] is { } name and not "__RequestVerificationToken" && (tag["type"] != "checkbox" || tag["checked"] is not null))
            {
                fields.Add((name, tag["value"] ?? ""));
            }
            else if (tag.Name == "textarea")
            {
                // A browser leaves out the first line break.
                var begin = page.IndexOf('>', tag.Start) + 1;
                var text = WebUtility.HtmlDecode(page[begin..page.IndexOf("</textarea>", begin, StringComparison.Ordinal)]);
                fields.Add((tag["name"]!, (text.StartsWith('\n') ? text[1..] : text).Replace("\n", "\r\n", StringComparison.Ordinal)));
            }
            else if (tag.Name == "select")
            {
                select = tag["name"];
            }
            else if (tag.Name == "option" && tag["selected"] is not null)
            {
                fields.Add((select!, tag["value"]!));
            }
        }

        return [.. fields];
    }

    private static FormUrlEncodedContent Form(string page, params (string Name, string Value)[] fields) =>
        new([.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value)), new("__RequestVerificationToken", Html.Read(page).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!)]);
}
