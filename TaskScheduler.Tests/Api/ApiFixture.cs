using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api;

/// <summary>
/// One application for all tests of a class. Its work is quick: <c>Fizz</c> is done at once, <c>Buzz</c> when
/// <see cref="LetBuzzFinish"/> is called, even if it was stopped before, and <c>FizzBuzz</c> fails.
/// </summary>
public class ApiFixture : Fixture<TestApplication>
{
    private readonly TaskCompletionSource _buzz = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TestApplication App => Made;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public void LetBuzzFinish() => _buzz.TrySetResult();

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    /// <summary>One page of the list: the IDs, and the token of the next page.</summary>
    public async Task<(List<Guid> Ids, string? Next)> PageAsync(string query)
    {
        var answer = await GetAsync($"/tasks?{query}");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return (
            [.. answer.Json.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("id").GetGuid())],
            answer.Json.TryGetProperty("nextPageToken", out var next) ? next.GetString() : null);
    }

    public Task<Answer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public Task<Answer> PatchAsync(string path, string json) =>
        SendAsync(HttpMethod.Patch, path, new StringContent(json, new MediaTypeHeaderValue("application/json")));

    /// <summary>Posts JSON, with a header for each idempotency key.</summary>
    public Task<Answer> PostAsync(string path, string json, params string[] keys)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(json, new MediaTypeHeaderValue("application/json")),
        };
        foreach (var key in keys)
            Assert.True(request.Headers.TryAddWithoutValidation("Idempotency-Key", key));
        return SendAsync(request);
    }

    public Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content = null) =>
        SendAsync(new HttpRequestMessage(method, path) { Content = content });

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await App.Client.SendAsync(request, TestContext.Current.CancellationToken);
            return await Answer.ReadAsync(response);
        }
    }

    /// <summary>A task that stays pending for as long as the tests run.</summary>
    public async Task<Guid> CreatePendingAsync(TaskKind kind = TaskKind.Fizz) =>
        (await App.CreateAsync(kind, Now.AddDays(1))).Id;

    /// <summary>A task that is due now, once it is in the state.</summary>
    public async Task<ScheduledTask> CreateAsync(TaskKind kind, ScheduledTaskState state) =>
        await App.WaitForAsync((await App.CreateAsync(kind, Now)).Id, state);

    protected override Task<TestApplication> MakeAsync() =>
        StartAsync(services => services.AddSingleton<TaskWork>(WorkAsync), "--Execution:MaxTries=1");

    protected override ValueTask EndAsync()
    {
        LetBuzzFinish();
        return base.EndAsync();
    }

    protected virtual Task<TestApplication> StartAsync(Action<IServiceCollection> services, params string[] settings) =>
        TestApplication.StartAsync<EmbeddedTestStore>(services, settings);

    private async Task<string> WorkAsync(TaskKind kind, Guid id, CancellationToken stop)
    {
        if (kind == TaskKind.FizzBuzz)
            throw new InvalidOperationException("No luck today.");
        if (kind == TaskKind.Buzz)
            await _buzz.Task;
        return kind.Definition().OutputOf(id);
    }
}

/// <summary>The same on another kind of store.</summary>
public sealed class ApiFixture<TStore> : ApiFixture
    where TStore : ITestStore, new()
{
    protected override Task<TestApplication> StartAsync(Action<IServiceCollection> services, params string[] settings) =>
        TestApplication.StartAsync<TStore>(services, settings);
}
