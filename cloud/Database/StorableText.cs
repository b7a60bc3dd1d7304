using System.Data.Common;
using System.Text;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Hub.Cloud.Database;

/// <summary>
/// On PostgreSQL, text that it refuses to store and SQLite does not: U+0000, and halves of characters. Each becomes U+FFFD, so that what a station or a visitor has sent is kept, and does not take
/// down the transaction it is in.
/// </summary>
internal sealed class StorableText : IDbCommandInterceptor
{
    public InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result)
    {
        Mend(command);
        return result;
    }

    public ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Mend(command);
        return ValueTask.FromResult(result);
    }

    public InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        Mend(command);
        return result;
    }

    public ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Mend(command);
        return ValueTask.FromResult(result);
    }

    public InterceptionResult<object> ScalarExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<object> result)
    {
        Mend(command);
        return result;
    }

    public ValueTask<InterceptionResult<object>> ScalarExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default)
    {
        Mend(command);
        return ValueTask.FromResult(result);
    }

    /// <summary>The text as PostgreSQL can store it.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\ud800', '\udfff'))
        {
            return text.Contains('\0', StringComparison.Ordinal) ? text.Replace('\0', '\ufffd') : text;
        }

        var mended = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            mended.Append(rune.Value == 0 ? Rune.ReplacementChar.ToString() : rune.ToString());
        }

        return mended.ToString();
    }

    /// <summary>Mends the values of a command.</summary>
    public static void Mend(DbCommand command)
    {
        foreach (DbParameter parameter in command.Parameters)
        {
            switch (parameter.Value)
            {
                case string text:
                    if (Of(text) is var mended && !ReferenceEquals(mended, text))
                    {
                        parameter.Value = mended;
                    }

                    break;
                case IEnumerable<string?> texts when texts.Any(static one => one is not null && !ReferenceEquals(Of(one), one)):
                    parameter.Value = texts.Select(static one => one is null ? null : Of(one)).ToArray();
                    break;
            }
        }
    }
}
