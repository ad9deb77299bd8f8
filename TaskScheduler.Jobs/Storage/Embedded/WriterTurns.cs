using System.Data;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// SQLite has one writer at a time, and a connection that finds it busy sleeps between two looks, so that a crowd of requests
/// could keep a claim from the file for seconds. Here writers queue: a connection has its turn from its first write until it
/// is closed, which EF does after every operation. What keeps the time of tasks waits for one other writer at most.
/// </summary>
public sealed class WriterTurns
{
    /// <summary>A backup may have the file. After this long a writer asks SQLite, which waits as long again.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _file = new(1, 1);

    /// <summary>Of those that are not urgent one at a time waits for the file.</summary>
    private readonly SemaphoreSlim _others = new(1, 1);
    private DbConnection? _writer;

    /// <summary>Returns when it is the connection's turn, which may be the one that it has. Closing it ends the turn.</summary>
    public async Task TakeAsync(DbConnection connection, bool isUrgent, CancellationToken cancel)
    {
        if (_writer == connection)
            return;
        var isFirst = !isUrgent && await _others.WaitAsync(MaxWait, cancel);
        try
        {
            if (!await _file.WaitAsync(MaxWait, cancel))
                return;
            _writer = connection;
            connection.StateChange += EndWhenClosed;
        }
        finally
        {
            if (isFirst)
                _others.Release();
        }
    }

    /// <summary>Not by EF's interceptor: a context that returns to its pool after a failure closes its connection without one.</summary>
    private void EndWhenClosed(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState != ConnectionState.Closed)
            return;
        ((DbConnection)sender).StateChange -= EndWhenClosed;
        _writer = null;
        _file.Release();
    }
}
