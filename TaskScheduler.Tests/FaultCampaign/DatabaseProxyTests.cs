using Npgsql;
using TaskScheduler.FaultCampaign;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.FaultCampaign;

public sealed class DatabaseProxyTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();
    private DatabaseProxy _proxy = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _store.CreateAsync(migrated: false);
        await _store.ExecuteAsync($"CREATE TABLE told (n int); GRANT ALL ON told TO {PostgreSqlServer.User}");
        _proxy = new DatabaseProxy(_store.Server.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task PassesOnWhatBothSay()
    {
        await using var connection = await OpenAsync();

        // Longer than a buffer, so that answers come in pieces.
        await using var command = new NpgsqlCommand("SELECT repeat('x', 300000), generate_series(1, 3)", connection);
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var rows = 0;
        for (; await reader.ReadAsync(Cancel); rows++)
            Assert.Equal(300_000, reader.GetString(0).Length);

        Assert.Equal(3, rows);
    }

    [Fact]
    public async Task LosesTheAnswerToAStatementThatIsDone()
    {
        await using var connection = await OpenAsync();
        _proxy.LoseNextCommit();
        await connection.AskAsync<int>("SELECT 1");

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.ExecuteAsync("INSERT INTO told VALUES (1)"));

        Assert.Equal(1, _proxy.Lost);
        Assert.Equal([1], await _store.AskAsync<int>("SELECT n FROM told"));
    }

    [Fact]
    public async Task LosesTheAnswerToACommitAndToNothingBeforeIt()
    {
        await using var connection = await OpenAsync();
        _proxy.LoseNextCommit();
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await connection.ExecuteAsync("INSERT INTO told VALUES (2)");

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Cancel));

        Assert.Equal([2], await _store.AskAsync<int>("SELECT n FROM told"));
    }

    [Fact]
    public async Task LosesNothingThatIsRolledBack()
    {
        await using var connection = await OpenAsync();
        _proxy.LoseNextCommit();
        await using (var transaction = await connection.BeginTransactionAsync(Cancel))
        {
            await connection.ExecuteAsync("INSERT INTO told VALUES (3)");
            await transaction.RollbackAsync(Cancel);
        }

        Assert.Equal([1], await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(0, _proxy.Lost);
    }

    [Fact]
    public async Task SilenceEndsWhereItBegan()
    {
        await using var connection = await OpenAsync();
        _proxy.FallSilent();

        var asking = connection.AskAsync<int>("SELECT 4");
        Assert.Empty(await _store.AskAsync<int>("SELECT n FROM told"));
        Assert.False(asking.IsCompleted);
        _proxy.Restore();

        Assert.Equal([4], await asking);
    }

    [Fact]
    public async Task RefusesUntilItIsRestored()
    {
        await using var before = await OpenAsync();
        _proxy.Refuse();

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => before.AskAsync<int>("SELECT 5"));
        await Assert.ThrowsAnyAsync<NpgsqlException>(OpenAsync);
        _proxy.Restore();

        await using var after = await OpenAsync();
        Assert.Equal([5], await after.AskAsync<int>("SELECT 5"));
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(_proxy.ConnectionString(_store));
        await connection.OpenAsync(Cancel);
        return connection;
    }
}
