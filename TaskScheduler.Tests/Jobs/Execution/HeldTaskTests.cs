using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>The whole application under a clock that stands still: what waits for its time.</summary>
public abstract class HeldTaskTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly FakeTimeProvider _clock = new(JobsAtRest.Start);
    private readonly WorkByHand _work;
    private TestApplication _app = null!;

    protected HeldTaskTests() => _work = new WorkByHand(_clock);

    private DateTimeOffset Now => _clock.GetUtcNow();

    public async ValueTask InitializeAsync() => _app = await StartAsync("--Worker:Count=2");

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task HeldTaskStartsAtItsTimeAndNotOneMillisecondEarlier()
    {
        var held = await HoldAsync(Now.AddMinutes(2));
        var witness = await HoldAsync(held.DueAt.AddMilliseconds(-1));

        _clock.SetUtcNow(witness.DueAt);
        await StartedAsync(witness);
        Assert.Equal(ScheduledTaskState.Pending, (await _app.FindAsync(held.Id)).State);
        _clock.SetUtcNow(held.DueAt);
        await StartedAsync(held);

        Assert.Equal([(witness.Id, witness.DueAt), (held.Id, held.DueAt)], _work.Started);
        Assert.Equal(held.DueAt, (await _app.FindAsync(held.Id)).StartedAt);
    }

    [Fact]
    public async Task ClaimThatIsRefusedBecauseTheTaskIsDueLaterIsMadeAgainThen()
    {
        var held = await HoldAsync(Now.AddMinutes(2));
        var later = held.DueAt.AddSeconds(1);
        await using var db = await _app.OpenTableAsync();
        await db.Tasks.Where(t => t.Id == held.Id).ExecuteUpdateAsync(
            set => set.SetProperty(t => t.DueAt, later), TestContext.Current.CancellationToken);

        _clock.SetUtcNow(held.DueAt);
        await Eventually.TrueAsync(
            () => _app.Get<HoldQueue>().NextReady == later, "the refused claim makes the worker look at the row again");
        _clock.SetUtcNow(later);
        await StartedAsync(held);

        // By its own job: it was not left to the rescuer, who would have named another two seconds later.
        var task = await _app.FindAsync(held.Id);
        Assert.Equal((held.JobId, (DateTimeOffset?)later), (task.JobId, task.StartedAt));
    }

    [Fact]
    public async Task DueTasksStartInOrderOfDueTimeWhateverTheOrderOfTheirCreation()
    {
        var due = new List<ScheduledTask>();
        foreach (var seconds in new[] { 50, 20, 40, 10, 30 })
            due.Add(await HoldAsync(JobsAtRest.Start.AddSeconds(seconds)));
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
    public async Task JobOfATaskThatWasLeftBehindShowsThatItRuns()
    {
        var task = ScheduledTask.Create(TaskKind.Fizz, Now, Now, jobId: null, Guid.NewGuid());
        await using var db = await _app.OpenTableAsync();
        db.Tasks.Add(task);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
                return _work.CountStarts(task.Id) == 1;
            },
            "the task starts");

        var job = (await _app.FindAsync(task.Id)).JobId!;
        await Eventually.TrueAsync(() => _app.Get<JobStorage>().StateOf(job) == "Processing", "its job shows that it runs");
    }

    [Fact]
    public async Task HoldingTakesNoSlot()
    {
        await using var app = await StartAsync("--Worker:Count=2");
        for (var i = 0; i < 1_200; i++)
            await app.CreateAsync(TaskKind.Fizz, JobsAtRest.Start.AddMinutes(8));
        await Eventually.TrueAsync(() => app.Get<HoldQueue>().Count >= 2, "as many are held as there are slots");

        var now = await app.CreateAsync(TaskKind.Buzz, Now);

        await StartedAsync(now);
        Assert.Equal(now.Id, Assert.Single(_work.Started).Id);
    }

    [Fact]
    public async Task DeletedHeldTaskNeverStarts()
    {
        var deleted = await HoldAsync(Now.AddMinutes(1));
        var witness = await HoldAsync(Now.AddMinutes(1));
        await _app.Get<TaskClient>().DeleteAsync(deleted.Id, TestContext.Current.CancellationToken);

        _clock.Advance(TimeSpan.FromMinutes(1));
        await StartedAsync(witness);
        await Eventually.TrueAsync(() => !_app.Get<HoldQueue>().Contains(deleted.Id, deleted.DueAt), "the deleted task is let go");

        Assert.Equal(witness.Id, Assert.Single(_work.Started).Id);
        Assert.Equal(ScheduledTaskState.Deleted, (await _app.FindAsync(deleted.Id)).State);
    }

    [Fact]
    public async Task DeletedRunningTaskIsStoppedFreesItsSlotAndPrintsNothing()
    {
        var deleted = await _app.CreateAsync(TaskKind.Fizz, Now);
        var other = await _app.CreateAsync(TaskKind.Fizz, Now);
        await StartedAsync(deleted);
        await StartedAsync(other);
        var next = await HoldAsync(Now);

        await _app.Get<TaskClient>().DeleteAsync(deleted.Id, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
                return _work.CountStarts(next.Id) == 1;
            },
            "the slot is free again");

        Assert.Equal([deleted.Id], _work.Stopped);
        _work.Finish(next.Id);
        await _app.WaitForAsync(next.Id, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(() => _app.Output.Lines.Count > 0, "the next task is printed");
        Assert.Equal([$"Fizz {next.Id}"], _app.Output.Lines);
    }

    private Task<TestApplication> StartAsync(string workers) =>
        TestApplication.StartAsync<TStore>(
            services => services.AddSingleton<TimeProvider>(_clock).AddSingleton(_work.Work),
            "--Execution:LookAhead=01:00:00",
            workers);

    private async Task<ScheduledTask> HoldAsync(DateTimeOffset executeAt)
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, executeAt);
        await Eventually.TrueAsync(() => _app.Get<HoldQueue>().Contains(task.Id, task.DueAt), "the task is held");
        return task;
    }

    private Task StartedAsync(ScheduledTask task) =>
        Eventually.TrueAsync(() => _work.CountStarts(task.Id) == 1, $"task {task.Id} starts");
}
