using System.Net;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Errors;

/// <summary>The task table is broken behind the application's back.</summary>
public abstract class StoreAwayTests<TStore>(ApiFixture<TStore> api, string takeAway, string bringBack)
    : IClassFixture<ApiFixture<TStore>>, IAsyncLifetime
    where TStore : ITestStore, new()
{
    private const string Nobody = "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11";

    private bool _isAway;

    public async ValueTask InitializeAsync()
    {
        await ExecuteAsync(takeAway);
        _isAway = true;
    }

    public async ValueTask DisposeAsync()
    {
        await BringBackAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task EveryCallIsAnsweredWithAProblemAndWhenToTryAgain()
    {
        Answer[] answers =
        [
            await api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}"""),
            await api.PostAsync("/tasks/batch", """{"tasks":[{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}]}""", "a key"),
            await api.GetAsync("/tasks"),
            await api.GetAsync("/tasks?state=Pending&kind=Fizz"),
            await api.GetAsync($"/tasks/{Nobody}"),
            await api.PatchAsync($"/tasks/{Nobody}", """{"executeAt":"2030-01-01T00:00:00Z"}"""),
            await api.PostAsync($"/tasks/{Nobody}/requeue", ""),
            await api.DeleteAsync($"/tasks/{Nobody}"),
        ];

        Assert.All(answers, answer =>
        {
            answer.Problem(HttpStatusCode.ServiceUnavailable, "store-unavailable");
            Assert.InRange(answer.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        });
    }

    [Fact]
    public async Task StartPageIsThereAllTheSame()
    {
        var page = await api.GetAsync("/");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains("href=\"/hangfire/tasks\"", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OriginalCallsAreAnsweredInTheOriginalsShapeAndWhenToTryAgain()
    {
        Answer[] answers =
        [
            await api.PostAsync("/task/set", """{"kind":"Fizz","when":1900000000}"""),
            await api.GetAsync("/task"),
            await api.GetAsync($"/task/{Nobody}"),
            await api.PostAsync($"/task/delete/{Nobody}", ""),
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
        (await api.PostAsync("/tasks", "{")).Refused("body");
        (await api.GetAsync("/tasks?state=bogus")).Refused("state");
        (await api.GetAsync("/tasks/x")).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task InstanceIsNotReadyButLives()
    {
        var ready = await api.GetAsync("/health/ready");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), (ready.Status, ready.Text));
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/health/live")).Status);
    }

    [Fact]
    public async Task TaskTableThatIsBackIsUsedAgain()
    {
        await api.GetAsync("/tasks");
        await BringBackAsync();

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/tasks")).Status);
        await Eventually.TrueAsync(
            async () => (await api.GetAsync("/health/ready")).Status == HttpStatusCode.OK, "it is ready again");
        var task = await api.App.PostTaskAsync("Fizz", ApiFixture.Now);
        await api.App.WaitForAsync(task.GetProperty("id").GetGuid(), ScheduledTaskState.Completed);
    }

    private async Task BringBackAsync()
    {
        if (_isAway)
            await ExecuteAsync(bringBack);
        _isAway = false;
    }

    private async Task ExecuteAsync(string statement)
    {
        await using var db = await api.App.OpenTableAsync();
        await db.Database.ExecuteSqlRawAsync(statement, TestContext.Current.CancellationToken);
    }
}
