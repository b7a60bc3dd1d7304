using System.Globalization;
using DuckDB.NET.Data;

namespace Hub.Cloud.Transfer;

/// <summary>A database of its own for one file: nothing of the hub's is in it.</summary>
internal static class DuckMemory
{
    /// <summary>Memory it may use, MiB. A row group of a Parquet file must fit.</summary>
    private const int MegabytesMax = 512;

    /// <summary>Opens one; in memory, or in a file that is new.</summary>
    public static DuckDBConnection Open(string? file = null, string? spill = null)
    {
        var connection = new DuckDBConnection(string.Create(CultureInfo.InvariantCulture, $"Data Source={file ?? ":memory:"};memory_limit={MegabytesMax}MiB;threads=2"));
        try
        {
            connection.Open();

            // No extension is ever fetched, and rows keep their order.
            Execute(connection, "SET autoinstall_known_extensions = false");
            Execute(connection, "SET autoload_known_extensions = false");
            Execute(connection, "SET preserve_insertion_order = true");
            Execute(connection, $"SET temp_directory = '{(spill ?? "").Replace("'", "''", StringComparison.Ordinal)}'");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs one statement.</summary>
    public static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
