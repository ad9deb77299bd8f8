using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

public abstract class JobReporterTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private JobsAtRest _jobs = null!;

    private JobReporter Reporter => _jobs.Get<JobReporter>();

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task ReportsThatCameBeforeTheStopAreApplied()
    {
        var task = await _jobs.CreateAsync();
        Hold(task);

        await _jobs.ReportAsync();

        Assert.Equal("Processing", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task ReportsOfOneJobAreAppliedInTheirOrder()
    {
        var task = await _jobs.CreateAsync();
        Hold(task);
        Reporter.Succeeded(task.JobId!, task.Id, task.CreatedAt, _jobs.Now, _jobs.Now.AddSeconds(3), $"Fizz {task.Id}");

        await _jobs.ReportAsync();

        var history = _jobs.Get<JobStorage>().GetMonitoringApi().JobDetails(task.JobId!).History;
        Assert.Equal(["Succeeded", "Processing", "Enqueued"], history.Select(state => state.StateName));
    }

    [Fact]
    public async Task HeldJobShowsTheServerAndItsMoment()
    {
        var task = await _jobs.CreateAsync(JobsAtRest.Start.AddSeconds(8.25));
        Reporter.ServerId = "web-1:4711:0a";
        Hold(task);

        await _jobs.ReportAsync();

        var job = Assert.Single(_jobs.Get<JobStorage>().GetMonitoringApi().ProcessingJobs(0, 10));
        Assert.Equal((task.JobId, "web-1:4711:0a"), (job.Key, job.Value.ServerId));
        var state = _jobs.Get<JobStorage>().GetMonitoringApi().JobDetails(task.JobId!).History[0];
        Assert.Equal($"Held until {task.DueAt:yyyy-MM-dd HH:mm:ss.fff} UTC", state.Reason);
    }

    [Fact]
    public async Task SucceededJobShowsResultAndDuration()
    {
        var task = await _jobs.CreateAsync();
        Reporter.Succeeded(
            task.JobId!, task.Id, task.CreatedAt, task.CreatedAt.AddSeconds(1), task.CreatedAt.AddSeconds(4), "Fizz");

        await _jobs.ReportAsync();

        var job = Assert.Single(_jobs.Get<JobStorage>().GetMonitoringApi().SucceededJobs(0, 10)).Value;
        Assert.Equal(("\"Fizz\"", 4_000), (job.Result, job.TotalDuration));
        var state = _jobs.Get<JobStorage>().GetMonitoringApi().JobDetails(task.JobId!).History[0];
        Assert.Equal("3000", state.Data["PerformanceDuration"]);
    }

    [Fact]
    public async Task DeletedJobKeepsThatState()
    {
        var task = await _jobs.CreateAsync();
        _jobs.ChangeJob(task.JobId!, new DeletedState());
        Hold(task);

        await _jobs.ReportAsync();

        Assert.Equal("Deleted", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task JobThatIsGoneDoesNotKeepTheOthersFromTheirState()
    {
        var task = await _jobs.CreateAsync();
        Reporter.EndSpare(new($"{long.MaxValue}", task.Id));
        Hold(task);

        await _jobs.ReportAsync();

        Assert.Equal("Processing", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task RefusedReportsAreTriedAgain()
    {
        var refusal = new Refuse();
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(
            services => services.AddSingleton<IJobFilterProvider>(refusal));
        var task = await jobs.CreateAsync(JobsAtRest.Start.AddDays(1));
        refusal.Armed = true;
        jobs.Get<JobReporter>().Held(task.JobId!, task.Id, task.CreatedAt, task.DueAt);

        await jobs.ReportAsync();

        Assert.False(refusal.Armed);
        Assert.Equal("Processing", jobs.JobState(task.JobId));
    }

    /// <summary>For longer than anybody would try: an outage of ten seconds lost what was reported meanwhile.</summary>
    [Fact]
    public async Task NothingIsLostWhileTheJobStoreIsAway()
    {
        Away? away = null;
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(services =>
        {
            var states = services.Last(service => service.ServiceType == typeof(IJobStates)).ImplementationType!;
            services.AddSingleton<IJobStates>(provider =>
                away ??= new Away((IJobStates)ActivatorUtilities.CreateInstance(provider, states)));
        });
        var tasks = new[] { await jobs.CreateAsync(), await jobs.CreateAsync() };
        foreach (var task in tasks)
            jobs.Get<JobReporter>().Held(task.JobId!, task.Id, task.CreatedAt, task.DueAt);
        using var stop = new CancellationTokenSource();
        var reporting = jobs.Get<JobReporter>().RunAsync(stop.Token);

        await Eventually.TrueAsync(() => away!.Asked > 12, "the store was asked for longer than a group used to be tried");
        away!.Answers = true;
        await Eventually.TrueAsync(() => tasks.All(task => jobs.JobState(task.JobId) == "Processing"), "both are told");

        await stop.CancelAsync();
        await reporting;
    }

    [Fact]
    public async Task ReportThatIsNeverTakenHoldsUpNoOthers()
    {
        var refusal = new Refuse();
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(services => services.AddSingleton<IJobFilterProvider>(refusal));
        var tasks = new[] { await jobs.CreateAsync(), await jobs.CreateAsync(), await jobs.CreateAsync() };
        refusal.JobId = tasks[1].JobId;
        foreach (var task in tasks)
            jobs.Get<JobReporter>().Held(task.JobId!, task.Id, task.CreatedAt, task.DueAt);
        using var stop = new CancellationTokenSource();
        var reporting = jobs.Get<JobReporter>().RunAsync(stop.Token);

        await Eventually.TrueAsync(() => jobs.JobState(tasks[2].JobId) == "Processing", "the last is told");

        Assert.Equal(["Processing", "Enqueued", "Processing"], tasks.Select(task => jobs.JobState(task.JobId)));
        await stop.CancelAsync();
        await reporting;
    }

    private void Hold(ScheduledTask task) => Reporter.Held(task.JobId!, task.Id, task.CreatedAt, task.DueAt);

    /// <summary>Hangfire's database, out of reach until it answers.</summary>
    private sealed class Away(IJobStates states) : IJobStates
    {
        public bool Answers { get; set; }

        public int Asked { get; private set; }

        public Task<IReadOnlyDictionary<JobOfTask, string?>> FindAsync(
            IReadOnlyCollection<JobOfTask> jobs, CancellationToken cancel)
        {
            Asked++;
            return Answers ? states.FindAsync(jobs, cancel) : throw new IOException("Away");
        }

        public Task<IReadOnlyCollection<string>> FindEnqueuedAsync(CancellationToken cancel) => states.FindEnqueuedAsync(cancel);
    }

    /// <summary>A filter that fails stands for a job store that takes no change, once or of one job.</summary>
    private sealed class Refuse : IJobFilterProvider, IApplyStateFilter
    {
        public bool Armed { get; set; }

        public string? JobId { get; set; }

        public IEnumerable<JobFilter> GetFilters(Job job) => [new JobFilter(this, JobFilterScope.Global, null)];

        public void OnStateApplied(ApplyStateContext context, Hangfire.Storage.IWriteOnlyTransaction transaction)
        {
#pragma warning disable RS0030 // The class is banned for its static members; this is the plain record of a job.
            if (!Armed && context.BackgroundJob.Id != JobId)
                return;
#pragma warning restore RS0030
            Armed = false;
            throw new IOException("Away");
        }

        public void OnStateUnapplied(ApplyStateContext context, Hangfire.Storage.IWriteOnlyTransaction transaction)
        {
        }
    }
}
