using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Execution;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.InfluxQl;

/// <summary>Answers <c>/query</c> and <c>/ping</c>. One of it serves all requests.</summary>
internal sealed class InfluxQlEndpoints(
    IStations stations, ISeries series, IAlerts alerts, Visitors visitors, Turns turns, IOptions<InfluxQlOptions> options, TimeProvider time, InfluxQlInstruments instruments)
{
    /// <summary>The version whose answers these are: Grafana looks for it.</summary>
    public const string Version = "1.6.7";

    private const int ChunkDefault = 10_000;

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>/ping</c>: 204, or 200 with the version when <c>verbose</c> is asked for.</summary>
    public static Task PingAsync(HttpContext context)
    {
        Introduce(context);
        if (context.Request.Query.TryGetValue("verbose", out var verbose) && verbose.ToString() is not ("" or "0" or "false"))
        {
            return context.Response.WriteAsJsonAsync(new Dictionary<string, string> { ["version"] = Version }, context.RequestAborted);
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary><c>/query</c> by GET or as a form by POST.</summary>
    public async Task QueryAsync(HttpContext context)
    {
        Introduce(context);
        Func<string, string?> parameter;
        try
        {
            var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
            parameter = name => context.Request.Query.TryGetValue(name, out var value) ? value.ToString() : form is not null && form.TryGetValue(name, out value) ? value.ToString() : null;
        }
        catch (Exception wrong) when (wrong is InvalidDataException or BadHttpRequestException)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"the form cannot be read: {wrong.Message}", "malformed");
            return;
        }

        var (outcome, visitor) = await visitors.OfAsync(context, parameter);
        if (visitor is null)
        {
            await RefuseVisitorAsync(context, outcome);
            return;
        }

        try
        {
            if (parameter("q")?.Trim() is not { Length: > 0 } question)
            {
                throw new QuestionException("missing required parameter \"q\"");
            }

            var catalog = new Catalog(visitor, options.Value.Database, time.GetUtcNow().UtcDateTime, stations, series, alerts);
            var statements = Prepare(question, catalog, parameter);
            var answers = await AnswerAsync(statements, catalog, context.RequestAborted);
            var chunk = parameter("chunked") == "true" ? Chunk(parameter("chunk_size")) : 0;
            context.Response.ContentType = "application/json";
            await new AnswerWriter(context.Response.BodyWriter, Unit(parameter("epoch")), parameter("pretty") == "true", chunk).WriteAsync(answers, context.RequestAborted);
            instruments.RowsSent(answers.Sum(answer => answer.Tables.Sum(table => (long)table.Rows.Count)));
        }
        catch (QuestionException wrong)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, wrong.Message, "malformed");
        }
        catch (SeriesUnavailableException away)
        {
            context.Response.Headers.RetryAfter = "5";
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, $"the store cannot be asked now: {away.Message}", "refused");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked has gone.
        }
    }

    /// <summary>Every statement is understood before the first is answered.</summary>
    private List<(StatementNode Node, SelectPlan? Plan)> Prepare(string question, Catalog catalog, Func<string, string?> parameter)
    {
        CheckName("database", parameter("db"), options.Value.Database);
        CheckName("retention policy", parameter("rp"), Catalog.RetentionPolicy);
        List<(StatementNode, SelectPlan?)> prepared = [];
        try
        {
            foreach (var statement in Parser.Read(question))
            {
                if (statement is ShowNode show)
                {
                    CheckName("database", show.Database, options.Value.Database);
                }

                prepared.Add((statement, statement is SelectNode select ? Compiler.Compile(catalog, select) : null));
            }
        }
        catch (QuestionException wrong)
        {
            throw new QuestionException($"error parsing query: {wrong.Message}");
        }

        return prepared;
    }

    private static void CheckName(string what, string? asked, string known)
    {
        if (!string.IsNullOrEmpty(asked) && asked != known)
        {
            throw new QuestionException($"{what} not found: {(asked.Length > 60 ? asked[..60] : asked)} (there is \"{known}\")");
        }
    }

    private async Task<List<StatementAnswer>> AnswerAsync(List<(StatementNode Node, SelectPlan? Plan)> statements, Catalog catalog, CancellationToken aborted)
    {
        List<StatementAnswer> answers = [];
        using var late = new CancellationTokenSource(options.Value.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, aborted);
        foreach (var (node, plan) in statements)
        {
            if (answers.Exists(answer => answer.Error is not null))
            {
                answers.Add(new StatementAnswer([], "not executed", null));
                continue;
            }

            try
            {
                var budget = new Budget(options.Value);
                IReadOnlyList<AnswerTable> tables = plan is null
                    ? await ShowRun.RunAsync((ShowNode)node, catalog, options.Value.Database, budget, either.Token)
                    : [.. (await new SelectRun(budget, turns, instruments, either.Token).RunAsync(plan)).Select(rows => new AnswerTable(rows.Name, rows.Tags, [plan.TimeColumn, .. plan.Columns], rows.Rows, TimeFirst: true))];
                answers.Add(new StatementAnswer(tables, null, plan?.Node.Zone));
                instruments.Answered("answered");
            }
            catch (RefusedException refused)
            {
                answers.Add(new StatementAnswer([], refused.Message, null));
                instruments.Answered("refused");
            }
            catch (OperationCanceledException) when (late.IsCancellationRequested && !aborted.IsCancellationRequested)
            {
                answers.Add(new StatementAnswer(
                    [], $"the question took longer than {options.Value.Timeout:c} ({InfluxQlOptions.Section}:{nameof(options.Value.Timeout)}) and was given up: ask for a shorter time or fewer series", null));
                instruments.Answered("late");
            }
        }

        return answers;
    }

    private static int Chunk(string? size) => int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows > 0 ? rows : ChunkDefault;

    /// <summary>Nanoseconds of the unit in which times are written; 0 for text.</summary>
    private static long Unit(string? epoch) => epoch switch
    {
        "ns" or "n" => 1,
        "u" or "µ" => 1_000,
        "ms" => 1_000_000,
        "s" => Nanoseconds.PerSecond,
        "m" => 60 * Nanoseconds.PerSecond,
        "h" => 3_600 * Nanoseconds.PerSecond,
        null or "" => 0,
        _ => throw new QuestionException($"epoch is {(epoch.Length > 20 ? epoch[..20] : epoch)}; it must be ns, u, ms, s, m or h, or left out for times as text"),
    };

    private static void Introduce(HttpContext context)
    {
        context.Response.Headers["X-Influxdb-Version"] = Version;
        context.Response.Headers["X-Influxdb-Build"] = "Hub";
        context.Response.Headers.CacheControl = "no-store";
    }

    private Task RefuseVisitorAsync(HttpContext context, SignInOutcome outcome)
    {
        if (outcome == SignInOutcome.Busy)
        {
            context.Response.Headers.RetryAfter = "5";
            return RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "too many people sign in at this moment: ask again in a few seconds", "refused");
        }

        context.Response.Headers.WWWAuthenticate = "Basic realm=\"InfluxDB\"";
        return RefuseAsync(context, StatusCodes.Status401Unauthorized, "authorization failed", "unauthorized");
    }

    private Task RefuseAsync(HttpContext context, int status, string error, string outcome)
    {
        instruments.Answered(outcome);
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new Dictionary<string, string> { ["error"] = error }, Json, context.RequestAborted);
    }
}
