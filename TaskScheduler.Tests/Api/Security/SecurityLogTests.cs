using System.Net;
using System.Net.Http.Json;
using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api.Dashboard;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>Who changed what, and who was refused, as the log has it.</summary>
public sealed class SecurityLogTests
{
    private readonly CapturedLog _log = new();

    [Fact]
    public async Task CallersOfTheApiAreNamedWithWhatTheyChanged()
    {
        await using var app = await StartOnOurLogAsync([.. Keys, .. Users]);
        var task = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        var another = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        await SendAsync(HttpMethod.Patch, $"/tasks/{task.Id}", new { executeAt = "2030-01-01T00:00:00Z" });
        await SendAsync(HttpMethod.Delete, $"/tasks/{task.Id}");
        await SendAsync(HttpMethod.Delete, $"/tasks/{task.Id}");
        await SendAsync(HttpMethod.Post, $"/tasks/{task.Id}/requeue");
        await SendAsync(HttpMethod.Post, $"/task/delete/{another.Id}");
        await SendAsync(HttpMethod.Post, "/tasks/delete", new { ids = (Guid[])[task.Id, another.Id] });
        await SendAsync(HttpMethod.Post, "/tasks/requeue", new { filter = new { state = "Failed", kind = "Buzz" } });
        await SendAsync(HttpMethod.Put, "/worker", new { paused = true, kinds = "Buzz" });
        await SendAsync(HttpMethod.Put, "/worker", new { paused = false });

        Assert.Equal(
            [
                $"rescheduled task {task.Id}.", $"deleted task {task.Id}.", $"deleted task {another.Id}.",
                $"deleted 0 of 2 tasks: {task.Id}, {another.Id}.", "requeued 0 of 0 tasks: state=Failed&kind=Buzz.",
                "paused Buzz.", "resumed Buzz.",
            ],
            Lines("Information: API key 'warehouse' at 127.0.0.1 "));

        Task<Answer> SendAsync(HttpMethod method, string path, object? body = null) =>
            app.SendAsync(method, path, body is null ? null : JsonContent.Create(body), WithKey(OtherKey));
    }

    [Fact]
    public async Task UsersOfTheDashboardAreNamedWithWhatTheyChanged()
    {
        await using var app = await StartOnOurLogAsync(Users);
        var onOurPage = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        var onHangfires = await app.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        using var visitor = new PageVisitor(app.Client.BaseAddress!, Admin);

        await visitor.PostAsync($"/hangfire/tasks/{onOurPage.Id}/delete");
        await app.DeleteOnDashboardAsync(onHangfires.JobId!, Admin);

        Assert.Equal([$"deleted task {onOurPage.Id}.", $"deleted task {onHangfires.Id}."], Lines("Information: Dashboard user 'admin' at 127.0.0.1 "));
    }

    [Fact]
    public async Task WhatHappensToJobsOfOtherProgramsIsNamedToo()
    {
        await using var app = await StartOnOurLogAsync(Users);
        var storage = app.Get<JobStorage>();
        var job = new BackgroundJobClient(storage).Schedule(() => Console.WriteLine(), TimeSpan.FromDays(1));
        new RecurringJobManager(storage).AddOrUpdate("theirs", () => Console.WriteLine(), Cron.Daily);
        using var visitor = new PageVisitor(app.Client.BaseAddress!, Admin);

        await visitor.PostAsync("/hangfire/jobs/scheduled/delete", ("jobs[]", job));
        await visitor.PostAsync("/hangfire/recurring/trigger", ("jobs[]", "theirs"));
        await visitor.PostAsync("/hangfire/recurring/remove", ("jobs[]", "theirs"));

        Assert.Equal(
            [$"moved job {job} of another program to Deleted.", "removed the recurring jobs theirs."],
            Lines("Information: Dashboard user 'admin' at 127.0.0.1 "));
        Assert.Equal(
            ["Warning: POST /hangfire/recurring/trigger was refused. Dashboard user 'admin' at 127.0.0.1: ForeignJob."], Refusals());
    }

    [Fact]
    public async Task WithoutCredentialsTheAddressIsNamed()
    {
        await using var app = await StartOnOurLogAsync();
        var task = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        await app.SendAsync(HttpMethod.Delete, $"/tasks/{task.Id}", content: null);

        Assert.Equal([$"deleted task {task.Id}."], Lines("Information: An unknown caller at 127.0.0.1 "));
    }

