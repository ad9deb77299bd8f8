using Npgsql;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>
/// An instance is frozen between the statements of the projector's transaction, the only one that stays open between two: all
/// claims pass over the rows that it changed.
/// </summary>
public sealed class FrozenTransactionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DatabaseEndsItAndTheTaskIsStarted()
    {
        await using var store = new PostgreSqlTestStore();
        await using var jobs = await JobsAtRest.OpenAsync(store);
        await using var another = jobs.Another();
        var task = await jobs.CreateAsync();
        await using var connection = await jobs.Get<NpgsqlDataSource>().OpenConnectionAsync(Cancel);
        var transaction = await connection.BeginTransactionAsync(Cancel);
        await connection.ExecuteAsync(jobs.Get<StoreSql>().IsProjector.Replace("{0}", "'{}'", StringComparison.Ordinal));
        await connection.ExecuteAsync("UPDATE scheduler.\"Tasks\" SET \"Tries\" = 1");

        Assert.Empty(await another.ClaimAsync(task));
        await Eventually.TrueAsync(async () => (await another.ClaimAsync(task)).Count == 1, "another instance starts the task");

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Cancel));
        Assert.Equal(0, (await another.FindAsync(task.Id)).Tries);
    }
}
