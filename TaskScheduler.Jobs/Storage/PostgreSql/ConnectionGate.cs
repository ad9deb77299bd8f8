using System.Data;
using System.Net.Sockets;
using Npgsql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// All connections of this process are opened here, so that many instances fit one server. To a server that has none left,
/// Npgsql answers by closing those that it has: instances that ask for more than there are would take them from each other
/// and do little but connect. After a refusal an instance therefore makes do with what it has in use, and asks for more only
/// after some seconds.
/// </summary>
/// <param name="max">Connections in use at most; what the pool allows.</param>
/// <param name="timeout">How long to wait for one before failing as the pool itself would; zero is for ever.</param>
public sealed class ConnectionGate(int max, TimeSpan timeout) : DbConnectionInterceptor
{
    /// <summary>Up to twice as long: instances that were refused together do not ask again together.</summary>
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromSeconds(5);

    /// <summary>An instance that has no connection at all asks again soon, or it would lose its lease.</summary>
    private static readonly TimeSpan WithoutConnection = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _free = new(max, max);
    private readonly ConcurrentDictionary<string, bool> _transactions = [];
    private readonly Lock _gate = new();
    private int _used;

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
        if (transaction is not null && _transactions.ContainsKey(transaction.TransactionInformation.LocalIdentifier))
        {
            await ConnectAsync(connection, async, cancel);
            return;
        }

        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var left = Math.Max(0, (timeout - TimeProvider.System.GetElapsedTime(started)).Ticks);
            var wait = timeout > TimeSpan.Zero ? TimeSpan.FromTicks(left) : Timeout.InfiniteTimeSpan;
            if (!(async ? await _free.WaitAsync(wait, cancel) : _free.Wait(wait, cancel)))
            {
                throw new NpgsqlException(
                    $"No connection came free within {timeout.TotalSeconds} s: the server or 'Maximum Pool Size' ({max}) allows "
                    + "no more.", new TimeoutException());
            }

            lock (_gate)
                _used++;
            try
            {
                await ConnectAsync(connection, async, cancel);
                if (transaction is not null)
                    LeaveWith(transaction);
                else
                    connection.StateChange += OnStateChange;
                return;
            }
            catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                Retreat();
            }
            catch
            {
                Leave();
                throw;
            }
        }

        void OnStateChange(object sender, StateChangeEventArgs change)
        {
            if (change.CurrentState != ConnectionState.Closed)
                return;
            connection.StateChange -= OnStateChange;
            Leave();
        }
    }

    private static async Task ConnectAsync(NpgsqlConnection connection, bool async, CancellationToken cancel)
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

    private void LeaveWith(Transaction transaction)
    {
        var identifier = transaction.TransactionInformation.LocalIdentifier;
        _transactions[identifier] = true;
        transaction.TransactionCompleted += (_, _) =>
        {
            _transactions.TryRemove(identifier, out bool _);
            Leave();
        };
    }

    private void Leave()
    {
        lock (_gate)
        {
            _used--;
            _free.Release();
        }
    }

    /// <summary>The place that was refused and those that are free come back later.</summary>
    private void Retreat()
    {
        lock (_gate)
        {
            _used--;
            _ = FreeLaterAsync(_used == 0 ? WithoutConnection : AfterRefusal);
            while (_free.Wait(0))
                _ = FreeLaterAsync(AfterRefusal);
        }
    }

    private async Task FreeLaterAsync(TimeSpan min)
    {
        await Task.Delay(min * (1 + Random.Shared.NextDouble()));
        _free.Release();
    }
}
