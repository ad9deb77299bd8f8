using System.Transactions;
using Npgsql;
using TaskScheduler.Jobs.Storage.PostgreSql;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

public sealed class ConnectionGateTests : IAsyncLifetime
{
    private const int Max = 5;

    private readonly PostgreSqlTestStore _store = new();
    private NpgsqlDataSource _database = null!;
    private ConnectionGate _gate = null!;

    public async ValueTask InitializeAsync()
    {
        await _store.CreateAsync(migrated: false);
        _database = NpgsqlDataSource.Create(
            $"{_store.Server.ConnectionString(_store.Database)};Maximum Pool Size={Max + 1};No Reset On Close=true");
        _gate = Gate(Max, Eventually.Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task OpensAsManyAsThePoolAllows()
    {
        var open = await OpenAsync(Max);
        var next = OpenOneAsync();
        Assert.False(next.IsCompleted);

        await open[0].CloseAsync();

        await (await next).CloseAsync();
    }

    [Fact]
    public async Task BrokenConnectionMakesRoom()
    {
        var open = await OpenAsync(Max);
        var next = OpenOneAsync();
        Assert.False(next.IsCompleted);

        await _store.ExecuteAsync($"SELECT pg_terminate_backend({open[0].ProcessID})");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => new NpgsqlCommand("SELECT 1", open[0])
            .ExecuteNonQueryAsync(TestContext.Current.CancellationToken));

        await next;
    }

    [Fact]
    public async Task FailsOnceTheTimeIsOver()
    {
        _gate = Gate(1, TimeSpan.FromSeconds(1));
        await OpenAsync(1);

        var error = await Assert.ThrowsAsync<NpgsqlException>(OpenOneAsync);

        Assert.Equal(
            "No connection came free within 1 s: the server or 'Maximum Pool Size' (1) allows no more.",
            error.Message);
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task CallerThatGivesUpLeavesItsTurnToTheNext()
    {
        var open = await OpenAsync(Max);
        using var cancel = new CancellationTokenSource();
        var given = _gate.OpenAsync(_database.CreateConnection(), async: true, cancel.Token);
        var next = OpenOneAsync();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await open[0].CloseAsync();

        await next;
    }

    [Fact]
    public async Task ConnectionThatCannotBeOpenedTakesNoRoom()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody");
        for (var i = 0; i < Max; i++)
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => _gate.OpenAsync(
                nowhere.CreateConnection(), async: true, TestContext.Current.CancellationToken));

        await OpenAsync(Max);
    }

    /// <summary>Each refusal costs all connections that the pool has; the server must not be asked for each.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FullServerIsWaitedForAndNotAskedAgainAndAgain(bool async)
    {
        await _store.ExecuteAsync($"ALTER DATABASE {_store.Database} CONNECTION LIMIT 2");

        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 10 }, async (_, cancel) =>
        {
            await using var connection = _database.CreateConnection();
            await _gate.OpenAsync(connection, async, cancel);
            await new NpgsqlCommand("SELECT pg_sleep(0.01)", connection).ExecuteNonQueryAsync(cancel);
        });

        var sessions = await _store.AskAsync<long>(
            "SELECT sessions FROM pg_stat_database WHERE datname = current_database()");
        Assert.InRange(sessions[0], 1, 40);
    }

    [Fact]
    public async Task TransactionKeepsOnePlaceUntilItEnds()
    {
        await OpenAsync(Max - 1);
        Task<NpgsqlConnection> next;
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await (await OpenOneAsync()).CloseAsync();
            using (ExecutionContext.SuppressFlow())
                next = Task.Run(OpenOneAsync);
            await (await OpenOneAsync()).CloseAsync();
            Assert.False(next.IsCompleted);
            scope.Complete();
        }

        await next;
    }

    private ConnectionGate Gate(int max, TimeSpan timeout) =>
        new(_database, new NpgsqlConnectionStringBuilder { MaxPoolSize = max, Timeout = (int)timeout.TotalSeconds });

    private async Task<NpgsqlConnection[]> OpenAsync(int count)
    {
        var open = new NpgsqlConnection[count];
        for (var i = 0; i < count; i++)
            open[i] = await OpenOneAsync();
        return open;
    }

    private async Task<NpgsqlConnection> OpenOneAsync()
    {
        var connection = _database.CreateConnection();
        await _gate.OpenAsync(connection, async: true, TestContext.Current.CancellationToken);
        return connection;
    }
}
