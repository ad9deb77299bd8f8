using Hangfire.States;
using TaskScheduler.Jobs.Execution;
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

        Assert.Equal(task.DueAt, Holds.NextDue);
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

    [Theory]
    [InlineData(true, ScheduledTaskState.Pending, "Processing")]
    [InlineData(false, ScheduledTaskState.Failed, "Failed")]
    public async Task FailedTaskIsRequeuedByADeliveryAndByNothingElse(
        bool fromQueue, ScheduledTaskState state, string job)
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);

        await TakeAsync(task.JobId, fromQueue);

        Assert.Equal(state, (await _jobs.FindAsync(task.Id)).State);
        Assert.Equal(job, _jobs.JobState(task.JobId));
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
        var spare = _jobs.Get<TaskJobs>().Create(task.Id);

        await TakeAsync(spare);

        Assert.Equal(0, Holds.Count);
        Assert.Equal("Deleted", _jobs.JobState(spare));
        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    private async Task TakeAsync(string? jobId, bool fromQueue = true)
    {
        await _jobs.Get<JobIntake>().TakeAsync([jobId!], fromQueue, TestContext.Current.CancellationToken);
        await _jobs.ReportAsync();
    }
}
