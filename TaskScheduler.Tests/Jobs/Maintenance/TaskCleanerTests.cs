using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

public abstract class TaskCleanerTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _jobs = await JobsAtRest.OpenAsync<TStore>(null, "--Retention:Finished=02:00:00", "--Retention:Deleted=03:00:00");

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Theory]
    [InlineData(ScheduledTaskState.Completed, 2)]
    [InlineData(ScheduledTaskState.Failed, 2)]
    [InlineData(ScheduledTaskState.Deleted, 3)]
    public async Task EndedTaskStaysAsLongAsItsRetention(ScheduledTaskState state, int hours)
    {
        await _jobs.CreateInAsync(state);
        await _jobs.ShowAsync();
        _jobs.Clock.Advance(TimeSpan.FromHours(hours));
        await CleanAsync();
        Assert.Single(await _jobs.RowsAsync());

        _jobs.Clock.Advance(Millisecond);
        await CleanAsync();

        Assert.Empty(await _jobs.RowsAsync());
    }

    /// <summary>Its job would show for good that it runs.</summary>
    [Fact]
    public async Task EndedTaskStaysUntilItsJobShowsItsEnd()
    {
        await _jobs.CreateInAsync(ScheduledTaskState.Completed);
        _jobs.Clock.Advance(TimeSpan.FromDays(1));
        await CleanAsync();
        Assert.Single(await _jobs.RowsAsync());

        await _jobs.ShowAsync();
        await CleanAsync();

        Assert.Empty(await _jobs.RowsAsync());
    }

    [Fact]
    public async Task DeletedTaskStaysFromItsDeletionOnHoweverLongAgoItFinished()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Completed);
        _jobs.Clock.Advance(TimeSpan.FromHours(1.5));
        await _jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
        _jobs.Clock.Advance(TimeSpan.FromHours(3));

        await CleanAsync();

        Assert.Single(await _jobs.RowsAsync());
    }

    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    public async Task UnfinishedTaskIsNeverRemoved(ScheduledTaskState state)
    {
        await _jobs.CreateInAsync(state);
        _jobs.Clock.Advance(TimeSpan.FromDays(3_650));

        await CleanAsync();

        Assert.Single(await _jobs.RowsAsync());
    }

    [Fact]
    public async Task FailedTaskThatWasRequeuedIsNotRemoved()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await _jobs.Get<TaskClient>().RequeueAsync(task.Id, Cancel);
        _jobs.Clock.Advance(TimeSpan.FromDays(30));

        await CleanAsync();

        Assert.Single(await _jobs.RowsAsync());
    }

    [Fact]
    public async Task ManyTasksAreRemovedInBatchesOldestFirst()
    {
        await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 450));
        await using (var db = await _jobs.OpenTableAsync())
        {
            foreach (var task in await db.Tasks.ToListAsync(Cancel))
            {
                db.Entry(task).Property(t => t.State).CurrentValue = ScheduledTaskState.Completed;
                db.Entry(task).Property(t => t.FinishedAt).CurrentValue = _jobs.Now.AddMilliseconds(-task.Sequence);
                db.Entry(task).Property(t => t.IsShown).CurrentValue = true;
            }

            await db.SaveChangesAsync(Cancel);
        }

        _jobs.Clock.Advance(TimeSpan.FromHours(3));
        var rest = await CleanAsync();

        Assert.Equal(Enumerable.Range(1, 250), (await _jobs.RowsAsync()).Select(row => (int)row.Sequence));
        Assert.True(rest < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task InstanceIsForgottenAfterADayOfSilenceUnlessARunningTaskNamesIt()
    {
        await using var idle = _jobs.Another();
        await idle.BeatAsync();
        await _jobs.CreateInAsync(ScheduledTaskState.Running);
        _jobs.Clock.Advance(TimeSpan.FromDays(1) + Millisecond);

        await CleanAsync();

        await using var db = await _jobs.OpenTableAsync();
        var left = Assert.Single(await db.Instances.ToListAsync(Cancel));
        Assert.Equal(Assert.Single(await _jobs.RowsAsync()).InstanceId, left.Id);
    }

    private Task<TimeSpan> CleanAsync() => _jobs.Get<TaskCleaner>().RunOnceAsync(Cancel);
}
