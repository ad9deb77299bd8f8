using System.Net;
using System.Text.RegularExpressions;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Dashboard;

public sealed partial class TasksPageTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Nasty = "<script>alert(\"1\")</script>'&";

    [Fact]
    public async Task ListShowsFirstWhatRunsNext()
    {
        var label = NewLabel();
        var later = await CreateAsync(label, TimeSpan.FromDays(2));
        var sooner = await CreateAsync(label, TimeSpan.FromDays(1));

        var page = await api.GetAsync("/hangfire/tasks");

        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.Status, page.MediaType));
        Assert.Equal([sooner, later], IdsOf(page).Where(id => id == sooner || id == later));
    }

    [Theory]
    [InlineData("state=Pending&sort=executeAt")]
    [InlineData("state=pending&state=Completed&kind=Fizz&kind=Buzz")]
    [InlineData("sort=-createdAt&pageSize=2")]
    [InlineData("executeFrom=2020-01-01T00:00:00Z&executeTo=2090-01-01T00:00:00%2B01:00&sort=executeAt")]
    public async Task QueryMeansTheSameHereAsInTheApi(string query)
    {
        var label = NewLabel();
        for (var i = 0; i < 3; i++)
            await CreateAsync(label, TimeSpan.FromHours(24 - i), (TaskKind)i);

        var page = await api.GetAsync($"/hangfire/tasks?label={label}&{query}");
        var list = (await api.GetAsync($"/tasks?label={label}&{query}")).Json.GetProperty("tasks");

        Assert.NotEmpty(IdsOf(page));
        Assert.Equal(list.EnumerateArray().Select(task => task.GetProperty("id").GetGuid()), IdsOf(page));
    }

    [Fact]
    public async Task PagesFollowOneAnother()
    {
        var label = NewLabel();
        List<Guid> created = [];
        for (var i = 0; i < 5; i++)
            created.Add(await CreateAsync(label, TimeSpan.FromHours(i + 1)));
        var (found, address) = (new List<Guid>(), $"/hangfire/tasks?label={label}&sort=executeAt&pageSize=2");

        while (address is not null)
        {
            var page = await api.GetAsync(address);
            found.AddRange(IdsOf(page));
            address = Next().Match(page.Text) is { Success: true } next ? WebUtility.HtmlDecode(next.Groups[1].Value) : null;
        }

        Assert.Equal(created, found);
    }

    [Theory]
    [InlineData("state=Foo", "state 'Foo' is not one of Pending, Running, Completed, Failed, Expired, Deleted.")]
    [InlineData("kind=Fuzz", "kind 'Fuzz' is not one of Fizz, Buzz, FizzBuzz.")]
    [InlineData("executeFrom=tomorrow", "executeFrom must be an RFC 3339 time with an offset")]
    [InlineData("pageSize=501", "pageSize must be one whole number from 1 to 500.")]
    [InlineData("pageToken=abc", "pageToken must be the nextPageToken of an answer to the same filters and sort, unchanged.")]
    [InlineData("stat=Pending", "'stat' is not a query parameter here; allowed: state,")]
    public async Task WrongQueryIsExplainedAndTheRestOfTheFormStays(string query, string sentence)
    {
        var page = await api.GetAsync($"/hangfire/tasks?label=my%20label&executeTo=2030-01-01T00:00:00Z&kind=Buzz&{query}");

        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Contains(sentence, WebUtility.HtmlDecode(page.Text), StringComparison.Ordinal);
        Assert.Contains("value=\"my label\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"2030-01-01T00:00:00Z\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"Buzz\" checked", page.Text, StringComparison.Ordinal);
        Assert.Empty(IdsOf(page));
    }

    [Fact]
    public async Task WhatCannotBeReadStaysInItsField()
    {
        var page = await api.GetAsync("/hangfire/tasks?executeFrom=tomorrow&pageSize=9999");

        Assert.Contains("name=\"executeFrom\" value=\"tomorrow\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"9999\"", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CountsLeadToWhatTheyCount()
    {
        await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        var page = await api.GetAsync("/hangfire/tasks");

        Assert.Contains("href=\"/hangfire/tasks?state=Pending&amp;sort=executeAt\"", page.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"/hangfire/tasks?state=Completed&amp;sort=-createdAt\"", page.Text, StringComparison.Ordinal);
        foreach (var link in Link().Matches(page.Text).Select(link => WebUtility.HtmlDecode(link.Groups[1].Value)).Distinct())
            Assert.Equal(HttpStatusCode.OK, (await api.GetAsync(link)).Status);
    }

    [Fact]
    public async Task WhatAClientWroteIsNeverMarkup()
    {
        var task = await CreateAsync(Nasty, TimeSpan.FromDays(1));
        var label = Uri.EscapeDataString(Nasty);

        foreach (var path in (string[])[
            $"/hangfire/tasks?label={label}", $"/hangfire/tasks/{task}", $"/hangfire/tasks/confirm/delete?label={label}",
            $"/hangfire/tasks?state={label}&{label}={label}&executeFrom={label}&pageSize={label}", $"/hangfire/tasks/{label}"])
        {
            var page = await api.GetAsync(path);

            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"1\")", page.Text, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;alert(&quot;1&quot;)", page.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/hangfire/tasks")]
    [InlineData("/hangfire/tasks/{id}")]
    [InlineData("/hangfire/tasks/confirm/delete?state=Pending")]
    public async Task PageLoadsFromHereOnlyAndHasNoScriptOfItsOwn(string path)
    {
        var id = await api.CreatePendingAsync();

        var page = await api.GetAsync(path.Replace("{id}", $"{id}", StringComparison.Ordinal));

        Assert.Contains("<html lang=\"en\">", page.Text, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"(?i)<[^>]+\son[a-z]+=|<script(?![^>]+src=""/hangfire/)|(src|action)=""(https?:)?//|<style|<main[^§]*style=", page.Text);
        var style = StyleAndScript().Matches(page.Text).Select(match => match.Groups[1].Value).ToList();
        Assert.Contains(".task-state", (await api.GetAsync(style.First(address => address.Contains("css1", StringComparison.Ordinal)))).Text, StringComparison.Ordinal);
        Assert.Contains("data-live", (await api.GetAsync(style.Single(address => address.Contains("/js", StringComparison.Ordinal)))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TaskIsShownWithAllThatIsKnown()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        var done = await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        var failedPage = WebUtility.HtmlDecode((await api.GetAsync($"/hangfire/tasks/{failed.Id}")).Text);
        var donePage = WebUtility.HtmlDecode((await api.GetAsync($"/hangfire/tasks/{done.Id}")).Text);

        Assert.Contains("No luck today.", failedPage, StringComparison.Ordinal);
        Assert.Contains($"/hangfire/tasks/{failed.Id}/requeue", failedPage, StringComparison.Ordinal);
        Assert.Contains($"<code>{done.Output}</code>", donePage, StringComparison.Ordinal);
        Assert.Contains($"<time datetime=\"{Rfc3339.Format(done.StartedAt!.Value)}\"", donePage, StringComparison.Ordinal);
        Assert.DoesNotContain("/requeue", donePage, StringComparison.Ordinal);
        Assert.DoesNotContain("/reschedule", donePage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("01a22e24-3046-7d56-9ebb-e93d35c3b8ab")]
    [InlineData("nonsense")]
    public async Task TaskThatIsNotThereIsNotFound(string id)
    {
        var page = await api.GetAsync($"/hangfire/tasks/{id}");

        Assert.Equal((HttpStatusCode.NotFound, "text/html"), (page.Status, page.MediaType));
        Assert.Contains("No such task", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JobAndTaskLeadToEachOther()
    {
        var task = await api.App.CreateShownAsync(TaskKind.FizzBuzz, ApiFixture.Now.AddDays(1));

        var taskPage = await api.GetAsync($"/hangfire/tasks/{task.Id}");
        var jobPage = await api.GetAsync($"/hangfire/jobs/details/{task.JobId}");
        var jobs = await api.GetAsync("/hangfire/jobs/scheduled?count=500");

        Assert.Contains($"href=\"/hangfire/jobs/details/{task.JobId}\"", taskPage.Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"/hangfire/tasks/{task.Id}\"", jobPage.Text, StringComparison.Ordinal);
        Assert.Contains($"FizzBuzz {task.Id}", jobs.Text, StringComparison.Ordinal);
    }

    private static string NewLabel() => $"{Guid.NewGuid()}";

    private static IReadOnlyList<Guid> IdsOf(Answer page) =>
        [.. RowId().Matches(page.Text).Select(match => Guid.Parse(match.Groups[1].Value))];

    private async Task<Guid> CreateAsync(string label, TimeSpan ahead, TaskKind kind = TaskKind.Fizz)
    {
        var created = await api.App.Get<TaskCreator>().CreateAsync(
            [new NewTask(kind, ApiFixture.Now + ahead, label)], key: null, TestContext.Current.CancellationToken);
        return created.Tasks[0].Id;
    }

    [GeneratedRegex("id=\"task-([^\"]+)\"")]
    private static partial Regex RowId();

    [GeneratedRegex("href=\"([^\"]+)\" rel=\"next\"")]
    private static partial Regex Next();

    [GeneratedRegex("<a href=\"(/hangfire/tasks\\?[^\"]+)\"")]
    private static partial Regex Link();

    [GeneratedRegex("(?:href|src)=\"(/hangfire/(?:css|js)[0-9]+)\"")]
    private static partial Regex StyleAndScript();
}
