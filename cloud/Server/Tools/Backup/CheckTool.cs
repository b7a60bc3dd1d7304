using System.CommandLine;
using Hub.Cloud.Database;
using Hub.Cloud.Series;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary><c>hub check</c>: reads everything the hub stores and says what is wrong with it. Changes nothing; a hub may run meanwhile. Exit code 0 when all is well, 1 when not.</summary>
internal static class CheckTool
{
    /// <summary>Builds the verb.</summary>
    public static Command Create(Func<ParseResult, IConfigurationRoot> settings, Func<Func<Task<int>>, Task<int>> guard)
    {
        var verb = new Command("check", "Read everything the hub stores and say what is damaged; changes nothing, also while the hub runs. Ends with 1 when something is.");
        verb.SetAction((result, stop) => guard(() => Task.Run(() => Run(settings(result), ByteProgress.OnConsole(TimeProvider.System), Console.Out, stop), stop)));
        return verb;
    }

    /// <summary>Checks everything and prints what was found.</summary>
    public static int Run(IConfiguration configuration, ByteProgress progress, TextWriter output, CancellationToken stop)
    {
        DatabaseFile.DemandHub(configuration);
        var problems = new List<string>();
        var data = configuration["Hub:Data"]!;
        CheckDatabase(configuration, output, problems, stop);
        CheckSeries(configuration, progress, output, problems, stop);
        foreach (var problem in problems)
        {
            output.WriteLine($"PROBLEM  {problem.ReplaceLineEndings(" ")}");
        }

        output.WriteLine(problems.Count == 0 ? $"{data}: all is well{(HubDatabase.IsPostgreSql(configuration) ? ", but for the database, which was not read" : "")}" : FormattableString.Invariant($"{data}: {problems.Count} problem{(problems.Count == 1 ? "" : "s")}"));
        return problems.Count == 0 ? 0 : 1;
    }

    private static void CheckDatabase(IConfiguration configuration, TextWriter output, List<string> problems, CancellationToken stop)
    {
        if (HubDatabase.IsPostgreSql(configuration))
        {
            if (HubDatabase.ProbeAsync(configuration, stop).GetAwaiter().GetResult() is { } problem)
            {
                problems.Add(problem);
            }
            else
            {
                output.WriteLine($"database: {HubDatabase.Describe(configuration)}, answers");
            }

            output.WriteLine("note: what is in the database was not read: that server checks its own files (initdb --data-checksums, pg_amcheck)");
            return;
        }

        var database = DatabaseFile.Path(configuration);
        if (database is null || !File.Exists(database))
        {
            output.WriteLine("database: none");
            return;
        }

        problems.AddRange(DatabaseFile.Check(database));
        output.WriteLine($"database: {ByteProgress.Size(new FileInfo(database).Length)} read");
    }

    private static void CheckSeries(IConfiguration configuration, ByteProgress progress, TextWriter output, List<string> problems, CancellationToken stop)
    {
        SeriesCheckResult? result;
        progress.Begin("parts", 0);
        try
        {
            result = SeriesFiles.Check(configuration, at => progress.Reach(at.BytesDone, at.Bytes), stop);
        }
        catch (InvalidDataException exception)
        {
            problems.Add(exception.Message);
            return;
        }

        progress.End();
        if (result is null)
        {
            output.WriteLine("series: none");
            return;
        }

        problems.AddRange(result.Problems);
        output.WriteLine(FormattableString.Invariant(
            $"series: up to commit {result.LastCommit}; {result.Parts} parts with {result.Observations} observations, {result.History} values that lost and {result.Rollups} rows of rollups ({ByteProgress.Size(result.Bytes)}); {result.LogGroups} commits with {result.LogObservations} observations in the log"));
        if (result.LogBytesBehind > 0)
        {
            output.WriteLine(FormattableString.Invariant($"note: {result.LogBytesBehind} bytes at the end of the log are {(result.IsInUse ? "being written" : "a write that was interrupted and acknowledged to nobody; the next start cuts them off")}"));
        }

        if (result.IsInUse)
        {
            output.WriteLine("note: a hub is running on this folder; what it changed meanwhile was read in its new form");
        }
    }
}
