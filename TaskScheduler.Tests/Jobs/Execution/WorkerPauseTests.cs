using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.Jobs.Tasks.TaskKind;

namespace TaskScheduler.Tests.Jobs.Execution;

public abstract class WorkerPauseTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private JobsAtRest _jobs = null!;
    private JobsAtRest _other = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _jobs = await JobsAtRest.OpenAsync<TStore>();
        _other = _jobs.Another();
    }

    public async ValueTask DisposeAsync()
    {
        await _other.DisposeAsync();
        await _jobs.DisposeAsync();
    }

    [Fact]
    public async Task NothingIsPausedAtFirst() => Assert.Empty(await _jobs.Get<WorkerPause>().GetAsync(Cancel));

    /// <summary>It holds from the moment at which it is committed, for the claims of those that have not heard of it, too.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PausedKindIsNotClaimedAndTheOthersAre(bool looked)
    {
        await PauseAsync(Buzz, FizzBuzz);
        await _jobs.CreateAsync(kind: Buzz);
        await _jobs.CreateAsync(kind: FizzBuzz);
        var fizz = await _jobs.CreateAsync(kind: Fizz);
        if (looked)
            await LookAsync();

        Assert.Equal([fizz.Id], (await _jobs.ClaimAsync()).Select(task => task.Id));
        Assert.Empty(await _jobs.ClaimAsync());
    }

    [Fact]
    public async Task PauseOutlivesEveryInstance()
    {
        await PauseAsync(Buzz);
        await _jobs.CreateAsync(kind: Buzz);

        await using var restarted = _jobs.Another();

        Assert.Empty(await restarted.ClaimAsync());
        Assert.Equal([Buzz], await restarted.Get<WorkerPause>().GetAsync(Cancel));
    }

    /// <summary>The last one counts as a whole: what it does not name is resumed.</summary>
    [Fact]
    public async Task PauseTakesThePlaceOfTheOneBefore()
    {
        await PauseAsync(Fizz, Buzz);
        await PauseAsync(FizzBuzz, Buzz);

        Assert.Equal([Buzz, FizzBuzz], await _jobs.Get<WorkerPause>().GetAsync(Cancel));
    }

    [Fact]
    public async Task SeveralPausesAtOnceEndAsOneOfThem()
    {
        TaskKind[][] wanted = [[Fizz], [Buzz, FizzBuzz], [], [Fizz, Buzz, FizzBuzz], [FizzBuzz]];

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => PauseAsync(wanted[i % wanted.Length])));

        var paused = await _jobs.Get<WorkerPause>().GetAsync(Cancel);
        Assert.All(paused, kind => Assert.Contains(wanted, some => some.Contains(kind)));
        await PauseAsync();
        Assert.Empty(await _jobs.Get<WorkerPause>().GetAsync(Cancel));
    }

    /// <summary>As two people do on the dashboard.</summary>
    [Fact]
    public async Task PausesOfOtherKindsAtOnceAllHold()
    {
        var pause = _jobs.Get<WorkerPause>();
        for (var round = 0; round < 10; round++)
        {
            await Task.WhenAll(pause.PauseAsync([Fizz], Cancel), _other.Get<WorkerPause>().PauseAsync([Buzz], Cancel), pause.PauseAsync([Fizz], Cancel));
            Assert.Equal([Fizz, Buzz], await pause.GetAsync(Cancel));
            await Task.WhenAll(pause.ResumeAsync([Fizz], Cancel), _other.Get<WorkerPause>().PauseAsync([FizzBuzz], Cancel));
            Assert.Equal([Buzz, FizzBuzz], await pause.GetAsync(Cancel));
            await pause.ResumeAsync([Buzz, FizzBuzz], Cancel);
        }
    }

    [Fact]
    public async Task WhatIsResumedIsClaimedInDueOrder()
    {
        await PauseAsync(Fizz, Buzz, FizzBuzz);
        var tasks = await CreateInTurnAsync(30);
        await LookAsync();
        Assert.Empty(await _jobs.ClaimAsync());
        await PauseAsync();
        await LookAsync();

        var first = await _jobs.Get<TaskClaimer>().ClaimAsync(10, Cancel);
        var rest = await _jobs.Get<TaskClaimer>().ClaimAsync(100, Cancel);

        Assert.Equal(tasks.Select(task => task.Id), first.Concat(rest).Select(task => task.Id));
    }

    /// <summary>Across the kinds that are not paused, and no more than asked for.</summary>
    [Fact]
    public async Task WhatIsNotPausedIsClaimedInDueOrder()
    {
        await PauseAsync(Buzz);
        var tasks = (await CreateInTurnAsync(30)).Where(task => task.Kind != Buzz).ToList();
        await LookAsync();

        var first = await _jobs.Get<TaskClaimer>().ClaimAsync(7, Cancel);
        var rest = await _jobs.Get<TaskClaimer>().ClaimAsync(100, Cancel);

        Assert.Equal(tasks.Take(7).Select(task => task.Id), first.Select(task => task.Id));
        Assert.Equal(tasks.Skip(7).Select(task => task.Id), rest.Select(task => task.Id));
    }

    [Fact]
    public async Task NothingStartsEarlyWhileSomethingIsPaused()
    {
        await PauseAsync(Buzz);
        await LookAsync();
        await _jobs.CreateAsync(_jobs.Now.AddMilliseconds(1));
        var failing = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        await _jobs.FailAsync(failing, "Full");
        var retried = await _jobs.FindAsync(failing.Id);

        Assert.Empty(await _jobs.ClaimAsync());
        _jobs.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Single(await _jobs.ClaimAsync());
        _jobs.Clock.SetUtcNow(retried.DueAt.AddMilliseconds(-1));
        Assert.Empty(await _jobs.ClaimAsync());
        _jobs.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(retried.Id, Assert.Single(await _jobs.ClaimAsync()).Id);
    }

    [Fact]
    public async Task WhatRunsGoesOnAndIsTakenOver()
    {
        var running = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        var abandoned = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        await PauseAsync(Fizz);

        await _jobs.CompleteAsync(running);
        await _jobs.Get<InstanceHeartbeat>().LeaveAsync();

        Assert.Equal(ScheduledTaskState.Completed, (await _jobs.FindAsync(running.Id)).State);
        Assert.Equal(abandoned.Id, Assert.Single(await _other.TakeOverAsync()).Id);
    }

    [Fact]
    public async Task WhatIsGivenBackWaitsUntilItIsResumed()
    {
        var running = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        await PauseAsync(Fizz);
        await _jobs.GiveBackAsync(running);

        Assert.Empty(await _jobs.ClaimAsync());
        await PauseAsync();
        Assert.Equal(running.Id, Assert.Single(await _jobs.ClaimAsync()).Id);
    }

    /// <summary>Else the worker of every instance would ask for what is overdue again and again.</summary>
    [Fact]
    public async Task AlarmDoesNotRingForWhatIsPaused()
    {
        await _jobs.CreateAsync(kind: Buzz);
        await PauseAsync(Buzz);
        await LookAsync();
        Assert.False(_jobs.Get<TaskAlarm>().IsRinging);

        await _jobs.CreateAsync(kind: Buzz);
        Assert.False(_jobs.Get<TaskAlarm>().IsRinging);
        await _jobs.CreateAsync(_jobs.Now.AddSeconds(1), Buzz);
        await _jobs.CreateAsync(_jobs.Now.AddSeconds(2), Fizz);
        await LookAsync();
        _jobs.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_jobs.Get<TaskAlarm>().IsRinging);
        _jobs.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_jobs.Get<TaskAlarm>().IsRinging);
    }

    /// <summary>More of them than a look tells are due before the one that runs.</summary>
    [Fact]
    public async Task AlarmRingsForWhatFollowsManyPausedTasks()
    {
        await PauseAsync(Buzz);
        for (var i = 0; i < 2 * TableLook.MaxNext; i++)
            await _jobs.CreateAsync(_jobs.Now.AddMilliseconds(1 + i), Buzz);
        var fizz = await _jobs.CreateAsync(_jobs.Now.AddSeconds(1), Fizz);
        await LookAsync();

        for (var looks = 0; _jobs.Now < fizz.DueAt; _jobs.Clock.Advance(TimeSpan.FromMilliseconds(1)))
        {
            if (!_jobs.Get<TaskAlarm>().IsRinging)
                continue;
            Assert.True(++looks < 10, "It rings for every one of them.");
            await LookAsync();
        }

        Assert.True(_jobs.Get<TaskAlarm>().IsRinging);
    }

    /// <summary>The instance over which it is resumed starts at once, the others when they look.</summary>
    [Fact]
    public async Task AlarmRingsWhereItIsResumed()
    {
        await _jobs.CreateAsync(kind: Buzz);
        await PauseAsync(Buzz);
        await LookAsync();

        await _jobs.Get<WorkerPause>().SetAsync([], Cancel);

        Assert.True(_jobs.Get<TaskAlarm>().IsRinging);
    }

    /// <summary>Over another instance.</summary>
    private Task PauseAsync(params TaskKind[] kinds) => _other.Get<WorkerPause>().SetAsync(kinds, Cancel);

    private Task LookAsync() => _jobs.Get<TableWatch>().LookAsync(Cancel);

    /// <summary>One of each kind after the other, due one after the other in the past.</summary>
    private async Task<IReadOnlyList<ScheduledTask>> CreateInTurnAsync(int count)
    {
        var tasks = new List<ScheduledTask>();
        for (var i = 0; i < count; i++)
            tasks.Add(await _jobs.CreateAsync(_jobs.Now.AddSeconds(i - count), (TaskKind)(i % 3)));
        return tasks;
    }
}
