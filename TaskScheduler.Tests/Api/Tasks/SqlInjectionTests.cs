using System.Net.Http.Headers;
using System.Text.Json;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

/// <summary>No text of a client becomes part of a statement.</summary>
public abstract class SqlInjectionTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    /// <summary>Each would answer otherwise, fail, take minutes or remove something if it were run.</summary>
    public static TheoryData<string> Texts =>
    [
        "' OR '1'='1", "\" OR \"\"=\"", "1) OR (1=1", "x'; DELETE FROM \"Tasks\"; --", "x'; DROP TABLE scheduler.\"Tasks\"; --", "'; SELECT pg_sleep(600); --",
        "' AND 1=(SELECT count(*) FROM sqlite_master t1, sqlite_master t2, sqlite_master t3) --",
        "'||(SELECT pg_sleep(600))||'", "'; WAITFOR DELAY '0:10:0'; --", "-createdAt; DROP TABLE Tasks", "Pending' UNION SELECT * FROM \"Tasks\" --", "\\'; --", "$$; --", "{0}", "@p0", ":p0", "%", "_",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task TextIsNoPartOfAStatement(string text)
    {
        var task = await api.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        var before = (await api.GetAsync("/tasks/counts")).Text;
        var encoded = Uri.EscapeDataString(text);

        foreach (var path in (string[])[
            $"/tasks?state={encoded}", $"/tasks?kind={encoded}", $"/tasks?sort={encoded}", $"/tasks?pageToken={encoded}", $"/tasks?pageSize={encoded}",
            $"/tasks?executeFrom={encoded}", $"/tasks/counts?label={encoded}", $"/tasks?{encoded}=1", $"/tasks/{encoded}", $"/tasks/{task.Id}{encoded}",
            $"/task?status={encoded}", $"/task/{encoded}", $"/hangfire/tasks?label={encoded}&state={encoded}&sort={encoded}", $"/hangfire/tasks/{encoded}",
            $"/hangfire/jobs/details/{task.JobId}{encoded}", $"/hangfire/jobs/scheduled?from={encoded}&count={encoded}"])
        {
            await SendAsync(HttpMethod.Get, path);
        }

        Assert.DoesNotContain($"{task.Id}", await SendAsync(HttpMethod.Get, $"/tasks?label={encoded}"), StringComparison.Ordinal);
        await SendAsync(HttpMethod.Delete, $"/tasks/{encoded}");
        await SendAsync(HttpMethod.Post, $"/tasks/{encoded}/requeue");
        await SendAsync(HttpMethod.Post, $"/task/delete/{encoded}");
        await SendAsync(HttpMethod.Post, "/tasks/delete", JsonSerializer.Serialize(new { ids = new[] { text } }));
        await SendAsync(HttpMethod.Post, "/tasks/delete", JsonSerializer.Serialize(new { filter = new { label = text } }));
        await SendAsync(HttpMethod.Put, "/worker", JsonSerializer.Serialize(new { paused = true, kinds = new[] { text } }));
        await SendAsync(HttpMethod.Post, "/task/set", JsonSerializer.Serialize(new { kind = text, when = 1 }));
        await SendAsync(HttpMethod.Post, "/tasks", JsonSerializer.Serialize(new { kind = text, executeAt = text }));
        Assert.Equal(before, (await api.GetAsync("/tasks/counts")).Text);

        // Where it may be kept, it is kept as it is.
        var body = JsonSerializer.Serialize(new { kind = "Buzz", executeAt = "2030-01-01T00:00:00Z", label = text });
        var first = await SendAsync(HttpMethod.Post, "/tasks", body, $"key {text}");
        Assert.Equal(text, JsonDocument.Parse(first).RootElement.GetProperty("label").GetString());
        Assert.Equal(first, await SendAsync(HttpMethod.Post, "/tasks", body, $"key {text}"));
        Assert.Equal(
            """{"matched":1,"changed":1}""",
            await SendAsync(HttpMethod.Post, "/tasks/delete", JsonSerializer.Serialize(new { filter = new { label = text } })));
        Assert.Equal(ScheduledTaskState.Pending, (await api.App.FindAsync(task.Id)).State);
    }

    /// <summary>Answered in a minute, and not by an error of the database.</summary>
    private async Task<string> SendAsync(HttpMethod method, string path, string? body = null, string? key = null)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        if (key is not null)
            Assert.True(request.Headers.TryAddWithoutValidation("Idempotency-Key", key));
        using var response = await api.App.Client.SendAsync(request, deadline.Token);
        Assert.True((int)response.StatusCode < 500, $"{method} {path} was answered {response.StatusCode}");
        return await response.Content.ReadAsStringAsync(deadline.Token);
    }
}
