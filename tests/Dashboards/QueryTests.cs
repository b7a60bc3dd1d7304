using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Tests.Kit;

namespace Hub.Tests.Dashboards;

/// <summary>Every question of every panel, variable, annotation and alert, asked of real servers.</summary>
[Collection(nameof(City))]
public sealed partial class QueryTests(City city, ITestOutputHelper output)
{
    private const string Nothing = "no data";

    internal static readonly Dictionary<string, string[]?> Everything = new() { ["municipality"] = null, ["station"] = null, ["property"] = ["pm2_5"] };
    private static readonly Dictionary<string, string[]?> One = new() { ["municipality"] = [City.Municipality], ["station"] = [City.Station], ["property"] = ["pm2_5"] };
    private static readonly Dictionary<string, string[]?> Several = new() { ["municipality"] = [City.Municipality, "evora"], ["station"] = [City.Station, "praca-do-giraldo", "a/b (c)"], ["property"] = ["pm2_5"] };

    [Fact]
    public async Task Every_InfluxQL_question_is_answered_within_the_panels_unit()
    {
        var questions = Question.All.Where(question => question.Source is "hub-series" or "hub").ToList();
        var problems = new List<string>();
        var asked = 0;
        foreach (var (source, client, isHub) in city.Endpoints)
        {
            foreach (var question in questions.Where(question => question.Source == source))
            {
                // Of the old days only they know, and the hub answers with those where it is asked for observations.
                var isOld = question.Text.Contains("observation_rollup", StringComparison.Ordinal);
                var from = isOld ? city.To.AddDays(-60) : city.To - question.Span;
                foreach (var values in (Dictionary<string, string[]?>[])[One, Several, Everything])
                {
                    asked++;
                    var influxQl = Filling.InfluxQl(question, from, city.To, values);
                    if (await ProblemAsync(client, question, influxQl) is { } problem && !(isOld && isHub && problem == Nothing))
                    {
                        problems.Add($"{source} at {client.Address}: {question.Where}: {problem}\n    {influxQl}");
                    }
                }
            }
        }

        output.WriteLine($"{asked} questions asked of {city.Endpoints.Count} endpoints; {questions.Count(question => city.Endpoints.All(endpoint => endpoint.Source != question.Source))} have no endpoint here");
        Assert.Empty(problems);
        Assert.True(asked > 200, $"only {asked} questions were asked");
    }

    [Fact]
    public async Task A_hub_that_answers_InfluxQL_answers_as_the_InfluxDB_does()
    {
        var hub = city.Endpoints.FirstOrDefault(endpoint => endpoint is { Source: "hub-series", IsHub: true });
        Assert.SkipWhen(hub is null, "This hub has no /query.");
        var problems = new List<string>();
        var compared = 0;
        foreach (var question in Question.All.Where(question => question.Source == "hub-series" && !question.Text.Contains("observation_rollup", StringComparison.Ordinal)))
        {
            foreach (var values in (Dictionary<string, string[]?>[])[One, Everything])
            {
                var influxQl = Filling.InfluxQl(question, city.To - question.Span, city.To, values);
                var (ours, theirs) = (await hub.Client.AskAsync(influxQl), await city.Influx.AskAsync(influxQl));
                compared += theirs.Count;
                if (ours.Count != theirs.Count || !ours.Zip(theirs).All(pair => AreEqual(pair.First, pair.Second)))
                {
                    problems.Add($"{question.Where}: {ours.Count} and {theirs.Count} rows\n    {influxQl}");
                }
            }
        }

        output.WriteLine($"{compared} rows compared");
        Assert.Empty(problems);
        Assert.True(compared > 10_000, $"only {compared} rows were compared");
    }

    [Fact]
    public async Task Every_PromQL_question_is_answered_within_the_panels_unit()
    {
        var open = Question.All.Where(question => question.Source == "hub-prometheus").ToList();
        Assert.True(open.Count > 40, $"only {open.Count} questions");
        var problems = new List<string>();
        try
        {
            // Rates need two scrapes and something that happens between them. What is wrong, and not only late, needs no more patience.
            await Eventually.TrueAsync(
                async () =>
                {
                    await city.SendAsync();
                    problems.Clear();
                    foreach (var question in open.ToArray())
                    {
                        if (await ProblemAsync(question) is { } problem)
                        {
                            problems.Add($"{question}: {problem}");
                        }
                        else
                        {
                            open.Remove(question);
                        }
                    }

                    return problems.TrueForAll(problem => !problem.EndsWith(Nothing, StringComparison.Ordinal));
                },
                "every question has an answer",
                TimeSpan.FromMinutes(1));
        }
        catch (TimeoutException)
        {
            // The questions that are still open say more.
        }

        Assert.Empty(problems);
    }

    [Fact]
    public async Task Prometheus_evaluates_all_rules()
    {
        await Eventually.TrueAsync(async () => (await city.Prometheus.RulesAsync()).All(rule => rule.Health != "unknown"), "every rule has been evaluated");
        var rules = await city.Prometheus.RulesAsync();
        Assert.All(rules, rule => Assert.Equal("ok", rule.Health));
        Assert.True(rules.Count >= 12, $"only {rules.Count} rules");
    }

