using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// SQLite has one writer at a time, and whoever finds it busy sleeps up to 100 ms between two looks, so that a crowd of
/// requests could keep a claim from the file for a second. Here writers queue: a connection has its turn from its first
/// write until it is closed, which EF does after every operation.
/// </summary>
public sealed class WriterTurns : DbCommandInterceptor, IDbConnectionInterceptor, IDbTransactionInterceptor, IDisposable
{
    /// <summary>Somebody outside (a backup) may have the file. Whoever waited this long asks SQLite, which waits as long again.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private DbConnection? _writer;

    public override InterceptionResult<DbDataReader> ReaderExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result)
    {
        TakeTurn(command);
        return result;
    }

    public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default)
    {
        await TakeTurnAsync(command, cancellationToken);
        return result;
    }

    public override InterceptionResult<int> NonQueryExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        TakeTurn(command);
        return result;
    }

    public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default)
    {
        await TakeTurnAsync(command, cancellationToken);
        return result;
    }

    public InterceptionResult<DbTransaction> TransactionStarting(
        DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result)
    {
        TakeTurn(connection);
        return result;
    }

    public async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection,
        TransactionStartingEventData eventData,
        InterceptionResult<DbTransaction> result,
        CancellationToken cancellationToken = default)
    {
        await TakeTurnAsync(connection, cancellationToken);
        return result;
    }

    public void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => EndTurn(connection);

    public Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
    {
        EndTurn(connection);
        return Task.CompletedTask;
    }

    public void Dispose() => _turn.Dispose();

    private static bool Writes(DbCommand command) =>
        !command.CommandText.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase);

    private void TakeTurn(DbCommand command)
    {
        if (Writes(command))
            TakeTurn(command.Connection!);
    }

    private Task TakeTurnAsync(DbCommand command, CancellationToken cancel) =>
        Writes(command) ? TakeTurnAsync(command.Connection!, cancel) : Task.CompletedTask;

    private void TakeTurn(DbConnection connection)
    {
        if (_writer != connection && _turn.Wait(LongestWait))
            _writer = connection;
    }

    private async Task TakeTurnAsync(DbConnection connection, CancellationToken cancel)
    {
        if (_writer != connection && await _turn.WaitAsync(LongestWait, cancel))
            _writer = connection;
    }

    private void EndTurn(DbConnection connection)
    {
        if (_writer != connection)
            return;
        _writer = null;
        _turn.Release();
    }
}
