using System.Net;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class ExpireAtTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("2034-01-01T00:00:00.001Z", "2034-01-01T00:00:00.001Z")]
    [InlineData("2034-01-01T00:00:00.0011Z", "2034-01-01T00:00:00.002Z")]
    [InlineData("2034-01-01T02:00:00.001+02:00", "2034-01-01T00:00:00.001Z")]
    [InlineData("2044-01-01T00:00:00Z", "2044-01-01T00:00:00.000Z")]
    [InlineData("2044-01-02T00:00:00Z", "2044-01-02T00:00:00.000Z")]
    public async Task ExpiryIsAnsweredRoundedUpToTheMillisecond(string expireAt, string shown)
    {
        var created = await PostAsync($"\"{expireAt}\"");

        Assert.Equal(shown, ExpiryOf(created));
        Assert.Equal(created.Text, (await api.GetAsync($"/tasks/{IdOf(created)}")).Text);
    }

    [Theory]
    [InlineData("\"2034-01-01T00:00:00Z\"", "must be after executeAt (2034-01-01T00:00:00.000Z)")]
    [InlineData("\"2033-12-31T23:59:59.999Z\"", "must be after executeAt")]
    [InlineData("\"0001-01-01T00:00:00Z\"", "must be after executeAt")]
    [InlineData("\"2044-01-02T00:00:00.001Z\"", "must be at most 2044-01-02T00:00:00.000Z")]
    [InlineData("\"9999-12-31T23:59:59.9999999Z\"", "must be at most 2044-01-02T00:00:00.000Z")]
    [InlineData("\"2034-01-02T00:00:00\"", "has no offset")]
    [InlineData("\"2034-01-02T00:00:00+0100\"", "without its colon")]
    [InlineData("\"2034-02-30T00:00:00Z\"", "is not a time that exists")]
    [InlineData("\"tomorrow\"", "must be an RFC 3339 time")]
    [InlineData("\"\"", "must be an RFC 3339 time")]
    [InlineData("\"\\ud800\"", "must be an RFC 3339 time")]
    [InlineData("2000000000", "must be an RFC 3339 time")]
    [InlineData("true", "must be an RFC 3339 time")]
    [InlineData("[\"2034-01-02T00:00:00Z\"]", "must be an RFC 3339 time")]
    public async Task WhatIsNoTimeAfterTheExecutionTimeIsRefused(string expireAt, string sentence)
    {
        Assert.Contains(sentence, (await PostAsync(expireAt)).Refused("expireAt"));
    }

    /// <summary>It runs now, whatever its time says.</summary>
    [Fact]
    public async Task TaskOfLongAgoMayExpireInAWhile()
    {
        var expireAt = ApiFixture.Now.AddMinutes(5);
        var answer = await api.PostAsync(
            "/tasks", $$"""{"kind":"Fizz","executeAt":"2001-01-01T00:00:00Z","expireAt":"{{expireAt:O}}"}""");

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        await api.App.WaitForAsync(IdOf(answer), ScheduledTaskState.Completed);
    }

    [Fact]
    public async Task TimesThatAreEqualOnceRoundedUpAreRefused()
    {
        var answer = await api.PostAsync(
            "/tasks", """{"kind":"Fizz","executeAt":"2034-01-01T00:00:00.0001Z","expireAt":"2034-01-01T00:00:00.0009Z"}""");

        Assert.Contains("must be after executeAt (2034-01-01T00:00:00.001Z)", answer.Refused("expireAt"));
    }

    [Fact]
    public async Task BadExecutionTimeIsNamedByItself()
    {
        (await api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"never","expireAt":"2034-01-01T00:00:00Z"}""")).Refused("executeAt");
        (await api.PostAsync("/tasks", """{"kind":"Fizz","expireAt":"2034-01-01T00:00:00Z"}""")).Refused("executeAt");
    }

    [Fact]
    public async Task TaskWithoutAnExpiryHasNone()
    {
        Answer[] answers = [await PostAsync("null"), await api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z"}""")];

        Assert.All(answers, answer => Assert.Null(ExpiryOf(answer)));
    }

    [Fact]
    public async Task BadExpiryInABatchIsNamedByItsPlace()
    {
        (await api.PostAsync("/tasks/batch", """
            {"tasks":[{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z","expireAt":"2034-01-01T00:00:01Z"},
            {"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z","expireAt":"2034-01-01T00:00:00Z"}]}
            """)).Refused("tasks[1].expireAt");
    }

    [Fact]
    public async Task TaskThatIsCreatedTooLateExpiresAndNeverRuns()
    {
        var answer = await api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"2001-01-01T00:00:00Z","expireAt":"2001-01-01T00:00:01Z"}""");
        Assert.Equal(HttpStatusCode.Created, answer.Status);

        var task = await api.App.WaitForAsync(IdOf(answer), ScheduledTaskState.Expired);

        Assert.Equal((0, null, null), (task.Attempt, task.StartedAt, task.Output));
        Assert.True(task.FinishedAt >= task.CreatedAt);
        Assert.DoesNotContain($"Fizz {task.Id}", api.App.Output.Lines);
        Assert.Contains(task.Id.ToString(), (await api.GetAsync("/tasks?state=expired")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExpiredTaskIsNeitherRescheduledNorRequeuedButDeleted()
    {
        var id = IdOf(await api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"2001-01-01T00:00:00Z","expireAt":"2001-01-01T00:00:01Z"}"""));
        await api.App.WaitForAsync(id, ScheduledTaskState.Expired);

        (await api.PatchAsync($"/tasks/{id}", """{"executeAt":"2034-01-01T00:00:00Z","expireAt":null}""")).Problem(HttpStatusCode.Conflict, "wrong-state");
        (await api.PostAsync($"/tasks/{id}/requeue", "")).Problem(HttpStatusCode.Conflict, "wrong-state");
        Assert.Equal(HttpStatusCode.NoContent, (await api.DeleteAsync($"/tasks/{id}")).Status);
    }

    [Fact]
    public async Task TaskThatStartedInTimeDoesNotExpire()
    {
        var answer = await api.PostAsync("/tasks", $$"""{"kind":"Fizz","executeAt":"{{ApiFixture.Now:O}}","expireAt":"{{ApiFixture.Now.AddMinutes(5):O}}"}""");

        await api.App.WaitForAsync(IdOf(answer), ScheduledTaskState.Completed);
    }

    [Theory]
    [InlineData("""{"executeAt":"2033-01-01T00:00:00Z"}""", "2034-01-02T00:00:00.000Z")]
    [InlineData("""{"executeAt":"2034-01-01T23:59:59.999Z"}""", "2034-01-02T00:00:00.000Z")]
    [InlineData("""{"executeAt":"2033-01-01T00:00:00Z","expireAt":"2033-01-01T00:00:00.0001Z"}""", "2033-01-01T00:00:00.001Z")]
    [InlineData("""{"executeAt":"2035-01-01T00:00:00Z","expireAt":"2035-06-01T00:00:00Z"}""", "2035-06-01T00:00:00.000Z")]
    [InlineData("""{"executeAt":"2035-01-01T00:00:00Z","expireAt":null}""", null)]
    public async Task ChangeKeepsTheExpiryUnlessItNamesAnother(string change, string? expected)
    {
        var id = IdOf(await PostAsync("\"2034-01-02T00:00:00Z\""));

        var changed = await api.PatchAsync($"/tasks/{id}", change);

        Assert.Equal((HttpStatusCode.OK, expected), (changed.Status, ExpiryOf(changed)));
        Assert.Equal(changed.Text, (await api.GetAsync($"/tasks/{id}")).Text);
    }

    [Theory]
    [InlineData("2034-01-02T00:00:00Z")]
    [InlineData("2034-01-01T23:59:59.9999Z")]
    [InlineData("2035-01-01T00:00:00Z")]
    public async Task ChangeToATimeThatIsNotBeforeTheExpiryIsRefused(string executeAt)
    {
        var created = await PostAsync("\"2034-01-02T00:00:00Z\"");

        var problem = (await api.PatchAsync($"/tasks/{IdOf(created)}", $$"""{"executeAt":"{{executeAt}}"}""")).Problem(HttpStatusCode.Conflict, "wrong-state");

        Assert.StartsWith("The task expires at 2034-01-02T00:00:00.000Z", problem.GetProperty("detail").GetString());
        Assert.Equal(created.Text, (await api.GetAsync($"/tasks/{IdOf(created)}")).Text);
    }

    [Theory]
    [InlineData("\"2033-01-01T00:00:00Z\"", "must be after executeAt")]
    [InlineData("\"2033-02-01T00:00:00\"", "has no offset")]
    [InlineData("5", "must be an RFC 3339 time")]
    public async Task ChangeToABadExpiryIsRefused(string expireAt, string sentence)
    {
        var created = await PostAsync("\"2034-01-02T00:00:00Z\"");

        var answer = await api.PatchAsync($"/tasks/{IdOf(created)}", $$"""{"executeAt":"2033-01-01T00:00:00Z","expireAt":{{expireAt}}}""");

        Assert.Contains(sentence, answer.Refused("expireAt"));
        Assert.Equal(created.Text, (await api.GetAsync($"/tasks/{IdOf(created)}")).Text);
    }

    [Fact]
    public async Task FailedTaskIsNotRequeuedAfterItsExpiry()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        var past = failed.ExecuteAt.AddMilliseconds(1);
        await using (var db = await api.App.OpenTableAsync())
            await db.Tasks.Where(task => task.Id == failed.Id).ExecuteUpdateAsync(set => set.SetProperty(task => task.ExpireAt, past), Cancel);
        await Eventually.TrueAsync(() => ApiFixture.Now > past, "it is past");

        var problem = (await api.PostAsync($"/tasks/{failed.Id}/requeue", "")).Problem(HttpStatusCode.Conflict, "wrong-state");

        Assert.StartsWith("The task had to start before", problem.GetProperty("detail").GetString());
        Assert.Equal((ScheduledTaskState.Failed, 1), ((await api.App.FindAsync(failed.Id)).State, (await api.App.FindAsync(failed.Id)).Attempt));
    }

    [Fact]
    public async Task FailedTaskIsRequeuedBeforeItsExpiry()
    {
        var answer = await api.PostAsync("/tasks", $$"""{"kind":"FizzBuzz","executeAt":"{{ApiFixture.Now:O}}","expireAt":"{{ApiFixture.Now.AddMinutes(5):O}}"}""");
        var failed = await api.App.WaitForAsync(IdOf(answer), ScheduledTaskState.Failed);

        Assert.Equal(HttpStatusCode.OK, (await api.PostAsync($"/tasks/{failed.Id}/requeue", "")).Status);

        await Eventually.TrueAsync(
            async () => await api.App.FindAsync(failed.Id) is { Attempt: 2, State: ScheduledTaskState.Failed }, "it runs again, and fails again");
    }

    [Fact]
    public async Task SameKeyWithAnotherExpiryIsAnotherRequest()
    {
        var key = Guid.NewGuid().ToString();

        var first = await PostAsync("\"2034-01-02T00:00:00Z\"", key);
        var replayed = await PostAsync("\"2034-01-02T01:00:00+01:00\"", key);
        var other = await PostAsync("null", key);

        Assert.Equal((HttpStatusCode.Created, first.Text), (replayed.Status, replayed.Text));
        other.Problem(HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
    }

    private Task<Answer> PostAsync(string expireAt, params string[] keys) =>
        api.PostAsync("/tasks", $$"""{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z","expireAt":{{expireAt}}}""", keys);

    private static Guid IdOf(Answer task) => task.Json.GetProperty("id").GetGuid();

    private static string? ExpiryOf(Answer task) => task.Json.GetProperty("expireAt").GetString();
}
