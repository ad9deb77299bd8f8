using System.Data;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// SQLite has one writer at a time, and a connection that finds it busy sleeps for 150 ms between two looks, so that a crowd of
/// requests could keep a claim from the file for seconds. Here writers queue: a connection has its turn from its first write
/// until it is closed, which EF does after every operation. What keeps the time of tasks goes first.
/// </summary>
public sealed class WriterTurns
{
    /// <summary>A backup may have the file. After this long a writer asks SQLite, which waits as long again.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Queue<Waiter> _urgent = new();
    private readonly Queue<Waiter> _others = new();
    private DbConnection? _writer;

    /// <summary>Returns when it is the connection's turn, which may be the one that it has. Closing it ends the turn.</summary>
    public async Task TakeAsync(DbConnection connection, bool isUrgent, CancellationToken cancel)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (_writer == connection)
                return;
            if (_writer is null)
            {
                _writer = connection;
                connection.StateChange += EndWhenClosed;
                return;
            }

            waiter = new Waiter(connection);
            (isUrgent ? _urgent : _others).Enqueue(waiter);
        }

        await waiter.Task.WaitAsync(MaxWait, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // A writer that gives up stays in the queue and is passed over.
        var hasTurn = !waiter.TrySetCanceled(CancellationToken.None);
        if (hasTurn && cancel.IsCancellationRequested)
            End();
        else if (hasTurn)
            connection.StateChange += EndWhenClosed;
        cancel.ThrowIfCancellationRequested();
    }

    /// <summary>Not by EF's interceptor: a context that returns to its pool after a failure closes its connection without one.</summary>
    private void EndWhenClosed(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState != ConnectionState.Closed)
            return;
        ((DbConnection)sender).StateChange -= EndWhenClosed;
        End();
    }

    private void End()
    {
        lock (_gate)
        {
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
