using System.Data;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// SQLite has one writer at a time, and a connection that finds it busy sleeps between two looks, so that a crowd of requests
/// could keep a claim from the file for seconds. Here writers queue: a connection has its turn from its first write until it
/// is closed, which EF does after every operation. What keeps the time of tasks waits for one other writer at most.
/// </summary>
public sealed class WriterTurns
{
    /// <summary>
    /// A backup may have the file. A writer waits so long for its turn and, in what is left of it, for the file: as long as for
    /// a lock on a server.
    /// </summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _file = new(1, 1);

    /// <summary>Of those that are not urgent one at a time waits for the file.</summary>
    private readonly SemaphoreSlim _others = new(1, 1);
    private DbConnection? _writer;

    /// <summary>
    /// Returns when it is the connection's turn, which may be the one that it has, or after <see cref="MaxWait"/>, when SQLite
    /// says whether the file is still busy. Closing the connection ends the turn.
    /// </summary>
    public async Task TakeAsync(DbConnection connection, bool isUrgent, CancellationToken cancel)
    {
        if (_writer == connection)
            return;
        var asked = TimeProvider.System.GetTimestamp();
        var isFirst = !isUrgent && await _others.WaitAsync(MaxWait, cancel);
        try
        {
            if (await _file.WaitAsync(Left(), cancel))
            {
                _writer = connection;
                connection.StateChange += EndWhenClosed;
            }
        }
        finally
        {
            if (isFirst)
                _others.Release();
        }

        _ = raw.sqlite3_busy_timeout(((SqliteConnection)connection).Handle!, (int)Left().TotalMilliseconds);

        TimeSpan Left()
        {
            var left = MaxWait - TimeProvider.System.GetElapsedTime(asked);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
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
