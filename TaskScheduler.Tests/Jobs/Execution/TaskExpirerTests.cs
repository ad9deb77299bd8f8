using Hangfire;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

public abstract class TaskExpirerTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task TaskStartsUntilTheLastMillisecondBeforeItsTime()
    {
        var task = await CreateAsync(expireAt: _jobs.Now + Second);
        _jobs.Clock.Advance(Second - Millisecond);
        await ExpireAsync();

        var claimed = Assert.Single(await _jobs.ClaimAsync());

        Assert.True(claimed.StartedAt < task.ExpireAt);
        Assert.Null(claimed.StartBy);
    }

    /// <summary>Whether or not it was looked for since.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TaskDoesNotStartOnceItsTimeHasCome(bool paused)
    {
        if (paused)
            await _jobs.Get<WorkerPause>().SetAsync([TaskKind.Buzz], Cancel);
        var task = await CreateAsync(expireAt: _jobs.Now + Second);
        _jobs.Clock.Advance(Second);

        Assert.Empty(await _jobs.ClaimAsync());
        await ExpireAsync();

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Expired, 0), (row.State, row.Attempt));
        Assert.Equal(((DateTimeOffset?)null, (DateTimeOffset?)_jobs.Now, (string?)null), (row.StartedAt, row.FinishedAt, row.Output));
        Assert.Empty(await _jobs.ClaimAsync());
    }

    [Fact]
    public async Task OthersStay()
    {
        ScheduledTask[] others =
        [
            await CreateAsync(expireAt: null),
            await CreateAsync(expireAt: _jobs.Now + Second + Millisecond),
            await CreateAsync(expireAt: _jobs.Now.AddDays(1), executeAt: _jobs.Now.AddHours(1)),
        ];
        _jobs.Clock.Advance(Second);

        Assert.False(await _jobs.Get<TaskExpirer>().ExpireAsync(Cancel));

        foreach (var task in others)
            Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>The client was late already.</summary>
    [Fact]
    public async Task TaskMayHaveExpiredWhenItIsCreated()
    {
        var task = await CreateAsync(executeAt: _jobs.Now.AddHours(-2), expireAt: _jobs.Now.AddHours(-1));

        Assert.Empty(await _jobs.ClaimAsync());
        await ExpireAsync();

        Assert.Equal(ScheduledTaskState.Expired, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>A restart, a lost instance or a failed try is no reason to drop what the client has seen start.</summary>
    [Theory]
    [InlineData(TaskTransition.Retry)]
    [InlineData(TaskTransition.GiveBack)]
    [InlineData(TaskTransition.TakeOver)]
    public async Task TaskThatStartedInTimeRunsAgainAfterIt(TaskTransition interruption)
    {
        var task = await CreateAsync(expireAt: _jobs.Now + Second);
        var claimed = Assert.Single(await _jobs.ClaimAsync());
        if (interruption == TaskTransition.Retry)
            await _jobs.FailAsync(claimed, "Full");
        if (interruption == TaskTransition.GiveBack)
            await _jobs.GiveBackAsync(claimed);
        _jobs.Clock.Advance(TimeSpan.FromHours(1));
        await ExpireAsync();

        await using var other = _jobs.Another();
        var again = interruption == TaskTransition.TakeOver ? await other.TakeOverAsync() : await other.ClaimAsync();

        Assert.Equal((task.Id, 2), (Assert.Single(again).Id, again[0].Attempt));
    }

    [Fact]
    public async Task RequeuedTaskMustStartInTimeOnceMore()
    {
        var task = await FailedAsync(expireAt: _jobs.Now.AddHours(1));
        Assert.True((await _jobs.Get<TaskClient>().RequeueAsync(task.Id, Cancel)).Applied);
        _jobs.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Empty(await _jobs.ClaimAsync());
        await ExpireAsync();

        Assert.Equal(ScheduledTaskState.Expired, (await _jobs.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task FailedTaskIsNotRequeuedOnceItsTimeHasCome()
    {
        var task = await FailedAsync(expireAt: _jobs.Now.AddHours(1));
        var other = await FailedAsync(expireAt: _jobs.Now.AddHours(2));
        _jobs.Clock.Advance(TimeSpan.FromHours(1));

        var change = await _jobs.Get<TaskClient>().RequeueAsync(task.Id, Cancel);
        var many = await _jobs.Get<TaskBulk>().RequeueAsync([task.Id, other.Id], Cancel);

        Assert.StartsWith("The task had to start before ", change.Refusal, StringComparison.Ordinal);
        Assert.Equal(new BulkResult(2, 1), many);
        Assert.Equal(ScheduledTaskState.Failed, (await _jobs.FindAsync(task.Id)).State);
        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(other.Id)).State);
    }

    [Fact]
    public async Task RescheduledTaskExpiresAtItsTimeUnlessItIsGivenAnother()
    {
        var client = _jobs.Get<TaskClient>();
        var task = await CreateAsync(executeAt: _jobs.Now.AddMinutes(1), expireAt: _jobs.Now.AddMinutes(5));
        Assert.False((await client.RescheduleAsync(task.Id, new(_jobs.Now.AddMinutes(5)), Cancel)).Applied);
        Assert.True((await client.RescheduleAsync(task.Id, new(_jobs.Now.AddMinutes(4)), Cancel)).Applied);
        Assert.Equal(task.ExpireAt, (await _jobs.FindAsync(task.Id)).StartBy);

        var later = new NewTime(_jobs.Now.AddMinutes(6), KeepsExpireAt: false, _jobs.Now.AddMinutes(7));
        Assert.True((await client.RescheduleAsync(task.Id, later, Cancel)).Applied);
        _jobs.Clock.Advance(TimeSpan.FromMinutes(6));
        await ExpireAsync();

        Assert.Equal(task.Id, Assert.Single(await _jobs.ClaimAsync()).Id);
    }

    [Fact]
    public async Task LookFindsThatATaskHasExpired()
    {
        await CreateAsync(expireAt: _jobs.Now + Second);
        await _jobs.Get<TableWatch>().LookAsync(Cancel);
        Assert.False(_jobs.Get<TableWatch>().Last.HasExpired);
        _jobs.Clock.Advance(Second);

        await _jobs.Get<TableWatch>().RunOnceAsync(Cancel);

        Assert.True(_jobs.Get<TableWatch>().Last.HasExpired);
        Assert.False(_jobs.Get<TableWatch>().Last.HasDue);
        Assert.Equal(ScheduledTaskState.Expired, Assert.Single(await _jobs.RowsAsync()).State);
    }

    [Fact]
    public async Task ManyExpireInSteps()
    {
        var expireAt = _jobs.Now + Second;
        await _jobs.Get<TaskCreator>().CreateAsync(
            [.. Enumerable.Range(0, 900).Select(_ => new NewTask(TaskKind.Fizz, _jobs.Now, ExpireAt: expireAt))], key: null, Cancel);
        _jobs.Clock.Advance(Second);

        Assert.True(await _jobs.Get<TaskExpirer>().ExpireAsync(Cancel));
        Assert.False(await _jobs.Get<TaskExpirer>().ExpireAsync(Cancel));

        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal(ScheduledTaskState.Expired, row.State));
    }

    /// <summary>By instances that claim and expire all at the same time, at the very moment.</summary>
    [Fact]
    public async Task NothingBothStartsAndExpires()
    {
        await using var other = _jobs.Another();
        await _jobs.BeatAsync();
        await other.BeatAsync();
        for (var round = 0; round < 10; round++)
        {
            await _jobs.Get<TaskCreator>().CreateAsync(
                [.. Enumerable.Range(0, 50).Select(i => new NewTask(TaskKind.Fizz, _jobs.Now, ExpireAt: _jobs.Now.AddMilliseconds(1 + i)))],
                key: null,
                Cancel);
            _jobs.Clock.Advance(TimeSpan.FromMilliseconds(25));
            JobsAtRest[] instances = [_jobs, other];
            var claims = instances.Select(instance => Task.Run(() => instance.Get<TaskClaimer>().ClaimAsync(10, Cancel), Cancel)).ToList();
            await Task.WhenAll([.. claims, .. instances.Select(instance => Task.Run(() => instance.Get<TaskExpirer>().ExpireAsync(Cancel), Cancel))]);
            var started = claims.SelectMany(claim => claim.Result).Select(task => task.Id).ToList();
            Assert.Equal(started.Distinct(), started);
            foreach (var row in (await _jobs.RowsAsync()).Where(row => started.Contains(row.Id)))
                Assert.Equal((ScheduledTaskState.Running, 1), (row.State, row.Attempt));
        }

        Assert.All(await _jobs.RowsAsync(), row => Assert.Equal(row.State == ScheduledTaskState.Running ? 1 : 0, row.Attempt));
    }

    [Fact]
    public async Task JobOfAnExpiredTaskIsDeletedAndSaysWhy()
    {
        var task = await CreateAsync(executeAt: _jobs.Now.AddMinutes(1), expireAt: _jobs.Now.AddMinutes(2));
        await _jobs.ShowAsync();
        _jobs.Clock.Advance(TimeSpan.FromMinutes(2));
        await ExpireAsync();

        await _jobs.ShowAsync();

        Assert.Equal("Deleted", await _jobs.JobStateAsync(task));
        var state = _jobs.Get<JobStorage>().HistoryOf((await _jobs.FindAsync(task.Id)).JobId!)[^1];
        Assert.Equal("The task expired: it had not started in time", state.Reason);
    }

    [Fact]
    public async Task ExpiredTaskMayBeDeleted()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Expired);

        Assert.True(await _jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel));

        Assert.Equal(ScheduledTaskState.Deleted, (await _jobs.FindAsync(task.Id)).State);
    }

    private async Task<ScheduledTask> CreateAsync(DateTimeOffset? expireAt, DateTimeOffset? executeAt = null) =>
        (await _jobs.Get<TaskCreator>().CreateAsync(
            [new NewTask(TaskKind.Fizz, executeAt ?? _jobs.Now, Label: null, expireAt)], key: null, Cancel)).Tasks[0];

    private async Task<ScheduledTask> FailedAsync(DateTimeOffset expireAt)
    {
        var task = await CreateAsync(expireAt);
        await _jobs.SetTriesAsync(task, _jobs.LastTry);
        await _jobs.FailAsync(Assert.Single(await _jobs.ClaimAsync(task)), "Full");
        return await _jobs.FindAsync(task.Id);
    }

    private Task<bool> ExpireAsync() => _jobs.Get<TaskExpirer>().ExpireAsync(Cancel);
}
