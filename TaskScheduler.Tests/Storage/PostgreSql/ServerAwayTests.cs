using System.Net;
using Npgsql;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>The server goes away under a running application, and comes back.</summary>
public sealed class ServerAwayTests : IAsyncLifetime
{
    private const string Body = """{"kind":"Fizz","executeAt":"2026-01-01T00:00:00Z"}""";

    private PostgreSqlServer _server = null!;
    private string _database = null!;
    private TestApplication _app = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestPostgreSql.StartAsync();
        _database = await _server.CreateDatabaseAsync();
        _app = await TestApplication.StartAsync(store: new PostgreSqlTestStore(_server, _database));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task RequestsAreAnsweredThatTheyMayComeAgain()
    {
        await _server.StopAsync();

        using var list = await _app.Client.GetAsync("/tasks", TestContext.Current.CancellationToken);
        using var post = await _app.PostAsync("/tasks", Body);
        using var delete = await _app.Client.DeleteAsync($"/tasks/{Guid.NewGuid()}", TestContext.Current.CancellationToken);

        foreach (var response in new[] { list, post, delete })
        {
            var answer = await Answer.ReadAsync(response);
            answer.Problem(HttpStatusCode.ServiceUnavailable, "store-unavailable");
            Assert.NotNull(answer.RetryAfter);
        }

        await _server.StartAgainAsync();
    }

    [Theory]
    [InlineData("scheduler.\"Tasks\"")]
    [InlineData("hangfire.server")]
    public async Task InstanceWhoseTableIsLockedSaysInTimeThatItIsNotReady(string table)
    {
        await using var holder = new NpgsqlConnection(_server.ConnectionString(_database));
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await new NpgsqlCommand($"LOCK TABLE {table}", holder).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        using var inTime = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        using var answer = await _app.Client.GetAsync("/health/ready", inTime.Token);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    [Fact]
    public async Task WhatWasAcceptedRunsOnceTheServerIsBack()
    {
        var accepted = await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddSeconds(1));
        await _server.CrashAsync();
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() > accepted.DueAt, "its time comes");

        await _server.StartAgainAsync();

        await Eventually.TrueAsync(() => _app.Output.Lines.Count > 0, "its line is printed");
        Assert.Equal([$"Fizz {accepted.Id}"], _app.Output.Lines);
        await _app.WaitForAsync(accepted.Id, ScheduledTaskState.Completed);
    }
}
