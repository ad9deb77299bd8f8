using System.Net;
using System.Text;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Fuzzing;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>What a client or an operator wrote is shown as text, on every page and in every answer. <c>TasksPageTests</c> has the filters.</summary>
public sealed class MarkupTests(MarkupTests.Application application) : IClassFixture<MarkupTests.Application>
{
    private const string Nasty = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>";
    private static readonly string Encoded = Uri.EscapeDataString(Nasty);

    [Fact]
    public async Task LabelAndInstanceAreTextOnEveryPage()
    {
        var task = (await application.App.Get<TaskCreator>().CreateAsync(
            [new NewTask(TaskKind.Fizz, ApiFixture.Now, Nasty)], key: null, TestContext.Current.CancellationToken)).Tasks[0];
        var done = await application.App.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        var shown = await Eventually.GetAsync(
            async () => await application.App.FindAsync(task.Id) is { JobId: not null, JobState: "Succeeded" } row ? row : null, "the job shows it");

        var pages = new List<string>();
        foreach (var path in (string[])[
            "/", "/hangfire", "/hangfire/servers", "/hangfire/overview", "/hangfire/tasks?state=Completed", $"/hangfire/tasks/{done.Id}",
            "/hangfire/jobs/succeeded", $"/hangfire/jobs/details/{shown.JobId}"])
        {
            pages.Add((await application.App.GetAsync(path)).Text);
        }

        Assert.All(pages, AssertIsText);
        Assert.Contains(pages, page => page.Contains("&lt;img src=x", StringComparison.Ordinal));
        Assert.Contains(pages, page => page.Contains("&lt;b&gt;me", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/hangfire/tasks")]
    [InlineData("/hangfire/overview")]
    public async Task NoticeIsText(string path)
    {
        foreach (var mark in (string[])["", "!"])
            AssertIsText((await application.App.GetAsync(path, ("Cookie", $"TaskScheduler.Notice={Uri.EscapeDataString(mark + Nasty)}"))).Text);

        var page = await application.App.GetAsync("/hangfire/tasks", ("Cookie", $"TaskScheduler.Notice={Encoded}"));
        Assert.Contains("&lt;img src=x", page.Text, StringComparison.Ordinal);
    }

    /// <summary>Other parts of the same are in an address for Swagger UI, which would load the document of another site.</summary>
    [Theory]
    [InlineData("/docs/index.html?url=https://example.com/openapi.json")]
    [InlineData("/docs/index.html?configUrl=https://example.com/config.json")]
    [InlineData("/docs/index.html?urls.primaryName=https://example.com")]
    [InlineData("/docs/index.html?url=data:application/json,{}&configUrl=data:application/json,{}")]
    public async Task DocsLoadNoDocumentOfAnotherSite(string path)
    {
        var page = await application.App.GetAsync(path);
        var script = await application.App.GetAsync("/docs/index.js");

        Assert.DoesNotContain("example.com", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("data:application/json", page.Text, StringComparison.Ordinal);
        // Swagger UI reads the query only if it is told to.
        Assert.DoesNotMatch("\"queryConfigEnabled\"\\s*:\\s*true", script.Text);
    }

    [Theory]
    [InlineData("/tasks?label={0}&state={0}&kind={0}&sort={0}&pageSize={0}&pageToken={0}&{0}={0}")]
    [InlineData("/tasks/{0}")]
    [InlineData("/task/{0}")]
    [InlineData("/task?status={0}&kind={0}")]
    [InlineData("/problems/{0}")]
    [InlineData("/hangfire/tasks/{0}")]
    [InlineData("/hangfire/tasks/confirm/{0}?label={0}")]
    [InlineData("/hangfire/jobs/{0}")]
    [InlineData("/hangfire/{0}")]
    [InlineData("/health/{0}")]
    [InlineData("/{0}")]
    public async Task WhatIsAskedForIsNotSentBackAsMarkup(string path)
    {
        var answer = await application.App.GetAsync(path.Replace("{0}", Encoded, StringComparison.Ordinal));

        AssertSafe(answer);
    }

    [Fact]
    public async Task HeadersAndBodiesAreNotSentBackAsMarkup()
    {
        AssertSafe(await application.App.SendAsync(HttpMethod.Post, "/tasks", Json($$"""{"kind":"{{Nasty.Replace("\"", "\\\"", StringComparison.Ordinal)}}"}""")));
        AssertSafe(await application.App.SendAsync(HttpMethod.Post, "/tasks", Json(Nasty)));
        AssertSafe(await application.App.SendAsync(
            HttpMethod.Post, "/tasks", Json("""{"kind":"Fizz","executeAt":"2100-01-01T00:00:00Z"}"""), ("Idempotency-Key", Nasty)));
        AssertSafe(await application.App.SendAsync(HttpMethod.Post, "/task/set", Json("{\"<script>alert(2)</script>\":1}")));
        AssertSafe(await application.App.SendAsync(HttpMethod.Post, $"/task/delete/{Encoded}", content: null));
        AssertSafe(await application.App.GetAsync("/nowhere", ("Accept", "text/html"), ("Referer", Nasty), ("User-Agent", Nasty)));
    }

    [Fact]
    public async Task HostIsTextOnTheStartPage()
    {
        using var connection = await RawConnection.OpenAsync(application.App.Client.BaseAddress!, TestContext.Current.CancellationToken);
        var answer = await connection.SendAsync(
            Encoding.Latin1.GetBytes($"GET / HTTP/1.1\r\nHost: {Nasty}\r\nConnection: close\r\n\r\n"), isHead: false, isCutOff: false, TestContext.Current.CancellationToken);

        AssertIsText(answer!.Text);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static void AssertSafe(Answer answer)
    {
        Assert.True(answer.Status < HttpStatusCode.InternalServerError, $"{answer.Status}");
        if (answer.MediaType == "text/html")
            AssertIsText(answer.Text);
        else if (answer.Text.Length > 0)
            Assert.Contains(answer.MediaType, (string[])["application/json", "application/problem+json", "text/plain"]);
        if (answer.MediaType == "text/plain")
            AssertIsText(answer.Text);
    }

    private static void AssertIsText(string page)
    {
        Assert.DoesNotContain("<img src=x", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script>alert", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>me", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("\"'><", page, StringComparison.Ordinal);
    }

    public sealed class Application : Fixture<TestApplication>
    {
        public TestApplication App => Made;

        protected override Task<TestApplication> MakeAsync() => SecuredApplication.StartAsync("--Instance:Name=<b>me\"'><script>alert(3)</script>");
    }
}
