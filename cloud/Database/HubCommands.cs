using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Hub.Cloud.Database;

/// <summary>For statements that a stage writes itself, in words that both databases understand: names of columns in double quotes, parameters with an <c>@</c>.</summary>
public static class HubCommands
{
    /// <summary>Adds a parameter.</summary>
    /// <param name="command">Whose.</param>
    /// <param name="name">With its <c>@</c>.</param>
    /// <param name="value">A number, text, bytes or a truth value; null stores nothing. Text that PostgreSQL cannot store (U+0000, halves of characters) is mended there.</param>
    /// <param name="type">Of a value that may be null: PostgreSQL cannot always see it from the statement.</param>
    public static void Give(this DbCommand command, string name, object? value, DbType? type = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        if (type is { } known)
        {
            parameter.DbType = known;
        }

        parameter.Value = value is string text && command is not SqliteCommand ? StorableText.Of(text) : value ?? DBNull.Value;
        command.Parameters.Add(parameter);
    }
}
