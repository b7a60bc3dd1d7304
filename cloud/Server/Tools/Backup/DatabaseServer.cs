using System.ComponentModel;
using System.Diagnostics;
using Hub.Cloud.Database;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary>The relational database on a PostgreSQL, by that server's own programs.</summary>
internal static class DatabaseServer
{
    /// <summary>Name of the dump in a backup.</summary>
    public const string DumpName = "hub.pgdump";

    /// <summary>Writes the database as it is at this moment into a new file, in <c>pg_dump</c>'s own form. The hub goes on meanwhile.</summary>
    /// <exception cref="StartException">It cannot be dumped; the message says why and what to do.</exception>
    public static void Dump(IConfiguration configuration, string target, CancellationToken stop) =>
        Run(configuration, "pg_dump", ["--format=custom", "--no-owner", "--no-privileges", "--no-password", "--file", target], "cannot be dumped", stop);

    /// <summary>Refuses to restore into a database in which there is something.</summary>
    /// <exception cref="StartException">It is not empty, or cannot be reached.</exception>
    public static void DemandEmpty(IConfiguration configuration, CancellationToken stop)
    {
        try
        {
            if (!PostgreSqlPrograms.IsEmptyAsync(configuration, stop).GetAwaiter().GetResult())
            {
                throw new StartException($"{HubDatabase.Describe(configuration)} is not empty. Name an empty one in Hub:Database, or make it anew: dropdb, createdb.");
            }
        }
        catch (Exception exception) when (exception is System.Data.Common.DbException or InvalidDataException)
        {
            throw new StartException(DatabaseFault.Explain(exception, configuration) ?? exception.Message, exception);
        }
    }

    /// <summary>Puts a dump into the empty database, all of it or nothing.</summary>
    /// <exception cref="StartException">It cannot be restored; the message says why and what to do.</exception>
    public static void Restore(IConfiguration configuration, string dump, CancellationToken stop) =>
        Run(configuration, "pg_restore", ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-password", "--dbname", PostgreSqlPrograms.Variables(configuration)["PGDATABASE"], dump], "cannot be filled", stop);

    private static void Run(IConfiguration configuration, string program, IEnumerable<string> arguments, string what, CancellationToken stop)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardInput = true };
        try
        {
            foreach (var (name, value) in PostgreSqlPrograms.Variables(configuration))
            {
                start.Environment[name] = value;
            }
        }
        catch (InvalidDataException exception)
        {
            throw new StartException(exception.Message, exception);
        }

        // Its sentences are read below and passed on.
        start.Environment["LC_ALL"] = "C";
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            using var killed = stop.Register(() => process.Kill());
            var said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            stop.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
            {
                throw new StartException($"{HubDatabase.Describe(configuration)} {what}: {string.Join(' ', said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))} (The version of {program} must be the server's, or newer.)");
            }
        }
        catch (Win32Exception exception)
        {
            throw new StartException(
                $"The hub's tables are on a PostgreSQL, and {program}, which copies them, is not on this machine: install it (Debian: postgresql-client, at least of the server's version). Nothing was done.", exception);
        }
    }
}
