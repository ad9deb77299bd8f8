using Hangfire;
using Hangfire.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Projection;

public abstract class JobProjectorTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly TStore _store = new();
    private readonly StatementStop _stop = new();
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private JobStorage Storage => _jobs.Get<JobStorage>();

    private StoreSql Sql => _jobs.Get<StoreSql>();

    private DateTimeOffset Later => _jobs.Now.AddHours(1);

    public async ValueTask InitializeAsync() =>
        _jobs = await JobsAtRest.OpenAsync(_store, services => services.AddSingleton<IInterceptor>(_stop));

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        if (_jobs is not null)
            await _jobs.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    [InlineData(ScheduledTaskState.Completed)]
    [InlineData(ScheduledTaskState.Failed)]
    [InlineData(ScheduledTaskState.Deleted)]
    public async Task JobShowsWhatIsDerivedFromItsRow(ScheduledTaskState state)
    {
        var task = state is ScheduledTaskState.Pending ? await _jobs.CreateAsync(Later) : await _jobs.CreateInAsync(state);

        await _jobs.ShowAsync();

        var row = await _jobs.FindAsync(task.Id);
        var expected = JobStates.Of(row, serverId: null);
        var shown = Assert.Single(Storage.HistoryOf(row.JobId!));
        Assert.Equal((expected.Name, expected.Reason), (shown.StateName, shown.Reason));
        Assert.Equal(DataOf(expected.SerializeData()), DataOf(shown.Data));
        Assert.Equal(task.Id, Storage.TaskOf(row.JobId!));
        Assert.Equal((true, expected.Name), (row.IsShown, row.JobState));

        // When Hangfire's own state was made.
        static IEnumerable<KeyValuePair<string, string>> DataOf(IDictionary<string, string> data) =>
            data.Where(item => item.Key != "ScheduledAt").OrderBy(item => item.Key, StringComparer.Ordinal);
    }

    [Fact]
    public async Task JobIsScheduledForTheMillisecondOfItsTask()
    {
        var task = await _jobs.CreateAsync(Later.AddMilliseconds(123));

        await _jobs.ShowAsync();

        var row = await _jobs.FindAsync(task.Id);
        var scheduled = Assert.Single(Storage.GetMonitoringApi().ScheduledJobs(0, 10));
        Assert.Equal(row.JobId, scheduled.Key);
        var enqueueAt = Storage.HistoryOf(row.JobId!)[0].Data["EnqueueAt"];
        Assert.Equal(task.ExecuteAt.UtcDateTime, JobHelper.DeserializeDateTime(enqueueAt));
    }

    [Fact]
    public async Task RescheduledJobIsScheduledForTheNewTime()
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();

        await _jobs.Get<TaskClient>().RescheduleAsync(task.Id, new(Later.AddHours(1)), Cancel);
        await _jobs.ShowAsync();

        var row = await _jobs.FindAsync(task.Id);
        var enqueueAt = Storage.HistoryOf(row.JobId!)[^1].Data["EnqueueAt"];
        Assert.Equal(Later.AddHours(1).UtcDateTime, JobHelper.DeserializeDateTime(enqueueAt));
        Assert.Equal(1, Storage.CountShown());
    }

    /// <summary>The row was not shown yet when it was read to be changed, and is when the change is written.</summary>
    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Failed)]
    public async Task ChangeOfARowThatIsShownMeanwhileIsShown(ScheduledTaskState state)
    {
        var task = state is ScheduledTaskState.Pending ? await _jobs.CreateAsync(Later) : await _jobs.CreateInAsync(state);
        var client = _jobs.Get<TaskClient>();
        _stop.FreezeAfterReadingOne();
        var changing = state is ScheduledTaskState.Pending
            ? client.RescheduleAsync(task.Id, new(Later.AddHours(1)), Cancel)
            : client.RequeueAsync(task.Id, Cancel);
        await _stop.Frozen;
        await _jobs.ShowAsync();
        _stop.Thaw();
        Assert.True((await changing).Applied);
        // What is due is not shown before it waited for a while.
        _jobs.Clock.Advance(TimeSpan.FromSeconds(2));

        await _jobs.ShowAsync();

        var row = await _jobs.FindAsync(task.Id);
        var shown = Storage.HistoryOf(row.JobId!)[^1];
        Assert.Equal("Scheduled", shown.StateName);
        Assert.Equal(row.DueAt.UtcDateTime, JobHelper.DeserializeDateTime(shown.Data["EnqueueAt"]));
    }

    /// <summary>On the dashboard it can be requeued for as long as over the API.</summary>
    [Fact]
    public async Task FailedJobIsKeptForAsLongAsItsTask()
    {
        var failed = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await _jobs.ShowAsync();

        var job = Storage.GetMonitoringApi().JobDetails((await _jobs.FindAsync(failed.Id)).JobId!);

        var kept = _jobs.Get<IOptions<RetentionOptions>>().Value.Finished;
        // By the store's clock, which may be that of the tests and stands still.
        var shownAt = job.ExpireAt!.Value - kept;
        Assert.InRange(shownAt, (_jobs.Now - TimeSpan.FromMinutes(5)).UtcDateTime, TimeProvider.System.GetUtcNow().UtcDateTime);
    }

    [Fact]
    public async Task TaskThatRanThroughBeforeItWasShownIsShownOnceAtItsEnd()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Completed);

        await _jobs.ShowAsync();

        Assert.Equal(["Succeeded"], await _jobs.HistoryAsync(task));
        Assert.Equal(1, Storage.CountShown());
    }

    [Fact]
    public async Task TaskKeepsItsJobThroughAllItsStates()
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();
        var job = (await _jobs.FindAsync(task.Id)).JobId;
        _jobs.Clock.Advance(TimeSpan.FromHours(1));
        var attempt = Assert.Single(await _jobs.ClaimAsync());
        await _jobs.ShowAsync();
        await _jobs.CompleteAsync(attempt);
        await _jobs.ShowAsync();
        await _jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel);

        await _jobs.ShowAsync();

        Assert.Equal(job, (await _jobs.FindAsync(task.Id)).JobId);
        Assert.Equal(["Scheduled", "Processing", "Succeeded", "Deleted"], await _jobs.HistoryAsync(task));
        Assert.Equal(1, Storage.CountShown());
    }

    [Fact]
    public async Task WhatIsShownIsNotShownAgain()
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();

        await _jobs.ShowAsync();

        Assert.Equal(["Scheduled"], await _jobs.HistoryAsync(task));
    }

    [Fact]
    public async Task NextTryAndTakeOverAreShownAsWhatTheyAre()
    {
        var task = await _jobs.CreateAsync();
        await _jobs.FailAsync(Assert.Single(await _jobs.ClaimAsync()), "Full");
        await _jobs.ShowAsync();
        _jobs.Clock.Advance(TimeSpan.FromMinutes(1));
        await _jobs.ClaimAsync();
        await _jobs.ShowAsync();
        await using var another = _jobs.Another();
        _jobs.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(await another.TakeOverAsync());

        await another.ShowAsync();

        var history = Storage.HistoryOf((await _jobs.FindAsync(task.Id)).JobId!);
        Assert.Equal(
            [("Scheduled", "Try 1 failed: IOException: Full"), ("Processing", "Attempt 2"), ("Processing", "Attempt 3")],
            history.Select(state => (state.StateName, state.Reason)));
    }

    /// <summary>A claim passes over a row that is locked, and the projector locks what it shows.</summary>
    [Fact]
    public async Task TaskIsLeftAloneAroundTheMomentAtWhichItIsDue()
    {
        var task = await _jobs.CreateAsync(_jobs.Now.AddMilliseconds(500));
        await _jobs.ShowAsync();
        Assert.Null(await _jobs.JobStateAsync(task));
        _jobs.Clock.Advance(TimeSpan.FromMilliseconds(1_500));
        await _jobs.ShowAsync();
        Assert.Null(await _jobs.JobStateAsync(task));

        _jobs.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await _jobs.ShowAsync();

        Assert.Equal("Scheduled", await _jobs.JobStateAsync(task));
    }

    [Fact]
    public async Task TaskThatIsDeletedWhenItIsDueIsShownAtOnce()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Deleted);

        await _jobs.ShowAsync();

        Assert.Equal("Deleted", await _jobs.JobStateAsync(task));
    }

    /// <summary>First before the job has a state, then, on a storage with transactions of its own, before the mark is cleared.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task CrashBetweenTheJobAndItsMarkLeavesOneJobThatIsCountedOnce(int note)
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Completed);
        _stop.BreakBefore(Sql.Show, note);
        var crash = await Record.ExceptionAsync(() => _jobs.Get<JobProjector>().ShowAsync(10, Cancel));
        // Where both are one transaction there is one note.
        Assert.Equal(note == 1 || !_jobs.Get<ITaskStore>().SharesTransactions, crash is IOException);
        if (note == 1)
            Assert.Equal((0, null), (Storage.CountShown(), await _jobs.JobStateAsync(task)));

        await _jobs.ShowAsync();

        Assert.Empty(await _jobs.NotShownAsync());
        Assert.Equal(["Succeeded"], await _jobs.HistoryAsync(task));
        Assert.Equal(1, Storage.CountShown());
        Assert.Equal(1, Storage.GetMonitoringApi().GetStatistics().Succeeded);
    }

    [Fact]
    public async Task CountersCountEachTaskOnce()
    {
        var completed = new List<ScheduledTask>();
        for (var i = 0; i < 3; i++)
            completed.Add(await _jobs.CreateInAsync(ScheduledTaskState.Completed));
        await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await _jobs.ShowAsync();
        await _jobs.Get<TaskClient>().DeleteAsync(completed[0].Id, Cancel);
        await _jobs.ShowAsync();

        var monitoring = Storage.GetMonitoringApi();
        var figures = monitoring.GetStatistics();

        Assert.Equal((2, 1, 1), (figures.Succeeded, figures.Deleted, figures.Failed));
        // The graph is of what happened.
        Assert.Equal(3, monitoring.SucceededByDatesCount().Values.Sum());
        Assert.Equal(1, monitoring.FailedByDatesCount().Values.Sum());
    }

    /// <summary>Hangfire forgets a job that succeeded after a day, and a task is kept for a week.</summary>
    [Fact]
    public async Task TaskWhoseJobIsGoneGetsAnother()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Completed);
        await _jobs.ShowAsync();
        await using (var db = await _jobs.OpenTableAsync())
        {
            // A number that this storage never gave, or not any more.
            await db.Tasks.Where(t => t.Id == task.Id).ExecuteUpdateAsync(set => set.SetProperty(t => t.JobId, "987654321"), Cancel);
        }

        await _jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
        await _jobs.ShowAsync();

        Assert.Empty(await _jobs.NotShownAsync());
        Assert.Equal("Deleted", await _jobs.JobStateAsync(task));
    }

    [Fact]
    public async Task RowThatCannotBeShownKeepsNoOtherFromBeingShown()
    {
        var bad = await _jobs.CreateInAsync(ScheduledTaskState.Failed);
        await using var db = await _jobs.OpenTableAsync();
        await db.Tasks.Where(t => t.Id == bad.Id).ExecuteUpdateAsync(set => set.SetProperty(t => t.Error, (string?)null), Cancel);
        await _jobs.AddAsync(Enumerable.Repeat(Later, 20));
        using var stop = new CancellationTokenSource();
        var projector = _jobs.Get<JobProjector>();
        var loop = projector.RunAsync(stop.Token);

        projector.Wake();

        await Eventually.TrueAsync(async () => await _jobs.NotShownAsync() is [var only] && only == bad.Id, "all others are shown");
        // A task that comes then is not kept either.
        var next = await _jobs.CreateAsync(Later);
        projector.Wake();
        await Eventually.TrueAsync(async () => await _jobs.JobStateAsync(next) == "Scheduled", "the next one is shown");
        // Its mend changes no version, so only time helps.
        await db.Tasks.Where(t => t.Id == bad.Id).ExecuteUpdateAsync(set => set.SetProperty(t => t.Error, "IOException: Full"), Cancel);
        await Eventually.TrueAsync(
            async () =>
            {
                projector.Wake();
                return await _jobs.JobStateAsync(bad) == "Failed";
            },
            "the row is shown once it can be");
        await stop.CancelAsync();
        await loop;
    }

    [Fact]
    public async Task LoopShowsWhatChangedBeforeItsEnd()
    {
        using var stop = new CancellationTokenSource();
        var loop = _jobs.Get<JobProjector>().RunAsync(stop.Token);
        var task = await _jobs.CreateAsync(Later);

        await stop.CancelAsync();
        await loop;

        Assert.Equal("Scheduled", await _jobs.JobStateAsync(task));
    }

    /// <summary>What was shown of a version that is past by the time of the note is noted as not shown.</summary>
    [Fact]
    public async Task RowThatChangesWhileItIsShownIsShownAgain()
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();
        await _jobs.Get<TaskClient>().RescheduleAsync(task.Id, new(Later.AddHours(1)), Cancel);
        _stop.FreezeAfterReading();
        var showing = _jobs.Get<JobProjector>().ShowAsync(10, Cancel);
        await _stop.Frozen;
        await _jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
        _stop.Thaw();

        Assert.Equal(1, await showing);
        Assert.Equal([task.Id], await _jobs.NotShownAsync());
        await _jobs.ShowAsync();

        Assert.Equal(["Scheduled", "Scheduled", "Deleted"], await _jobs.HistoryAsync(task));
    }
}
