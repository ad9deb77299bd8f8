using Hangfire.States;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

public abstract class DeletedJobMirrorTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    [InlineData(ScheduledTaskState.Completed)]
    [InlineData(ScheduledTaskState.Failed)]
    public async Task TaskWhoseOwnJobIsDeletedIsDeleted(ScheduledTaskState state)
    {
        var task = await _jobs.CreateInAsync(state);
        _jobs.ChangeJob(task.JobId!, new DeletedState());

        await MirrorAsync();

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Deleted, _jobs.Now), (row.State, row.DeletedAt));
    }

    [Fact]
    public async Task DeletionOfAJobThatTheRowDoesNotNameIsNobodysWish()
    {
        var task = await _jobs.CreateAsync();
        _jobs.CreateSpareJob(task, new DeletedState());

        await MirrorAsync();

        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task DeletionThatACrashLeftBehindIsFoundByTheFirstRun()
    {
        var task = await _jobs.CreateAsync();
        _jobs.ChangeJob(task.JobId!, new DeletedState());
        _jobs.Clock.Advance(TimeSpan.FromHours(2));

        await MirrorAsync();

        Assert.Equal(ScheduledTaskState.Deleted, (await _jobs.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task ManyDeletionsBetweenTwoRunsAreAllSeen()
    {
        await MirrorAsync();
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 1_100), withJobs: true);
        await _jobs.Get<TaskJobs>().ApplyAsync(
            [.. tasks.Select(task => new JobStateChange(task.JobId!, task.Id, task.CreatedAt, new DeletedState()))], Cancel);

        await MirrorAsync();

        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal(ScheduledTaskState.Deleted, row.State));
    }

    [Fact]
    public async Task SecondRunDoesNotDateADeletionAnew()
    {
        var task = await _jobs.CreateAsync();
        _jobs.ChangeJob(task.JobId!, new DeletedState());
        await MirrorAsync();
        var deleted = await _jobs.ColumnsAsync(task.Id);
        _jobs.Clock.Advance(TimeSpan.FromSeconds(1));

        await MirrorAsync();

        Assert.Equal(deleted, await _jobs.ColumnsAsync(task.Id));
    }

    private Task<TimeSpan> MirrorAsync() => _jobs.Get<DeletedJobMirror>().RunOnceAsync(Cancel);
}
