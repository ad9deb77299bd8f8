using Hangfire;
using Hangfire.States;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Projection;

/// <summary>The dashboard of an instance with <c>Role=Api</c>, where none works.</summary>
public sealed class DashboardWithoutWorkerTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();
    private TestApplication _app = null!;

    private JobStorage Storage => _app.Get<JobStorage>();

    private IBackgroundJobClient Hangfire => _app.Get<IBackgroundJobClientFactory>().GetClient(Storage);

    public async ValueTask InitializeAsync() =>
        _app = await TestApplication.StartAsync(services: null, _store, "--Instance:Role=Api");

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task DeletedJobDeletesItsTask()
    {
        var task = await CreateAsync();

        Assert.True(Hangfire.ChangeState(task.JobId, new DeletedState(), ScheduledState.StateName));

        Assert.Equal(ScheduledTaskState.Deleted, (await _app.FindAsync(task.Id)).State);
        await JobBecomesAsync(task, "Deleted");
    }

    [Fact]
    public async Task RequeueOfAFailedJobIsARequeueOfItsTask()
    {
        var task = await CreateAsync();
        await _store.ExecuteAsync("""
            UPDATE scheduler."Tasks" SET "State" = 'Failed', "Tries" = 3, "Error" = 'IOException: Full', "FinishedAt" = now(),
              "Version" = "Version" + 1, "IsShown" = FALSE
            """);
        await JobBecomesAsync(task, "Failed");

        Assert.True(Hangfire.ChangeState(task.JobId, new EnqueuedState(), FailedState.StateName));

        Assert.Equal(ScheduledTaskState.Pending, (await _app.FindAsync(task.Id)).State);
        await JobBecomesAsync(task, "Scheduled");
    }

    [Fact]
    public async Task EnqueueNowChangesNothingAndTheJobsPageSaysWhy()
    {
        var task = await CreateAsync();

        Assert.False(Hangfire.ChangeState(task.JobId, new EnqueuedState(), ScheduledState.StateName));

        Assert.Equal(task.Version, (await _app.FindAsync(task.Id)).Version);
        Assert.Equal(["Scheduled"], Storage.HistoryOf(task.JobId!).Select(state => state.StateName));
        Assert.Contains(DashboardCommands.Refusal, Storage.GetMonitoringApi().JobDetails(task.JobId!).Properties);
    }

    private async Task<ScheduledTask> CreateAsync()
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddDays(1));
        return await Eventually.GetAsync(
            async () => await _app.FindAsync(task.Id) is { IsShown: true } row ? row : null, "the task is shown");
    }

    private Task JobBecomesAsync(ScheduledTask task, string state) =>
        Eventually.TrueAsync(() => Storage.StateOf(task.JobId!) == state, $"the job becomes {state}");
}
