using System.Text.Json;
using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

public abstract class TaskRescuerTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>(null, "--Worker:Count=10");

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task RunningTaskOfASilentInstanceGetsANewJob()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        _jobs.Clock.Advance(Lease);

        await RescueAsync();

        await AssertRescuedAsync(task);
    }

    [Fact]
    public async Task RunningTaskOfALivingInstanceKeepsItsJob()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        _jobs.Clock.Advance(Lease - TimeSpan.FromMilliseconds(1));

        await RescueAsync();

        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
    }

    [Theory]
    [InlineData("Enqueued")]
    [InlineData("Scheduled")]
    [InlineData("Processing")]
    [InlineData("Succeeded")]
    [InlineData("Failed")]
    public async Task DueTaskThatNobodyStartedGetsANewJob(string fate)
    {
        var task = await _jobs.CreateAsync();
        IState state = fate switch
        {
            "Enqueued" => new EnqueuedState(TaskJobs.Queue),
            "Scheduled" => new ScheduledState(TimeSpan.FromHours(1)),
            "Processing" => new HeldState("lost", _jobs.Now, task.DueAt),
            "Succeeded" => new SucceededState(null, 0, 0),
            _ => new FailedState(new IOException("Full")),
        };
        _jobs.ChangeJob(task.JobId!, state);
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        await AssertRescuedAsync(task);
    }

    [Fact]
    public async Task DueTaskWithoutAJobGetsOne()
    {
        var task = Assert.Single(await _jobs.AddAsync([_jobs.Now], withJobs: false));
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        Assert.Equal("Enqueued", _jobs.JobState((await _jobs.FindAsync(task.Id)).JobId));
    }

    [Fact]
    public async Task DueTaskHasAMomentToComeThroughTheQueue()
    {
        var task = await _jobs.CreateAsync();
        _jobs.Clock.Advance(Grace - TimeSpan.FromMilliseconds(1));

        await RescueAsync();

        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
    }

    [Fact]
    public async Task TaskThatThisInstanceHoldsKeepsItsJob()
    {
        var task = await _jobs.CreateAsync();
        _jobs.Get<HoldQueue>().Add(task.Delivered());
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
    }

    [Fact]
    public async Task TaskWhoseJobWasDeletedOnTheDashboardIsNotBroughtBack()
    {
        var task = await _jobs.CreateAsync();
        _jobs.ChangeJob(task.JobId!, new DeletedState());
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
    }

    [Theory]
    [InlineData(ScheduledTaskState.Completed)]
    [InlineData(ScheduledTaskState.Failed)]
    [InlineData(ScheduledTaskState.Deleted)]
    public async Task EndedTaskKeepsItsJob(ScheduledTaskState state)
    {
        var task = await _jobs.CreateInAsync(state);
        _jobs.Clock.Advance(TimeSpan.FromHours(1));

        await RescueAsync();

        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
    }

    [Fact]
    public async Task NeverMoreTasksAreRescuedThanThereAreFreeSlots()
    {
        await _jobs.AddAsync(Enumerable.Range(0, 3_000).Select(i => _jobs.Now.AddSeconds(-i)), withJobs: false);
        _jobs.Clock.Advance(Grace);

        await RescueAsync();
        await RescueAsync();

        Assert.Equal(10, _jobs.Get<JobStorage>().GetMonitoringApi().EnqueuedCount(TaskJobs.Queue));
    }

    [Fact]
    public async Task TasksThatAreAboutToTakeASlotCountAsTakingIt()
    {
        for (var i = 0; i < 7; i++)
            _jobs.Get<HoldQueue>().Add((await _jobs.CreateAsync()).Delivered());
        _jobs.Get<RunningTasks>().TakeSlots(1);
        var lost = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now.AddHours(-1), 5), withJobs: false);
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        var rows = await _jobs.RowsAsync();
        Assert.Equal(2, rows.Count(row => row.JobId is not null && lost.Any(task => task.Id == row.Id)));
    }

    [Fact]
    public async Task AbandonedTasksAreRescuedBeforeOverdueOnesAndTheseByDueTime()
    {
        var times = Enumerable.Range(0, 20).Select(i => _jobs.Now.AddHours(-i));
        var overdue = await _jobs.AddAsync(times, withJobs: false);
        var abandoned = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        _jobs.Clock.Advance(Lease);

        await RescueAsync();

        await AssertRescuedAsync(abandoned);
        var rescued = (await _jobs.RowsAsync()).Where(row => row.JobId is not null && row.Id != abandoned.Id);
        Assert.Equal(overdue.TakeLast(9).Select(task => task.Id), rescued.Select(row => row.Id));
    }

    [Fact]
    public async Task SpareJobEndsDeletedAndItsTaskIsUntouched()
    {
        var task = await _jobs.CreateAsync();
        _jobs.Clock.Advance(Grace);
        await RescueAsync();
        var rescued = await _jobs.ColumnsAsync(task.Id);

        await _jobs.Get<DeletedJobMirror>().RunOnceAsync(Cancel);
        await _jobs.Get<JobIntake>().TakeAsync([task.JobId!], fromQueue: true, Cancel);
        await _jobs.ReportAsync();

        Assert.Equal("Deleted", _jobs.JobState(task.JobId));
        Assert.Equal(rescued, await _jobs.ColumnsAsync(task.Id));
    }

    [Fact]
    public async Task TwoRescuersAtOnceLeaveEveryTaskWithOneJobInTheQueue()
    {
        await using var first = await JobsAtRest.OpenAsync<TStore>();
        await using var second = first.Another();
        await first.AddAsync(Enumerable.Repeat(first.Now, 300), withJobs: false);
        first.Clock.Advance(Grace);

        await Task.WhenAll(
            Task.Run(() => first.Get<TaskRescuer>().RunOnceAsync(Cancel), Cancel),
            Task.Run(() => second.Get<TaskRescuer>().RunOnceAsync(Cancel), Cancel));

        var queued = first.Get<JobStorage>().GetMonitoringApi().EnqueuedJobs(TaskJobs.Queue, 0, 1_000);
        Assert.Equal((await first.RowsAsync()).Select(row => row.JobId).Order(), queued.Select(job => job.Key).Order());
    }

    [Fact]
    public async Task TaskThatWasClaimedMeanwhileKeepsItsJob()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.ClaimAsync(task);
        var names = JsonSerializer.Serialize(
            new[] { new { id = task.Id, attempt = task.Attempt, from = task.JobId, to = "another" } });

        await using var db = await _jobs.OpenTableAsync();
        var named = await db.Database.SqlQueryRaw<Guid>(_jobs.Get<StoreSql>().NameJobs, names).ToListAsync(Cancel);

        Assert.Empty(named);
        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
    }

    private Task<TimeSpan> RescueAsync() => _jobs.Get<TaskRescuer>().RunOnceAsync(Cancel);

    /// <summary>Another job is in the queue, the old one has ended, and the task itself did not change.</summary>
    private async Task AssertRescuedAsync(ScheduledTask task)
    {
        var row = await _jobs.FindAsync(task.Id);
        Assert.NotEqual(task.JobId, row.JobId);
        Assert.Equal(("Enqueued", "Deleted"), (_jobs.JobState(row.JobId), _jobs.JobState(task.JobId)));
        Assert.Equal((task.State, task.Attempt, task.DueAt), (row.State, row.Attempt, row.DueAt));
    }
}
