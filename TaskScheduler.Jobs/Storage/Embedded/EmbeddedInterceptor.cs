using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Around every statement: looks whether the file is still in its place, before it and once it has its turn to write, and again
/// after it. What was written to a file that is gone is never answered as done, nor printed. EF's synchronous statements,
/// which nothing here uses, are refused: they would go past this.
/// </summary>
public sealed class EmbeddedInterceptor(StorageFile file, WriterTurns turns, TimeProvider clock)
    : DbCommandInterceptor, IDbConnectionInterceptor, IDbTransactionInterceptor
{
    /// <summary>How claims, completions and heartbeats begin.</summary>
    private static readonly string[] Urgent =
    [
        BeginningOf(EmbeddedSql.Statements.Claim),
        BeginningOf(EmbeddedSql.Statements.Complete),
        "UPDATE \"Instances\"",
        "INSERT INTO \"Instances\"",
    ];

    /// <summary>The connections of the pool, as SQLite has them, that are known to write.</summary>
    private readonly ConditionalWeakTable<sqlite3, sqlite3> _writable = [];

    public ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken) =>
        new(InPlace(result));

    /// <summary>
    /// SQLite opens for reading what it may not write, the file or its -wal. In the pool such a connection would refuse writes
    /// long after the file can be written again.
    /// </summary>
    public Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken)
    {
        var opened = (SqliteConnection)connection;
        var handle = opened.Handle!;
        opened.CreateFunction(EmbeddedSql.Now, () => clock.GetUtcNow().ToUnixTimeMilliseconds());
        // EF opens one of its own for reading, to see whether there is a database.
        if (opened.ConnectionString != file.ConnectionString)
            return Task.CompletedTask;
        if (!_writable.TryGetValue(handle, out _))
        {
            if (!CanWrite(handle))
            {
                SqliteConnection.ClearPool(opened);
                opened.Close();
                throw new SqliteException($"'{file.Path}' can only be read", raw.SQLITE_READONLY);
            }

            _writable.AddOrUpdate(handle, handle);
        }

        // SQLite looks again after milliseconds, where the driver sleeps 150 of them.
        _ = raw.sqlite3_busy_timeout(handle, (int)WriterTurns.MaxWait.TotalMilliseconds);
        return Task.CompletedTask;
    }

    public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken)
    {
        await TakeTurnAsync(command, cancellationToken);
        return InPlace(result);
    }

    public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken)
    {
        await TakeTurnAsync(command, cancellationToken);
        return InPlace(result);
    }

    public override ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken) =>
        new(InPlace(result));

    public override ValueTask<int> NonQueryExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken) =>
        new(InPlace(result));

    public override InterceptionResult<DbDataReader> ReaderExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) =>
        throw new NotSupportedException();

    public override InterceptionResult<int> NonQueryExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result) => throw new NotSupportedException();

    public async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection,
        TransactionStartingEventData eventData,
        InterceptionResult<DbTransaction> result,
        CancellationToken cancellationToken)
    {
        await turns.TakeAsync(connection, isUrgent: false, cancellationToken);
        return InPlace(result);
    }

    public Task TransactionCommittedAsync(
        DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken)
    {
        file.ThrowIfLost();
        return Task.CompletedTask;
    }

    /// <summary>The transaction tells of the -wal. It does not wait: if another one writes just now, this one could.</summary>
    private static bool CanWrite(sqlite3 handle) =>
        raw.sqlite3_db_readonly(handle, "main") == 0
        && (raw.sqlite3_exec(handle, "BEGIN IMMEDIATE; ROLLBACK;") & 0xFF) != raw.SQLITE_READONLY;

    private static string BeginningOf(string statement) => statement[..statement.IndexOf("{0}", StringComparison.Ordinal)];

    private Task TakeTurnAsync(DbCommand command, CancellationToken cancel)
    {
        var text = command.CommandText;
        return text.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase)
            ? Task.CompletedTask
            : turns.TakeAsync(
                command.Connection!, Urgent.Any(beginning => text.StartsWith(beginning, StringComparison.Ordinal)), cancel);
    }

    private T InPlace<T>(T result)
    {
        file.ThrowIfLost();
        return result;
    }
}
