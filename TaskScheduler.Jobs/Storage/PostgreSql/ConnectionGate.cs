using System.Data;
using System.Data.Common;
using System.Net.Sockets;
using System.Transactions;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// All connections of this process are opened here, so that many instances fit one server. To a server that has none left,
/// Npgsql answers by closing those that it has: instances that ask for more than there are would take them from each other
/// and do little but connect. From a refusal on, an instance therefore makes do with what it had open, and a caller that needs a
/// connection waits for one to come back; it asks for one more only after a while, and only if a caller waits.
/// </summary>
/// <param name="most">Connections in use at most; what the pool allows.</param>
/// <param name="patience">How long to wait for one before failing as the pool itself would; zero is for ever.</param>
public sealed class ConnectionGate(int most, TimeSpan patience) : DbConnectionInterceptor
{
    private static readonly TimeSpan GrowthInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromSeconds(5);

    /// <summary>A refusal that long ago says nothing about the server now.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private readonly HashSet<string> _transactions = [];
    private readonly int _most = most;
    private int _limit = most;
    private int _used;
    private TimeSpan _growth;
    private long _changedAt;

    /// <summary>Opens the connection, which counts until it is closed or breaks.</summary>
    /// <exception cref="NpgsqlException">There was none within the time, or the server cannot be reached.</exception>
    public Task OpenAsync(NpgsqlConnection connection, CancellationToken cancel) => OpenAsync(connection, async: true, cancel);

    /// <inheritdoc cref="OpenAsync(NpgsqlConnection, CancellationToken)"/>
    public void Open(NpgsqlConnection connection) =>
        OpenAsync(connection, async: false, CancellationToken.None).GetAwaiter().GetResult();

    public override InterceptionResult ConnectionOpening(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
    {
        Open((NpgsqlConnection)connection);
        return InterceptionResult.Suppress();
    }

    public override async ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection,
        ConnectionEventData eventData,
        InterceptionResult result,
        CancellationToken cancellationToken = default)
    {
        await OpenAsync((NpgsqlConnection)connection, cancellationToken);
        return InterceptionResult.Suppress();
    }

    /// <summary>
    /// Blocks instead of yielding unless <paramref name="async"/>, and then needs no other thread to go on: Hangfire's storage
    /// is synchronous, and with all threads of the pool waiting here none would be left to wake them.
    /// </summary>
    private async Task OpenAsync(NpgsqlConnection connection, bool async, CancellationToken cancel)
    {
        // A transaction keeps its connection from the first statement to its end, however often it is opened.
        var transaction = Transaction.Current;
        if (transaction is not null && HasConnection(transaction))
        {
            await ConnectAsync();
            return;
        }

        var started = TimeProvider.System.GetTimestamp();
        await EnterAsync(started, async, cancel);
        try
        {
            while (true)
            {
                try
                {
                    await ConnectAsync();
                    break;
                }
                catch (PostgresException refusal) when (
                    refusal.SqlState == PostgresErrorCodes.TooManyConnections && !IsOver(started))
                {
                    Shrink();
                    var pause = BetweenTries * (0.5 + Random.Shared.NextDouble());
                    if (async)
                        await Task.Delay(pause, cancel);
                    else
                        cancel.WaitHandle.WaitOne(pause);
                }
            }

            if (transaction is not null)
                LeaveWith(transaction);
            else
                LeaveWith(connection);
        }
        catch
        {
            Leave();
            throw;
        }

        async Task ConnectAsync()
        {
            try
            {
                if (async)
                    await connection.OpenAsync(cancel);
                else
                    connection.Open();
            }
            catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
            {
                // A connection that is ended while it is opened leaves the driver's own words out.
                throw new NpgsqlException($"The connection could not be opened: {error.Message}", error);
            }
        }
    }

    private async Task EnterAsync(long started, bool async, CancellationToken cancel)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (TimeProvider.System.GetElapsedTime(_changedAt) > Forgotten)
                _limit = _most;
            _waiting.Enqueue(turn);
            LetIn();
        }

        while (!turn.Task.IsCompleted)
        {
            if (async)
                await turn.Task.WaitAsync(GrowthInterval, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
                turn.Task.Wait(GrowthInterval, CancellationToken.None);
            lock (_gate)
            {
                if (turn.Task.IsCompleted)
                    break;
                if (IsOver(started) || cancel.IsCancellationRequested)
                {
                    turn.SetCanceled(CancellationToken.None);
                    cancel.ThrowIfCancellationRequested();
                    throw new NpgsqlException(
                        $"No connection came free within {patience.TotalSeconds} s: {_used} are in use, and the server or "
                        + $"'Maximum Pool Size' ({_most}) allows no more.", new TimeoutException());
                }

                Grow();
            }
        }
    }

    private void LetIn()
    {
        while (_used < _limit && _waiting.TryDequeue(out var next))
        {
            if (next.TrySetResult())
                _used++;
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            _used--;
            LetIn();
        }
    }

    private void LeaveWith(NpgsqlConnection connection)
    {
        connection.StateChange += OnStateChange;

        void OnStateChange(object sender, StateChangeEventArgs change)
        {
            if (change.CurrentState != ConnectionState.Closed)
                return;
            connection.StateChange -= OnStateChange;
            Leave();
        }
    }

    private void LeaveWith(Transaction transaction)
    {
        var identifier = transaction.TransactionInformation.LocalIdentifier;
        lock (_gate)
            _transactions.Add(identifier);
        transaction.TransactionCompleted += (_, _) =>
        {
            lock (_gate)
                _transactions.Remove(identifier);
            Leave();
        };
    }

    private bool HasConnection(Transaction transaction)
    {
        lock (_gate)
            return _transactions.Contains(transaction.TransactionInformation.LocalIdentifier);
    }

    private void Shrink()
    {
        lock (_gate)
        {
            _limit = Math.Max(1, Math.Min(_limit, _used) - 1);
            // Instances that were refused together do not ask again together.
            (_growth, _changedAt) = (AfterRefusal * (1 + Random.Shared.NextDouble()), TimeProvider.System.GetTimestamp());
        }
    }

    private void Grow()
    {
        if (_limit >= _most || TimeProvider.System.GetElapsedTime(_changedAt) < _growth)
            return;
        _limit++;
        (_growth, _changedAt) = (GrowthInterval, TimeProvider.System.GetTimestamp());
        LetIn();
    }

    private bool IsOver(long started) =>
        patience > TimeSpan.Zero && TimeProvider.System.GetElapsedTime(started) >= patience;
}