    [Fact]
    public async Task Levels_are_averaged_as_energy()
    {
        var question = Question.All.Single(question => question.Where == "noise / LAeq do intervalo / A");
        var row = Assert.Single(await city.Influx.AskAsync(Filling.InfluxQl(question, city.To - question.Span, city.To, One)));
        var range = Filling.InfluxQl(question with { Text = "$timeFilter" }, city.To - question.Span, city.To, One);
        var raw = await city.Influx.AskAsync($"""SELECT "result" FROM "observation" WHERE "station" = '{City.Station}' AND "property" = 'laeq' AND {range}""");
        var levels = raw.Select(one => one.Cells["result"].GetDouble()).ToList();
        Assert.True(levels.Count > 50);
        Assert.Equal(10 * Math.Log10(levels.Average(level => Math.Pow(10, level / 10))), row.Cells["LAeq"].GetDouble(), 9);
        Assert.True(row.Cells["LAeq"].GetDouble() > levels.Average() + 0.5, "an arithmetic mean would be lower");
    }

    [Fact]
    public async Task A_flow_by_the_hour_is_the_count_of_that_hour()
    {
        var question = Question.All.Single(question => question.Where == "traffic / Fluxo / A");
        var rows = await city.Influx.AskAsync(Filling.InfluxQl(question, city.To - question.Span, city.To, One));
        var counts = await city.Influx.AskAsync(
            $"""SELECT sum("result") FROM "observation" WHERE "station" = '{City.Station}' AND "property" = 'vehicle_count' AND {Filling.InfluxQl(question with { Text = "$timeFilter" }, city.To - question.Span, city.To, One)} GROUP BY time(1h) fill(none)""");
        Assert.Equal(counts.Select(count => count.Cells["sum"].GetDouble()), rows.Select(row => row.Cells["veh/h"].GetDouble()));
        Assert.True(rows.Count > 100);
    }

    [Fact]
    public async Task Old_days_are_drawn_from_their_rollups()
    {
        var questions = Question.All.Where(question => question.Where.StartsWith("air / PM10 por dia", StringComparison.Ordinal)).ToList();
        var days = new List<IReadOnlyList<double>>();
        foreach (var question in questions)
        {
            days.Add([.. (await city.Influx.AskAsync(Filling.InfluxQl(question, city.To.AddDays(-60), city.To, One))).Select(row => row.Cells["pm10"].GetDouble())]);
        }

        // What is there is there once: eight days and what today has of observations, the old days of rollups.
        Assert.InRange(days[0].Count, 8, 10);
        Assert.InRange(days[1].Count, 2, 3);
    }

    private static bool AreEqual(InfluxClient.Row ours, InfluxClient.Row theirs) =>
        ours.Tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).SequenceEqual(theirs.Tags.OrderBy(tag => tag.Key, StringComparer.Ordinal)) && ours.Cells.Count == theirs.Cells.Count
        && ours.Cells.All(cell => theirs.Cells.TryGetValue(cell.Key, out var other) && (cell.Value.ValueKind == JsonValueKind.Number && other.ValueKind == JsonValueKind.Number
            ? Math.Abs(cell.Value.GetDouble() - other.GetDouble()) <= 1e-9 * Math.Abs(other.GetDouble())
            : cell.Value.GetRawText() == other.GetRawText()));

    private static async Task<string?> ProblemAsync(InfluxClient client, Question question, string influxQl)
    {
        IReadOnlyList<InfluxClient.Row> rows;
        try
        {
            rows = await client.AskAsync(influxQl);
        }
        catch (InvalidOperationException refused)
        {
            return refused.Message;
        }

        if (question.Unit is null || question.IsTable)
        {
            // Words: a list of values, an alarm's text, a place.
            return rows.Any(row => row.Cells.Any(cell => cell.Key != "time" && cell.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number)) ? null : Nothing;
        }

        var numbers = rows.SelectMany(row => row.Cells.Where(cell => cell.Key != "time" && cell.Value.ValueKind == JsonValueKind.Number)).Select(cell => cell.Value.GetDouble()).ToList();
        return Problem(question, numbers);
    }

    private static string? Problem(Question question, IReadOnlyList<double> numbers)
    {
        var (min, max) = UnitRanges.Of(question.Unit!);
        return numbers.Count == 0 ? Nothing : numbers.FirstOrDefault(number => number < min || number > max, double.NaN) is var outside && double.IsNaN(outside) ? null
            : string.Create(CultureInfo.InvariantCulture, $"{outside} is not between {min} and {max} {question.Unit}");
    }

    private async Task<string?> ProblemAsync(Question question)
    {
        try
        {
            if (question.Unit is null)
            {
                var asked = LabelValues().Match(question.Text);
                return asked.Success ? (await city.Prometheus.LabelValuesAsync(asked.Groups[2].Value, asked.Groups[1].Value)).Count > 0 ? null : Nothing : "is not label_values(selector, label)";
            }

            return Problem(question, await city.Prometheus.AskAsync(Filling.PromQl(question)));
        }
        catch (InvalidOperationException refused)
        {
            return refused.Message;
        }
    }

    [GeneratedRegex(@"^label_values\((.*), (\w+)\)$")]
    private static partial Regex LabelValues();
}
