using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>The whole application under a clock that stands still: back-offs and what follows them.</summary>
public abstract class TriesTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly FakeTimeProvider _clock = new(JobsAtRest.Start);
    private readonly WorkByHand _work;
    private TestApplication _app = null!;

    protected TriesTests() => _work = new WorkByHand(_clock);

    public async ValueTask InitializeAsync() =>
        _app = await TestApplication.StartAsync<TStore>(
            services => services.AddSingleton<TimeProvider>(_clock).AddSingleton(_work.Work));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task FailingTaskIsTriedAgainAfterItsBackOffAndThenFails()
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, _clock.GetUtcNow());
        await FailAsync(task, attempt: 1);
        task = await RetriedAsync(task.Id, tries: 1);
        Assert.Equal("InvalidOperationException: Full 1", task.Error);

        _clock.SetUtcNow(task.DueAt);
        await FailAsync(task, attempt: 2);
        task = await RetriedAsync(task.Id, tries: 2);
        _clock.SetUtcNow(task.DueAt);
        await FailAsync(task, attempt: 3);

        var failed = await _app.WaitForAsync(task.Id, ScheduledTaskState.Failed);
        Assert.Equal((3, 3, "InvalidOperationException: Full 3"), (failed.Attempt, failed.Tries, failed.Error));
        Assert.Equal([2, 4], _work.Started.Zip(_work.Started.Skip(1), (a, b) => (b.At - a.At).TotalSeconds));
        Assert.Empty(_app.Output.Lines);
    }

    [Fact]
    public async Task RequeuedTaskRunsAgainWithAllItsTries()
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, _clock.GetUtcNow());
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await FailAsync(task, attempt);
            if (attempt < 3)
                _clock.SetUtcNow((await RetriedAsync(task.Id, attempt)).DueAt);
        }

        await _app.WaitForAsync(task.Id, ScheduledTaskState.Failed);
        var requeued = (await _app.Get<TaskClient>().RequeueAsync(task.Id, TestContext.Current.CancellationToken)).Task;
        Assert.Equal((ScheduledTaskState.Pending, 0, null), (requeued?.State, requeued?.Tries, requeued?.Error));
        await AdvanceUntilAsync(() => _work.CountStarts(task.Id) == 4);
        _work.Finish(task.Id);

        var completed = await _app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        Assert.Equal(4, completed.Attempt);
    }

    [Fact]
    public async Task RescuedTaskGetsItsSlotBeforeWhatIsOverdue()
    {
        await using var store = new TStore();
        Guid abandoned;
        var overdue = new List<Guid>();
        await using (var killed = await StartAsync(store))
        {
            abandoned = (await killed.CreateAsync(TaskKind.Fizz, _clock.GetUtcNow())).Id;
            // A row that its successor shows at the moment of the claim is passed over once, so everything is shown before.
            await Eventually.TrueAsync(
                async () => await killed.FindAsync(abandoned) is { State: ScheduledTaskState.Running, IsShown: true },
                "the running task is shown");
            for (var i = 1; i <= 3; i++)
                overdue.Add((await killed.CreateShownAsync(TaskKind.Fizz, _clock.GetUtcNow().AddHours(-i))).Id);
        }

        _clock.Advance(TimeSpan.FromMinutes(1));
        var work = new WorkByHand(_clock);
        await using var successor = await StartAsync(store, work);
        foreach (var id in new[] { abandoned }.Concat(overdue.AsEnumerable().Reverse()))
        {
            await AdvanceUntilAsync(() => work.CountStarts(id) == 1);
            work.Finish(id);
            await successor.WaitForAsync(id, ScheduledTaskState.Completed);
        }

        Assert.Equal([abandoned, .. overdue.AsEnumerable().Reverse()], work.Started.Select(start => start.Id));
        Assert.Equal(2, (await successor.FindAsync(abandoned)).Attempt);
    }

    private Task<TestApplication> StartAsync(TStore store, WorkByHand? work = null) =>
        TestApplication.StartAsync(
            services => services.AddSingleton<TimeProvider>(_clock).AddSingleton((work ?? _work).Work),
            store,
            "--Worker:Count=1");

    private async Task FailAsync(ScheduledTask task, int attempt)
    {
        await AdvanceUntilAsync(() => _work.CountStarts(task.Id) == attempt, TimeSpan.Zero);
        _work.Fail(task.Id, $"Full {attempt}");
    }

    private Task<ScheduledTask> RetriedAsync(Guid id, int tries) =>
        Eventually.GetAsync(
            async () => await _app.FindAsync(id) is { State: ScheduledTaskState.Pending } row && row.Tries == tries
                ? row
                : null,
            $"try {tries} is recorded");

    /// <summary>The chores rest by the same clock, so it has to go on for them to come round.</summary>
    private Task AdvanceUntilAsync(Func<bool> look, TimeSpan? step = null) =>
        Eventually.TrueAsync(
            () =>
            {
                _clock.Advance(step ?? TimeSpan.FromMilliseconds(100));
                return look();
            },
            "what was expected");
}
