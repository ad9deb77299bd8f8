using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

public abstract class JobAuditTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private const int Page = 1_000;

    private readonly TStore _store = new();
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private JobStorage Storage => _jobs.Get<JobStorage>();

    private DateTimeOffset Later => _jobs.Now.AddHours(1);

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync(_store);

    public async ValueTask DisposeAsync()
    {
        if (_jobs is not null)
            await _jobs.DisposeAsync();
        await _store.DisposeAsync();
    }

    /// <summary>A restart of the embedded store and tables that an operator emptied are the same case.</summary>
    [Fact]
    public async Task NewLifeOfTheStorageShowsEveryTaskByAJobOfItsOwn()
    {
        var tasks = new List<ScheduledTask> { await _jobs.CreateAsync(Later), await _jobs.CreateAsync(Later) };
        foreach (var state in Enum.GetValues<ScheduledTaskState>().Where(state => state != ScheduledTaskState.Pending))
            tasks.Add(await _jobs.CreateInAsync(state));
        await _jobs.ShowAsync();
        await LoseJobsAsync();
        // It gets a number that another one had before.
        var created = await _jobs.CreateAsync(Later);

        await AuditUntilShownAsync();

        var rows = await _jobs.RowsAsync();
        Assert.Equal([.. tasks.Select(task => task.Id), created.Id], rows.Select(row => row.Id));
        Assert.All(rows, row => Assert.Equal(row.Id, Storage.TaskOf(row.JobId!)));
        Assert.All(rows, row => Assert.Equal(JobStates.NameOf(row.State), Storage.StateOf(row.JobId!)));
        Assert.Equal(rows.Count, Storage.CountShown());
        Assert.Equal(rows.Count, rows.DistinctBy(row => row.JobId).Count());
    }

    [Fact]
    public async Task NewLifeMarksWhatIsPendingNearestDueFirst()
    {
        DateTimeOffset[] times = [.. Enumerable.Range(0, Page + 200).Select(i => Later.AddSeconds(i))];
        Random.Shared.Shuffle(times);
        var tasks = await _jobs.AddAsync(times);
        await ShowWithoutJobsAsync();
        await LoseJobsAsync();
        await BeginLifeAsync();

        await _jobs.AuditAsync();
        var first = await _jobs.NotShownAsync();
        await _jobs.ShowAsync();
        await _jobs.AuditAsync();
        var second = await _jobs.NotShownAsync();

        var inOrder = tasks.OrderBy(task => task.DueAt).Select(task => task.Id).ToList();
        Assert.Equal(inOrder.Take(Page).Order(), first.Order());
        Assert.Equal(inOrder.Skip(Page).Order(), second.Order());
    }

    [Fact]
    public async Task NewLifeMarksTheNewestFinishedTasks()
    {
        var old = await FinishAsync(30);
        _jobs.Clock.Advance(TimeSpan.FromSeconds(1));
        var young = await FinishAsync(500);
        await _jobs.ShowAsync();
        await LoseJobsAsync();
        await BeginLifeAsync();

        await _jobs.AuditAsync();

        Assert.Equal(young.Select(task => task.Id).Order(), (await _jobs.NotShownAsync()).Order());
        await _jobs.ShowAsync();
        Assert.Equal(500, Storage.GetMonitoringApi().GetStatistics().Succeeded);
        // One of the others is shown once it changes.
        await _jobs.Get<TaskClient>().DeleteAsync(old[0].Id, Cancel);
        await _jobs.ShowAsync();
        Assert.Equal("Deleted", await _jobs.JobStateAsync(old[0]));
    }

    /// <summary>Such as one that was written by hand.</summary>
    [Fact]
    public async Task ShownRowWithoutAJobIsMarked()
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();
        await using (var table = await _jobs.OpenTableAsync())
            await table.Tasks.ExecuteUpdateAsync(set => set.SetProperty(t => t.JobId, (string?)null), Cancel);

        await _jobs.AuditAsync();

        Assert.Equal([task.Id], await _jobs.NotShownAsync());
    }

    [Fact]
    public async Task SameLifeMarksNothing()
    {
        foreach (var state in Enum.GetValues<ScheduledTaskState>().Where(state => state != ScheduledTaskState.Pending))
            await _jobs.CreateInAsync(state);
        await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();

        await _jobs.AuditAsync();
        await _jobs.AuditAsync();

        Assert.Empty(await _jobs.NotShownAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PendingTaskWhoseJobAnotherProgramChangedIsShownAgain(bool deleted)
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();
        ChangeElsewhere(await _jobs.FindAsync(task.Id), deleted ? new DeletedState() : new EnqueuedState());

        await _jobs.AuditAsync();
        await _jobs.ShowAsync();

        Assert.Equal(["Scheduled", deleted ? "Deleted" : "Enqueued", "Scheduled"], await _jobs.HistoryAsync(task));
        Assert.Equal(0, Storage.GetMonitoringApi().GetStatistics().Deleted);
        Assert.Equal(1, Storage.CountShown());
        Assert.Equal(ScheduledTaskState.Pending, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>As by an audit that read which life it is before a new one began, and the rows after that.</summary>
    [Fact]
    public async Task TaskThatIsMarkedWithoutNeedKeepsItsJob()
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();
        var shown = await _jobs.FindAsync(task.Id);
        await using (var db = await _jobs.OpenTableAsync())
            await db.Tasks.ExecuteUpdateAsync(set => set.SetProperty(t => t.IsShown, false), Cancel);

        await _jobs.ShowAsync();

        Assert.Equal(shown.JobId, (await _jobs.FindAsync(task.Id)).JobId);
        Assert.Equal(1, Storage.CountShown());
    }

    [Fact]
    public async Task RunningTaskWhoseJobAnotherProgramDeletedIsShownAgain()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Running);
        await _jobs.ShowAsync();
        ChangeElsewhere(await _jobs.FindAsync(task.Id), new DeletedState());

        await _jobs.AuditAsync();
        await _jobs.ShowAsync();

        Assert.Equal(["Processing", "Deleted", "Processing"], await _jobs.HistoryAsync(task));
    }

    [Fact]
    public async Task PendingTaskWhoseJobIsGoneGetsAnother()
    {
        var task = await _jobs.CreateAsync(Later);
        await _jobs.ShowAsync();
        await using (var db = await _jobs.OpenTableAsync())
        {
            // A number that this storage does not have.
            await db.Tasks.ExecuteUpdateAsync(set => set.SetProperty(t => t.JobId, "987654321"), Cancel);
        }

        await _jobs.AuditAsync();
        await _jobs.ShowAsync();

        Assert.Equal("Scheduled", await _jobs.JobStateAsync(task));
    }

    [Fact]
    public async Task FinishedTaskIsLeftAsAnotherProgramShowsIt()
    {
        var task = await _jobs.CreateInAsync(ScheduledTaskState.Completed);
        await _jobs.ShowAsync();
        ChangeElsewhere(await _jobs.FindAsync(task.Id), new DeletedState());

        await _jobs.AuditAsync();
        await _jobs.ShowAsync();

        Assert.Equal("Deleted", await _jobs.JobStateAsync(task));
        Assert.Equal(ScheduledTaskState.Completed, (await _jobs.FindAsync(task.Id)).State);
    }

    /// <summary>Of different times, or all at one moment.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task EveryPageIsLookedThrough(int seconds)
    {
        var tasks = await _jobs.AddAsync(Enumerable.Range(0, (2 * Page) + 100).Select(i => Later.AddSeconds(i * seconds)));
        await _jobs.ShowAsync();
        ScheduledTask[] changed = [tasks[0], tasks[Page - 1], tasks[Page], tasks[^1]];
        foreach (var task in changed)
            ChangeElsewhere(await _jobs.FindAsync(task.Id), new DeletedState());

        for (var page = 0; page < 3; page++)
            await _jobs.AuditAsync();

        Assert.Equal(changed.Select(task => task.Id).Order(), (await _jobs.NotShownAsync()).Order());
    }

    private async Task LoseJobsAsync()
    {
        if (_store.KeepsJobsInMemory)
        {
            await _jobs.DisposeAsync();
            _jobs = await JobsAtRest.OpenAsync(_store);
        }
        else
        {
            await _store.EmptyJobsAsync();
        }
    }

    /// <summary>The audit finds no life, and the projector begins one.</summary>
    private async Task BeginLifeAsync()
    {
        await _jobs.AuditAsync();
        Assert.Empty(await _jobs.NotShownAsync());
        await _jobs.ShowAsync();
    }

    private async Task AuditUntilShownAsync()
    {
        await _jobs.AuditAsync();
        for (var round = 0; round < 2; round++)
        {
            await _jobs.ShowAsync();
            await _jobs.AuditAsync();
        }

        Assert.Empty(await _jobs.NotShownAsync());
    }

    /// <summary>As if all were shown in a life that is over.</summary>
    private async Task ShowWithoutJobsAsync()
    {
        await using var db = await _jobs.OpenTableAsync();
        await db.Tasks.ExecuteUpdateAsync(
            set => set.SetProperty(t => t.IsShown, true)
                .SetProperty(t => t.JobId, "1")
                .SetProperty(t => t.JobState, "Scheduled")
                .SetProperty(t => t.JobStorageId, Guid.NewGuid()),
            Cancel);
    }

    private async Task<IReadOnlyList<ScheduledTask>> FinishAsync(int count)
    {
        var tasks = await _jobs.AddAsync(Enumerable.Repeat(_jobs.Now, count));
        await _jobs.CompleteAsync(await _jobs.ClaimAsync());
        return tasks;
    }

    /// <summary>What a dashboard of another program does.</summary>
    private void ChangeElsewhere(ScheduledTask task, IState state) =>
        Assert.True(new BackgroundJobClient(Storage).ChangeState(task.JobId, state));
}
