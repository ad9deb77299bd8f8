using System.Net;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class DeleteTaskTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    [Theory]
    [InlineData(TaskKind.Fizz, ScheduledTaskState.Completed)]
    [InlineData(TaskKind.Buzz, ScheduledTaskState.Running)]
    [InlineData(TaskKind.FizzBuzz, ScheduledTaskState.Failed)]
    public async Task TaskIsDeletedInAnyState(TaskKind kind, ScheduledTaskState state)
    {
        var task = await api.CreateAsync(kind, state);

        var answer = await api.DeleteAsync($"/tasks/{task.Id}");

        Assert.Equal(HttpStatusCode.NoContent, answer.Status);
        Assert.Empty(answer.Text);
        Assert.Equal(ScheduledTaskState.Deleted, (await api.App.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task DeletingAgainChangesNothing()
    {
        var id = await api.CreatePendingAsync();
        await api.DeleteAsync($"/tasks/{id}");
        var deleted = await api.GetAsync($"/tasks/{id}");

        var again = await api.DeleteAsync($"/tasks/{id}");

        Assert.Equal(HttpStatusCode.NoContent, again.Status);
        Assert.Equal(deleted.Text, (await api.GetAsync($"/tasks/{id}")).Text);
    }

    [Fact]
    public async Task DeletedTaskIsNeverPrinted()
    {
        // However long the delete takes, the task has not started before.
        var pause = api.App.Get<WorkerPause>();
        await pause.PauseAsync([TaskKind.Fizz], TestContext.Current.CancellationToken);
        var soon = await api.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddSeconds(1));
        await api.DeleteAsync($"/tasks/{soon.Id}");
        await pause.ResumeAsync([TaskKind.Fizz], TestContext.Current.CancellationToken);

        await LaterTaskIsPrintedAsync(soon.ExecuteAt);

        Assert.DoesNotContain($"Fizz {soon.Id}", api.App.Output.Lines);
        Assert.Equal(0, (await api.App.FindAsync(soon.Id)).Attempt);
    }

    [Fact]
    public async Task DeletedRunningTaskIsStopped()
    {
        var task = await api.CreateAsync(TaskKind.Buzz, ScheduledTaskState.Running);
        var running = api.App.Get<RunningTasks>();
        var attempt = await Eventually.GetAsync(
            () => Task.FromResult(running.All.SingleOrDefault(attempt => attempt.Task.Id == task.Id)),
            "the attempt runs");
        var token = attempt.Stopped;

        await api.DeleteAsync($"/tasks/{task.Id}");

        await Eventually.TrueAsync(() => token.IsCancellationRequested, "the attempt is stopped");
    }

    [Fact]
    public async Task DeletedRunningTaskIsNeverPrintedEvenIfItsWorkGoesOn()
    {
        await using var app = new ApiFixture<TStore>();
        await app.InitializeAsync();
        var task = await app.CreateAsync(TaskKind.Buzz, ScheduledTaskState.Running);
        await app.DeleteAsync($"/tasks/{task.Id}");

        app.LetBuzzFinish();
        var other = await app.CreateAsync(TaskKind.Buzz, ScheduledTaskState.Completed);

        await Eventually.TrueAsync(() => app.App.Output.Lines.Count > 0, "the other task is printed");
        Assert.Equal([$"Buzz {other.Id}"], app.App.Output.Lines);
        var deleted = await app.App.FindAsync(task.Id);
        Assert.Equal((ScheduledTaskState.Deleted, null), (deleted.State, deleted.Output));
    }

    [Fact]
    public async Task DeletedCompletedTaskKeepsItsOutput()
    {
        var task = await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        await api.DeleteAsync($"/tasks/{task.Id}");

        var deleted = (await api.GetAsync($"/tasks/{task.Id}")).Json;
        Assert.Equal("Deleted", deleted.GetProperty("state").GetString());
        Assert.Equal($"Fizz {task.Id}", deleted.GetProperty("output").GetString());
        await Eventually.TrueAsync(() => api.App.Output.Lines.Contains($"Fizz {task.Id}"), "its line is printed");
    }

    [Fact]
    public async Task DeletesOfOneTaskAtTheSameTimeAllSucceed()
    {
        var id = await api.CreatePendingAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => api.DeleteAsync($"/tasks/{id}")));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.NoContent, answer.Status));
    }

    private async Task LaterTaskIsPrintedAsync(DateTimeOffset earlier)
    {
        var later = await api.App.CreateAsync(TaskKind.Fizz, earlier.AddMilliseconds(200));
        await Eventually.TrueAsync(() => api.App.Output.Lines.Contains($"Fizz {later.Id}"), "a later task is printed");
    }
}
