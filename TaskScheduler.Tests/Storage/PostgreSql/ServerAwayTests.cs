using System.Net;
using Npgsql;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>The server goes away under a running application, and comes back.</summary>
public sealed class ServerAwayTests(ServerAwayTests.Application application) : IClassFixture<ServerAwayTests.Application>, IAsyncLifetime
{
    private const string Body = """{"kind":"Fizz","executeAt":"2026-01-01T00:00:00Z"}""";

    /// <summary>The promised five seconds, and some for a machine that others keep busy.</summary>
    private static readonly TimeSpan MaxNotice = TimeSpan.FromSeconds(15);

    private PostgreSqlServer Server => application.Server;

    private TestApplication App => application.App;

    /// <summary>It has got over what the test before has done to its server.</summary>
    public async ValueTask InitializeAsync() => await BecomesAsync(App, HttpStatusCode.OK, Eventually.Deadline);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task RequestsAreAnsweredThatTheyMayComeAgain()
    {
        await Server.StopAsync();

        using var list = await App.Client.GetAsync("/tasks", TestContext.Current.CancellationToken);
        using var post = await App.PostAsync("/tasks", Body);
        using var delete = await App.Client.DeleteAsync($"/tasks/{Guid.NewGuid()}", TestContext.Current.CancellationToken);

        foreach (var response in new[] { list, post, delete })
        {
            var answer = await Answer.ReadAsync(response);
            answer.Problem(HttpStatusCode.ServiceUnavailable, "store-unavailable");
            Assert.NotNull(answer.RetryAfter);
        }

        await Server.StartAgainAsync();
    }

    [Theory]
    [InlineData("scheduler.\"Tasks\"")]
    [InlineData("hangfire.server")]
    public async Task InstanceWhoseTableIsLockedSaysInTimeThatItIsNotReady(string table)
    {
        await using var holder = new NpgsqlConnection(Server.ConnectionString(application.Database));
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await new NpgsqlCommand($"LOCK TABLE {table}", holder).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await BecomesAsync(App, HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(10));
    }

    /// <summary>A server that recovers says the same as one that is set to be read only. Reading goes on.</summary>
    [Theory]
    [InlineData(
        "ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()",
        "ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf()")]
    [InlineData("REVOKE INSERT ON scheduler.\"Tasks\" FROM tasks", "GRANT INSERT ON scheduler.\"Tasks\" TO tasks")]
    [InlineData("REVOKE UPDATE ON scheduler.\"Tasks\" FROM tasks", "GRANT UPDATE ON scheduler.\"Tasks\" TO tasks")]
    [InlineData("REVOKE ALL ON scheduler.\"Instances\" FROM tasks", "GRANT ALL ON scheduler.\"Instances\" TO tasks")]
    [InlineData("REVOKE ALL ON scheduler.\"PausedKinds\" FROM tasks", "GRANT ALL ON scheduler.\"PausedKinds\" TO tasks")]
    public async Task InstanceThatCannotWriteIsNotReady(string forbid, string allow)
    {
        await using var api = await TestApplication.StartAsync(
            null, new PostgreSqlTestStore(Server, application.Database), "--Instance:Role=Api");
        foreach (var app in (TestApplication[])[App, api])
            await BecomesAsync(app, HttpStatusCode.OK, Eventually.Deadline);

        await ExecuteAsync(forbid);
        foreach (var app in (TestApplication[])[App, api])
        {
            await BecomesAsync(app, HttpStatusCode.ServiceUnavailable, MaxNotice);
            using var list = await app.Client.GetAsync("/tasks", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        }

        await ExecuteAsync(allow);
        foreach (var app in (TestApplication[])[App, api])
            await BecomesAsync(app, HttpStatusCode.OK, MaxNotice);

        async Task ExecuteAsync(string statements)
        {
            foreach (var statement in statements.Split(';'))
                await Server.ExecuteAsync(application.Database, statement);
        }
    }

    [Fact]
    public async Task WhatWasAcceptedRunsOnceTheServerIsBack()
    {
        var accepted = await App.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddSeconds(1));
        await Server.CrashAsync();
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() > accepted.DueAt, "its time comes");

        await Server.StartAgainAsync();

        await Eventually.TrueAsync(() => App.Output.Lines.Count > 0, "its line is printed");
        Assert.Equal([$"Fizz {accepted.Id}"], App.Output.Lines);
        await App.WaitForAsync(accepted.Id, ScheduledTaskState.Completed);
    }

    /// <summary>The page's key is not among those that the other instance read when it started; it looks for it with the click.</summary>
    [Fact]
    public async Task ClickIsNotTakenForForgedWhenItsKeyCannotBeRead()
    {
        await ExecuteAsync("""CREATE TABLE public.kept AS SELECT * FROM scheduler."SharedKeys"; DELETE FROM scheduler."SharedKeys" """);
        await using var other = await TestApplication.StartAsync(store: new PostgreSqlTestStore(Server, application.Database));
        await ExecuteAsync("""INSERT INTO scheduler."SharedKeys" ("Name", "Xml") SELECT 'another', "Xml" FROM public.kept""");
        using var browser = new DashboardBrowser();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ClickAsync(meanwhile: Server.CrashAsync));

        await Server.StartAgainAsync();
        await InitializeAsync();
        Assert.Equal(HttpStatusCode.NoContent, await ClickAsync());

        Task ExecuteAsync(string sql) => Server.ExecuteAsync(application.Database, sql);

        Task<HttpStatusCode> ClickAsync(Func<Task>? meanwhile = null) => browser.ClickAsync(
            "scheduled/delete", "1", App.Client.BaseAddress!, other.Client.BaseAddress!, TestContext.Current.CancellationToken, meanwhile);
    }

    private static Task BecomesAsync(TestApplication app, HttpStatusCode status, TimeSpan within) => Eventually.TrueAsync(
        async () =>
        {
            using var answer = await app.Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
            return answer.StatusCode == status;
        },
        $"the instance answers {status}",
        within);

    /// <summary>On a server of its own.</summary>
    public sealed class Application : Fixture<TestApplication>
    {
        public TestApplication App => Made;

        public PostgreSqlServer Server { get; private set; } = null!;

        public string Database { get; private set; } = null!;

        protected override async Task<TestApplication> MakeAsync()
        {
            Server = await TestPostgreSql.StartAsync();
            Database = await Server.CreateDatabaseAsync();
            return await TestApplication.StartAsync(store: new PostgreSqlTestStore(Server, Database));
        }

        protected override async ValueTask EndAsync()
        {
            await base.EndAsync();
            await Server.DisposeAsync();
        }
    }
}
