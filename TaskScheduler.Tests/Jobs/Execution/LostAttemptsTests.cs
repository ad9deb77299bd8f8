using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>What the task table says that an instance runs, and what it runs.</summary>
public abstract class LostAttemptsTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan BeyondTheLease = new ExecutionOptions().Lease + TimeSpan.FromSeconds(1);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    /// <summary>Its claim was committed after the instance had asked and been told that there was none.</summary>
    [Fact]
    public async Task TaskThatTheInstanceDoesNotKnowIsGivenBack()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        _jobs.Clock.Advance(BeyondTheLease);

        await ReconcileAsync();

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Pending, 0, 1), (row.State, row.Tries, row.Attempt));
        Assert.Single(await _jobs.ClaimAsync(row));
    }

    [Fact]
    public async Task TaskWhoseClaimMayBeUnderWayIsLeftAlone()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);

        await ReconcileAsync();

        Assert.Equal(ScheduledTaskState.Running, (await _jobs.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task TaskOfAnotherInstanceIsLeftAlone()
    {
        var task = await _jobs.CreateAsync();
        await using var other = _jobs.Another();
        Assert.Single(await other.ClaimAsync(task));
        _jobs.Clock.Advance(BeyondTheLease);

        await ReconcileAsync();

        Assert.Equal(ScheduledTaskState.Running, (await _jobs.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task AttemptThatTheTableKnowsGoesOn()
    {
        var attempt = await RunAsync();
        _jobs.Clock.Advance(BeyondTheLease);

        await ReconcileAsync();

        Assert.False(attempt.Stopped.IsCancellationRequested);
        Assert.Equal(ScheduledTaskState.Running, (await _jobs.FindAsync(attempt.Task.Id)).State);
    }

    [Fact]
    public async Task AttemptWhoseTaskWasDeletedIsStopped()
    {
        var attempt = await RunAsync();
        await _jobs.Get<TaskClient>().DeleteAsync(attempt.Task.Id, Cancel);

        await ReconcileAsync();

        Assert.True(attempt.Stopped.IsCancellationRequested);
        Assert.False(attempt.ToGiveBack);
    }

    private async Task<RunningTask> RunAsync()
    {
        var task = await _jobs.CreateAsync();
        return _jobs.Get<RunningTasks>().Add(Assert.Single(await _jobs.ClaimAsync(task)));
    }

    private Task ReconcileAsync() => _jobs.Get<LostAttempts>().ReconcileAsync(Cancel);
}
