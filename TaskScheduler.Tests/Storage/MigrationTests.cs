using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage;

/// <summary>A database of the first version, with rows of every state, is opened by this one.</summary>
public abstract class MigrationTests<TStore>(MigrationTests<TStore>.Migrated migrated) : IClassFixture<MigrationTests<TStore>.Migrated>
    where TStore : ITestStore, new()
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private JobsAtRest Jobs => migrated.Jobs;

    [Fact]
    public void RowsOfEveryStateAreAsTheyWere()
    {
        foreach (var (state, id) in migrated.Untouched)
        {
            var row = migrated.AtFirst[id];
            Assert.Equal((TaskKind.Fizz, state, 1, $"Fizz {id}", "Full"), (row.Kind, row.State, row.Attempt, row.Output, row.Error));
            Assert.Equal("web-1", row.Instance);
            Assert.NotNull(row.JobId);
            Assert.Equal(("Scheduled", 2, true), (row.JobState, row.Version, row.IsShown));
            Assert.All(
                [row.ExecuteAt, row.DueAt, row.CreatedAt, row.StartedAt, row.FinishedAt, row.DeletedAt],
                time => Assert.Equal(JobsAtRest.Start, time));
        }
    }

    /// <summary>The instance that ran one of them is not known any more.</summary>
    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    public async Task TaskThatWasNotFinishedIs(ScheduledTaskState state)
    {
        var task = await Jobs.FindAsync(migrated.Unfinished[state]);
        var claimed = Assert.Single(
            state == ScheduledTaskState.Running ? await Jobs.TakeOverAsync(task) : await Jobs.ClaimAsync(task));

        await Jobs.CompleteAsync(claimed);

        Assert.Equal(ScheduledTaskState.Completed, (await Jobs.FindAsync(claimed.Id)).State);
    }

    [Fact]
    public async Task NewTaskIsTheLastInOrder()
    {
        var task = await Jobs.CreateAsync();

        Assert.Equal(task.Id, (await Jobs.RowsAsync())[^1].Id);
    }

    [Fact]
    public async Task NoMigrationIsMissing()
    {
        await using var db = await Jobs.OpenTableAsync();

        Assert.Empty(await db.Database.GetPendingMigrationsAsync(Cancel));
    }

    [Fact]
    public async Task ModelHasNoChangesThatNoMigrationMakes()
    {
        await using var db = await Jobs.OpenTableAsync();

        Assert.False(db.Database.HasPendingModelChanges());
    }

    public sealed class Migrated : Fixture<JobsAtRest>
    {
        private readonly TStore _store = new();
        private Dictionary<Guid, ScheduledTask> _atFirst = [];

        public JobsAtRest Jobs => Made;

        public IReadOnlyDictionary<ScheduledTaskState, Guid> Untouched { get; } = NewIds();

        /// <summary>The rows before any test: a claim takes all that is due.</summary>
        public IReadOnlyDictionary<Guid, ScheduledTask> AtFirst
        {
            get
            {
                _ = Made;
                return _atFirst;
            }
        }

        /// <summary>The same again, for a test to go on with.</summary>
        public IReadOnlyDictionary<ScheduledTaskState, Guid> Unfinished { get; } = NewIds();

        protected override async Task<JobsAtRest> MakeAsync()
        {
            var jobs = await JobsAtRest.BuildAsync(_store);
            await using (var db = await jobs.OpenTableAsync())
                await db.GetService<IMigrator>().MigrateAsync(db.Database.GetMigrations().First(), Cancel);
            foreach (var (state, id) in Untouched.Concat(Unfinished))
                await _store.ExecuteAsync(_store.InsertIntoFirstVersion(id, state.ToString(), JobsAtRest.Start));
            await jobs.Get<ITaskStore>().OpenAsync(Cancel);
            _atFirst = (await jobs.RowsAsync()).ToDictionary(row => row.Id);
            return jobs;
        }

        protected override async ValueTask EndAsync()
        {
            await base.EndAsync();
            await _store.DisposeAsync();
        }

        private static Dictionary<ScheduledTaskState, Guid> NewIds() =>
            Enum.GetValues<ScheduledTaskState>().ToDictionary(state => state, _ => Guid.NewGuid());
    }
}
