using System.Text.Json;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

public abstract class TaskRescuerTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.25);
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private HoldQueue Holds => _jobs.Get<HoldQueue>();

    private TimeSpan Lease => _jobs.Get<IOptions<ExecutionOptions>>().Value.Lease;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>(null, "--Worker:Count=10");

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task RunningTaskOfASilentInstanceIsStartedByAnother()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        await using var another = _jobs.Another();
        _jobs.Clock.Advance(Lease);

        await RescueAsync(another);

        var started = Assert.Single(await StartAsync(another));
        Assert.Equal((task.Id, 2), (started.Id, started.Attempt));
        Assert.Equal(("another", task.JobId), await InstanceAndJobAsync(task.Id));
    }

    [Fact]
    public async Task RunningTaskOfALivingInstanceIsLeftToIt()
    {
        await _jobs.CreateInAsync(ScheduledTaskState.Running);
        await using var another = _jobs.Another();
        _jobs.Clock.Advance(Lease - Millisecond);

        await RescueAsync(another);

        Assert.Equal(0, another.Get<HoldQueue>().Count);
    }

    [Theory]
    [InlineData("Enqueued")]
    [InlineData("Scheduled")]
    [InlineData("Processing")]
    [InlineData("Succeeded")]
    [InlineData("Failed")]
    [InlineData("Gone")]
    public async Task DueTaskIsStartedWhateverBecameOfItsJob(string fate)
    {
        var task = await _jobs.CreateAsync();
        await BefallsAsync(task, fate);
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        Assert.Equal(task.Id, Assert.Single(await StartAsync()).Id);
    }

    [Theory]
    [InlineData("Enqueued")]
    [InlineData("Scheduled")]
    [InlineData("Processing")]
    [InlineData("Succeeded")]
    [InlineData("Failed")]
    [InlineData("Gone")]
    public async Task AbandonedTaskIsStartedWhateverBecameOfItsJob(string fate)
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        await using var another = _jobs.Another();
        await BefallsAsync(task, fate);
        _jobs.Clock.Advance(Lease);

        await RescueAsync(another);

        var started = Assert.Single(await StartAsync(another));
        Assert.Equal((task.Id, 2), (started.Id, started.Attempt));
    }

    /// <summary>With fifty instances, each would write what the others do and wait for their locks.</summary>
    [Fact]
    public async Task InstancesThatFindADueTaskDoNotAllWriteItsJob()
    {
        var task = await _jobs.CreateAsync();
        _jobs.ChangeJob(task.JobId!, new ScheduledState(TimeSpan.FromHours(1)));
        await using var another = _jobs.Another();
        _jobs.Clock.Advance(Grace);

        await RescueAsync();
        await RescueAsync(another);
        await _jobs.ReportAsync();
        await another.ReportAsync();

        Assert.Equal((1, 1), (Holds.Count, another.Get<HoldQueue>().Count));
        Assert.Equal("Scheduled", _jobs.JobState(task.JobId));
    }

    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    public async Task TaskWithoutAJobGetsOneThatStartsIt(ScheduledTaskState state)
    {
        var task = await _jobs.CreateInAsync(state);
        await using var another = _jobs.Another();
        await NameJobAsync(task, null);
        _jobs.Clock.Advance(Lease);

        await RescueAsync(another);

        var started = Assert.Single(await StartAsync(another));
        Assert.Equal((task.Id, task.Attempt + 1), (started.Id, started.Attempt));
    }

    [Fact]
    public async Task DueTaskHasAMomentToComeThroughTheQueue()
    {
        await _jobs.CreateAsync();
        _jobs.Clock.Advance(Grace - Millisecond);

        await RescueAsync();

        Assert.Equal(0, Holds.Count);
    }

    [Fact]
    public async Task OverdueTaskHasAMomentFromItsCreationOn()
    {
        await _jobs.CreateAsync(_jobs.Now.AddDays(-1));
        _jobs.Clock.Advance(Grace - Millisecond);

        await RescueAsync();

        Assert.Equal(0, Holds.Count);
    }

    [Fact]
    public async Task TaskThatThisInstanceHoldsIsNotTakenAgain()
    {
        // Held for another time, so that a second delivery would be a second entry.
        var task = await _jobs.CreateAsync();
        Holds.Add(task.Delivered() with { DueAt = _jobs.Now.AddMinutes(1) });
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        Assert.Equal(1, Holds.Count);
    }

    [Fact]
    public async Task TaskThatThisInstanceRunsIsNotTakenAgain()
    {
        var task = await _jobs.CreateAsync();
        _jobs.Get<RunningTasks>().Add(Assert.Single(await _jobs.ClaimAsync(task)));
        _jobs.Clock.Advance(Lease);

        await RescueAsync();

        Assert.Equal(0, Holds.Count);
    }

    [Fact]
    public async Task TaskWhoseJobWasDeletedOnTheDashboardIsDeletedEvenIfItWasTaken()
    {
        var task = await _jobs.CreateAsync();
        _jobs.ChangeJob(task.JobId!, new DeletedState());
        _jobs.Clock.Advance(Grace);

        await RescueAsync();
        var started = await StartAsync();
        await _jobs.Get<DashboardMirror>().RunOnceAsync(Cancel);
        await _jobs.CompleteAsync(started);
        await _jobs.ReportAsync();

        var row = await _jobs.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Deleted, null), (row.State, row.Output));
        Assert.Equal("Deleted", _jobs.JobState(task.JobId));
    }

    [Theory]
    [InlineData(ScheduledTaskState.Completed)]
    [InlineData(ScheduledTaskState.Failed)]
    [InlineData(ScheduledTaskState.Deleted)]
    public async Task EndedTaskIsLeftAlone(ScheduledTaskState state)
    {
        var task = await _jobs.CreateInAsync(state);
        var row = await _jobs.ColumnsAsync(task.Id);
        _jobs.Clock.Advance(TimeSpan.FromHours(1));

        await RescueAsync();

        Assert.Equal(0, Holds.Count);
        Assert.Equal(row, await _jobs.ColumnsAsync(task.Id));
    }

    [Fact]
    public async Task NeverMoreTasksAreRescuedThanThereAreFreeSlots()
    {
        await _jobs.AddAsync(Enumerable.Range(0, 3_000).Select(i => _jobs.Now.AddSeconds(-i)), withJobs: false);
        _jobs.Clock.Advance(Grace);

        await RescueAsync();
        await RescueAsync();

        Assert.Equal(10, Holds.Count);
        Assert.Equal(10, (await _jobs.RowsAsync()).Count(row => row.JobId is not null));
    }

    [Fact]
    public async Task TasksThatAreAboutToTakeASlotCountAsTakingIt()
    {
        for (var i = 0; i < 7; i++)
            Holds.Add((await _jobs.CreateAsync()).Delivered());
        _jobs.Get<RunningTasks>().TakeSlots(1);
        var lost = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now.AddHours(-1), 5), withJobs: true);
        _jobs.Clock.Advance(Grace);

        await RescueAsync();

        Assert.Equal(2, lost.Count(task => Holds.Contains(task.Id, task.DueAt)));
    }

    /// <summary>It would be refused: with its claim the instance lives again.</summary>
    [Fact]
    public async Task OwnTaskThatTheInstanceDoesNotKnowIsNotTakenOverButGivenBack()
    {
        var unknown = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        _jobs.Clock.Advance(Lease + TimeSpan.FromSeconds(1));

        await RescueAsync();
        Assert.Equal((0, ScheduledTaskState.Pending), (Holds.Count, (await _jobs.FindAsync(unknown.Id)).State));

        await RescueAsync();
        Assert.True(Holds.Contains(unknown.Id, unknown.DueAt));
    }

    [Fact]
    public async Task InstanceWithoutAFreeSlotTakesWhatIsAbandonedForItsNextOneAndNothingElse()
    {
        _jobs.Get<RunningTasks>().TakeSlots(10);
        await _jobs.CreateAsync();
        var abandoned = await _jobs.CreateAsync();
        await using var gone = _jobs.Another();
        Assert.Single(await gone.ClaimAsync(abandoned));
        _jobs.Clock.Advance(Lease);

        await RescueAsync();

        Assert.Equal(1, Holds.Count);
        Assert.True(Holds.Contains(abandoned.Id, abandoned.DueAt));
    }

    [Fact]
    public async Task AbandonedTasksAreStartedBeforeOverdueOnesAndTheseByDueTime()
    {
        var times = Enumerable.Range(0, 20).Select(i => _jobs.Now.AddHours(-i));
        var overdue = await _jobs.AddAsync(times, withJobs: false);
        var abandoned = await _jobs.CreateAsync();
        await using var gone = _jobs.Another();
        Assert.Single(await gone.ClaimAsync(abandoned));
        _jobs.Clock.Advance(Lease);

        await RescueAsync();

        Assert.Equal(
            [abandoned.Id, .. overdue.TakeLast(9).Reverse().Select(task => task.Id)],
            Holds.TakeReady(_jobs.Now, 100).Select(delivery => delivery.TaskId));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TwoRescuersAtOnceStartEveryTaskOnce(bool withJobs)
    {
        await using var first = await JobsAtRest.OpenAsync<TStore>();
        await using var second = first.Another();
        await first.AddAsync(Enumerable.Repeat(first.Now, 300), withJobs);
        first.Clock.Advance(Grace);

        var started = await Task.WhenAll(Rescuer(first), Rescuer(second));

        var rows = await first.RowsAsync();
        Assert.Equal(rows.Select(row => row.Id).Order(), started.SelectMany(tasks => tasks).Select(task => task.Id).Order());
        Assert.All(rows, row => Assert.Equal((ScheduledTaskState.Running, 1), (row.State, row.Attempt)));

        static Task<IReadOnlyList<ClaimedTask>> Rescuer(JobsAtRest jobs) => Task.Run(
            async () =>
            {
                await RescueAsync(jobs);
                return await StartAsync(jobs);
            },
            Cancel);
    }

    [Fact]
    public async Task TaskThatWasClaimedMeanwhileKeepsItsJob()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.ClaimAsync(task);
        var names = JsonSerializer.Serialize(
            new[] { new { id = task.Id, attempt = task.Attempt, from = task.JobId, to = "another" } });

        await using var db = await _jobs.OpenTableAsync();
        var named = await db.Database.SqlQueryRaw<Guid>(_jobs.Get<StoreSql>().NameJobs, names).ToListAsync(Cancel);

        Assert.Empty(named);
        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
    }

    private Task<TimeSpan> RescueAsync() => RescueAsync(_jobs);

    private Task<IReadOnlyList<ClaimedTask>> StartAsync() => StartAsync(_jobs);

    private static Task<TimeSpan> RescueAsync(JobsAtRest jobs) => jobs.Get<TaskRescuer>().RunOnceAsync(Cancel);

    /// <summary>Claims what the instance holds and is due, as its worker does.</summary>
    private static async Task<IReadOnlyList<ClaimedTask>> StartAsync(JobsAtRest jobs)
    {
        await jobs.BeatAsync();
        return await jobs.Get<TaskClaimer>().ClaimAsync(jobs.Get<HoldQueue>().TakeReady(jobs.Now, 1_000), Guid.NewGuid(), Cancel);
    }

    private async Task BefallsAsync(ScheduledTask task, string fate)
    {
        IState? state = fate switch
        {
            "Enqueued" => new EnqueuedState(TaskJobs.Queue),
            "Scheduled" => new ScheduledState(TimeSpan.FromHours(1)),
            "Processing" => new HeldState("lost", _jobs.Now, task.DueAt),
            "Succeeded" => new SucceededState(null, 0, 0),
            "Failed" => new FailedState(new IOException("Full")),
            _ => null,
        };
        if (state is not null)
            _jobs.ChangeJob(task.JobId!, state);
        else
            await NameJobAsync(task, $"{long.MaxValue}");
    }

    private async Task NameJobAsync(ScheduledTask task, string? jobId)
    {
        await using var db = await _jobs.OpenTableAsync();
        await db.Tasks.Where(t => t.Id == task.Id).ExecuteUpdateAsync(set => set.SetProperty(t => t.JobId, jobId), Cancel);
    }

    private async Task<(string? Instance, string? JobId)> InstanceAndJobAsync(Guid id) =>
        await _jobs.FindAsync(id) is var row ? (row.Instance, row.JobId) : default;
}
