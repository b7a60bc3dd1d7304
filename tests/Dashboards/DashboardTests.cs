using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Edge.Contract.Quantities;

namespace Hub.Tests.Dashboards;

/// <summary>What can be said of the dashboards without any server.</summary>
public sealed partial class DashboardTests
{
    public static TheoryData<string> Files => [.. Dashboard.All.Select(dashboard => $"{dashboard.Language}/{dashboard.Name}")];

    [Fact]
    public void Both_languages_have_the_seven_dashboards()
    {
        string[] names = ["air", "city", "fleet", "noise", "operations", "station", "traffic"];
        Assert.Equal(names, Dashboard.All.Where(dashboard => dashboard.Language == "pt").Select(dashboard => dashboard.Name));
        Assert.Equal(names, Dashboard.All.Where(dashboard => dashboard.Language == "en").Select(dashboard => dashboard.Name));
    }

    [Fact]
    public void No_two_have_one_uid_and_no_two_of_a_folder_one_title()
    {
        Assert.All(Dashboard.All, dashboard => Assert.Matches("^[a-z-]{3,40}$", dashboard.Uid));
        Assert.Equal(Dashboard.All.Count, Dashboard.All.Select(dashboard => dashboard.Uid).Distinct().Count());
        Assert.Equal(Dashboard.All.Count, Dashboard.All.Select(dashboard => (dashboard.Language, dashboard.Json.GetProperty("title").GetString())).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Panels_have_numbers_of_their_own_and_do_not_overlap(string file)
    {
        var panels = Of(file).Json.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        var taken = new HashSet<(int, int)>();
        foreach (var panel in panels)
        {
            var at = panel.GetProperty("gridPos");
            var (x, y, w, h) = (at.GetProperty("x").GetInt32(), at.GetProperty("y").GetInt32(), at.GetProperty("w").GetInt32(), at.GetProperty("h").GetInt32());
            Assert.True(x + w <= 24, panel.GetProperty("title").GetString());
            Assert.All(Enumerable.Range(x, w).SelectMany(column => Enumerable.Range(y, h).Select(row => (column, row))), cell => Assert.True(taken.Add(cell), $"{panel.GetProperty("title").GetString()} covers another"));
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_panel_has_a_unit_thresholds_and_a_word_for_no_data(string file) => Assert.All(Of(file).Panels, panel =>
    {
        var defaults = panel.GetProperty("fieldConfig").GetProperty("defaults");
        Assert.NotEmpty(defaults.GetProperty("unit").GetString()!);
        Assert.NotEmpty(defaults.GetProperty("thresholds").GetProperty("steps").EnumerateArray());
        Assert.Equal(file.StartsWith("pt", StringComparison.Ordinal) ? "sem dados" : "no data", defaults.GetProperty("noValue").GetString());
        Assert.NotEmpty(panel.GetProperty("targets").EnumerateArray());
    });

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_data_source_is_provisioned_with_its_type(string file)
    {
        var provisioned = Provisioned.DataSources.Items("datasources").ToDictionary(source => source.Text("uid"), source => source.Text("type"));
        var used = Descendants(Of(file).Json).Where(one => one.Name == "datasource").Select(one => one.Value).ToList();
        Assert.NotEmpty(used);
        Assert.All(used, source => Assert.Equal(provisioned[source.GetProperty("uid").GetString()!], source.GetProperty("type").GetString()));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_link_to_a_dashboard_leads_to_one_of_the_same_language(string file)
    {
        var dashboard = Of(file);
        var uids = Dashboard.All.Where(other => other.Language == dashboard.Language).ToDictionary(other => other.Uid);
        foreach (var url in Links(dashboard).Where(url => !url.StartsWith("${hub}/", StringComparison.Ordinal)))
        {
            var match = DashboardLink().Match(url);
            Assert.True(match.Success, $"{url} leads nowhere");
            var target = uids[match.Groups[1].Value];
            var variables = target.Variables.Select(variable => variable.GetProperty("name").GetString()).ToList();
            Assert.All(Variable().Matches(url).Select(one => one.Groups[1].Value), name => Assert.Contains(name, variables));
        }

        var tag = dashboard.Json.GetProperty("links")[0].GetProperty("tags")[0].GetString();
        Assert.Equal(uids.Count, Dashboard.All.Count(other => other.Json.GetProperty("tags").EnumerateArray().Any(one => one.GetString() == tag)));
    }

    [Fact]
    public void Municipality_station_and_property_are_chosen_one_after_the_other()
    {
        foreach (var dashboard in Dashboard.All.Where(dashboard => dashboard.Name != "operations"))
        {
            var variables = dashboard.Variables.ToDictionary(variable => variable.GetProperty("name").GetString()!, variable => variable.GetProperty("query").ToString());
            Assert.Contains("$municipality", variables["station"], StringComparison.Ordinal);
            if (variables.TryGetValue("property", out var property))
            {
                Assert.Contains("$municipality", property, StringComparison.Ordinal);
                Assert.Contains("$station", property, StringComparison.Ordinal);
            }

            Assert.Equal(dashboard.Name is "air" or "station", variables.ContainsKey("property"));
        }
    }

    [Fact]
    public void A_chosen_property_has_the_unit_of_the_catalogue()
    {
        var panels = Dashboard.All.SelectMany(dashboard => dashboard.Panels).Where(panel => panel.GetProperty("title").GetString()!.StartsWith("$property", StringComparison.Ordinal)).ToList();
        Assert.Equal(8, panels.Count);
        foreach (var panel in panels)
        {
            var units = panel.GetProperty("fieldConfig").GetProperty("overrides").EnumerateArray()
                .Select(one => (Name: new Regex(one.GetProperty("matcher").GetProperty("options").GetString()!.Trim('/')), Unit: one.GetProperty("properties")[0].GetProperty("value").GetString())).ToList();
            Assert.All(panel.GetProperty("targets").EnumerateArray(), target => Assert.StartsWith("$tag_property ", target.GetProperty("alias").GetString(), StringComparison.Ordinal));
            foreach (var quantity in QuantityCatalogue.All)
            {
                var expected = quantity.SenmlUnit switch
                {
                    "ug/m3" => "conμgm3", "mg/m3" => "conmgm3", "ppm" => "ppm", "1/cm3" => "suffix: /cm³", "dB" => "dB", "km/h" => "velocitykmh", "/100" => "percent", "s" => "s", "Cel" => "celsius", "%RH" => "humidity",
                    "hPa" => "pressurehpa", "mm" => "lengthmm", "min" => "m", "m/s" => "velocityms", "deg" => "degree", "W/m2" => "Wm2", "V" => "volt", "A" => "amp", "W" => "watt", "dBm" => "dBm", _ => null,
                };
                if (expected is not null)
                {
                    Assert.Equal([expected], units.Where(unit => unit.Name.IsMatch($"{quantity.Id} sensor max")).Select(unit => unit.Unit!));
                }
            }
        }
    }

    [Fact]
    public void Levels_are_never_averaged_arithmetically() =>
        Assert.All(Question.All.Where(question => question.Unit == "dB"), question => Assert.DoesNotContain("mean(\"result\")", question.Text, StringComparison.Ordinal));

    [Fact]
    public void What_is_drawn_over_time_honours_the_interval()
    {
        foreach (var panel in Dashboard.All.SelectMany(dashboard => dashboard.Panels).Where(panel => panel.GetProperty("type").GetString() is "timeseries" or "state-timeline" or "heatmap"))
        {
            foreach (var query in panel.GetProperty("targets").EnumerateArray().Where(target => target.TryGetProperty("query", out _)).Select(target => target.GetProperty("query").GetString()!))
            {
                // Hours and days of the law are what they are.
                Assert.Matches(@"GROUP BY time\((\$__interval|1h|1d)\)", query);
            }
        }
    }

    [Fact]
    public void Both_languages_are_equal_but_for_their_texts()
    {
        string[] texts = ["title", "description", "label", "text", "noValue", "name", "legendFormat", "value"];
        var differences = 0;
        foreach (var portuguese in Dashboard.Portuguese)
        {
            var english = Dashboard.All.Single(other => other.Language == "en" && other.Name == portuguese.Name);
            foreach (var (path, name, ours, theirs) in Differences(portuguese.Json, english.Json, "", ""))
            {
                differences++;
                if (texts.Contains(name))
                {
                    Assert.False(string.IsNullOrWhiteSpace(ours) || string.IsNullOrWhiteSpace(theirs), path);
                    continue;
                }

                // The English set leads to itself, and asks the hub for its English words.
                Assert.Equal(name is "query" or "titleColumn" or "textColumn" or "options" ? theirs.Replace("_en", "", StringComparison.Ordinal) : theirs, name is "query" or "titleColumn" or "textColumn" or "options" ? ours : HubUid().Replace(ours, "$0-en"));
            }
        }

        Assert.True(differences > 200, $"only {differences} texts differ");
    }

    internal static IEnumerable<string> Links(Dashboard dashboard) =>
        Descendants(dashboard.Json).Where(one => one.Name == "url" && one.Value.ValueKind == JsonValueKind.String).Select(one => one.Value.GetString()!);

    private static Dashboard Of(string file) => Dashboard.All.Single(dashboard => $"{dashboard.Language}/{dashboard.Name}" == file);

    private static IEnumerable<(string Name, JsonElement Value)> Descendants(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Descendants(member.Value).Prepend((member.Name, member.Value))),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Descendants),
        _ => [],
    };

    private static IEnumerable<(string Path, string Name, string Ours, string Theirs)> Differences(JsonElement ours, JsonElement theirs, string path, string name)
    {
        Assert.Equal(ours.ValueKind, theirs.ValueKind);
        switch (ours.ValueKind)
        {
            case JsonValueKind.Object:
                Assert.Equal(ours.EnumerateObject().Select(member => member.Name), theirs.EnumerateObject().Select(member => member.Name));
                return ours.EnumerateObject().Zip(theirs.EnumerateObject()).SelectMany(pair => Differences(pair.First.Value, pair.Second.Value, $"{path}.{pair.First.Name}", pair.First.Name));
            case JsonValueKind.Array:
                Assert.Equal(ours.GetArrayLength(), theirs.GetArrayLength());
                return ours.EnumerateArray().Zip(theirs.EnumerateArray()).SelectMany((pair, index) => Differences(pair.First, pair.Second, $"{path}[{index}]", name));
            default:
                return ours.GetRawText() == theirs.GetRawText() ? [] : [(path, name, ours.ToString(), theirs.ToString())];
        }
    }

    [GeneratedRegex(@"^/d/([a-z-]+)(\?|$)")]
    private static partial Regex DashboardLink();

    [GeneratedRegex(@"var-(\w+)=")]
    private static partial Regex Variable();

    [GeneratedRegex("hub(-(city|air|noise|traffic|station|fleet|operations))?")]
    private static partial Regex HubUid();
}
