using System.Net;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class RequeueTaskTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task FailedTaskRunsAgainUnderTheNextAttempt()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        Assert.Equal(1, failed.Attempt);

        var answer = await api.PostAsync($"/tasks/{failed.Id}/requeue", "");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(failed.Id, answer.Json.GetProperty("id").GetGuid());
        await Eventually.TrueAsync(
            async () => await api.App.FindAsync(failed.Id) is { Attempt: 2, State: ScheduledTaskState.Failed },
            "it runs again, and fails again");
    }

    [Theory]
    [InlineData(TaskKind.Fizz, ScheduledTaskState.Completed)]
    [InlineData(TaskKind.Buzz, ScheduledTaskState.Running)]
    public async Task TaskThatDidNotFailIsLeftAlone(TaskKind kind, ScheduledTaskState state)
    {
        var task = await api.CreateAsync(kind, state);

        var problem = (await api.PostAsync($"/tasks/{task.Id}/requeue", "")).Problem(HttpStatusCode.Conflict, "wrong-state");

        Assert.Equal($"The task is {state}; only a Failed task can be requeued.", problem.GetProperty("detail").GetString());
        Assert.Equal((state, 1), ((await api.App.FindAsync(task.Id)).State, (await api.App.FindAsync(task.Id)).Attempt));
    }

    [Fact]
    public async Task PendingAndDeletedTasksAreLeftAlone()
    {
        var id = await api.CreatePendingAsync();
        (await api.PostAsync($"/tasks/{id}/requeue", "")).Problem(HttpStatusCode.Conflict, "wrong-state");
        await api.DeleteAsync($"/tasks/{id}");
        (await api.PostAsync($"/tasks/{id}/requeue", "")).Problem(HttpStatusCode.Conflict, "wrong-state");
    }

    [Theory]
    [InlineData("0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("7")]
    [InlineData("batch")]
    public async Task UnknownTaskIsNotFound(string id)
    {
        (await api.PostAsync($"/tasks/{id}/requeue", "")).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task OfManyRequeuesAtOnceOneIsTaken()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => api.SendAsync(HttpMethod.Post, $"/tasks/{failed.Id}/requeue")));

        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers, answer => Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Conflict));
        await Eventually.TrueAsync(
            async () => (await api.App.FindAsync(failed.Id)).Attempt == 1 + answers.Count(answer => answer.Status == HttpStatusCode.OK)
                && (await api.App.FindAsync(failed.Id)).State == ScheduledTaskState.Failed,
            "each requeue that was taken made one attempt");
    }
}
