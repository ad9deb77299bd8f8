using Microsoft.Extensions.Options;
using Npgsql;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

public abstract class TaskClaimerTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TimeSpan Lease => _jobs.Get<IOptions<ExecutionOptions>>().Value.Lease;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task TaskIsNotClaimedOneMillisecondEarly()
    {
        var task = await _jobs.CreateAsync(_jobs.Now.AddMinutes(1));
        _jobs.Clock.Advance(TimeSpan.FromMinutes(1) - Millisecond);
        Assert.Empty(await _jobs.ClaimAsync());

        _jobs.Clock.Advance(Millisecond);

        Assert.Equal(task.ExecuteAt, Assert.Single(await _jobs.ClaimAsync()).StartedAt);
    }

    [Fact]
    public async Task FractionOfAMillisecondIsNotGiven()
    {
        await _jobs.CreateAsync(_jobs.Now.AddTicks(1));
        _jobs.Clock.Advance(TimeSpan.FromTicks(TimeSpan.TicksPerMillisecond - 1));
        Assert.Empty(await _jobs.ClaimAsync());

        _jobs.Clock.Advance(TimeSpan.FromTicks(1));

        Assert.Single(await _jobs.ClaimAsync());
    }

    [Fact]
    public async Task ClaimNamesTheInstanceAndCountsTheAttempt()
    {
        var task = await _jobs.CreateAsync();

        var claimed = Assert.Single(await _jobs.ClaimAsync());

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((1, 1), (claimed.Attempt, row.Attempt));
        Assert.Equal(_jobs.Get<InstanceIdentity>().Id, row.InstanceId);
        Assert.Equal(_jobs.Get<InstanceIdentity>().Name, row.Instance);
        Assert.Equal(claimed.ClaimToken, row.ClaimToken);
    }

    [Fact]
    public async Task WhatHasBeenDueLongestIsClaimedFirstAndNoMoreThanAskedFor()
    {
        var tasks = await _jobs.AddAsync(
            _jobs.Now.AddMinutes(-3), _jobs.Now.AddMinutes(-1), _jobs.Now.AddMinutes(-5), _jobs.Now.AddMinutes(-2));
        await _jobs.BeatAsync();

        var first = await _jobs.Get<TaskClaimer>().ClaimAsync(2, Cancel);
        var rest = await _jobs.Get<TaskClaimer>().ClaimAsync(10, Cancel);

        var inOrder = tasks.OrderBy(task => task.DueAt).Select(task => task.Id).ToList();
        Assert.Equal(inOrder.Take(2), first.Select(task => task.Id));
        Assert.Equal(inOrder.Skip(2), rest.Select(task => task.Id));
    }

    [Fact]
    public async Task OfTasksDueAtOneMomentTheOneCreatedFirstIsClaimedFirst()
    {
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 20));

        var claimed = await _jobs.ClaimAsync();

        Assert.Equal(tasks.Select(task => task.Id), claimed.Select(task => task.Id));
    }

    [Fact]
    public async Task RunningTaskIsTakenOverOnlyOnceItsLeaseHasRunOut()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.ClaimAsync();
        await using var successor = _jobs.Another();
        _jobs.Clock.Advance(Lease - Millisecond);
        Assert.Empty(await successor.TakeOverAsync());

        _jobs.Clock.Advance(Millisecond);

        var taken = Assert.Single(await successor.TakeOverAsync());
        Assert.Equal(2, taken.Attempt);
        Assert.Equal("another", (await _jobs.FindAsync(task.Id)).Instance);
    }

    [Fact]
    public async Task TaskOfAnInstanceThatIsGoneIsTakenOverAtOnce()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.ClaimAsync();
        await using var successor = _jobs.Another();
        await _jobs.Get<InstanceHeartbeat>().LeaveAsync();

        Assert.Equal(task.Id, Assert.Single(await successor.TakeOverAsync()).Id);
    }

    /// <summary>A clock that is set forward ends all leases, and the own one before the next beat.</summary>
    [Fact]
    public async Task InstanceNeverTakesOverWhatItRunsItself()
    {
        await _jobs.CreateAsync();
        await _jobs.ClaimAsync();
        await _jobs.Get<InstanceHeartbeat>().LeaveAsync();
        await _jobs.Get<TableWatch>().LookAsync(Cancel);

        Assert.False(_jobs.Get<TableWatch>().Last.HasAbandoned);
        Assert.Empty(await _jobs.Get<TaskClaimer>().TakeOverAsync(10, Cancel));
    }

    [Fact]
    public async Task HeartbeatKeepsARunningTask()
    {
        await _jobs.CreateAsync();
        await _jobs.ClaimAsync();
        await using var successor = _jobs.Another();
        _jobs.Clock.Advance(TimeSpan.FromMinutes(1));
        await _jobs.BeatAsync();

        Assert.Empty(await successor.TakeOverAsync());
    }

    [Fact]
    public async Task ClaimBeatsFirstSoThatWhatItStartsDoesNotLookAbandoned()
    {
        await _jobs.CreateAsync();
        await using var successor = _jobs.Another();

        Assert.Single(await _jobs.Get<TaskClaimer>().ClaimAsync(1, Cancel));

        Assert.Empty(await successor.TakeOverAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(100)]
    public async Task InstancesRacingForTheSameTasksClaimEachOnce(int size)
    {
        var others = Enumerable.Range(0, 3).Select(_ => _jobs.Another()).ToList();
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 300));
        await Task.WhenAll(others.Select(other => other.BeatAsync()));

        var claims = await Task.WhenAll(others.Select(other => Task.Run(() => ClaimAllAsync(other, size), Cancel)));

        Assert.Equal(tasks.Select(t => t.Id).Order(), claims.SelectMany(claimed => claimed).Select(c => c.Id).Order());
        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal((ScheduledTaskState.Running, 1), (row.State, row.Attempt)));
        foreach (var other in others)
            await other.DisposeAsync();
    }

    [Fact]
    public async Task InstancesRacingForAbandonedTasksTakeEachOverOnce()
    {
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 200));
        await _jobs.ClaimAsync();
        await _jobs.Get<InstanceHeartbeat>().LeaveAsync();
        var others = Enumerable.Range(0, 3).Select(_ => _jobs.Another()).ToList();
        await Task.WhenAll(others.Select(other => other.BeatAsync()));

        var taken = await Task.WhenAll(others.Select(other => Task.Run(() => other.Get<TaskClaimer>().TakeOverAsync(1_000, Cancel), Cancel)));

        Assert.Equal(tasks.Select(t => t.Id).Order(), taken.SelectMany(claimed => claimed).Select(c => c.Id).Order());
        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal(2, row.Attempt));
        foreach (var other in others)
            await other.DisposeAsync();
    }

    [Fact]
    public async Task WhateverChangesTheSameRowsAtOnceNeverDeadlocks()
    {
        await using var other = _jobs.Another();
        for (var round = 0; round < 10; round++)
        {
            var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 100));
            await _jobs.BeatAsync();
            var running = await _jobs.Get<TaskClaimer>().ClaimAsync(80, Cancel);

            await Task.WhenAll(
                Task.Run(() => ClaimAllAsync(_jobs, 5), Cancel),
                Task.Run(() => ClaimAllAsync(other, 100), Cancel),
                Task.Run(() => _jobs.CompleteAsync(Shuffled(running)), Cancel),
                Task.Run(() => other.CompleteAsync(Shuffled(running)), Cancel),
                Task.Run(() => _jobs.GiveBackAsync(Shuffled(running)), Cancel),
                Task.Run(() => ShowAsync(_jobs), Cancel),
                Task.Run(() => ShowAsync(other), Cancel),
                Task.Run(() => DeleteAsync(_jobs, Shuffled(tasks)), Cancel),
                Task.Run(() => DeleteAsync(other, Shuffled(tasks)), Cancel));

            Assert.All((await _jobs.RowsAsync()).TakeLast(100), row => Assert.Equal(ScheduledTaskState.Deleted, row.State));
        }
    }

    /// <summary>The projector waits for a lock for a second only, and comes again.</summary>
    private static async Task ShowAsync(JobsAtRest jobs)
    {
        try
        {
            await jobs.ShowAsync();
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
        }
    }

    private static async Task DeleteAsync(JobsAtRest jobs, IEnumerable<ScheduledTask> tasks)
    {
        foreach (var task in tasks)
            await jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
    }

    private static T[] Shuffled<T>(IEnumerable<T> items)
    {
        var shuffled = items.ToArray();
        Random.Shared.Shuffle(shuffled);
        return shuffled;
    }

    /// <summary>In groups, until there are none. What another one has locked at that moment is its own.</summary>
    private static async Task<IReadOnlyList<ScheduledTask>> ClaimAllAsync(JobsAtRest jobs, int size)
    {
        var claimed = new List<ScheduledTask>();
        while (await jobs.Get<TaskClaimer>().ClaimAsync(size, Cancel) is { Count: > 0 } group)
            claimed.AddRange(group);
        return claimed;
    }
}
