using System.Text.Json;
using Hub.Tests.Kit;

namespace Hub.Tests.Dashboards;

/// <summary>A dashboard as it is in the repository.</summary>
public sealed record Dashboard(string Language, string Name, JsonElement Json)
{
    public const string Folder = "dashboards/grafana/dashboards";

    public static IReadOnlyList<Dashboard> All { get; } =
    [
        .. from language in (string[])["pt", "en"]
           from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, Folder, language), "*.json").Order(StringComparer.Ordinal)
           select new Dashboard(language, Path.GetFileNameWithoutExtension(file), JsonElement.Parse(File.ReadAllText(file))),
    ];

    public static IReadOnlyList<Dashboard> Portuguese { get; } = [.. All.Where(dashboard => dashboard.Language == "pt")];

    public string Uid => Json.GetProperty("uid").GetString()!;

    /// <summary>All panels but the rows that only divide.</summary>
    public IEnumerable<JsonElement> Panels => Json.GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() != "row");

    public IEnumerable<JsonElement> Variables => Json.GetProperty("templating").GetProperty("list").EnumerateArray();

    /// <summary>How long its time range is when it is opened.</summary>
    public TimeSpan Span
    {
        get
        {
            var from = Json.GetProperty("time").GetProperty("from").GetString()!;
            var number = int.Parse(from["now-".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
            return from[^1] switch { 'd' => TimeSpan.FromDays(number), 'h' => TimeSpan.FromHours(number), _ => throw new FormatException(from) };
        }
    }
}

/// <summary>One question of a dashboard, an alert or a variable: to which data source, in which words, and what its answer is in.</summary>
/// <param name="Where">For the failure message.</param>
/// <param name="Source">The data source's uid.</param>
/// <param name="Text">InfluxQL or PromQL, with Grafana's variables.</param>
/// <param name="Unit">Unit of the panel, in Grafana's words; null where the answer is no measure.</param>
/// <param name="Span">The time range when it is opened.</param>
/// <param name="MinInterval">The panel's shortest interval.</param>
/// <param name="IsTable">Columns besides the values are asked for.</param>
public sealed record Question(string Where, string Source, string Text, string? Unit, TimeSpan Span, TimeSpan MinInterval, bool IsTable)
{
    /// <summary>Those of every panel, variable and annotation of the Portuguese set; the English one asks the same.</summary>
    public static IReadOnlyList<Question> All { get; } = [.. Dashboard.Portuguese.SelectMany(Of), .. Provisioned.Questions];

    public override string ToString() => $"{Where}: {Text}";

    private static IEnumerable<Question> Of(Dashboard dashboard)
    {
        foreach (var panel in dashboard.Panels)
        {
            var unit = panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString();
            var interval = panel.TryGetProperty("interval", out var shortest) ? Filling.Duration(shortest.GetString()!) : TimeSpan.FromSeconds(10);
            foreach (var target in panel.GetProperty("targets").EnumerateArray())
            {
                var text = target.TryGetProperty("query", out var influxQl) ? influxQl : target.GetProperty("expr");
                yield return new Question(
                    $"{dashboard.Name} / {panel.GetProperty("title").GetString()} / {target.GetProperty("refId").GetString()}", target.GetProperty("datasource").GetProperty("uid").GetString()!, text.GetString()!,
                    unit, dashboard.Span, interval, target.TryGetProperty("resultFormat", out var format) && format.GetString() == "table");
            }
        }

        foreach (var variable in dashboard.Variables.Where(variable => variable.GetProperty("type").GetString() == "query"))
        {
            var query = variable.GetProperty("query");
            yield return new Question(
                $"{dashboard.Name} / ${variable.GetProperty("name").GetString()}", variable.GetProperty("datasource").GetProperty("uid").GetString()!,
                query.ValueKind == JsonValueKind.String ? query.GetString()! : query.GetProperty("query").GetString()!, null, dashboard.Span, TimeSpan.FromSeconds(10), IsTable: true);
        }

        foreach (var annotation in dashboard.Json.GetProperty("annotations").GetProperty("list").EnumerateArray())
        {
            yield return new Question(
                $"{dashboard.Name} / {annotation.GetProperty("name").GetString()}", annotation.GetProperty("datasource").GetProperty("uid").GetString()!, annotation.GetProperty("query").GetString()!, null,
                dashboard.Span, TimeSpan.FromSeconds(10), IsTable: true);
        }
    }
}
