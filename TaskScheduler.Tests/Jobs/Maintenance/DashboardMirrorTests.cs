using Hangfire;
using Hangfire.States;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

public abstract class DashboardMirrorTests<TStore> : IAsyncLifetime
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

    /// <summary>The job store was lost, and its numbers began again, while the mirror held what it had read.</summary>
    [Fact]
    public async Task WishForAJobWhoseNumberAnotherTaskHasNowIsNotCarriedToThat()
    {
        var (wished, other) = (await _jobs.CreateAsync(), await _jobs.CreateAsync());

        await _jobs.Get<TaskClient>().DeleteByJobsAsync([new(other.JobId!, wished.Id)], Cancel);

        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal(ScheduledTaskState.Pending, row.State));
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

    [Fact]
    public async Task FailedTaskWhoseJobIsRequeuedRunsAgain()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await _jobs.ReportAsync();
        // Clicked twice, and found only long after by the first instance that comes back.
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));
        _jobs.Clock.Advance(TimeSpan.FromHours(2));

        await MirrorAsync();

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Pending, 0, null), (row.State, row.Tries, row.Error));
        Assert.Equal("Enqueued", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task RequeueIsCarriedOnce()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await _jobs.ReportAsync();
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));
        await MirrorAsync();
        var claimed = Assert.Single(await _jobs.ClaimAsync(task));
        await _jobs.Get<TaskCompleter>().FailAsync(claimed with { Tries = _jobs.LastTry }, new IOException("Full"), Cancel);

        await MirrorAsync();

        Assert.Equal(ScheduledTaskState.Failed, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>The first was carried by another instance, while this one was frozen.</summary>
    [Fact]
    public async Task WishIsNotForgottenWithAnEarlierOne()
    {
        var (acts, task) = (_jobs.Get<DashboardActs>(), await _jobs.CreateInAsync(ScheduledTaskState.Failed));
        await _jobs.ReportAsync();
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));
        var found = acts.Find(DashboardActs.Requeued);
        await MirrorAsync();
        var claimed = Assert.Single(await _jobs.ClaimAsync(task));
        await _jobs.Get<TaskCompleter>().FailAsync(claimed with { Tries = _jobs.LastTry }, new IOException("Full"), Cancel);
        _jobs.ChangeJob(task.JobId!, new FailedState(new IOException("Full")));
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));

        acts.Forget(DashboardActs.Requeued, found);
        await MirrorAsync();

        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task NoteThatNobodyCanReadDoesNotStandInTheWay()
    {
        var task = await _jobs.CreateAsync();
        using (var connection = _jobs.Get<JobStorage>().GetConnection())
        using (var transaction = connection.CreateWriteTransaction())
        {
            transaction.AddToSet(DashboardActs.Deleted, task.JobId!);
            transaction.Commit();
        }

        _jobs.ChangeJob(task.JobId!, new DeletedState());

        await MirrorAsync();

        Assert.Equal(ScheduledTaskState.Deleted, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>A retry's own enqueueing by Hangfire's scheduler, and what an instance gives back that did not know of the failure.</summary>
    [Fact]
    public async Task NoOtherEnqueueingIsAWish()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        _jobs.ChangeJob(task.JobId!, new ScheduledState(TimeSpan.FromSeconds(2)));
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));
        await _jobs.ReportAsync();
        _jobs.ChangeJob(task.JobId!, _jobs.Get<TaskJobs>().Awaiting(task.DueAt, "Given back"));

        await MirrorAsync();

        Assert.Equal(ScheduledTaskState.Failed, (await _jobs.FindAsync(task.Id)).State);
    }

    private Task<TimeSpan> MirrorAsync() => _jobs.Get<DashboardMirror>().RunOnceAsync(Cancel);
}
