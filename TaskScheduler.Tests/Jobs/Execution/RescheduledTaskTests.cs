using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>The whole application under a clock that stands still: tasks that get another time while they wait.</summary>
public abstract class RescheduledTaskTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly FakeTimeProvider _clock = new(JobsAtRest.Start);
    private readonly WorkByHand _work;
    private TestApplication _app = null!;

    protected RescheduledTaskTests() => _work = new WorkByHand(_clock);

    private DateTimeOffset Now => _clock.GetUtcNow();

    public async ValueTask InitializeAsync() => _app = await TestApplication.StartAsync<TStore>(
        services => services.AddSingleton<TimeProvider>(_clock).AddSingleton(_work.Work), "--Execution:LookAhead=00:10:00");

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task HeldTaskThatIsMovedForwardStartsAtItsNewTimeAndNotBefore()
    {
        var task = await HoldAsync(Now.AddMinutes(5));
        var witness = await HoldAsync(Now.AddMinutes(2).AddMilliseconds(-1));

        await RescheduleAsync(task, Now.AddMinutes(2));
        await HeldAsync(task.Id, Now.AddMinutes(2));
        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness.Id);
        Assert.Equal(0, _work.CountStarts(task.Id));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await StartedAsync(task.Id);

        Assert.Equal(Now, (await _app.FindAsync(task.Id)).StartedAt);
    }

    [Fact]
    public async Task HeldTaskThatIsMovedAwayDoesNotStartAtItsOldTime()
    {
        var task = await HoldAsync(Now.AddMinutes(2));
        var witness = await HoldAsync(task.DueAt.AddSeconds(1));

        await RescheduleAsync(task, Now.AddMinutes(6));
        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness.Id);
        Assert.Equal(0, _work.CountStarts(task.Id));
        await HeldAsync(task.Id, JobsAtRest.Start.AddMinutes(6));
        _clock.SetUtcNow(JobsAtRest.Start.AddMinutes(6));
        await StartedAsync(task.Id);
    }

    [Fact]
    public async Task HeldTaskThatIsMovedFarAwayGoesBackToTheSchedule()
    {
        var task = await HoldAsync(Now.AddMinutes(2));

        await RescheduleAsync(task, Now.AddDays(1));

        Assert.Equal("Scheduled", _app.Get<JobStorage>().StateOf(task.JobId!));
        var scheduled = Assert.Single(_app.Get<JobStorage>().GetMonitoringApi().ScheduledJobs(0, 10));
        Assert.Equal(task.JobId, scheduled.Key);
        Assert.Equal(Now.AddDays(1).AddMinutes(-10).UtcDateTime, scheduled.Value.EnqueueAt, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task ScheduledTaskThatIsMovedWithinTheLookAheadIsHeld()
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, Now.AddDays(1));
        Assert.Equal("Scheduled", _app.Get<JobStorage>().StateOf(task.JobId!));

        await RescheduleAsync(task, Now.AddMinutes(1));

        await HeldAsync(task.Id, Now.AddMinutes(1));
        Assert.Empty(_app.Get<JobStorage>().GetMonitoringApi().ScheduledJobs(0, 10));
    }

    [Fact]
    public async Task TaskThatIsMovedAgainAndAgainRunsOnce()
    {
        var task = await HoldAsync(Now.AddMinutes(5));
        foreach (var seconds in new[] { 200, 100, 260, 90, 120 })
            await RescheduleAsync(task, JobsAtRest.Start.AddSeconds(seconds));

        _clock.SetUtcNow(JobsAtRest.Start.AddSeconds(120));
        await StartedAsync(task.Id);
        _work.Finish(task.Id);
        await _app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        var witness = await HoldAsync(JobsAtRest.Start.AddMinutes(6));
        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness.Id);

        Assert.Equal(1, _work.CountStarts(task.Id));
        Assert.Equal([$"Fizz {task.Id}"], _app.Output.Lines);
        await Eventually.TrueAsync(
            () => _app.Get<JobStorage>().StateOf(task.JobId!) == "Succeeded", "its job ends like the task");
    }

    /// <summary>What the job store lost or refused: the row is enough.</summary>
    [Fact]
    public async Task HeldTaskWhoseNewTimeHangfireDidNotHearOfStartsAllTheSame()
    {
        var task = await HoldAsync(Now.AddMinutes(5));
        await using var db = await _app.OpenTableAsync();
        var row = db.Tasks.Single(t => t.Id == task.Id);
        db.Entry(row).Property(t => t.DueAt).CurrentValue = Now.AddSeconds(1);
        db.Entry(row).Property(t => t.ExecuteAt).CurrentValue = Now.AddSeconds(1);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(20));
                return _work.CountStarts(task.Id) == 1;
            },
            "the rescuer finds it");

        Assert.True(Now < task.DueAt);
    }

    private async Task RescheduleAsync(ScheduledTask task, DateTimeOffset executeAt) =>
        Assert.True((await _app.Get<TaskClient>().RescheduleAsync(
            task.Id, executeAt, TestContext.Current.CancellationToken)).Applied);

    private async Task<ScheduledTask> HoldAsync(DateTimeOffset executeAt)
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, executeAt);
        await HeldAsync(task.Id, executeAt);
        return task;
    }

    private Task HeldAsync(Guid id, DateTimeOffset dueAt) =>
        Eventually.TrueAsync(() => _app.Get<HoldQueue>().Contains(id, dueAt), $"task {id} is held for {dueAt:O}");

    private Task StartedAsync(Guid id) => Eventually.TrueAsync(() => _work.CountStarts(id) == 1, $"task {id} starts");
}
