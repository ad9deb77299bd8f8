using Hangfire;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Projection;

/// <summary>Instances that show the same rows: whatever one of them does, the order of a task's states is never reversed.</summary>
public abstract class SeveralProjectorsTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly string[] InOrder = ["Scheduled", "Processing", "Succeeded", "Deleted"];

    /// <summary>How long a frozen instance may keep anything from the others, and what a busy machine needs besides.</summary>
    private static readonly TimeSpan MaxBlocked = TimeSpan.FromSeconds(5 + 5);

    private readonly TStore _store = new();
    private readonly StatementStop _stop = new();
    private JobsAtRest _jobs = null!;
    private JobsAtRest _another = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private JobStorage Storage => _jobs.Get<JobStorage>();

    public async ValueTask InitializeAsync()
    {
        _jobs = await JobsAtRest.OpenAsync(_store, services => services.AddSingleton<IInterceptor>(_stop));
        _another = _jobs.Another();
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        if (_jobs is not null)
        {
            await _another.DisposeAsync();
            await _jobs.DisposeAsync();
        }

        await _store.DisposeAsync();
    }

    [Fact]
    public async Task RowsThatChangeWhileTwoInstancesShowThemEndAsTheyAre()
    {
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now.AddSeconds(-2), 120));
        await _another.BeatAsync();
        var changes = Task.Run(ChangeAllAsync, Cancel);

        await Task.WhenAll(changes, ShowWhileAsync(_jobs, changes), ShowWhileAsync(_another, changes));
        await ShowTheRestAsync();

        Assert.Equal(tasks.Count, Storage.CountShown());
        foreach (var row in await _jobs.RowsAsync())
        {
            Assert.Equal(row.Id, Storage.TaskOf(row.JobId!));
            var history = Storage.HistoryOf(row.JobId!).Select(state => state.StateName).ToList();
            Assert.Equal(JobStates.NameOf(row.State), history[^1]);
            Assert.Equal(history.OrderBy(name => Array.IndexOf(InOrder, name)), history);
        }
    }

    /// <summary>Frozen before it shows anything, or when it has shown all and noted it, with what it locked.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FrozenInstanceKeepsNothingForLongAndOverwritesNothingWhenItGoesOn(bool beforeItShows)
    {
        var task = await _jobs.CreateAsync(_jobs.Now.AddHours(1));
        await _jobs.ShowAsync();
        _jobs.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Single(await _jobs.ClaimAsync());
        if (beforeItShows)
            _stop.FreezeAfterReading();
        else
            _stop.FreezeAfter(_jobs.Get<StoreSql>().Show);
        var frozen = _jobs.Get<JobProjector>().ShowAsync(10, Cancel);
        await _stop.Frozen;

        var started = TimeProvider.System.GetTimestamp();
        await _another.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
        _jobs.Clock.Advance(_jobs.Get<IOptions<ExecutionOptions>>().Value.Lease);
        await _another.BeatAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                await _another.ShowAsync();
                return await _another.JobStateAsync(task) == "Deleted";
            },
            "the other instance shows the deletion");
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, MaxBlocked);

        _stop.Thaw();
        await Record.ExceptionAsync(() => frozen);
        await ShowTheRestAsync();
        Assert.Equal("Deleted", await _jobs.JobStateAsync(task));
        Assert.Equal(1, Storage.CountShown());
        // What it goes on with afterwards it can show again.
        var next = await _jobs.CreateAsync(_jobs.Now.AddHours(1));
        await ShowTheRestAsync();
        Assert.Equal("Scheduled", await _jobs.JobStateAsync(next));
    }

    private async Task ChangeAllAsync()
    {
        while (await ClaimAsync() is { Count: > 0 } started)
        {
            await _another.CompleteAsync(started);
            foreach (var task in started.Where((_, i) => i % 2 == 0))
                await _jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
        }
    }

    /// <summary>A few, and those that a projector has locked at this moment when it is done with them.</summary>
    private async Task<IReadOnlyList<ScheduledTask>> ClaimAsync()
    {
        await _jobs.BeatAsync();
        IReadOnlyList<ScheduledTask> claimed = [];
        await Eventually.TrueAsync(
            async () =>
            {
                claimed = await _jobs.Get<TaskClaimer>().ClaimAsync(10, Cancel);
                return claimed.Count > 0 || (await _jobs.RowsAsync()).TrueForAll(row => row.State != ScheduledTaskState.Pending);
            },
            "some are claimed");
        return claimed;
    }

    private static async Task ShowWhileAsync(JobsAtRest jobs, Task changes)
    {
        while (!changes.IsCompleted)
        {
            await jobs.ShowAsync();
            await Task.Yield();
        }
    }

    private Task ShowTheRestAsync() => Eventually.TrueAsync(
        async () =>
        {
            await _jobs.ShowAsync();
            await _another.ShowAsync();
            return await _jobs.NotShownAsync() is [];
        },
        "all are shown");
}
