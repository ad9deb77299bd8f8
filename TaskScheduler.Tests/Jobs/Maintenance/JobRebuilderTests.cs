using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Maintenance;

public abstract class JobRebuilderTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Creation = TimeSpan.FromSeconds(6);
    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task TasksToComeGetTheirJobsBackNearestFirst()
    {
        var times = Enumerable.Range(1, 1_050).Select(i => JobsAtRest.Start.AddDays(1_051 - i));
        var tasks = await _jobs.AddAsync(times, withJobs: false);
        _jobs.Clock.Advance(Creation);

        await RebuildAsync();
        Assert.Equal(tasks.TakeLast(1_000).Select(t => t.Id), await WithJobsAsync());

        await RebuildAsync();
        Assert.Equal(tasks.Select(t => t.Id), await WithJobsAsync());
    }

    [Fact]
    public async Task RebuiltJobWaitsForTheLookAheadOfItsTask()
    {
        var task = Assert.Single(await _jobs.AddAsync([JobsAtRest.Start.AddDays(1)], withJobs: false));
        _jobs.Clock.Advance(Creation);

        await RebuildAsync();

        var job = Assert.Single(_jobs.Get<JobStorage>().GetMonitoringApi().ScheduledJobs(0, 10));
        Assert.Equal((await _jobs.FindAsync(task.Id)).JobId, job.Key);
        Assert.Equal(task.DueAt.AddSeconds(-10).UtcDateTime, job.Value.EnqueueAt);
    }

    [Fact]
    public async Task TaskOfTheLookAheadGoesStraightToTheQueue()
    {
        await _jobs.AddAsync([JobsAtRest.Start.AddSeconds(10)], withJobs: false);
        _jobs.Clock.Advance(Creation);

        await RebuildAsync();

        Assert.Equal(1, _jobs.Get<JobStorage>().GetMonitoringApi().EnqueuedCount(TaskJobs.Queue));
    }

    [Theory]
    [InlineData("Succeeded")]
    [InlineData("Failed")]
    public async Task TaskWhoseJobHasEndedGetsANewOne(string fate)
    {
        var task = await _jobs.CreateAsync(JobsAtRest.Start.AddDays(1));
        _jobs.ChangeJob(
            task.JobId!, fate is "Failed" ? new FailedState(new IOException("Full")) : new SucceededState(null, 0, 0));
        _jobs.Clock.Advance(Creation);

        await RebuildAsync();

        Assert.Equal("Scheduled", _jobs.JobState((await _jobs.FindAsync(task.Id)).JobId));
    }

    [Theory]
    [InlineData("Scheduled")]
    [InlineData("Processing")]
    [InlineData("Enqueued")]
    [InlineData("Deleted")]
    public async Task TaskWhoseJobLivesOrWasDeletedKeepsIt(string fate)
    {
        var task = await _jobs.CreateAsync(JobsAtRest.Start.AddDays(1));
        IState? state = fate switch
        {
            "Processing" => new HeldState("web-1", _jobs.Now, task.DueAt),
            "Enqueued" => new EnqueuedState(TaskJobs.Queue),
            "Deleted" => new DeletedState(),
            _ => null,
        };
        if (state is not null)
            _jobs.ChangeJob(task.JobId!, state);
        _jobs.Clock.Advance(Creation);

        await RebuildAsync();

        Assert.Equal(task.JobId, (await _jobs.FindAsync(task.Id)).JobId);
        Assert.Equal(fate, _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task TaskThatIsBeingCreatedIsLeftAlone()
    {
        await _jobs.AddAsync([JobsAtRest.Start.AddDays(1)], withJobs: false);

        await RebuildAsync();

        Assert.Null(Assert.Single(await _jobs.RowsAsync()).JobId);
    }

    [Fact]
    public async Task TaskThatIsDueIsLeftToTheRescuer()
    {
        await _jobs.AddAsync([JobsAtRest.Start.AddSeconds(1)], withJobs: false);
        _jobs.Clock.Advance(Creation);

        await RebuildAsync();

        Assert.Empty(await WithJobsAsync());
    }

    [Fact]
    public async Task TaskThatLosesItsJobAfterARoundIsFoundByTheNext()
    {
        var task = await _jobs.CreateAsync(JobsAtRest.Start.AddDays(1));
        _jobs.Clock.Advance(Creation);
        await RebuildAsync();
        _jobs.ChangeJob(task.JobId!, new SucceededState(null, 0, 0));

        await RebuildAsync();

        Assert.Equal("Scheduled", _jobs.JobState((await _jobs.FindAsync(task.Id)).JobId));
    }

    [Fact]
    public async Task ReplacedJobEndsDeletedAndItsTaskIsUntouched()
    {
        var task = await _jobs.CreateAsync(JobsAtRest.Start.AddDays(1));
        _jobs.ChangeJob(task.JobId!, new SucceededState(null, 0, 0));
        _jobs.Clock.Advance(Creation);
        await RebuildAsync();
        var rebuilt = await _jobs.ColumnsAsync(task.Id);

        await _jobs.Get<DashboardMirror>().RunOnceAsync(Cancel);
        await _jobs.Get<JobIntake>().TakeAsync([task.JobId!], IntakeReason.Enqueued, Cancel);
        await _jobs.ReportAsync();

        Assert.Equal("Deleted", _jobs.JobState(task.JobId));
        Assert.Equal(rebuilt, await _jobs.ColumnsAsync(task.Id));
    }

    [Fact]
    public async Task TwoRebuildersAtOnceLeaveEveryTaskWithOneJobThatWaits()
    {
        await using var another = _jobs.Another();
        await _jobs.AddAsync(Enumerable.Repeat(JobsAtRest.Start.AddDays(1), 200), withJobs: false);
        _jobs.Clock.Advance(Creation);

        await Task.WhenAll(
            Task.Run(RebuildAsync, Cancel),
            Task.Run(() => another.Get<JobRebuilder>().RunOnceAsync(Cancel), Cancel));

        var waiting = _jobs.Get<JobStorage>().GetMonitoringApi().ScheduledJobs(0, 1_000);
        Assert.Equal((await _jobs.RowsAsync()).Select(row => row.JobId).Order(), waiting.Select(job => job.Key).Order());
    }

    /// <summary>
    /// A new job looks lost until it has its state. Whoever replaced it ended it, but the first one, which looked before that,
    /// would start it all the same, and it would stay on the dashboard until it is due.
    /// </summary>
    [Fact]
    public async Task RebuilderThatIsOvertakenEndsItsOwnJob()
    {
        InterruptedStates? states = null;
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(services =>
        {
            var own = services.Last(service => service.ServiceType == typeof(IJobStates)).ImplementationType!;
            services.AddSingleton<IJobStates>(provider =>
                states ??= new InterruptedStates((IJobStates)ActivatorUtilities.CreateInstance(provider, own)));
        });
        await using var another = jobs.Another();
        await jobs.AddAsync([JobsAtRest.Start.AddDays(1)], withJobs: false);
        jobs.Clock.Advance(Creation);
        _ = jobs.Get<JobRebuilder>();
        // The first look is at the job of the row, the second at the job that was made for it.
        states!.AfterSecond = () => another.Get<JobRebuilder>().RunOnceAsync(Cancel);

        await jobs.Get<JobRebuilder>().RunOnceAsync(Cancel);

        var waiting = Assert.Single(jobs.Get<JobStorage>().GetMonitoringApi().ScheduledJobs(0, 10));
        Assert.Equal(waiting.Key, Assert.Single(await jobs.RowsAsync()).JobId);
    }

    private Task<TimeSpan> RebuildAsync() =>
        _jobs.Get<JobRebuilder>().RunOnceAsync(Cancel);

    private async Task<IEnumerable<Guid>> WithJobsAsync() =>
        (await _jobs.RowsAsync()).Where(row => row.JobId is not null).Select(row => row.Id);

    private sealed class InterruptedStates(IJobStates states) : IJobStates
    {
        private int _looks;

        public Func<Task>? AfterSecond { get; set; }

        public async Task<IReadOnlyDictionary<JobOfTask, string?>> FindAsync(
            IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
        {
            var found = await states.FindAsync(jobs, cancel);
            if (++_looks == 2 && AfterSecond is { } interrupt)
                await interrupt();
            return found;
        }

        public Task<IReadOnlyCollection<string>> FindEnqueuedAsync(CancellationToken cancel) => states.FindEnqueuedAsync(cancel);
    }
}
