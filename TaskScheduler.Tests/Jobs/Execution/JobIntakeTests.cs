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
    [InlineData(1, 1)]
    [InlineData(300, 300)]
    [InlineData(10_000, 500)]
    public async Task TaskWhoseClaimWasRefusedPausesAsLongAsItIsLateAndAtMostHalfASecond(int late, int pause)
    {
        var task = await _jobs.CreateAsync(_jobs.Clock.GetUtcNow());
        var now = task.DueAt.AddMilliseconds(late);
        _jobs.Clock.SetUtcNow(now);

        await TakeAsync(task.JobId, IntakeReason.ClaimRefused);

        Assert.Equal(now.AddMilliseconds(pause), Holds.NextDue);
        Assert.Empty(Holds.TakeDue(now.AddMilliseconds(pause - 1), 1));
        Assert.Single(Holds.TakeDue(now.AddMilliseconds(pause), 1));
    }

    [Theory]
    [InlineData(IntakeReason.Enqueued, ScheduledTaskState.Pending, "Processing")]
    [InlineData(IntakeReason.LeftBehind, ScheduledTaskState.Failed, "Failed")]
    [InlineData(IntakeReason.ClaimRefused, ScheduledTaskState.Failed, "Failed")]
    public async Task FailedTaskIsRequeuedByADeliveryAndByNothingElse(
        IntakeReason reason, ScheduledTaskState state, string job)
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Failed);

        await TakeAsync(task.JobId, reason);

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

    private async Task TakeAsync(string? jobId, IntakeReason reason = IntakeReason.Enqueued)
    {
        await _jobs.Get<JobIntake>().TakeAsync([jobId!], reason, TestContext.Current.CancellationToken);
        await _jobs.ReportAsync();
    }
}
