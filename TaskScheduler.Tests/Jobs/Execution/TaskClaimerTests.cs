using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
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

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TaskIsNotClaimedOneMillisecondEarly(bool saidToBeRescued)
    {
        var task = await _jobs.CreateAsync(_jobs.Now.AddMinutes(1));
        var delivery = task.Delivered(rescued: saidToBeRescued) with { DueAt = DateTimeOffset.MinValue };
        _jobs.Clock.Advance(TimeSpan.FromMinutes(1) - Millisecond);
        Assert.Empty(await _jobs.Get<TaskClaimer>().ClaimAsync([delivery], Guid.NewGuid(), Cancel));

        _jobs.Clock.Advance(Millisecond);

        var claimed = Assert.Single(await _jobs.Get<TaskClaimer>().ClaimAsync([delivery], Guid.NewGuid(), Cancel));
        Assert.Equal(task.ExecuteAt, claimed.StartedAt);
    }

    [Fact]
    public async Task FractionOfAMillisecondIsNotGiven()
    {
        var task = await _jobs.CreateAsync(_jobs.Now.AddTicks(1));
        _jobs.Clock.Advance(TimeSpan.FromTicks(TimeSpan.TicksPerMillisecond - 1));
        Assert.Empty(await _jobs.ClaimAsync(task));

        _jobs.Clock.Advance(TimeSpan.FromTicks(1));

        Assert.Single(await _jobs.ClaimAsync(task));
    }

    [Fact]
    public async Task JobThatTheRowDoesNotNameClaimsNothing()
    {
        var task = await _jobs.CreateAsync();
        var spare = task.Delivered(byJob: _jobs.Get<TaskJobs>().Create(task.Id));

        Assert.Empty(await _jobs.Get<TaskClaimer>().ClaimAsync([spare], Guid.NewGuid(), Cancel));
        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task ClaimNamesTheInstanceAndCountsTheAttempt()
    {
        var task = await _jobs.CreateAsync();

        var claimed = Assert.Single(await _jobs.ClaimAsync(task));

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((1, 1), (claimed.Attempt, row.Attempt));
        Assert.Equal(_jobs.Get<InstanceIdentity>().Id, row.InstanceId);
        Assert.Equal(_jobs.Get<InstanceIdentity>().Name, row.Instance);
        Assert.Equal(claimed.Token, row.ClaimToken);
    }

    [Fact]
    public async Task SameTokenAgainReturnsWhatItClaimed()
    {
        var task = await _jobs.CreateAsync();
        var token = Guid.NewGuid();
        await _jobs.BeatAsync();
        var lost = await _jobs.Get<TaskClaimer>().ClaimAsync([task.Delivered()], token, Cancel);
        _jobs.Clock.Advance(Millisecond);

        var again = await _jobs.Get<TaskClaimer>().ClaimAsync([task.Delivered()], token, Cancel);

        Assert.Equal(lost, again);
        Assert.Equal(1, (await _jobs.FindAsync(task.Id)).Attempt);
    }

    [Fact]
    public async Task SameTokenAgainTakesNothingBackFromASuccessor()
    {
        var task = await _jobs.CreateAsync();
        var token = Guid.NewGuid();
        await _jobs.Get<TaskClaimer>().ClaimAsync([task.Delivered()], token, Cancel);
        await using var successor = _jobs.Another();
        Assert.Single(await successor.ClaimAsync(task));

        Assert.Empty(await _jobs.Get<TaskClaimer>().ClaimAsync([task.Delivered()], token, Cancel));
    }

    [Fact]
    public async Task JobDeliveredTwiceInOneGroupIsOneAttempt()
    {
        var task = await _jobs.CreateAsync();
        Delivery[] twice = [task.Delivered(), task.Delivered() with { DueAt = task.DueAt.AddSeconds(-1) }];

        Assert.Single(await _jobs.Get<TaskClaimer>().ClaimAsync(twice, Guid.NewGuid(), Cancel));
    }

    /// <summary>
    /// As after Hangfire's tables were lost and their numbers began again: whoever still holds the one task under that job
    /// would run it with the other's attempt.
    /// </summary>
    [Fact]
    public async Task JobThatStandsForAnotherTaskNowStartsNeither()
    {
        var (held, other) = (await _jobs.CreateAsync(), await _jobs.CreateAsync());
        await using (var db = await _jobs.OpenTableAsync())
        {
            await db.Tasks.Where(t => t.Id == held.Id).ExecuteUpdateAsync(set => set.SetProperty(t => t.JobId, (string?)null), Cancel);
            await db.Tasks.Where(t => t.Id == other.Id).ExecuteUpdateAsync(set => set.SetProperty(t => t.JobId, held.JobId), Cancel);
        }

        Assert.Empty(await _jobs.ClaimAsync(held));

        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal(ScheduledTaskState.Pending, row.State));
    }

    [Fact]
    public async Task TaskHeldUnderTwoJobsStartsUnderTheOneThatItsRowNames()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.BeatAsync();
        Delivery[] twice = [task.Delivered(byJob: "4711"), task.Delivered()];

        var claimed = await _jobs.Get<TaskClaimer>().ClaimAsync(twice, Guid.NewGuid(), Cancel);

        Assert.Equal(task.JobId, Assert.Single(claimed).Delivery.JobId);
    }

    [Fact]
    public async Task RunningTaskIsTakenOverOnlyOnceItsLeaseHasRunOut()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.ClaimAsync(task);
        await using var successor = _jobs.Another();
        var lease = _jobs.Get<IOptions<ExecutionOptions>>().Value.Lease;
        _jobs.Clock.Advance(lease - Millisecond);
        Assert.Empty(await successor.ClaimAsync(task));

        _jobs.Clock.Advance(Millisecond);

        var taken = Assert.Single(await successor.ClaimAsync(task));
        Assert.Equal(2, taken.Attempt);
        Assert.Equal("another", (await _jobs.FindAsync(task.Id)).Instance);
    }

    /// <summary>
    /// Of two instances that want the same row, the second sees it as it was before the first one's heartbeat. Here that one's
    /// instance has never beaten at all.
    /// </summary>
    [Fact]
    public async Task AttemptThatBeganAfterTheDeliveryIsNotTakenOver()
    {
        var task = await _jobs.CreateAsync();
        await using var successor = _jobs.Another();
        await _jobs.Get<TaskClaimer>().ClaimAsync([task.Delivered()], Guid.NewGuid(), Cancel);
        await successor.BeatAsync();

        Assert.Empty(await successor.Get<TaskClaimer>().ClaimAsync([task.Delivered(rescued: true)], Guid.NewGuid(), Cancel));

        Assert.Single(await successor.ClaimAsync(task));
    }

    [Fact]
    public async Task HeartbeatKeepsARunningTask()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.ClaimAsync(task);
        await using var successor = _jobs.Another();
        _jobs.Clock.Advance(TimeSpan.FromMinutes(1));
        await _jobs.BeatAsync();

        Assert.Empty(await successor.ClaimAsync(task));
    }

    [Fact]
    public async Task TwoInstancesRacingForTheSameTasksClaimEachOnce()
    {
        await using var other = _jobs.Another();
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 500), withJobs: true);
        await Task.WhenAll(_jobs.BeatAsync(), other.BeatAsync());

        // Small groups in opposite directions, so that both meet in the middle again and again.
        var claims = await Task.WhenAll(
            Task.Run(() => ClaimInGroupsAsync(_jobs, tasks), Cancel),
            Task.Run(() => ClaimInGroupsAsync(other, tasks.AsEnumerable().Reverse()), Cancel));

        Assert.Equal(tasks.Select(t => t.Id).Order(), claims.SelectMany(claimed => claimed).Select(c => c.Id).Order());
        Assert.All(
            await _jobs.RowsAsync(), row => Assert.Equal((ScheduledTaskState.Running, 1), (row.State, row.Attempt)));
    }

    [Fact]
    public async Task ManyInstancesWithTheSameDeliveriesAtOnceClaimEachOnce()
    {
        var others = Enumerable.Range(0, 4).Select(_ => _jobs.Another()).ToList();
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 200), withJobs: true);
        await Task.WhenAll(others.Select(other => other.BeatAsync()));

        var claims = await Task.WhenAll(others.Select(other => Task.Run(() => ClaimInGroupsAsync(other, Shuffled(tasks), 100), Cancel)));

        Assert.Equal(tasks.Select(t => t.Id).Order(), claims.SelectMany(claimed => claimed).Select(c => c.Id).Order());
        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal(1, row.Attempt));
        foreach (var other in others)
            await other.DisposeAsync();
    }

    [Fact]
    public async Task WhoeverChangesTheSameRowsAtOnceNeverDeadlocks()
    {
        await using var other = _jobs.Another();
        for (var round = 0; round < 10; round++)
        {
            var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, 100), withJobs: true);
            var running = await _jobs.ClaimAsync(tasks.Take(80));

            await Task.WhenAll(
                Task.Run(() => ClaimInGroupsAsync(_jobs, Shuffled(tasks)), Cancel),
                Task.Run(() => ClaimInGroupsAsync(other, Shuffled(tasks), 100), Cancel),
                Task.Run(() => _jobs.CompleteAsync(Shuffled(running)), Cancel),
                Task.Run(() => other.CompleteAsync(Shuffled(running)), Cancel),
                Task.Run(() => _jobs.Get<TaskCompleter>().GiveBackAsync([.. Shuffled(running)], Cancel), Cancel),
                Task.Run(() => _jobs.Get<TaskClient>().DeleteByJobsAsync([.. Shuffled(tasks).Select(t => new JobOfTask(t.JobId!, t.Id))], Cancel), Cancel),
                Task.Run(() => other.Get<TaskClient>().DeleteByJobsAsync([.. Shuffled(tasks).Select(t => new JobOfTask(t.JobId!, t.Id))], Cancel), Cancel));

            Assert.All(
                (await _jobs.RowsAsync()).TakeLast(100), row => Assert.Equal(ScheduledTaskState.Deleted, row.State));
        }
    }

    private static T[] Shuffled<T>(IEnumerable<T> items)
    {
        var shuffled = items.ToArray();
        Random.Shared.Shuffle(shuffled);
        return shuffled;
    }

    private static async Task<IReadOnlyList<ClaimedTask>> ClaimInGroupsAsync(
        JobsAtRest jobs, IEnumerable<ScheduledTask> tasks, int size = 5)
    {
        var claimed = new List<ClaimedTask>();
        foreach (var group in tasks.Chunk(size))
        {
            claimed.AddRange(await jobs.Get<TaskClaimer>()
                .ClaimAsync([.. group.Select(task => task.Delivered())], Guid.NewGuid(), Cancel));
        }

        return claimed;
    }
}
