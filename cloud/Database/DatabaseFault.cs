using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Hub.Cloud.Database;

/// <summary>What an exception of the database means, whichever it is.</summary>
public static class DatabaseFault
{
    /// <summary>Whether a row was refused because of a rule of its table: mostly, that there is one with its key already. In a stage that means that somebody else was first.</summary>
    /// <param name="exception">What SaveChanges has thrown.</param>
    public static bool IsRefusedByRule(DbUpdateException exception) => exception?.InnerException is SqliteException { SqliteErrorCode: 19 }
        // Class 23 of SQL's states: integrity constraint violation.
        || exception?.InnerException is PostgresException { SqlState: ['2', '3', ..] };

    /// <summary>One line for an operator, with what to do; null for what is none of the database's, or a bug in a statement. Pure.</summary>
    /// <param name="exception">Not what it was caused by: the caller goes through the causes.</param>
    /// <param name="configuration">Settings that name the database.</param>
    public static string? Explain(Exception exception, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return exception switch
        {
            // Busy, read-only, I/O error, damaged, full, cannot be opened, no database; any other code is a bug in a statement.
            SqliteException { SqliteErrorCode: 5 or 8 or 10 or 11 or 13 or 14 or 26 } =>
                $"The database {configuration["Hub:Database"]} cannot be used ({exception.Message.TrimEnd('.')}). Check its permissions and the free space, or restore it from a backup.",
            PostgresException refused => Explain(refused) is { } mend ? $"{HubDatabase.Describe(configuration)} cannot be used ({refused.MessageText.TrimEnd('.')}). {mend}" : null,
            NpgsqlException => $"{HubDatabase.Describe(configuration)} cannot be reached ({Cause(exception)}). {Mend(exception)}",
            _ => null,
        };
    }

    /// <summary>What to do, by SQL's state.</summary>
    private static string? Explain(PostgresException refused) => refused.SqlState switch
    {
        "28P01" or "28000" => $"Check the user in Hub:Database and the password in the file of {DatabaseSetting.PasswordFileKey}, and that the server's pg_hba.conf lets this machine in.",
        "3D000" => "Create the database on the server: createdb --owner USER DATABASE.",
        "42501" => "Give the user the database: ALTER DATABASE ... OWNER TO ..., or let it create tables in the schema public.",
        "53300" => "The server has no connection left: raise its max_connections, or give Hub:Database a smaller Maximum Pool Size.",
        ['5', '3', ..] => "The server has run out of room or memory: make some.",
        ['5', '7', 'P', ..] => "The server is starting or stopping: try again when it serves.",
        ['0', '8', ..] => "Check that the server runs and can be reached.",
        ['X', 'X', ..] or ['5', '8', ..] => "The server's disk or files are damaged: look into its log.",
        "55P03" or "57014" => "Another program holds the tables: look what is connected to the database (pg_stat_activity).",
        _ => null,
    };

    private static string Mend(Exception exception) => Root(exception) switch
    {
        System.Security.Authentication.AuthenticationException =>
            "What leaves this machine is encrypted and the server's certificate is checked: give its authority with Root Certificate=FILE in Hub:Database, or, within a network that is yours alone, SSL Mode=Disable.",
        _ when exception.Message.Contains("SSL", StringComparison.Ordinal) =>
            "The server speaks no TLS, which the hub wants for what leaves this machine: switch it on there (ssl = on), or, within a network that is yours alone, write SSL Mode=Disable into Hub:Database.",
        _ when exception.Message.Contains("password", StringComparison.OrdinalIgnoreCase) => $"Name a file with the password of PostgreSQL's user in {DatabaseSetting.PasswordFileKey}.",
        _ => "Check that the server runs, and the host and port in Hub:Database.",
    };

    private static string Cause(Exception exception) => Root(exception) switch
    {
        SocketException socket => socket.Message,
        var root => root.Message.TrimEnd('.'),
    };

    private static Exception Root(Exception exception) => exception.GetBaseException();
}
