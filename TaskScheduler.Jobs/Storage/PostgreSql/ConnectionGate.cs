using System.Data;
using System.Net.Sockets;
using Hangfire.PostgreSql;
using Npgsql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// Opens all connections of this process, EF's and Hangfire's, so that many instances fit one server. When a server has none
/// left, Npgsql closes its own: instances that ask for more would take them from each other and do little but connect. After a
/// refusal an instance therefore makes do with what it has in use, and asks for more only after some seconds.
/// </summary>
/// <param name="database">Where Hangfire's connections come from. They prepare what they send again and again.</param>
/// <param name="address">Prepares nothing by default. Its pool size bounds the connections in use, its timeout the wait for one; zero is for ever.</param>
public sealed class ConnectionGate(NpgsqlDataSource database, NpgsqlConnectionStringBuilder address)
    : DbConnectionInterceptor, IConnectionFactory
{
    /// <summary>Up to twice as long: instances that were refused together do not ask again together.</summary>
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromSeconds(5);

    /// <summary>An instance that has no connection at all asks again soon, or it would lose its lease.</summary>
    private static readonly TimeSpan WithoutConnection = TimeSpan.FromMilliseconds(250);

    /// <summary>PgBouncer beyond its <c>max_client_conn</c>; its code says only that there is no connection.</summary>
    private const string PoolerIsFull = "no more connections allowed";

    private readonly SemaphoreSlim _free = new(address.MaxPoolSize, address.MaxPoolSize);
    private readonly ConcurrentDictionary<Transaction, bool> _transactions = [];
    private readonly Lock _gate = new();
    private int _used;
    private volatile bool _isBehindPooler;

    /// <summary>The server's last word on a connection, if it was that it has none.</summary>
    private PostgresException? _refusal;

    /// <summary>
    /// From now on statements are not prepared, unless the connection string asks for it: the next one may be sent to another
    /// session of the server, which does not know it, or knows another one by its name.
    /// </summary>
    public void MeetPooler() => _isBehindPooler = true;

    public NpgsqlConnection GetOrCreateConnection()
    {
        var connection = database.CreateConnection();
        OpenAsync(connection, async: false, CancellationToken.None).GetAwaiter().GetResult();
        return connection;
    }

    public override InterceptionResult ConnectionOpening(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
    {
        OpenAsync((NpgsqlConnection)connection, async: false, CancellationToken.None).GetAwaiter().GetResult();
        return InterceptionResult.Suppress();
    }

    public override async ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken)
    {
        await OpenAsync((NpgsqlConnection)connection, async: true, cancellationToken);
        return InterceptionResult.Suppress();
    }

    /// <summary>
    /// Opens the connection, which counts until it is closed or breaks. Blocks instead of yielding unless
    /// <paramref name="async"/>, and then needs no other thread to go on: Hangfire's storage is synchronous, and with all
    /// threads of the pool waiting here none would be left to wake them.
    /// </summary>
    /// <exception cref="NpgsqlException">There was none within the time, or the server cannot be reached.</exception>
    public async Task OpenAsync(NpgsqlConnection connection, bool async, CancellationToken cancel)
    {
        // A transaction keeps its connection from the first statement to its end, however often it is opened.
        var transaction = Transaction.Current;
        if (transaction is not null && _transactions.ContainsKey(transaction))
        {
            await ConnectAsync(connection, async, cancel);
            return;
        }

        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var left = TimeSpan.FromSeconds(address.Timeout) - TimeProvider.System.GetElapsedTime(started);
            var wait = address.Timeout == 0 ? Timeout.InfiniteTimeSpan : left > TimeSpan.Zero ? left : TimeSpan.Zero;
            if (!(async ? await _free.WaitAsync(wait, cancel) : _free.Wait(wait, cancel)))
            {
                throw new NpgsqlException(
                    $"No connection came free within {address.Timeout} s: the server or 'Maximum Pool Size' "
                    + $"({address.MaxPoolSize}) allows no more.", new TimeoutException(_refusal?.Message, _refusal));
            }

            lock (_gate)
                _used++;
            try
            {
                await ConnectAsync(connection, async, cancel);
                _refusal = null;
                if (transaction is null)
                    connection.StateChange += LeaveOnceClosed;
                else
                    LeaveWith(transaction);
                return;
            }
            catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.TooManyConnections
                || refusal.MessageText.StartsWith(PoolerIsFull, StringComparison.Ordinal))
            {
                _refusal = refusal;
                Retreat();
            }
            catch
            {
                Leave();
                throw;
            }
        }

        void LeaveOnceClosed(object sender, StateChangeEventArgs change)
        {
            if (change.CurrentState != ConnectionState.Closed)
                return;
            connection.StateChange -= LeaveOnceClosed;
            Leave();
        }
    }

    private async Task ConnectAsync(NpgsqlConnection connection, bool async, CancellationToken cancel)
    {
        if (_isBehindPooler)
            connection.ConnectionString = address.ConnectionString;
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
        _transactions[transaction] = true;
        transaction.TransactionCompleted += (_, _) =>
        {
            _transactions.TryRemove(transaction, out _);
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
