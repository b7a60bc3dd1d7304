using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using YamlDotNet.RepresentationModel;

namespace Hub.Tests.Dashboards;

/// <summary>The files with which Grafana and Prometheus are set up.</summary>
public sealed class ProvisioningTests
{
    [Fact]
    public void Each_file_is_of_the_version_that_Grafana_reads() =>
        Assert.All((YamlMappingNode[])[Provisioned.DataSources, Provisioned.Providers, Provisioned.Alerting], file => Assert.Equal("1", file.Text("apiVersion")));

    [Fact]
    public void The_three_data_sources_have_uids_names_and_no_password()
    {
        var sources = Provisioned.DataSources.Items("datasources").ToList();
        Assert.Equal(["hub", "hub-prometheus", "hub-series"], sources.Select(source => source.Text("uid")).Order(StringComparer.Ordinal));
        Assert.Equal(3, sources.Select(source => source.Text("name")).Distinct().Count());
        Assert.Single(sources, source => source.Children.ContainsKey("isDefault"));
        Assert.All(sources, source =>
        {
            Assert.Equal("proxy", source.Text("access"));
            Assert.StartsWith("$HUB_", source.Text("url"), StringComparison.Ordinal);
            Assert.All(source.Children.ContainsKey("secureJsonData") ? source.At("secureJsonData").Children.Values : [], secret => Assert.StartsWith("$__file{/run/secrets/", ((YamlScalarNode)secret).Value, StringComparison.Ordinal));
        });
        Assert.All(sources.Where(source => source.Text("type") == "influxdb"), source => Assert.Equal("hub", source.At("jsonData").Text("dbName")));
    }

    [Fact]
    public void Each_language_has_a_folder_with_its_dashboards()
    {
        var providers = Provisioned.Providers.Items("providers").ToList();
        Assert.Equal(["pt", "en"], providers.Select(provider => provider.At("options").Text("path").Split('/')[^1]));
        Assert.Equal(2, providers.Select(provider => provider.Text("folder")).Distinct().Count());
        Assert.All(providers, provider => Assert.True(Directory.Exists(Path.Combine(Repository.Root, Dashboard.Folder, provider.At("options").Text("path").Split('/')[^1]))));
    }

    [Fact]
    public void Each_alert_asks_reckons_and_leads_to_its_panel()
    {
        var rules = Provisioned.AlertRules.ToList();
        Assert.True(rules.Count >= 8);
        Assert.Equal(rules.Count, rules.Select(rule => rule.Text("uid")).Distinct().Count());
        Assert.Equal(rules.Count, rules.Select(rule => rule.Text("title")).Distinct().Count());
        Assert.All(rules, rule =>
        {
            var data = rule.Items("data").ToList();
            Assert.Contains(data, one => one.Text("refId") == rule.Text("condition") && one.Text("datasourceUid") == "__expr__");
            Assert.All(data, one => Assert.Equal(one.Text("refId"), one.At("model").Text("refId")));

            // What is reckoned with is one of the questions.
            Assert.All(data.Where(one => one.Text("datasourceUid") == "__expr__"), one => Assert.Contains(data, other => other != one && other.Text("refId") == one.At("model").Text("expression")));
            var dashboard = Assert.Single(Dashboard.Portuguese, dashboard => dashboard.Uid == rule.Text("dashboardUid"));
            Assert.Contains(dashboard.Panels, panel => panel.GetProperty("id").GetInt32().ToString(System.Globalization.CultureInfo.InvariantCulture) == rule.Text("panelId"));
            Assert.NotEmpty(rule.At("annotations").Text("summary"));
        });
    }

    [Fact]
    public async Task The_alerts_of_Prometheus_fire_for_their_cause_and_not_before()
    {
        var folder = Path.Combine(Repository.Root, "dashboards", "prometheus");
        foreach (var arguments in (string[][])[["check", "rules", "hub.rules.yml"], ["test", "rules", "hub.rules.test.yml"]])
        {
            await using var tool = new RunningProgram("/usr/bin/promtool", arguments, folder: folder);
            var code = await tool.ExitAsync();
            await tool.Process.WaitForExitAsync();
            Assert.True(code == 0, tool.Output);
        }

        var rules = Provisioned.Load("dashboards/prometheus/hub.rules.yml").Items("groups").SelectMany(group => group.Items("rules")).Select(rule => rule.Text("alert")).ToList();
        var tests = Repository.Read("dashboards/prometheus/hub.rules.test.yml");
        Assert.All(rules, rule => Assert.Contains($"alertname: {rule}\n", tests, StringComparison.Ordinal));
    }
}
