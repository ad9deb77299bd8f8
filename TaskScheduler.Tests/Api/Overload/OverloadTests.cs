using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskScheduler.Api.Overload;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Overload;

/// <summary>Another transaction holds the task table, so that every request which gets a slot keeps it.</summary>
public abstract class OverloadTests<TStore>(TStore store) : IAsyncLifetime
    where TStore : ITestStore
{
    private const string Body = """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""";
    private const int Slots = 2;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected TStore Store => store;

    public virtual async ValueTask InitializeAsync() => await store.CreateAsync();

    public ValueTask DisposeAsync() => store.DisposeAsync();

    [Fact]
    public async Task RequestsBeyondTheSlotsAreToldToComeBackAndNothingElseSuffers()
    {
        await using var app = await StartAsync(new RequestSlots(Slots, TimeSpan.FromMilliseconds(50)));
        var due = await app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddSeconds(1));
        List<Task<Answer>> posts;
        await using (await HoldTaskTableAsync())
        {
            posts = [.. Enumerable.Range(0, 20).Select(_ => SendAsync(app, "/tasks", Body))];
            await Eventually.TrueAsync(() => posts.Count(post => !post.IsCompleted) == Slots, "all others are turned away");

            var turnedAway = await Task.WhenAll(posts.Where(post => post.IsCompleted));
            Assert.All(turnedAway, answer =>
            {
                answer.Problem(HttpStatusCode.ServiceUnavailable, "overloaded");
                Assert.NotNull(answer.RetryAfter);
            });
            var original = await SendAsync(app, "/task/set", """{"kind":"Fizz","when":1900000000}""");
            original.OriginalError(HttpStatusCode.ServiceUnavailable);
            Assert.NotNull(original.RetryAfter);
            (await SendAsync(app, "/tasks", "{")).Refused("body");
            Assert.Equal("Healthy", await app.Client.GetStringAsync("/health/live", Cancel));
            Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync("/hangfire", Cancel)).StatusCode);
        }

        Assert.Equal(Slots, (await Task.WhenAll(posts)).Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(app, "/tasks", Body)).Status);
        var done = await app.WaitForAsync(due.Id, ScheduledTaskState.Completed);
        Assert.True(done.StartedAt >= due.ExecuteAt);
        await using var table = await app.OpenTableAsync();
        Assert.Equal(Slots + 2, await table.Tasks.CountAsync(Cancel));
    }

    /// <summary>They take minutes in small steps, and would keep a pause, for one, from its slot.</summary>
    [Fact]
    public async Task ChangesOfManyTakeNoSlot()
    {
        var slots = new RequestSlots(1, TimeSpan.FromMilliseconds(50));
        await using var app = await StartAsync(slots);
        using var taken = await slots.TakeAsync(Cancel);

        (await SendAsync(app, "/tasks", Body)).Problem(HttpStatusCode.ServiceUnavailable, "overloaded");
        var change = await SendAsync(app, "/tasks/delete", """{"filter":{"kind":["Fizz"]}}""");

        Assert.Equal(HttpStatusCode.OK, change.Status);
    }

    [Fact]
    public async Task ClientThatGivesUpLeavesTheQueueAndIsNoError()
    {
        var requests = new RequestRecorder();
        using var log = new CapturedLog();
        var slots = new RequestSlots(1, Timeout.InfiniteTimeSpan);
        await using var app = await StartAsync(slots, requests, log);
        Task<Answer>[] others;
        await using (await HoldTaskTableAsync())
        {
            using var givesUp = new CancellationTokenSource();
            var first = SendAsync(app, "/tasks", Body);
            await Eventually.TrueAsync(
                async () => requests.Begun == 1 && await IsTakenAsync(slots), "the first is there and has the slot");
            var second = SendAsync(app, "/tasks", Body, givesUp.Token);
            await Eventually.TrueAsync(() => requests.Begun == 2, "the second is there");
            others = [first, SendAsync(app, "/tasks", Body)];

            await givesUp.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
            await Eventually.TrueAsync(
                () => requests.Statuses.Contains(StatusCodes.Status499ClientClosedRequest), "the server lets it go");
        }

        Assert.All(await Task.WhenAll(others), answer => Assert.Equal(HttpStatusCode.Created, answer.Status));
        await using var table = await app.OpenTableAsync();
        Assert.Equal(2, await table.Tasks.CountAsync(Cancel));
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("Error: POST", StringComparison.Ordinal));
    }

    protected abstract Task<IAsyncDisposable> HoldTaskTableAsync();

    private static async Task<bool> IsTakenAsync(RequestSlots slots)
    {
        using var impatience = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        try
        {
            using var slot = await slots.TakeAsync(impatience.Token);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    private static async Task<Answer> SendAsync(
        TestApplication app, string path, string body, CancellationToken? givenUp = null)
    {
        using var response = await app.Client.PostAsync(
            path, new StringContent(body, new MediaTypeHeaderValue("application/json")), givenUp ?? Cancel);
        return await Answer.ReadAsync(response);
    }

    private Task<TestApplication> StartAsync(RequestSlots slots, RequestRecorder? requests = null, CapturedLog? log = null) =>
        TestApplication.StartAsync(
            services =>
            {
                services.AddSingleton(_ => slots);
                if (requests is not null)
                    services.AddSingleton<IStartupFilter>(requests);
                if (log is not null)
                    services.AddSingleton(log.Factory());
            },
            store);
}

public sealed class EmbeddedOverloadTests() : OverloadTests<EmbeddedTestStore>(new EmbeddedTestStore())
{
    private string _file = null!;

    public override async ValueTask InitializeAsync() =>
        _file = (await Store.CreateAsync()).Single().Split('=', 2)[1];

    protected override async Task<IAsyncDisposable> HoldTaskTableAsync()
    {
        var holder = new SqliteConnection($"Data Source={_file};Pooling=False");
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await holder.ExecuteAsync("BEGIN IMMEDIATE");
        return holder;
    }
}

public sealed class PostgreSqlOverloadTests() : OverloadTests<PostgreSqlTestStore>(new PostgreSqlTestStore())
{
    protected override async Task<IAsyncDisposable> HoldTaskTableAsync()
    {
        var holder = new NpgsqlConnection(Store.Server.ConnectionString(Store.Database) + ";Pooling=false");
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await holder.ExecuteAsync("BEGIN; LOCK TABLE scheduler.\"Tasks\" IN ACCESS EXCLUSIVE MODE");
        return holder;
    }
}
