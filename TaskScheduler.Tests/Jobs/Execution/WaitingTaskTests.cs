using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>The whole application under a clock that stands still: what waits for its time or for a slot.</summary>
public abstract class WaitingTaskTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly FakeTimeProvider _clock = new(JobsAtRest.Start);
    private readonly WorkByHand _work;
    private TestApplication _app = null!;

    protected WaitingTaskTests() => _work = new WorkByHand(_clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private DateTimeOffset Now => _clock.GetUtcNow();

    public async ValueTask InitializeAsync() => _app = await TestApplication.StartAsync<TStore>(
        services => services.AddSingleton<TimeProvider>(_clock).AddSingleton(_work.Work), "--Worker:Count=2");

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task TaskStartsAtItsTimeAndNotOneMillisecondEarlier()
    {
        var task = await CreateAsync(Now.AddMinutes(2));
        var witness = await CreateAsync(task.DueAt.AddMilliseconds(-1));

        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness);
        Assert.Equal(ScheduledTaskState.Pending, (await _app.FindAsync(task.Id)).State);
        _clock.SetUtcNow(task.DueAt);
        await StartedAsync(task);

        Assert.Equal([(witness.Id, witness.DueAt), (task.Id, task.DueAt)], _work.Started);
        Assert.Equal(task.DueAt, (await _app.FindAsync(task.Id)).StartedAt);
    }

    [Fact]
    public async Task TaskThatAnotherInstanceWasGivenIsFound()
    {
        var task = ScheduledTask.Create(TaskKind.Fizz, Now, Now, Guid.NewGuid());
        await using var db = await _app.OpenTableAsync();
        db.Tasks.Add(task);
        await db.SaveChangesAsync(Cancel);

        await StartedAsync(task);
    }

    [Fact]
    public async Task DueTasksStartInOrderOfDueTimeWhateverTheOrderOfTheirCreation()
    {
        var due = new List<ScheduledTask>();
        // A row that is shown at the moment of the claim is passed over once.
        foreach (var seconds in new[] { 50, 20, 40, 10, 30 })
            due.Add(await _app.CreateShownAsync(TaskKind.Fizz, JobsAtRest.Start.AddSeconds(seconds)));
        due = [.. due.OrderBy(task => task.DueAt)];

        _clock.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < due.Count; i++)
        {
            await StartedAsync(due[i]);
            Assert.True(_app.Get<RunningTasks>().Count <= 2);
            _work.Finish(due[i].Id);
            await _app.WaitForAsync(due[i].Id, ScheduledTaskState.Completed);
        }

        var started = _work.Started.Select(start => start.Id).ToList();
        Assert.Equal(due.Take(2).Select(task => task.Id).Order(), started.Take(2).Order());
        Assert.Equal(due.Skip(2).Select(task => task.Id), started.Skip(2));
    }

    [Fact]
    public async Task WaitingTakesNoSlot()
    {
        var tasks = Enumerable.Range(0, 1_000).Select(_ => new NewTask(TaskKind.Fizz, JobsAtRest.Start.AddMinutes(8)));
        await _app.Get<TaskCreator>().CreateAsync([.. tasks], key: null, Cancel);

        var now = await CreateAsync(Now);

        await StartedAsync(now);
        Assert.Equal(now.Id, Assert.Single(_work.Started).Id);
    }

    [Fact]
    public async Task DeletedTaskNeverStarts()
    {
        var deleted = await CreateAsync(Now.AddMinutes(1));
        var witness = await CreateAsync(Now.AddMinutes(1));
        await _app.Get<TaskClient>().DeleteAsync(deleted.Id, Cancel);

        _clock.Advance(TimeSpan.FromMinutes(1));
        await StartedAsync(witness);

        Assert.Equal(witness.Id, Assert.Single(_work.Started).Id);
        Assert.Equal(ScheduledTaskState.Deleted, (await _app.FindAsync(deleted.Id)).State);
    }

    [Fact]
    public async Task DeletedRunningTaskIsStoppedFreesItsSlotAndPrintsNothing()
    {
        var deleted = await CreateAsync(Now);
        var other = await CreateAsync(Now);
        await StartedAsync(deleted);
        await StartedAsync(other);
        var next = await CreateAsync(Now);

        await _app.Get<TaskClient>().DeleteAsync(deleted.Id, Cancel);
        await StartedAsync(next);

        Assert.Equal([deleted.Id], _work.Stopped);
        _work.Finish(next.Id);
        await _app.WaitForAsync(next.Id, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(() => _app.Output.Lines.Count > 0, "the next task is printed");
        Assert.Equal([$"Fizz {next.Id}"], _app.Output.Lines);
    }

    [Fact]
    public async Task TaskThatIsMovedForwardStartsAtItsNewTimeAndNotBefore()
    {
        var task = await CreateAsync(Now.AddMinutes(5));
        var witness = await CreateAsync(Now.AddMinutes(2).AddMilliseconds(-1));

        await RescheduleAsync(task, Now.AddMinutes(2));
        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness);
        Assert.Equal(0, _work.CountStarts(task.Id));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await StartedAsync(task);

        Assert.Equal(Now, (await _app.FindAsync(task.Id)).StartedAt);
    }

    [Fact]
    public async Task TaskThatIsMovedAwayDoesNotStartAtItsOldTime()
    {
        var task = await CreateAsync(Now.AddMinutes(2));
        var witness = await CreateAsync(task.DueAt.AddSeconds(1));

        await RescheduleAsync(task, Now.AddMinutes(6));
        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness);
        Assert.Equal(0, _work.CountStarts(task.Id));
        _clock.SetUtcNow(JobsAtRest.Start.AddMinutes(6));
        await StartedAsync(task);
    }

    [Fact]
    public async Task TaskThatIsMovedAgainAndAgainRunsOnce()
    {
        var task = await CreateAsync(Now.AddMinutes(5));
        foreach (var seconds in new[] { 200, 100, 260, 90, 120 })
            await RescheduleAsync(task, JobsAtRest.Start.AddSeconds(seconds));

        _clock.SetUtcNow(JobsAtRest.Start.AddSeconds(120));
        await StartedAsync(task);
        _work.Finish(task.Id);
        await _app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        var witness = await CreateAsync(JobsAtRest.Start.AddMinutes(6));
        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness);

        Assert.Equal(1, _work.CountStarts(task.Id));
        await Eventually.TrueAsync(() => _app.Output.Lines.Count > 0, "it is printed");
        Assert.Equal([$"Fizz {task.Id}"], _app.Output.Lines);
    }

    /// <summary>Over another instance: this one finds it by its own looks.</summary>
    [Fact]
    public async Task TaskThatIsMovedForwardElsewhereStartsAtItsNewTime()
    {
        var task = await CreateAsync(Now.AddMinutes(5));
        await using var db = await _app.OpenTableAsync();
        await db.Tasks.Where(t => t.Id == task.Id).ExecuteUpdateAsync(
            set => set.SetProperty(t => t.DueAt, Now).SetProperty(t => t.ExecuteAt, Now), Cancel);

        await StartedAsync(task);
    }

    private Task<ScheduledTask> CreateAsync(DateTimeOffset executeAt) => _app.CreateAsync(TaskKind.Fizz, executeAt);

    private async Task RescheduleAsync(ScheduledTask task, DateTimeOffset executeAt) =>
        Assert.True((await _app.Get<TaskClient>().RescheduleAsync(task.Id, new(executeAt), Cancel)).Applied);

    private Task StartedAsync(ScheduledTask task) =>
        Eventually.TrueAsync(() => _work.CountStarts(task.Id) == 1, $"task {task.Id} starts");
}
