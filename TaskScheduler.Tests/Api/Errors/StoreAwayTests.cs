using System.Net;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Errors;

/// <summary>The task table is broken behind the application's back.</summary>
public abstract class StoreAwayTests<TStore>(string takeAway, string bringBack) : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private const string Nobody = "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11";

    private readonly ApiFixture<TStore> _api = new();

    public async ValueTask InitializeAsync()
    {
        await _api.InitializeAsync();
        await ExecuteAsync(takeAway);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task EveryCallIsAnsweredWithAProblemAndWhenToTryAgain()
    {
        Answer[] answers =
        [
            await _api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}"""),
            await _api.PostAsync("/tasks/batch", """{"tasks":[{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}]}""", "a key"),
            await _api.GetAsync("/tasks"),
            await _api.GetAsync("/tasks?state=Pending&kind=Fizz"),
            await _api.GetAsync($"/tasks/{Nobody}"),
            await _api.PatchAsync($"/tasks/{Nobody}", """{"executeAt":"2030-01-01T00:00:00Z"}"""),
            await _api.PostAsync($"/tasks/{Nobody}/requeue", ""),
            await _api.DeleteAsync($"/tasks/{Nobody}"),
        ];

        Assert.All(answers, answer =>
        {
            answer.Problem(HttpStatusCode.ServiceUnavailable, "store-unavailable");
            Assert.InRange(answer.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        });
    }

    [Fact]
    public async Task OriginalCallsAreAnsweredInTheOriginalsShapeAndWhenToTryAgain()
    {
        Answer[] answers =
        [
            await _api.PostAsync("/task/set", """{"kind":"Fizz","when":1900000000}"""),
            await _api.GetAsync("/task"),
            await _api.GetAsync($"/task/{Nobody}"),
            await _api.PostAsync($"/task/delete/{Nobody}", ""),
        ];

        Assert.All(answers, answer =>
        {
            answer.OriginalError(HttpStatusCode.ServiceUnavailable);
            Assert.NotNull(answer.RetryAfter);
        });
    }

    [Fact]
    public async Task BadRequestsAndUnknownIdsNeedNoStore()
    {
        (await _api.PostAsync("/tasks", "{")).Refused("body");
        (await _api.GetAsync("/tasks?state=bogus")).Refused("state");
        (await _api.GetAsync("/tasks/x")).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task InstanceIsNotReadyButLives()
    {
        var ready = await _api.GetAsync("/health/ready");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), (ready.Status, ready.Text));
        Assert.Equal(HttpStatusCode.OK, (await _api.GetAsync("/health/live")).Status);
    }

    [Fact]
    public async Task TaskTableThatIsBackIsUsedAgain()
    {
        await _api.GetAsync("/tasks");
        await ExecuteAsync(bringBack);

        Assert.Equal(HttpStatusCode.OK, (await _api.GetAsync("/tasks")).Status);
        await Eventually.TrueAsync(
            async () => (await _api.GetAsync("/health/ready")).Status == HttpStatusCode.OK, "it is ready again");
        var task = await _api.App.PostTaskAsync("Fizz", ApiFixture.Now);
        await _api.App.WaitForAsync(task.GetProperty("id").GetGuid(), ScheduledTaskState.Completed);
    }

    private async Task ExecuteAsync(string statement)
    {
        await using var db = await _api.App.OpenTableAsync();
        await db.Database.ExecuteSqlRawAsync(statement, TestContext.Current.CancellationToken);
    }
}
