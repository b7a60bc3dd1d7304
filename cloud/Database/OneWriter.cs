using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Hub.Cloud.Database;

/// <summary>
/// On PostgreSQL, what SQLite does by itself: one transaction writes at a time, from its first statement to its commit, and others wait for it (as long as a command waits). The stages read, decide and
/// write in one transaction and rely on it; numbers of rows are given in the order of commits, and cursors rely on that. Each transaction begins by taking one lock of the database
/// (<c>pg_advisory_xact_lock</c>), which goes with it, also when its connection is lost. A change outside a transaction takes the lock too, and whatever SaveChanges does is a transaction.
/// </summary>
/// <remarks>
/// The isolation is always READ COMMITTED: with no other writer nothing changes between two statements, and a stricter one would see the state from before it waited for the lock.
/// Who has switched off that commits are on disk before they are answered (<c>synchronous_commit=off</c>, in the server's or the user's settings) has it on for the hub: what it has acknowledged is kept.
/// </remarks>
internal sealed class OneWriter : IDbTransactionInterceptor, IDbCommandInterceptor, ISaveChangesInterceptor
{
    /// <summary>Key of the lock: "hubw" in ASCII. Locks of this kind belong to one database, not to the whole server.</summary>
    public const long LockKey = 0x68756277;

    private const string Take = "SELECT pg_advisory_xact_lock(1752523383), set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)";

    public InterceptionResult<DbTransaction> TransactionStarting(DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result)
    {
        var transaction = connection.BeginTransaction(IsolationLevel.ReadCommitted);
        try
        {
            using var command = Lock(connection, transaction);
            command.ExecuteNonQuery();
            return InterceptionResult<DbTransaction>.SuppressWithResult(transaction);
        }
        catch
        {
            transaction.Dispose();
            throw;
        }
    }

    public async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        try
        {
            await using var command = Lock(connection, transaction);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return InterceptionResult<DbTransaction>.SuppressWithResult(transaction);
        }
        catch
        {
            await transaction.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        Guard(command, eventData);
        return result;
    }

    public ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Guard(command, eventData);
        return ValueTask.FromResult(result);
    }

    public InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Always(eventData);
        return result;
    }

    public ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Always(eventData);
        return ValueTask.FromResult(result);
    }

    private static DbCommand Lock(DbConnection connection, DbTransaction transaction)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = Take;
        return command;
    }

    /// <summary>A change by itself: both statements are one transaction, as PostgreSQL sees what is sent at once.</summary>
    private static void Guard(DbCommand command, CommandEventData eventData)
    {
        if (command.Transaction is null && eventData.CommandSource is CommandSource.ExecuteUpdate or CommandSource.ExecuteDelete or CommandSource.ExecuteSqlRaw)
        {
#pragma warning disable CA2100 // A constant, before what Entity Framework Core made.
            command.CommandText = $"{Take};\n{command.CommandText}";
#pragma warning restore CA2100
        }
    }

    // A single row is otherwise written without a transaction of its own.
    private static void Always(DbContextEventData eventData) => eventData.Context?.Database.AutoTransactionBehavior = AutoTransactionBehavior.Always;
}
