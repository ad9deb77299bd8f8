using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>An instance that stands still in the middle of a creation: its key is neither used nor free.</summary>
public sealed class KeyInUseTests : IAsyncLifetime
{
    private static readonly NewTask[] Request = [new(TaskKind.Fizz, JobsAtRest.Start)];

    private static readonly IdempotencyKey Key = IdempotencyKey.Of("web", "a key", "POST /tasks", Request);

    private JobsAtRest _jobs = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<PostgreSqlTestStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Theory]
    [InlineData(true, CreationOutcome.Replayed)]
    [InlineData(false, CreationOutcome.Created)]
    public async Task RequestIsToldThatItsKeyIsInUseUntilTheOtherEnds(bool commits, CreationOutcome then)
    {
        await using var db = await _jobs.OpenTableAsync();
        await using var other = await db.Database.BeginTransactionAsync(Cancel);
        await UseKeyAsync(db, Key);

        Assert.Equal(CreationOutcome.KeyInUse, (await CreateAsync()).Outcome);
        Assert.Empty(await _jobs.RowsAsync());

        await (commits ? other.CommitAsync(Cancel) : other.RollbackAsync(Cancel));
        Assert.Equal(then, (await CreateAsync()).Outcome);
    }

    [Fact]
    public async Task ClientIsToldWhenToComeAgain()
    {
        await using var store = new PostgreSqlTestStore();
        await using var app = await TestApplication.StartAsync(store: store);
        await using var db = await app.OpenTableAsync();
        await using (var other = await db.Database.BeginTransactionAsync(Cancel))
        {
            // Callers without an API key have no name.
            await UseKeyAsync(db, IdempotencyKey.Of("", "a key", "POST /tasks", Request));
            await UseKeyAsync(db, IdempotencyKey.Of("", "another key", "POST /task/set", Request));

            var create = await CreateAsync();
            create.Problem(HttpStatusCode.Conflict, "idempotency-key-in-use");
            Assert.Equal(TimeSpan.FromSeconds(1), create.RetryAfter);
            var set = await SetAsync();
            Assert.Contains("has not ended yet", set.OriginalError(HttpStatusCode.Conflict));
            Assert.Equal(TimeSpan.FromSeconds(1), set.RetryAfter);
        }

        Assert.Equal(HttpStatusCode.Created, (await CreateAsync()).Status);
        Assert.Equal(HttpStatusCode.OK, (await SetAsync()).Status);

        Task<Answer> CreateAsync() =>
            PostAsync("/tasks", new { kind = Request[0].Kind.ToString(), executeAt = Request[0].ExecuteAt }, "a key");

        Task<Answer> SetAsync() => PostAsync(
            "/task/set", new { kind = Request[0].Kind.ToString(), when = Request[0].ExecuteAt.ToUnixTimeSeconds() }, "another key");

        async Task<Answer> PostAsync(string path, object body, string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
            request.Headers.Add("Idempotency-Key", key);
            using var response = await app.Client.SendAsync(request, Cancel);
            return await Answer.ReadAsync(response);
        }
    }

    [Fact]
    public async Task RequestThatWaitsLearnsHowTheOtherEnds()
    {
        await using var db = await _jobs.OpenTableAsync();
        await using var other = await db.Database.BeginTransactionAsync(Cancel);
        await UseKeyAsync(db, Key);

        var waiting = Task.Run(CreateAsync, Cancel);
        await Eventually.TrueAsync(
            async () =>
            {
                await using var looking = await _jobs.OpenTableAsync();
                return await looking.Database
                    .SqlQueryRaw<int>("SELECT count(*)::int AS \"Value\" FROM pg_stat_activity WHERE wait_event = 'transactionid'")
                    .SingleAsync(Cancel) > 0;
            },
            "it waits for the other transaction");
        await other.CommitAsync(Cancel);

        Assert.Equal(CreationOutcome.Replayed, (await waiting).Outcome);
    }

    private static Task<int> UseKeyAsync(TaskDbContext db, IdempotencyKey key) => db.Database.ExecuteSqlAsync(
        $"""
        INSERT INTO scheduler."IdempotencyKeys" ("Id", "Request", "CreatedAt", "TaskIds")
        VALUES ({key.Id}, {key.Request}, now(), {Guid.NewGuid().ToString()})
        """,
        Cancel);

    private Task<Creation> CreateAsync() => _jobs.Get<TaskCreator>().CreateAsync(Request, Key, Cancel);
}