    [Fact]
    public async Task RefusalsAreNamedWithTheirReason()
    {
        await using var app = await StartOnOurLogAsync([.. Keys, .. Users]);
        var form = new FormUrlEncodedContent([new("jobs[]", "1")]);

        await app.GetAsync("/tasks");
        await app.GetAsync("/tasks", WithKey("not-the-key-of-anybody"));
        await app.GetAsync("/hangfire", Login("admin", "not the password"));
        await app.SendAsync(HttpMethod.Post, "/hangfire/jobs/scheduled/delete", form, Reader);
        await app.SendAsync(HttpMethod.Post, "/hangfire/jobs/scheduled/delete", new FormUrlEncodedContent([new("jobs[]", "1")]), Admin);

        Assert.Equal(
            [
                "Information: GET /tasks was refused. An unknown caller at 127.0.0.1: NoCredentials.",
                "Warning: GET /tasks was refused. An unknown caller at 127.0.0.1: WrongKey.",
                "Warning: GET /hangfire was refused. An unknown caller at 127.0.0.1: WrongPassword.",
                "Warning: POST /hangfire/jobs/scheduled/delete was refused. Dashboard user 'reader' at 127.0.0.1: ReadOnlyUser.",
                "Warning: POST /hangfire/jobs/scheduled/delete was refused. Dashboard user 'admin' at 127.0.0.1: ForgedForm.",
            ],
            Refusals());
    }

    [Fact]
    public async Task RefusalsWithoutKeysAreNamedWithTheirReason()
    {
        await using var app = await StartOnOurLogAsync();

        await app.GetAsync("/tasks", ("X-Forwarded-For", "192.0.2.1"));
        await app.SendAsync(HttpMethod.Post, "/task/delete/1", content: null, ("Sec-Fetch-Site", "cross-site"));

        Assert.Equal(
            [
                "Warning: GET /tasks was refused. An unknown caller at 127.0.0.1: NotThisMachine.",
                "Warning: POST /task/delete/1 was refused. An unknown caller at 127.0.0.1: OtherSite.",
            ],
            Refusals());
    }

    [Fact]
    public async Task MassesAreCutShortAndCounted()
    {
        await using var app = await StartOnOurLogAsync(Keys);
        const int Guesses = 1_000;

        await Parallel.ForAsync(0, Guesses, async (_, _) => await app.GetAsync("/tasks", WithKey("not-the-key-of-anybody")));
        Assert.InRange(Refusals().Count, 100, Guesses - 1);

        // What is refused for another reason is not hidden by them.
        await app.GetAsync("/tasks");
        Assert.EndsWith("NoCredentials.", Refusals()[^1]);

        var sent = Guesses + 1;
        await Eventually.TrueAsync(
            async () =>
            {
                var before = Refusals().Count;
                await app.GetAsync("/tasks", WithKey("not-the-key-of-anybody"));
                sent++;
                return Refusals().Count > before;
            },
            "there is room for a line again");
        var leftOut = Refusals().Select(line => System.Text.RegularExpressions.Regex.Match(line, @"\((\d+) lines before it"))
            .Sum(match => match.Success ? int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : 0);
        Assert.Equal(sent, Refusals().Count + leftOut);
    }

    [Fact]
    public async Task BusyCallerHidesNobodyElsesChange()
    {
        await using var app = await StartOnOurLogAsync(Keys);
        for (var i = 0; i < 150; i++)
            await app.SendAsync(HttpMethod.Post, "/tasks/delete", JsonContent.Create(new { ids = (Guid[])[Guid.NewGuid()] }), WithKey(Key));

        var task = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        await app.SendAsync(HttpMethod.Delete, $"/tasks/{task.Id}", content: null, WithKey(OtherKey));

        Assert.Equal([$"deleted task {task.Id}."], Lines("Information: API key 'warehouse' at 127.0.0.1 "));
    }

    [Fact]
    public async Task NothingOfAClientMovesTheTerminalsCursor()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"), WebKey, "--Logging:LogLevel:Default=Debug");
        foreach (var path in (string[])["/tasks/%1b%5b2J%0d%0afail:%20forged%c2%9b31m", $"/tasks/{new string('x', 1_000)}"])
        {
            using var response = await instance.Client.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "/tasks/delete");
        request.Headers.Add("X-Api-Key", Key);
        request.Content = JsonContent.Create(new { filter = new { label = "turned \u202e round" } });
        using var deleted = await instance.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);

        Assert.Equal(0, await instance.StopAsync());
        Assert.Contains(instance.Errors, line => line.Contains("/tasks/%1B%5B2J%0D%0Afail:%20forged%C2%9B31m was refused", StringComparison.Ordinal));
        Assert.Contains(instance.Errors, line => line.Contains("xxx... was refused", StringComparison.Ordinal) && line.Length < 400);
        Assert.Contains(instance.Errors, line => line.EndsWith(@"deleted 0 of 0 tasks: label=turned%20%E2%80%AE%20round.", StringComparison.Ordinal));
        Assert.DoesNotContain(instance.Errors, line => line.Any(character => char.IsControl(character) || character == '\u202e'));
    }

    private List<string> Refusals() => [.. _log.Lines.Where(line => line.Contains(" was refused. ", StringComparison.Ordinal))];

    private List<string> Lines(string start) =>
        [.. _log.Lines.Where(line => line.StartsWith(start, StringComparison.Ordinal)).Select(line => line[start.Length..])];

    private Task<TestApplication> StartOnOurLogAsync(params string[] settings) =>
        StartAsync(services => services.AddSingleton(_log.Factory()), settings);
}
