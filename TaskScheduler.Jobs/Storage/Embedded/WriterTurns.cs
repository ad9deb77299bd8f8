using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// SQLite has one writer at a time, and a connection that finds it busy sleeps up to 100 ms between two looks, so that a crowd of
/// requests could keep a claim from the file for a second. Here writers queue: a connection has its turn from its first
/// write until it is closed, which EF does after every operation. What keeps the time of tasks goes first: it is little, and
/// behind eight batches of a thousand tasks it would be seconds late.
/// </summary>
public sealed class WriterTurns : DbCommandInterceptor, IDbConnectionInterceptor, IDbTransactionInterceptor
{
    /// <summary>A backup may have the file. After this long a writer asks SQLite, which waits as long again.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>How claims, completions and heartbeats begin.</summary>
    private static readonly string[] Urgent =
    [
        BeginningOf(EmbeddedSql.Statements.Claim),
        BeginningOf(EmbeddedSql.Statements.Complete),
        "UPDATE \"Instances\"",
    ];

    private readonly Lock _gate = new();
    private readonly Queue<Waiter> _urgent = new();
    private readonly Queue<Waiter> _others = new();
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
        TakeTurnAsync(connection, _others, CancellationToken.None).GetAwaiter().GetResult();
        return result;
    }

    public async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection,
        TransactionStartingEventData eventData,
        InterceptionResult<DbTransaction> result,
        CancellationToken cancellationToken = default)
    {
        await TakeTurnAsync(connection, _others, cancellationToken);
        return result;
    }

    public void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => EndTurn(connection);

    public Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
    {
        EndTurn(connection);
        return Task.CompletedTask;
    }

    private static string BeginningOf(string statement) => statement[..statement.IndexOf("{0}", StringComparison.Ordinal)];

    private static bool Writes(DbCommand command) =>
        !command.CommandText.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase);

    private static bool IsUrgent(DbCommand command) =>
        Urgent.Any(beginning => command.CommandText.StartsWith(beginning, StringComparison.Ordinal));

    private void TakeTurn(DbCommand command) => TakeTurnAsync(command, CancellationToken.None).GetAwaiter().GetResult();

    private Task TakeTurnAsync(DbCommand command, CancellationToken cancel) => Writes(command)
        ? TakeTurnAsync(command.Connection!, IsUrgent(command) ? _urgent : _others, cancel)
        : Task.CompletedTask;

    private async Task TakeTurnAsync(DbConnection connection, Queue<Waiter> queue, CancellationToken cancel)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (_writer == connection)
                return;
            if (_writer is null)
            {
                _writer = connection;
                return;
            }

            waiter = new Waiter(connection);
            queue.Enqueue(waiter);
        }

        await waiter.Task.WaitAsync(MaxWait, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // A writer that gives up stays in the queue and is passed over.
        var hasTurn = !waiter.TrySetCanceled(CancellationToken.None);
        if (!cancel.IsCancellationRequested)
            return;
        if (hasTurn)
            EndTurn(connection);
        cancel.ThrowIfCancellationRequested();
    }

    private void EndTurn(DbConnection connection)
    {
        lock (_gate)
        {
            if (_writer != connection)
                return;
            _writer = null;
            while (_writer is null && (_urgent.TryDequeue(out var next) || _others.TryDequeue(out next)))
            {
                if (next.TrySetResult())
                    _writer = next.Connection;
            }
        }
    }

    private sealed class Waiter(DbConnection connection) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public DbConnection Connection => connection;
    }
}
