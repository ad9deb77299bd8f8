using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Looks whether the file is still in its place before a connection is opened and before every statement, which may have waited long for its turn to write,
/// and again after it: what was written to a file that is gone is never answered as done, nor printed.
/// </summary>
public sealed class LostFileInterceptor(StorageFile file) : DbCommandInterceptor, IDbConnectionInterceptor, IDbTransactionInterceptor
{
    public InterceptionResult ConnectionOpening(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result) => InPlace(result);

    public ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection,
        ConnectionEventData eventData,
        InterceptionResult result,
        CancellationToken cancellationToken = default) => new(InPlace(result));

    public override InterceptionResult<DbDataReader> ReaderExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) => InPlace(result);

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default) => new(InPlace(result));

    public override DbDataReader ReaderExecuted(DbCommand command, CommandExecutedEventData eventData, DbDataReader result) =>
        InPlace(result);

    public override ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default) =>
        new(InPlace(result));

    public override InterceptionResult<int> NonQueryExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result) => InPlace(result);

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default) =>
        new(InPlace(result));

    public override int NonQueryExecuted(DbCommand command, CommandExecutedEventData eventData, int result) => InPlace(result);

    public override ValueTask<int> NonQueryExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default) =>
        new(InPlace(result));

    public InterceptionResult<DbTransaction> TransactionStarting(
        DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result) => InPlace(result);

    public ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection,
        TransactionStartingEventData eventData,
        InterceptionResult<DbTransaction> result,
        CancellationToken cancellationToken = default) => new(InPlace(result));

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => file.ThrowIfLost();

    public Task TransactionCommittedAsync(
        DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        file.ThrowIfLost();
        return Task.CompletedTask;
    }

    private T InPlace<T>(T result)
    {
        file.ThrowIfLost();
        return result;
    }
}
