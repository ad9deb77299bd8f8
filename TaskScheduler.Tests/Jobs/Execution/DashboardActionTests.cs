using Hangfire;
using Hangfire.States;
using Hangfire.Storage;
using Hangfire.Storage.Monitoring;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>What a person can click on the dashboard, while everything runs by the real clock.</summary>
public abstract class DashboardActionTests<TStore>(DashboardActionTests<TStore>.Application application)
    : IClassFixture<DashboardActionTests<TStore>.Application>
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Years = TimeSpan.FromDays(1_000);

    private readonly WorkByHand _work = application.Work;

    private TestApplication App => application.App;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task TaskTriggeredYearsAheadGoesBackToItsSchedule()
    {
        var task = await App.CreateAsync(TaskKind.Fizz, Now + Years);

        Click(task, new EnqueuedState { Reason = "Triggered via Dashboard UI" });

        await JobBecomesAsync(task, "Scheduled");
        Assert.Equal(["Scheduled", "Enqueued", "Scheduled"], History(task));
        Assert.Equal((ScheduledTaskState.Pending, 0), await StateAndAttemptAsync(task));
    }

    [Fact]
    public async Task DeletedJobDeletesItsPendingTask()
    {
        var task = await App.CreateAsync(TaskKind.Fizz, Now + Years);

        Click(task, new DeletedState());

        await App.WaitForAsync(task.Id, ScheduledTaskState.Deleted);
    }

    [Fact]
    public async Task DeletedJobDeletesItsHeldTask()
    {
        var task = await App.CreateAsync(TaskKind.Fizz, Now.AddSeconds(9));
        await JobBecomesAsync(task, "Processing");

        Click(task, new DeletedState());

        await App.WaitForAsync(task.Id, ScheduledTaskState.Deleted);
        Assert.Equal("Deleted", App.Get<JobStorage>().StateOf(task.JobId!));
    }

    [Fact]
    public async Task DeletedJobStopsItsRunningTask()
    {
        var task = await StartAsync();

        Click(task, new DeletedState());

        await Eventually.TrueAsync(() => _work.Stopped.Contains(task.Id), "the attempt is stopped");
        var row = await App.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Deleted, null), (row.State, row.Output));
        Assert.DoesNotContain($"Fizz {task.Id}", App.Output.Lines);
    }

    [Fact]
    public async Task DeletedJobDeletesItsCompletedTaskAndKeepsTheOutput()
    {
        var task = await CompleteAsync();

        Click(task, new DeletedState());

        Assert.Equal($"Fizz {task.Id}", (await App.WaitForAsync(task.Id, ScheduledTaskState.Deleted)).Output);
    }

    [Fact]
    public async Task RequeueOfASucceededJobRunsNothingAndEndsSucceeded()
    {
        var task = await CompleteAsync();

        Click(task, new EnqueuedState());

        await JobBecomesAsync(task, "Succeeded");
        Assert.Equal(["Succeeded", "Enqueued", "Succeeded"], History(task).TakeLast(3));
        Assert.Equal((ScheduledTaskState.Completed, 1), await StateAndAttemptAsync(task));
        Assert.Equal(1, _work.CountStarts(task.Id));
    }

    [Fact]
    public async Task RequeueOfARunningJobPrintsOnce()
    {
        var task = await StartAsync();

        Click(task, new EnqueuedState());
        await JobBecomesAsync(task, "Processing");
        _work.Finish(task.Id);
        await JobBecomesAsync(task, "Succeeded");

        Assert.Equal((ScheduledTaskState.Completed, 1), await StateAndAttemptAsync(task));
        Assert.Equal(1, _work.CountStarts(task.Id));
        await Eventually.TrueAsync(() => CountPrinted(task) > 0, "the line is printed");
        Assert.Equal(1, CountPrinted(task));
    }

    [Fact]
    public async Task RequeueOfAHeldJobStartsItsTaskOnceAndNotEarly()
    {
        var task = await App.CreateAsync(TaskKind.Fizz, Now.AddSeconds(2));
        await JobBecomesAsync(task, "Processing");

        Click(task, new EnqueuedState());
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) > 0, "the task starts");
        _work.Finish(task.Id);
        await JobBecomesAsync(task, "Succeeded");

        var start = Assert.Single(_work.Started, start => start.Id == task.Id);
        Assert.True(start.At >= task.ExecuteAt);
    }

    [Fact]
    public async Task RequeueOfAFailedJobIsARequeueOfItsTask()
    {
        var task = await StartAsync();
        _work.Fail(task.Id, "Full");
        await JobBecomesAsync(task, "Failed");

        Click(task, new EnqueuedState());
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) == 2, "the task runs again");
        _work.Finish(task.Id);

        var completed = await App.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        Assert.Equal((2, 0, null), (completed.Attempt, completed.Tries, completed.Error));
        await JobBecomesAsync(task, "Succeeded");
    }

    [Fact]
    public async Task RequeueOfADeletedJobEndsDeleted()
    {
        var task = await App.CreateAsync(TaskKind.Fizz, Now + Years);
        Click(task, new DeletedState());
        await App.WaitForAsync(task.Id, ScheduledTaskState.Deleted);

        Click(task, new EnqueuedState());

        await JobBecomesAsync(task, "Deleted");
        Assert.Equal(["Deleted", "Enqueued", "Deleted"], History(task).TakeLast(3));
        Assert.Equal(0, _work.CountStarts(task.Id));
    }

    [Fact]
    public async Task DashboardShowsTheWayOfATaskToItsResult()
    {
        // Scores are whole seconds: what is due 12 s ahead waits in the schedule first, for a second at least.
        var task = await App.CreateAsync(TaskKind.Fizz, Now.AddSeconds(12));
        Assert.Equal("Scheduled", App.Get<JobStorage>().StateOf(task.JobId!));
        await JobBecomesAsync(task, "Processing");
        var server = Details(task).History[0].Data["ServerId"];
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) == 1, "the task starts");
        _work.Finish(task.Id);
        await JobBecomesAsync(task, "Succeeded");

        Assert.Equal(["Scheduled", "Processing", "Succeeded"], History(task));
        Assert.Contains(Monitoring.Servers(), known => known.Name == server);
        Assert.Equal($"\"Fizz {task.Id}\"", Details(task).History[0].Data["Result"]);
    }

    [Fact]
    public async Task DashboardShowsTheErrorOfAFailedTask()
    {
        var task = await StartAsync();

        _work.Fail(task.Id, "Full");

        await JobBecomesAsync(task, "Failed");
        Assert.Equal("Full", Details(task).History[0].Data["ExceptionMessage"]);
        Assert.Equal(ScheduledTaskState.Failed, (await App.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task DashboardShowsATaskDeletedThroughTheClient()
    {
        var task = await StartAsync();

        await App.Get<TaskClient>().DeleteAsync(task.Id, TestContext.Current.CancellationToken);

        Assert.Equal("Deleted", App.Get<JobStorage>().StateOf(task.JobId!));
        await Eventually.TrueAsync(() => _work.Stopped.Contains(task.Id), "the attempt is stopped");
        Assert.Equal("Deleted", App.Get<JobStorage>().StateOf(task.JobId!));
    }

    private IMonitoringApi Monitoring => App.Get<JobStorage>().GetMonitoringApi();

    private void Click(ScheduledTask task, IState state) =>
        Assert.True(new BackgroundJobClient(App.Get<JobStorage>()).ChangeState(task.JobId, state));

    private Task JobBecomesAsync(ScheduledTask task, string state) =>
        Eventually.TrueAsync(() => App.Get<JobStorage>().StateOf(task.JobId!) == state, $"the job becomes {state}");

    private JobDetailsDto Details(ScheduledTask task) => Monitoring.JobDetails(task.JobId!);

    /// <summary>The names of the job's states, oldest first.</summary>
    private IEnumerable<string> History(ScheduledTask task) =>
        Details(task).History.Select(state => state.StateName).Reverse();

    private async Task<(ScheduledTaskState State, int Attempt)> StateAndAttemptAsync(ScheduledTask task) =>
        await App.FindAsync(task.Id) is var row ? (row.State, row.Attempt) : default;

    private int CountPrinted(ScheduledTask task) => App.Output.Lines.Count(line => line == $"Fizz {task.Id}");

    private async Task<ScheduledTask> StartAsync()
    {
        var task = await App.CreateAsync(TaskKind.Fizz, Now);
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) == 1, "the task starts");
        await JobBecomesAsync(task, "Processing");
        return task;
    }

    private async Task<ScheduledTask> CompleteAsync()
    {
        var task = await StartAsync();
        _work.Finish(task.Id);
        await JobBecomesAsync(task, "Succeeded");
        return task;
    }

    public sealed class Application : Fixture<TestApplication>
    {
        public TestApplication App => Made;

        public WorkByHand Work { get; } = new(TimeProvider.System);

        protected override Task<TestApplication> MakeAsync() =>
            TestApplication.StartAsync<TStore>(services => services.AddSingleton(Work.Work), "--Execution:MaxTries=1");
    }
}
