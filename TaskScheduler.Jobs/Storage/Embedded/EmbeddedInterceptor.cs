using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using SQLitePCL;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Around every statement: looks whether the file is still in its place, before it and once it has its turn to write, and again
/// after it. What was written to a file that is gone is never answered as done, nor printed. EF's synchronous statements,
/// which nothing here uses, are refused: they would go past this.
/// </summary>
public sealed class EmbeddedInterceptor(StorageFile file, WriterTurns turns)
    : DbCommandInterceptor, IDbConnectionInterceptor, IDbTransactionInterceptor
{
    /// <summary>How claims, completions and heartbeats begin.</summary>
    private static readonly string[] Urgent =
    [
        BeginningOf(EmbeddedSql.Statements.Claim),
        BeginningOf(EmbeddedSql.Statements.Complete),
        "UPDATE \"Instances\"",
    ];

    public ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken) =>
        new(InPlace(result));

    /// <summary>
    /// SQLite opens for reading what it may not write. In the pool such a connection would refuse writes long after the file
    /// can be written again.
    /// </summary>
    public Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken)
    {
        var opened = (SqliteConnection)connection;
        // EF opens one of its own for reading, to see whether there is a database.
        if (opened.ConnectionString != file.ConnectionString || raw.sqlite3_db_readonly(opened.Handle, "main") == 0)
            return Task.CompletedTask;
        SqliteConnection.ClearPool(opened);
        opened.Close();
        throw new SqliteException($"'{file.Path}' can only be read", raw.SQLITE_READONLY);
    }

    /// <summary>The same for its -wal, which SQLite opens later.</summary>
    public override Task CommandFailedAsync(
        DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken)
    {
        if (eventData.Exception is SqliteException { SqliteErrorCode: raw.SQLITE_READONLY })
            SqliteConnection.ClearPool((SqliteConnection)command.Connection!);
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
