using Hub.Cloud.Database;
using Hub.Cloud.Series;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Server.Tools.Backup;

/// <summary>The relational database as a file of its own.</summary>
internal static class DatabaseFile
{
    /// <summary>Path of the database by the settings; null when it is not a file.</summary>
    public static string? Path(IConfiguration configuration)
    {
        var setting = configuration["Hub:Database"]!;
        if (HubDatabase.IsPostgreSql(configuration))
        {
            return null;
        }

        var builder = setting.Contains('=', StringComparison.Ordinal) ? new SqliteConnectionStringBuilder(setting) : new SqliteConnectionStringBuilder { DataSource = setting };
        return builder.Mode == SqliteOpenMode.Memory || builder.DataSource is "" or ":memory:" ? null : System.IO.Path.GetFullPath(builder.DataSource);
    }

    /// <summary>Refuses a folder in which no hub has ever stored anything: a mistyped name must be no clean bill of health, and no backup of nothing.</summary>
    /// <exception cref="StartException">There is neither a database nor a series store.</exception>
    public static void DemandHub(IConfiguration configuration)
    {
        if (!HubDatabase.IsPostgreSql(configuration) && !File.Exists(Path(configuration)) && !Directory.Exists(SeriesFiles.Folder(configuration)))
        {
            throw new StartException($"No hub has stored anything in {configuration["Hub:Data"]}: name its data folder with --data.");
        }
    }

    /// <summary>
    /// Writes the database as it is at this moment into a new file. A running hub goes on reading and writing: it is one long read, and the write-ahead log grows as long as it lasts.
    /// </summary>
    /// <exception cref="StartException">The database cannot be read; the message says why and what to do.</exception>
    public static void Copy(string path, string target)
    {
        try
        {
            using var connection = Open(path);
            using var command = connection.CreateCommand();
            command.CommandText = "VACUUM INTO $target";
            command.Parameters.AddWithValue("$target", target);
            command.CommandTimeout = 0;
            command.ExecuteNonQuery();
        }
        catch (SqliteException exception)
        {
            throw new StartException($"The database {path} cannot be copied ({exception.Message.TrimEnd('.')}): see that there is room, and try hub check.", exception);
        }
    }

    /// <summary>Lets the database check itself: pages, indexes, references.</summary>
    /// <returns>One line for each problem; empty when all is well.</returns>
    public static IReadOnlyList<string> Check(string path)
    {
        var problems = new List<string>();
        try
        {
            using var connection = Open(path);
            using var command = connection.CreateCommand();
            command.CommandTimeout = 0;
            command.CommandText = "PRAGMA integrity_check(20)";
            using (var reader = command.ExecuteReader())
            {
                while (reader.Read())
                {
                    if (reader.GetString(0) is not "ok" and var what)
                    {
                        problems.Add($"The database {path} is damaged ({what}): restore it from a backup (hub restore).");
                    }
                }
            }

            command.CommandText = "PRAGMA foreign_key_check";
            using (var reader = command.ExecuteReader())
            {
                while (reader.Read() && problems.Count < 40)
                {
                    problems.Add(FormattableString.Invariant($"The database {path} has a row in {reader.GetString(0)} (row {reader.GetValue(1)}) that refers to one of {reader.GetString(2)} that is not there: this is a fault of the program, please report it."));
                }
            }
        }
        catch (SqliteException exception)
        {
            problems.Add($"The database {path} cannot be read ({exception.Message.TrimEnd('.')}): check its permissions, or restore it from a backup (hub restore).");
        }

        return problems;
    }

    private static SqliteConnection Open(string path)
    {
        // Read-only: what a crashed hub left in the database's log is read, and stays there for the hub.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false, DefaultTimeout = 30 }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
