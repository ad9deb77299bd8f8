using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage;

/// <summary>A database of the first version, with a row of every state, is opened by this one.</summary>
public abstract class MigrationTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly TStore _store = new();
    private readonly Dictionary<ScheduledTaskState, Guid> _ids =
        Enum.GetValues<ScheduledTaskState>().ToDictionary(state => state, _ => Guid.NewGuid());

    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _jobs = await JobsAtRest.BuildAsync(_store);
        await using (var db = await _jobs.OpenTableAsync())
            await db.GetService<IMigrator>().MigrateAsync(db.Database.GetMigrations().First(), Cancel);
        foreach (var (state, id) in _ids)
            await _store.ExecuteAsync(_store.InsertIntoFirstVersion(id, state.ToString(), JobsAtRest.Start));
        await _jobs.Get<ITaskStore>().OpenAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _jobs.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task RowsOfEveryStateAreAsTheyWere()
    {
        foreach (var (state, id) in _ids)
        {
            var row = await _jobs.FindAsync(id);
            Assert.Equal((TaskKind.Fizz, state, 1, $"Fizz {id}", "Full"), (row.Kind, row.State, row.Attempt, row.Output, row.Error));
            Assert.Equal("web-1", row.Instance);
            Assert.NotNull(row.JobId);
            Assert.All(
                [row.ExecuteAt, row.DueAt, row.CreatedAt, row.StartedAt, row.FinishedAt, row.DeletedAt],
                time => Assert.Equal(JobsAtRest.Start, time));
        }
    }

    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    public async Task TaskThatWasNotFinishedIs(ScheduledTaskState state)
    {
        var claimed = Assert.Single(await _jobs.ClaimAsync(await _jobs.FindAsync(_ids[state])));

        await _jobs.CompleteAsync(claimed);

        Assert.Equal(ScheduledTaskState.Completed, (await _jobs.FindAsync(claimed.Id)).State);
    }

    [Fact]
    public async Task NewTaskIsTheLastInOrder()
    {
        var task = await _jobs.CreateAsync();

        Assert.Equal(task.Id, (await _jobs.RowsAsync())[^1].Id);
    }

    [Fact]
    public async Task NoMigrationIsMissing()
    {
        await using var db = await _jobs.OpenTableAsync();

        Assert.Empty(await db.Database.GetPendingMigrationsAsync(Cancel));
    }

    [Fact]
    public async Task ModelHasNoChangesThatNoMigrationMakes()
    {
        await using var db = await _jobs.OpenTableAsync();

        Assert.False(db.Database.HasPendingModelChanges());
    }
}
