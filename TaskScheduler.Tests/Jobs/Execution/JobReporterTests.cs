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
        Reporter.EndSpare($"{long.MaxValue}");
        Hold(task);

        await _jobs.ReportAsync();

        Assert.Equal("Processing", _jobs.JobState(task.JobId));
    }

    [Fact]
    public async Task RefusedReportsAreTriedAgain()
    {
        var refusal = new RefuseOnce();
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(
            services => services.AddSingleton<IJobFilterProvider>(refusal));
        var task = await jobs.CreateAsync(JobsAtRest.Start.AddDays(1));
        refusal.Armed = true;
        jobs.Get<JobReporter>().Held(task.JobId!, task.Id, task.CreatedAt, task.DueAt);

        await jobs.ReportAsync();

        Assert.False(refusal.Armed);
        Assert.Equal("Processing", jobs.JobState(task.JobId));
    }

    private void Hold(ScheduledTask task) => Reporter.Held(task.JobId!, task.Id, task.CreatedAt, task.DueAt);

    /// <summary>A filter that fails stands for a job store that does not answer.</summary>
    private sealed class RefuseOnce : IJobFilterProvider, IElectStateFilter, IApplyStateFilter
    {
        public bool Armed { get; set; }

        public IEnumerable<JobFilter> GetFilters(Job job) => [new JobFilter(this, JobFilterScope.Global, null)];

        public void OnStateElection(ElectStateContext context)
        {
        }

        public void OnStateApplied(ApplyStateContext context, Hangfire.Storage.IWriteOnlyTransaction transaction)
        {
            if (!Armed)
                return;
            Armed = false;
            throw new IOException("Away");
        }

        public void OnStateUnapplied(ApplyStateContext context, Hangfire.Storage.IWriteOnlyTransaction transaction)
        {
        }
    }
}
