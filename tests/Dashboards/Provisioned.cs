using Hub.Tests.Kit;
using YamlDotNet.RepresentationModel;

namespace Hub.Tests.Dashboards;

/// <summary>The files with which Grafana is set up.</summary>
public static class Provisioned
{
    public const string Folder = "dashboards/grafana/provisioning";

    public static YamlMappingNode DataSources { get; } = Load($"{Folder}/datasources/hub.yaml");

    public static YamlMappingNode Providers { get; } = Load($"{Folder}/dashboards/hub.yaml");

    public static YamlMappingNode Alerting { get; } = Load($"{Folder}/alerting/hub.yaml");

    /// <summary>Rules that Grafana evaluates.</summary>
    public static IEnumerable<YamlMappingNode> AlertRules => Alerting.Items("groups").SelectMany(group => group.Items("rules"));

    /// <summary>The questions of those rules to a data source, without the reckoning that follows. A dollar is written twice there.</summary>
    public static IEnumerable<Question> Questions =>
        from rule in AlertRules
        from data in rule.Items("data")
        where data.Text("datasourceUid") != "__expr__"
        let model = data.At("model")
        let span = TimeSpan.FromSeconds(int.Parse(data.At("relativeTimeRange").Text("from"), System.Globalization.CultureInfo.InvariantCulture))
        select new Question(
            $"alert / {rule.Text("uid")}", data.Text("datasourceUid"), (model.Children.ContainsKey("query") ? model.Text("query") : model.Text("expr")).Replace("$$", "$", StringComparison.Ordinal), "none", span,
            TimeSpan.FromSeconds(10), IsTable: false);

    public static YamlMappingNode Load(string file)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Repository.Read(file)));
        return (YamlMappingNode)yaml.Documents.Single().RootNode;
    }

    public static YamlMappingNode At(this YamlMappingNode node, string key) => (YamlMappingNode)node.Children[key];

    public static string Text(this YamlMappingNode node, string key) => ((YamlScalarNode)node.Children[key]).Value!;

    public static IEnumerable<YamlMappingNode> Items(this YamlMappingNode node, string key) => ((YamlSequenceNode)node.Children[key]).Children.Cast<YamlMappingNode>();
}
