using System.Net;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api.Security;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Api.Dashboard;

public sealed class TaskCommandsTests : IClassFixture<ApiFixture>, IClassFixture<TaskCommandsTests.WithUsers>, IDisposable
{
    private readonly ApiFixture _api;
    private readonly TestApplication _secured;
    private readonly PageVisitor _visitor;

    public TaskCommandsTests(ApiFixture api, WithUsers users)
    {
        (_api, _secured) = (api, users.App);
        _visitor = new PageVisitor(api.App.Client.BaseAddress!);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SelectedTasksAreDeletedAndThePageSaysHowMany()
    {
        var (one, two, gone) = (await _api.CreatePendingAsync(), await _api.CreatePendingAsync(), await _api.CreatePendingAsync());
        await _api.App.Get<TaskClient>().DeleteAsync(gone, Cancel);

        var page = await _visitor.CommandAsync(
            "/hangfire/tasks/delete", ("id", $"{one}"), ("id", $"{two}"), ("id", $"{gone}"), ("back", "?state=Pending&kind=Fizz"));

        Assert.Contains("2 of 3 deleted.", page.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"Fizz\" checked", page.Text, StringComparison.Ordinal);
        Assert.Equal(ScheduledTaskState.Deleted, (await _api.App.FindAsync(two)).State);
        Assert.DoesNotContain("2 of 3 deleted.", (await _visitor.GetAsync("/hangfire/tasks")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PageThatRefreshesItselfTakesNoMessageAway()
    {
        var task = await _api.CreatePendingAsync();
        var answer = await _visitor.PostAsync("/hangfire/tasks/delete", ("id", $"{task}"));

        await _visitor.GetQuietlyAsync("/hangfire/tasks");

        Assert.Contains("1 of 1 deleted.", (await _visitor.GetAsync(answer.Location!)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("No task was selected.")]
    [InlineData("not the ID of a task", "nonsense")]
    public async Task WrongSelectionIsExplained(string sentence, params string[] ids)
    {
        var page = await _visitor.CommandAsync("/hangfire/tasks/delete", [.. ids.Select(id => ("id", id))]);

        Assert.Contains(sentence, page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?state=Failed&label=a%26b", "/hangfire/tasks?state=Failed&label=a%26b")]
    [InlineData("https://example.com/?state=Failed", "/hangfire/tasks?")]
    [InlineData("//example.com", "/hangfire/tasks?")]
    [InlineData("?state=Failed\r\nSet-Cookie: a=b", "/hangfire/tasks?state=Failed%0D%0A")]
    [InlineData("", "/hangfire/tasks?state=Pending&sort=executeAt")]
    public async Task CommandLeadsBackToTheListAndNowhereElse(string back, string location)
    {
        var answer = await _visitor.PostAsync("/hangfire/tasks/delete", ("id", $"{await _api.CreatePendingAsync()}"), ("back", back));

        Assert.Equal(HttpStatusCode.SeeOther, answer.Status);
        Assert.StartsWith(location, answer.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllThatMatchAreCountedAndThenDeleted()
    {
        var label = $"{Guid.NewGuid()}";
        var tasks = (await _api.App.Get<TaskCreator>().CreateAsync(
            [.. Enumerable.Repeat(new NewTask(TaskKind.Buzz, ApiFixture.Now.AddDays(1), label), 7)], key: null, Cancel)).Tasks;
        var other = await _api.CreatePendingAsync(TaskKind.Buzz);

        var question = await _visitor.GetAsync($"/hangfire/tasks/confirm/delete?kind=Buzz&label={label}&sort=executeAt");
        var page = await _visitor.CommandAsync("/hangfire/tasks/matching/delete", ("kind", "Buzz"), ("label", label));

        Assert.Contains("Delete 7 tasks?", question.Text, StringComparison.Ordinal);
        Assert.Contains("7 of 7 deleted.", page.Text, StringComparison.Ordinal);
        Assert.Equal(ScheduledTaskState.Deleted, (await _api.App.FindAsync(tasks[6].Id)).State);
        Assert.Equal(ScheduledTaskState.Pending, (await _api.App.FindAsync(other)).State);
    }

    [Fact]
    public async Task TenThousandAreCountedToTheEnd()
    {
        var label = $"{Guid.NewGuid()}";
        foreach (var some in Enumerable.Repeat(new NewTask(TaskKind.Fizz, ApiFixture.Now.AddDays(1), label), 10_001).Chunk(1_000))
            await _api.App.Get<TaskCreator>().CreateAsync(some, key: null, Cancel);

        var question = await _visitor.GetAsync($"/hangfire/tasks/confirm/delete?label={label}");

        Assert.Contains("Delete 10,001 tasks?", question.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OnlyFailedTasksOfThoseThatMatchAreRequeued()
    {
        var failed = await _api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        var range = $"executeFrom={Uri.EscapeDataString(failed.ExecuteAt.ToString("O"))}&executeTo={Uri.EscapeDataString(failed.ExecuteAt.AddMilliseconds(1).ToString("O"))}";

        var question = await _visitor.GetAsync($"/hangfire/tasks/confirm/requeue?{range}");
        var page = await _visitor.CommandAsync("/hangfire/tasks/matching/requeue",
            ("executeFrom", failed.ExecuteAt.ToString("O")), ("executeTo", failed.ExecuteAt.AddMilliseconds(1).ToString("O")));

        Assert.Contains("Requeue 1 task?", question.Text, StringComparison.Ordinal);
        Assert.Contains("1 of 1 requeued.", page.Text, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await _api.App.FindAsync(failed.Id)).Attempt > failed.Attempt, "it runs again");
    }

    [Theory]
    [InlineData("/hangfire/tasks/confirm/delete?sort=executeAt")]
    [InlineData("/hangfire/tasks/confirm/delete?state=Foo")]
    public async Task AllThatMatchNeedsAFilter(string path) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await _visitor.GetAsync(path)).Status);

    [Fact]
    public async Task AllThatMatchNothingInParticularAreNotDeleted()
    {
        var task = await _api.CreatePendingAsync();

        var page = await _visitor.CommandAsync("/hangfire/tasks/matching/delete");

        Assert.Contains("A filter is needed", page.Text, StringComparison.Ordinal);
        Assert.Equal(ScheduledTaskState.Pending, (await _api.App.FindAsync(task)).State);
    }

    [Fact]
    public async Task TaskIsDeletedAndRequeuedOnItsPage()
    {
        var failed = await _api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        var requeued = await _visitor.CommandAsync($"/hangfire/tasks/{failed.Id}/requeue");
        await _api.App.WaitForAsync(failed.Id, ScheduledTaskState.Failed);
        var deleted = await _visitor.CommandAsync($"/hangfire/tasks/{failed.Id}/delete");
        var refused = await _visitor.CommandAsync($"/hangfire/tasks/{failed.Id}/requeue");

        Assert.Contains("The task runs again.", requeued.Text, StringComparison.Ordinal);
        Assert.Contains("The task is deleted.", deleted.Text, StringComparison.Ordinal);
        Assert.Contains("The task is Deleted; only a Failed task can be requeued.", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TaskIsGivenAnotherTimeOnItsPage()
    {
        var id = await _api.CreatePendingAsync();
        var (time, limit) = (ApiFixture.Now.AddDays(2), ApiFixture.Now.AddDays(3));

        var wrong = await _visitor.PostAsync($"/hangfire/tasks/{id}/reschedule", ("executeAt", "Tuesday <b>"), ("expireAt", ""));
        var page = await _visitor.CommandAsync(
            $"/hangfire/tasks/{id}/reschedule", ("executeAt", time.ToString("O")), ("expireAt", limit.ToString("O")));
        var task = await _api.App.FindAsync(id);
        await _visitor.CommandAsync($"/hangfire/tasks/{id}/reschedule", ("executeAt", time.ToString("O")), ("expireAt", ""));

        Assert.Equal(HttpStatusCode.BadRequest, wrong.Status);
        Assert.Contains("executeAt must be an RFC 3339 time", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"Tuesday &lt;b&gt;\"", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("The task has its new time.", page.Text, StringComparison.Ordinal);
        Assert.Equal((time.RoundUpToMillisecond(), limit.RoundUpToMillisecond()), (task.ExecuteAt, task.ExpireAt));
        Assert.Null((await _api.App.FindAsync(id)).ExpireAt);
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("requeue")]
    [InlineData("reschedule")]
    public async Task CommandOnATaskThatIsNotThereIsNotFound(string command) =>
        Assert.Equal(HttpStatusCode.NotFound, (await _visitor.PostAsync($"/hangfire/tasks/{Guid.NewGuid()}/{command}")).Status);

    [Fact]
    public async Task PauseIsVisibleOnEveryPage()
    {
        try
        {
            var page = await _visitor.CommandAsync("/hangfire/tasks/pause", ("kind", "Buzz"), ("kind", "Fizz"));

            Assert.Contains("Buzz, Fizz paused, on all instances.", page.Text, StringComparison.Ordinal);
            foreach (var path in (string[])["/hangfire", "/hangfire/servers", "/hangfire/jobs/scheduled", "/hangfire/tasks", "/"])
                Assert.Contains("Fizz, Buzz", (await _visitor.GetAsync(path)).Text, StringComparison.Ordinal);
            await _visitor.CommandAsync("/hangfire/tasks/resume", ("kind", "Fizz"));
            Assert.Equal([TaskKind.Buzz], await _api.App.Get<WorkerPause>().GetAsync(Cancel));
            await _visitor.CommandAsync("/hangfire/tasks/pause");
            Assert.Contains("Paused: everything", (await _visitor.GetAsync("/hangfire/servers")).Text, StringComparison.Ordinal);
        }
        finally
        {
            await _visitor.CommandAsync("/hangfire/tasks/resume");
        }

        Assert.DoesNotContain("Paused:", (await _visitor.GetAsync("/hangfire/servers")).Text, StringComparison.Ordinal);
        Assert.Contains("kind &#x27;Fuzz&#x27; is not one of", (await _visitor.CommandAsync("/hangfire/tasks/pause", ("kind", "Fuzz"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForgedCommandIsRefused()
    {
        var task = await _api.CreatePendingAsync();
        using var stranger = new PageVisitor(_api.App.Client.BaseAddress!);
        var (own, foreign) = (await _visitor.TokenAsync(), await stranger.TokenAsync());

        foreach (var token in (string?[])[null, "", "nonsense", own[..^4], foreign])
        {
            var answer = await _visitor.SendAsync(HttpMethod.Post, "/hangfire/tasks/delete", token, ("id", $"{task}"));
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        }

        using var withoutCookie = new PageVisitor(_api.App.Client.BaseAddress!);
        Assert.Equal(HttpStatusCode.Forbidden, (await withoutCookie.SendAsync(HttpMethod.Post, "/hangfire/tasks/delete", own, ("id", $"{task}"))).Status);
        Assert.Equal(ScheduledTaskState.Pending, (await _api.App.FindAsync(task)).State);
    }

    [Theory]
    [InlineData("tasks/delete")]
    [InlineData("tasks/requeue")]
    [InlineData("tasks/matching/delete")]
    [InlineData("tasks/matching/requeue")]
    [InlineData("tasks/pause")]
    [InlineData("tasks/resume")]
    [InlineData("tasks/{id}/delete")]
    [InlineData("tasks/{id}/requeue")]
    [InlineData("tasks/{id}/reschedule")]
    public async Task ReaderChangesNothing(string command)
    {
        var task = await _secured.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        using var reader = new PageVisitor(_secured.Client.BaseAddress!, Reader);
        var path = $"/hangfire/{command.Replace("{id}", $"{task.Id}", StringComparison.Ordinal)}";

        var answer = await reader.PostAsync(path, ("id", $"{task.Id}"), ("state", "Pending"), ("executeAt", "2030-01-01T00:00:00Z"));

        answer.Problem(HttpStatusCode.Forbidden, "forbidden");
        Assert.Equal(task.Version, (await _secured.FindAsync(task.Id)).Version);
        Assert.Empty(await _secured.Get<WorkerPause>().GetAsync(Cancel));
    }

    [Fact]
    public async Task ReaderSeesEverythingAndHasNoButtons()
    {
        var task = await _secured.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        using var reader = new PageVisitor(_secured.Client.BaseAddress!, Reader);
        using var admin = new PageVisitor(_secured.Client.BaseAddress!, Admin);

        foreach (var path in (string[])["/hangfire/tasks", $"/hangfire/tasks/{task.Id}", "/hangfire/tasks/confirm/delete?state=Pending"])
        {
            var (seen, full) = (await reader.GetAsync(path), await admin.GetAsync(path));

            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (seen.Status, full.Status));
            Assert.DoesNotMatch("formaction|<button class=\"btn btn-sm btn-death|name=\"id\"|/reschedule", seen.Text);
            Assert.Matches("formaction|<button class=\"btn btn-sm btn-death", full.Text);
        }

        Assert.Contains($"{task.Id}", (await reader.GetAsync("/hangfire/tasks")).Text, StringComparison.Ordinal);
    }

    public void Dispose() => _visitor.Dispose();

    public sealed class WithUsers() : SecuredFixture(Users);
}
