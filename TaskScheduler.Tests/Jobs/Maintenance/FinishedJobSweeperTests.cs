using Hangfire;
using Hangfire.Server;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

/// <summary>Jobs whose last report was lost: the row has ended, the job has not.</summary>
public abstract class FinishedJobSweeperTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(6);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Theory]
    [InlineData(ScheduledTaskState.Completed, "Succeeded")]
    [InlineData(ScheduledTaskState.Failed, "Failed")]
    [InlineData(ScheduledTaskState.Deleted, "Deleted")]
    public async Task JobOfAnEndedTaskEndsAsTheTaskDid(ScheduledTaskState state, string end)
    {
        var task = await CreateWithLostReportAsync(state);
        var row = await _jobs.ColumnsAsync(task.Id);
        _jobs.Clock.Advance(UnderWay);

        await SweepAsync();

        Assert.Equal(end, _jobs.JobState(task.JobId));
        Assert.Equal(row, await _jobs.ColumnsAsync(task.Id));
    }

    [Theory]
    [InlineData(ScheduledTaskState.Completed)]
    [InlineData(ScheduledTaskState.Failed)]
    public async Task ReportThatMayBeOnItsWayIsWaitedFor(ScheduledTaskState state)
    {
        var task = await CreateWithLostReportAsync(state);

        await SweepAsync();

        Assert.Equal("Processing", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task SucceededJobShowsTheOutputOfItsTask()
    {
        var task = await CreateWithLostReportAsync(ScheduledTaskState.Completed);
        _jobs.Clock.Advance(UnderWay);

        await SweepAsync();

        var job = Assert.Single(_jobs.Get<JobStorage>().GetMonitoringApi().SucceededJobs(0, 10)).Value;
        Assert.Equal($"\"Fizz {task.Id}\"", job.Result);
    }

    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    public async Task JobOfAnUnfinishedTaskIsLeftAlone(ScheduledTaskState state)
    {
        var task = await CreateWithLostReportAsync(state);
        _jobs.Clock.Advance(UnderWay);

        await SweepAsync();

        Assert.Equal("Processing", _jobs.JobState(task.JobId));
    }

    /// <summary>Whoever was to run it is gone, or whoever took it from the queue.</summary>
    [Theory]
    [InlineData("Processing")]
    [InlineData("Enqueued")]
    public async Task JobThatNoRowNamesEndsDeletedAndTouchesNoTask(string shown)
    {
        var task = await _jobs.CreateAsync();
        var spare = _jobs.CreateSpareJob(
            task, shown == "Enqueued" ? new EnqueuedState("nowhere") : new HeldState("lost", _jobs.Now, task.DueAt));

        await SweepAsync();

        Assert.Equal("Deleted", _jobs.JobState(spare));
        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>However many there are: the walk through them goes on in the next round, and begins again after the last.</summary>
    [Fact]
    public async Task ScheduledJobThatNoRowNamesIsDeletedAndTheOthersStay()
    {
        var tomorrow = _jobs.Now.AddDays(1);
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(tomorrow, 1_000), withJobs: true);
        await _jobs.Get<TaskJobs>().ApplyAsync(
            [.. tasks.Select(task => new JobStateChange(task.JobId!, task.Id, task.CreatedAt, new ScheduledState(tomorrow.UtcDateTime)))],
            Cancel);
        await SweepAsync();
        await SweepAsync();
        var spares = tasks.Take(2)
            .Select(task => _jobs.CreateSpareJob(task, new ScheduledState(tomorrow.AddHours(task == tasks[0] ? 1 : -1).UtcDateTime))).ToList();

        await SweepAsync();
        await SweepAsync();

        Assert.All(spares, spare => Assert.Equal("Deleted", _jobs.JobState(spare)));
        Assert.All(tasks, task => Assert.Equal("Scheduled", _jobs.JobState(task.JobId)));
    }

    [Fact]
    public async Task JobThatWaitsForATaskDeletedLatelyIsDeleted()
    {
        var task = await _jobs.CreateAsync(_jobs.Now.AddDays(1));
        await using (var db = await _jobs.OpenTableAsync())
        {
            // The row alone, as if the process had died before it told Hangfire.
            await db.Tasks.Where(t => t.Id == task.Id).ExecuteUpdateAsync(
                set => set
                    .SetProperty(t => t.State, ScheduledTaskState.Deleted)
                    .SetProperty(t => t.DeletedAt, _jobs.Now),
                Cancel);
        }

        await SweepAsync();

        Assert.Equal("Deleted", _jobs.JobState(task.JobId));
    }

    /// <summary>Its instance died before Hangfire had heard that it took the job, or somebody who was frozen wrote last.</summary>
    [Theory]
    [InlineData(ScheduledTaskState.Completed, "Enqueued", "Succeeded")]
    [InlineData(ScheduledTaskState.Completed, "Scheduled", "Succeeded")]
    [InlineData(ScheduledTaskState.Completed, "Failed", "Succeeded")]
    [InlineData(ScheduledTaskState.Failed, "Scheduled", "Failed")]
    public async Task JobThatIsInNoListOfOpenOnesEndsAsItsTaskDid(ScheduledTaskState state, string shown, string end)
    {
        var task = await CreateWithLostReportAsync(state, shown switch
        {
            "Scheduled" => new ScheduledState(TimeSpan.FromHours(1)),
            "Failed" => new FailedState(new IOException("Full")),
            _ => new EnqueuedState("nowhere"),
        });
        _jobs.Clock.Advance(UnderWay);

        await SweepAsync();

        Assert.Equal(end, _jobs.JobState(task.JobId));
    }

    /// <summary>Nobody was there for longer than a round looks back.</summary>
    [Fact]
    public async Task FirstRoundAfterAStartLooksFarBack()
    {
        var task = await CreateWithLostReportAsync(ScheduledTaskState.Completed, new FailedState(new IOException("Full")));
        _jobs.Clock.Advance(TimeSpan.FromHours(2));

        await SweepAsync();

        Assert.Equal("Succeeded", _jobs.JobState(task.JobId));
    }

    /// <summary>More than a round looks at have ended in between.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(7_200)]
    public async Task LatestAreLookedAtFirstAndTheOthersInTheNextRound(int secondsAgo)
    {
        var earliest = await CreateWithLostReportAsync(ScheduledTaskState.Completed, new FailedState(new IOException("Full")));
        await InsertCompletedAsync(10_000);
        _jobs.Clock.Advance(TimeSpan.FromSeconds(1));
        var latest = await CreateWithLostReportAsync(ScheduledTaskState.Completed, new FailedState(new IOException("Full")));
        _jobs.Clock.Advance(TimeSpan.FromSeconds(secondsAgo));

        await SweepAsync();
        Assert.Equal(("Failed", "Succeeded"), (_jobs.JobState(earliest.JobId), _jobs.JobState(latest.JobId)));

        await SweepAsync();
        Assert.Equal("Succeeded", _jobs.JobState(earliest.JobId));
    }

    [Fact]
    public async Task FailedTaskWhoseJobSomebodyRequeuedIsLeftToTheMirror()
    {
        var task = await CreateWithLostReportAsync(ScheduledTaskState.Failed, new FailedState(new IOException("Full")));
        _jobs.ChangeJob(task.JobId!, new EnqueuedState("nowhere"));
        _jobs.Clock.Advance(UnderWay);

        await SweepAsync();

        Assert.Equal("Enqueued", _jobs.JobState(task.JobId));
    }

    /// <summary>Its last try was delivered to an instance that died.</summary>
    [Fact]
    public async Task FailedTaskWhoseJobNobodyRequeuedEndsFailed()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.Get<IJobQueue>().TakeAsync(1, DateTimeOffset.MaxValue, Cancel);
        await using var lost = _jobs.Another();
        var claimed = Assert.Single(await lost.ClaimAsync(task));
        await lost.Get<TaskCompleter>().FailAsync(claimed with { Tries = _jobs.LastTry }, new IOException("Full"), Cancel);
        Assert.Equal("Enqueued", _jobs.JobState(task.JobId));
        _jobs.Clock.Advance(UnderWay);

        await SweepAsync();

        Assert.Equal("Failed", _jobs.JobState(task.JobId));
    }

    /// <summary>Of a living instance to itself, of one that is gone to the first of the others.</summary>
    [Theory]
    [InlineData("first", "lost")]
    [InlineData("second", "first")]
    public async Task JobIsLeftToOneInstance(string notBy, string by)
    {
        var task = await CreateWithLostReportAsync(ScheduledTaskState.Completed);
        Announce(notBy, by);
        _jobs.Clock.Advance(UnderWay);

        await SweepAsync(asServer: notBy);
        Assert.Equal("Processing", _jobs.JobState(task.JobId));

        await SweepAsync(asServer: by);
        Assert.Equal("Succeeded", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task FirstInstanceThatIsSilentIsNotWaitedForLong()
    {
        var task = await CreateWithLostReportAsync(ScheduledTaskState.Completed);
        Announce("lost", "first", "second");
        // Hangfire writes heartbeats by the real clock.
        _jobs.Clock.SetUtcNow(TimeProvider.System.GetUtcNow().AddSeconds(15));

        await SweepAsync(asServer: "second");

        Assert.Equal("Succeeded", _jobs.JobState(task.JobId));
    }

    private void Announce(params string[] servers)
    {
        using var connection = _jobs.Get<JobStorage>().GetConnection();
        foreach (var server in servers)
            connection.AnnounceServer(server, new ServerContext { Queues = [TaskJobs.Queue], WorkerCount = 1 });
    }

    private Task SweepAsync(string asServer)
    {
        _jobs.Get<JobReporter>().ServerId = asServer;
        return SweepAsync();
    }

    private async Task<ScheduledTask> CreateWithLostReportAsync(ScheduledTaskState state, IState? shown = null)
    {
        var task = await _jobs.CreateInAsync(state);
        await _jobs.Get<IJobQueue>().TakeAsync(1, DateTimeOffset.MaxValue, Cancel);
        await _jobs.ReportAsync();
        _jobs.ChangeJob(task.JobId!, shown ?? new HeldState("lost", _jobs.Now, task.DueAt));
        return task;
    }

    /// <summary>Rows that end within the next second, and whose jobs Hangfire has forgotten.</summary>
    private async Task InsertCompletedAsync(int count)
    {
        await using var db = await _jobs.OpenTableAsync();
        for (var i = 0; i < count; i++)
        {
            var task = ScheduledTask.Create(TaskKind.Fizz, _jobs.Now, _jobs.Now, $"{1_000_000 + i}", Guid.NewGuid());
            var row = db.Tasks.Add(task);
            row.Property(t => t.State).CurrentValue = ScheduledTaskState.Completed;
            row.Property(t => t.FinishedAt).CurrentValue = _jobs.Now.AddMilliseconds(1 + (i / 20));
            row.Property(t => t.Output).CurrentValue = TaskKind.Fizz.ToString();
        }

        await db.SaveChangesAsync(Cancel);
    }

    private async Task SweepAsync()
    {
        await _jobs.Get<FinishedJobSweeper>().RunOnceAsync(Cancel);
        await _jobs.ReportAsync();
    }
}
