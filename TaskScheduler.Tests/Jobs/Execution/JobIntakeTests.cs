using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

public abstract class JobIntakeTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan LookAhead = TimeSpan.FromSeconds(10);
    private JobsAtRest _jobs = null!;

    private HoldQueue Holds => _jobs.Get<HoldQueue>();

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TaskDeliveredAheadOfItsTimeIsHeld(int secondsBeyondTheLookAhead)
    {
        var task = await _jobs.CreateAsync(_jobs.Now + LookAhead + TimeSpan.FromSeconds(secondsBeyondTheLookAhead));

        await TakeAsync(task.JobId);

        Assert.Equal(task.DueAt, Holds.NextReady);
        Assert.Equal("Processing", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task TaskDeliveredFarAheadGoesBackToItsSchedule()
    {
        var task = await _jobs.CreateAsync(_jobs.Now + LookAhead + TimeSpan.FromSeconds(3));
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));

        await TakeAsync(task.JobId);

        Assert.Equal(0, Holds.Count);
        Assert.Equal("Scheduled", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task TaskThatRunsHereGoesOnAndItsJobShowsIt()
    {
        var task = await _jobs.CreateAsync();
        _jobs.Get<RunningTasks>().Add(Assert.Single(await _jobs.ClaimAsync(task)));

        await TakeAsync(task.JobId);

        Assert.Equal(0, Holds.Count);
        Assert.Equal("Processing", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task TaskThatRunsOnALivingInstanceIsLeftToIt()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);

        await TakeAsync(task.JobId);

        Assert.Equal(0, Holds.Count);
        Assert.Equal("Enqueued", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task TaskOfASilentInstanceIsRescued()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        _jobs.Clock.Advance(TimeSpan.FromSeconds(6));

        await TakeAsync(task.JobId);

        Assert.True(Assert.Single(Holds.TakeAll()).Rescued);
    }

    [Fact]
    public async Task TaskWhoseClaimWasRefusedIsHeldForAPauseThatDoubles()
    {
        var task = await _jobs.CreateAsync();
        await TakeAsync(task.JobId);
        var history = History(task);
        foreach (var pause in new[] { 4, 8, 16 })
        {
            await TakeRefusedAsync(Assert.Single(Holds.TakeAll()));

            Assert.Equal(_jobs.Now.AddMilliseconds(pause), Holds.NextReady);
        }

        // However often: the history of its job does not grow.
        Assert.Equal(history, History(task));
    }

    [Fact]
    public async Task ClaimThatWasRefusedForAnOldTimeIsMadeAtTheNewOne()
    {
        var task = await _jobs.CreateAsync();
        var refused = task.Delivered();
        await using var db = await _jobs.OpenTableAsync();
        await db.Tasks.ExecuteUpdateAsync(
            set => set.SetProperty(t => t.DueAt, task.DueAt.AddSeconds(3)), TestContext.Current.CancellationToken);

        await TakeRefusedAsync(refused);

        Assert.Equal(task.DueAt.AddSeconds(3), Holds.NextReady);
    }

    [Fact]
    public async Task RefusedClaimOfAFailedTaskRequeuesNothing()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);

        await TakeRefusedAsync(task.Delivered());

        Assert.Equal(ScheduledTaskState.Failed, (await _jobs.FindAsync(task.Id)).State);
        Assert.Equal("Failed", _jobs.JobState(task.JobId));
    }

    /// <summary>The queue's delivery and the sweeper's find may come before the mirror, which is to carry the wish.</summary>
    [Theory]
    [InlineData(IntakeReason.Enqueued)]
    [InlineData(IntakeReason.LeftBehind)]
    public async Task RequeueOfAFailedJobIsLeftToTheMirror(IntakeReason reason)
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await _jobs.ReportAsync();
        Assert.Equal("Failed", _jobs.JobState(task.JobId));
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));

        await TakeAsync(task.JobId, reason);
        Assert.Equal("Enqueued", _jobs.JobState(task.JobId));
        await _jobs.Get<DashboardMirror>().RunOnceAsync(TestContext.Current.CancellationToken);
        await TakeAsync(task.JobId, reason);

        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
        Assert.Equal(1, Holds.Count);
    }

    /// <summary>Another instance had taken it in without its job, and Hangfire has not heard yet of its failure.</summary>
    [Fact]
    public async Task DeliveryOfATryThatHasFailedElsewhereRequeuesNothing()
    {
        var task = await _jobs.CreateAsync();
        _jobs.ChangeJob(task.JobId!, new ScheduledState(TimeSpan.FromSeconds(2)));
        _jobs.ChangeJob(task.JobId!, new EnqueuedState(TaskJobs.Queue));
        await using var other = _jobs.Another();
        var claimed = Assert.Single(await other.ClaimAsync(task));
        await other.Get<TaskCompleter>().FailAsync(
            claimed with { Tries = _jobs.LastTry }, new IOException("Full"), TestContext.Current.CancellationToken);

        await TakeAsync(task.JobId);

        Assert.Equal(ScheduledTaskState.Failed, (await _jobs.FindAsync(task.Id)).State);
        Assert.Equal("Failed", _jobs.JobState(task.JobId));
    }

    /// <summary>An instance that was away held the task for a try, and stops without knowing that it has failed.</summary>
    [Fact]
    public async Task DeliveryOfAJobThatWasGivenBackAfterItsTaskHadFailedRequeuesNothing()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await _jobs.ReportAsync();
        _jobs.ChangeJob(task.JobId!, _jobs.Get<TaskJobs>().Awaiting(task.DueAt, "Given back"));
        Assert.Equal("Enqueued", _jobs.JobState(task.JobId));

        await TakeAsync(task.JobId);

        Assert.Equal(ScheduledTaskState.Failed, (await _jobs.FindAsync(task.Id)).State);
        Assert.Equal("Failed", _jobs.JobState(task.JobId));
    }

    [Theory]
    [InlineData(ScheduledTaskState.Completed, "Succeeded")]
    [InlineData(ScheduledTaskState.Deleted, "Deleted")]
    public async Task JobOfAnEndedTaskEnds(ScheduledTaskState state, string job)
    {
        var task = await _jobs.CreateInAsync(state);

        await TakeAsync(task.JobId);

        Assert.Equal(0, Holds.Count);
        Assert.Equal(job, _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task JobThatNoRowNamesEndsDeleted()
    {
        var task = await _jobs.CreateAsync();
        var spare = _jobs.CreateSpareJob(task, new EnqueuedState("nowhere"));

        await TakeAsync(spare);

        Assert.Equal(0, Holds.Count);
        Assert.Equal("Deleted", _jobs.JobState(spare));
        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>The number was given again after the job store was lost, and the row will name it in a moment.</summary>
    [Fact]
    public async Task JobThatNoRowNamesYetIsLeftAlone()
    {
        var task = await _jobs.CreateAsync();
        var created = _jobs.Get<TaskJobs>().Create(task.Id);

        await TakeAsync(created);

        Assert.Null(_jobs.JobState(created));
    }

    [Fact]
    public async Task RefusedJobThatNoRowNamesAnyMoreEndsDeleted()
    {
        var task = await _jobs.CreateAsync();
        var spare = _jobs.CreateSpareJob(task, new EnqueuedState("nowhere"));

        await TakeRefusedAsync(task.Delivered() with { JobId = spare });

        Assert.Equal(0, Holds.Count);
        Assert.Equal("Deleted", _jobs.JobState(spare));
    }

    private int History(ScheduledTask task) =>
        _jobs.Get<JobStorage>().GetMonitoringApi().JobDetails(task.JobId!).History.Count;

    private async Task TakeRefusedAsync(Delivery delivery)
    {
        await _jobs.Get<JobIntake>().TakeRefusedAsync([delivery], TestContext.Current.CancellationToken);
        await _jobs.ReportAsync();
    }

    private async Task TakeAsync(string? jobId, IntakeReason reason = IntakeReason.Enqueued)
    {
        await _jobs.Get<JobIntake>().TakeAsync([jobId!], reason, TestContext.Current.CancellationToken);
        await _jobs.ReportAsync();
    }
}
