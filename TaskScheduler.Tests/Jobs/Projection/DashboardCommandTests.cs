using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Hangfire.Storage.Monitoring;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Projection;

/// <summary>What a person can click on the dashboard, while everything runs by the real clock.</summary>
public abstract class DashboardCommandTests<TStore>(DashboardCommandTests<TStore>.Application application)
    : IClassFixture<DashboardCommandTests<TStore>.Application>
    where TStore : ITestStore, new()
{
    private static readonly TimeSpan Years = TimeSpan.FromDays(1_000);

    private readonly WorkByHand _work = application.Work;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private TestApplication App => application.App;

    private JobStorage Storage => App.Get<JobStorage>();

    private IMonitoringApi Monitoring => Storage.GetMonitoringApi();

    private IBackgroundJobClient Hangfire => App.Get<IBackgroundJobClientFactory>().GetClient(Storage);

    [Theory]
    [InlineData(ScheduledTaskState.Pending)]
    [InlineData(ScheduledTaskState.Running)]
    [InlineData(ScheduledTaskState.Completed)]
    [InlineData(ScheduledTaskState.Failed)]
    public async Task DeletedJobDeletesItsTask(ScheduledTaskState state)
    {
        var task = await CreateAsync(state);

        Assert.True(Hangfire.ChangeState(task.JobId, new DeletedState(), JobStates.NameOf(state)));

        var row = await App.FindAsync(task.Id);
        Assert.Equal(ScheduledTaskState.Deleted, row.State);
        Assert.NotNull(row.DeletedAt);
        // What was completed before keeps what it printed; nothing else prints anything.
        Assert.Equal(state is ScheduledTaskState.Completed ? $"Fizz {task.Id}" : null, row.Output);
        Assert.Equal(state is ScheduledTaskState.Completed ? 1 : 0, CountPrinted(task));
        await JobBecomesAsync(task, "Deleted");
        Assert.DoesNotContain(DashboardCommands.Refusal, Details(task).Properties);
    }

    [Fact]
    public async Task DeletedJobStopsItsRunningTask()
    {
        var task = await CreateAsync(ScheduledTaskState.Running);

        Assert.True(Hangfire.Delete(task.JobId));

        await Eventually.TrueAsync(() => _work.Stopped.Contains(task.Id), "the attempt is stopped");
        Assert.Null((await App.FindAsync(task.Id)).Output);
        Assert.Equal(0, CountPrinted(task));
    }

    [Fact]
    public async Task DeletedJobMayBeDeletedAgain()
    {
        var task = await CreateAsync(ScheduledTaskState.Deleted);
        var before = await PictureAsync(task);

        Assert.True(Hangfire.Delete(task.JobId));

        Assert.Equal(before, await PictureAsync(task));
    }

    [Fact]
    public async Task RequeueOfAFailedJobIsARequeueOfItsTask()
    {
        var task = await CreateAsync(ScheduledTaskState.Failed);

        Assert.True(Hangfire.Requeue(task.JobId, FailedState.StateName));
        var requeued = await App.FindAsync(task.Id);
        Assert.NotEqual(ScheduledTaskState.Failed, requeued.State);
        Assert.Equal((0, null, null), (requeued.Tries, requeued.Error, requeued.FinishedAt));
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) == 2, "the task runs again");
        _work.Finish(task.Id);

        var completed = await App.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        Assert.Equal((2, 0, null), (completed.Attempt, completed.Tries, completed.Error));
        await JobBecomesAsync(task, "Succeeded");
        Assert.DoesNotContain("Enqueued", History(task));
    }

    [Theory]
    [InlineData(ScheduledTaskState.Pending, "Enqueued", "its task runs by itself at its time, never before")]
    [InlineData(ScheduledTaskState.Pending, "Scheduled", "its task runs by itself at its time, never before")]
    [InlineData(ScheduledTaskState.Pending, "Succeeded", "its task runs by itself at its time, never before")]
    [InlineData(ScheduledTaskState.Running, "Enqueued", "its task is running, and never runs twice")]
    [InlineData(ScheduledTaskState.Completed, "Enqueued", "its task is Completed, and only a Failed task can run again")]
    [InlineData(ScheduledTaskState.Completed, "Scheduled", "its task is Completed, and only a Failed task can run again")]
    [InlineData(ScheduledTaskState.Failed, "Scheduled", "its task is Failed, and only a Failed task can run again")]
    [InlineData(ScheduledTaskState.Deleted, "Enqueued", "its task is Deleted, and only a Failed task can run again")]
    public async Task AnyOtherChangeChangesNothingAndTheJobsPageSaysWhy(ScheduledTaskState state, string to, string reason)
    {
        var task = await CreateAsync(state);
        var before = await PictureAsync(task);

        Assert.False(Hangfire.ChangeState(task.JobId, StateOf(to), JobStates.NameOf(state)));

        Assert.Equal(before, await PictureAsync(task));
        Assert.EndsWith($" UTC, to {to}: {reason}.", Details(task).Properties[DashboardCommands.Refusal], StringComparison.Ordinal);
        var page = await App.Client.GetStringAsync($"/hangfire/jobs/details/{task.JobId}", Cancel);
        Assert.Contains("Nothing was changed", page, StringComparison.Ordinal);
        Assert.Contains(reason, page, StringComparison.Ordinal);
        if (state is ScheduledTaskState.Running)
            _work.Finish(task.Id);
    }

    /// <summary>The page was older than the click: what stood on it is not so any more.</summary>
    [Theory]
    [InlineData(ScheduledTaskState.Running, "Deleted", "Scheduled")]
    [InlineData(ScheduledTaskState.Completed, "Deleted", "Processing")]
    [InlineData(ScheduledTaskState.Failed, "Enqueued", "Succeeded")]
    public async Task ClickOnAPageThatIsPastChangesNothingAndTheJobsPageSaysWhy(
        ScheduledTaskState state, string to, string expected)
    {
        var task = await CreateAsync(state);
        var before = await PictureAsync(task);

        Assert.False(Hangfire.ChangeState(task.JobId, StateOf(to), expected));

        Assert.Equal(before, await PictureAsync(task));
        Assert.EndsWith(
            $" UTC, to {to}: its task was {state} by then.", Details(task).Properties[DashboardCommands.Refusal], StringComparison.Ordinal);
        if (state is ScheduledTaskState.Running)
            _work.Finish(task.Id);
    }

    [Fact]
    public async Task RequeueOfARunningJobPrintsOnce()
    {
        var task = await CreateAsync(ScheduledTaskState.Running);

        Hangfire.Requeue(task.JobId);
        _work.Finish(task.Id);
        await JobBecomesAsync(task, "Succeeded");

        Assert.Equal((1, 1), (_work.CountStarts(task.Id), (await App.FindAsync(task.Id)).Attempt));
        await Eventually.TrueAsync(() => CountPrinted(task) > 0, "the line is printed");
        Assert.Equal(1, CountPrinted(task));
    }

    [Fact]
    public async Task EnqueueNowStartsATaskNeitherEarlyNorTwice()
    {
        var task = await ShownAsync(await App.CreateAsync(TaskKind.Fizz, Now.AddSeconds(10)), "Scheduled");

        Hangfire.Requeue(task.JobId);
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) > 0, "the task starts");
        _work.Finish(task.Id);
        await JobBecomesAsync(task, "Succeeded");

        var start = Assert.Single(_work.Started, start => start.Id == task.Id);
        Assert.True(start.At >= task.ExecuteAt);
    }

    [Fact]
    public void JobOfAnotherProgramCanBeDeletedAndNothingElse()
    {
        var id = Hangfire.Create(Job.FromExpression<Foreign>(foreign => foreign.Run()), new ScheduledState(Years));

        Assert.False(Hangfire.ChangeState(id, new EnqueuedState("nobodys"), ScheduledState.StateName));
        Assert.EndsWith(
            "to Enqueued: it is a job of another program, which knows what to run.",
            Monitoring.JobDetails(id).Properties[DashboardCommands.Refusal],
            StringComparison.Ordinal);
        Assert.False(Hangfire.ChangeState(id, new DeletedState(), SucceededState.StateName));
        Assert.True(Hangfire.Delete(id));

        Assert.Equal(["Scheduled", "Deleted"], Storage.HistoryOf(id).Select(state => state.StateName));
    }

    [Fact]
    public void JobThatIsGoneCannotBeChanged()
    {
        Assert.False(Hangfire.Delete("987654321"));
        Assert.False(Hangfire.Requeue("987654321"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1 ")]
    [InlineData("9223372036854775808")]
    [InlineData("\u001b[31m\r")]
    public void WhatIsNoIdOfAJobCannotBeChanged(string id)
    {
        Assert.False(Hangfire.Delete(id));
        Assert.False(Hangfire.Requeue(id));
    }

    [Fact]
    public async Task JobWhoseTaskIsGoneCanBeDeletedAndNothingElse()
    {
        var task = await CreateAsync(ScheduledTaskState.Pending);
        await using (var db = await App.OpenTableAsync())
            await db.Tasks.Where(t => t.Id == task.Id).ExecuteDeleteAsync(Cancel);

        Assert.False(Hangfire.Requeue(task.JobId));
        Assert.EndsWith("to Enqueued: its task is gone.", Details(task).Properties[DashboardCommands.Refusal], StringComparison.Ordinal);
        Assert.Equal(["Scheduled"], History(task));

        Assert.True(Hangfire.Delete(task.JobId));
        Assert.Equal(["Scheduled", "Deleted"], History(task));
    }

    [Fact]
    public async Task ClicksInABrowserAreTheseCommands()
    {
        using var browser = new DashboardBrowser();
        var address = App.Client.BaseAddress!;
        var deleted = await CreateAsync(ScheduledTaskState.Pending);
        await browser.ClickAsync("scheduled/delete", deleted.JobId!, address, address, Cancel);
        Assert.Equal(ScheduledTaskState.Deleted, (await App.FindAsync(deleted.Id)).State);

        var kept = await CreateAsync(ScheduledTaskState.Pending);
        var before = await PictureAsync(kept);
        await browser.ClickAsync("scheduled/enqueue", kept.JobId!, address, address, Cancel);
        await browser.ClickAsync($"actions/requeue/{kept.JobId}", kept.JobId!, address, address, Cancel);
        Assert.Equal(before, await PictureAsync(kept));

        var failed = await CreateAsync(ScheduledTaskState.Failed);
        await browser.ClickAsync("failed/requeue", failed.JobId!, address, address, Cancel);
        await Eventually.TrueAsync(() => _work.CountStarts(failed.Id) == 2, "the failed task runs again");
        await browser.ClickAsync($"actions/delete/{failed.JobId}", failed.JobId!, address, address, Cancel);
        Assert.Equal(ScheduledTaskState.Deleted, (await App.FindAsync(failed.Id)).State);
    }

    [Fact]
    public async Task DashboardShowsTheWayOfATaskToItsResult()
    {
        var task = await ShownAsync(await App.CreateAsync(TaskKind.Fizz, Now.AddSeconds(10)), "Scheduled");
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
        var task = await CreateAsync(ScheduledTaskState.Failed);

        Assert.Equal("InvalidOperationException: Full", Details(task).History[0].Data["ExceptionMessage"]);
    }

    [Fact]
    public async Task DashboardShowsATaskDeletedThroughTheClient()
    {
        var task = await CreateAsync(ScheduledTaskState.Running);

        await App.Get<TaskClient>().DeleteAsync(task.Id, Cancel);

        await JobBecomesAsync(task, "Deleted");
        await Eventually.TrueAsync(() => _work.Stopped.Contains(task.Id), "the attempt is stopped");
        Assert.Equal("Deleted", Storage.StateOf(task.JobId!));
    }

    private static IState StateOf(string name) => name switch
    {
        "Enqueued" => new EnqueuedState { Reason = "Triggered via Dashboard UI" },
        "Scheduled" => new ScheduledState(TimeSpan.FromMinutes(1)),
        "Succeeded" => new SucceededState(result: null, latency: 0, performanceDuration: 0),
        _ => new DeletedState(),
    };

    /// <summary>A task in that state, once its job shows it.</summary>
    private async Task<ScheduledTask> CreateAsync(ScheduledTaskState state)
    {
        if (state is ScheduledTaskState.Pending)
            return await ShownAsync(await App.CreateAsync(TaskKind.Fizz, Now + Years), "Scheduled");
        var task = await App.CreateAsync(TaskKind.Fizz, Now);
        await Eventually.TrueAsync(() => _work.CountStarts(task.Id) == 1, "the task starts");
        if (state is ScheduledTaskState.Completed)
            _work.Finish(task.Id);
        if (state is ScheduledTaskState.Failed)
            _work.Fail(task.Id, "Full");
        if (state is ScheduledTaskState.Deleted)
            await App.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
        await App.WaitForAsync(task.Id, state);
        if (state is ScheduledTaskState.Completed)
            await Eventually.TrueAsync(() => CountPrinted(task) > 0, "the line is printed");
        return await ShownAsync(task, JobStates.NameOf(state));
    }

    /// <summary>The row, once its job is in that state.</summary>
    private Task<ScheduledTask> ShownAsync(ScheduledTask task, string state) => Eventually.GetAsync(
        async () => await App.FindAsync(task.Id) is { IsShown: true } row && Storage.StateOf(row.JobId!) == state ? row : null,
        $"the job becomes {state}");

    private Task JobBecomesAsync(ScheduledTask task, string state) =>
        Eventually.TrueAsync(() => Storage.StateOf(task.JobId!) == state, $"the job becomes {state}");

    private JobDetailsDto Details(ScheduledTask task) => Monitoring.JobDetails(task.JobId!);

    /// <summary>The names of the job's states, oldest first.</summary>
    private IEnumerable<string> History(ScheduledTask task) => Storage.HistoryOf(task.JobId!).Select(state => state.StateName);

    /// <summary>Everything that a command could change.</summary>
    private async Task<string> PictureAsync(ScheduledTask task)
    {
        var row = await App.FindAsync(task.Id);
        return $"{row.State} {row.Version} {row.IsShown} {row.JobId} {Storage.StateOf(row.JobId!)}: {string.Join(", ", History(row))}";
    }

    private int CountPrinted(ScheduledTask task) => App.Output.Lines.Count(line => line == $"Fizz {task.Id}");

    public sealed class Application : Fixture<TestApplication>
    {
        public TestApplication App => Made;

        public WorkByHand Work { get; } = new(TimeProvider.System);

        protected override Task<TestApplication> MakeAsync() => TestApplication.StartAsync<TStore>(
            services => services.AddSingleton(Work.Work), "--Execution:MaxTries=1", "--Worker:Count=100");
    }

    /// <summary>A job of another program that shares Hangfire's storage.</summary>
    private sealed class Foreign
    {
#pragma warning disable CA1822 // Hangfire would call it on an object.
        public void Run() => throw new NotSupportedException("It is never run.");
#pragma warning restore CA1822
    }
}
