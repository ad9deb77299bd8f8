using System.Net;
using System.Text.RegularExpressions;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Home;

public sealed partial class HomePageTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Fact]
    public async Task HomePageIsHtml()
    {
        var answer = await api.GetAsync("/");

        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.Status, answer.MediaType));
    }

    [Fact]
    public async Task EveryLinkOfTheHomePageLeadsSomewhere()
    {
        var page = await api.GetAsync("/");
        var links = Link().Matches(page.Text).Select(link => WebUtility.HtmlDecode(link.Groups[1].Value)).ToList();

        Assert.Contains("/hangfire", links);
        Assert.Contains("/tasks", links);
        foreach (var link in links)
            Assert.NotEqual(HttpStatusCode.NotFound, (await api.GetAsync(link)).Status);
    }

    [Fact]
    public async Task HomePageLeadsToTheTasksFirstAndSaysHowManyThereAre()
    {
        await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        var page = await api.GetAsync("/");

        Assert.Equal("/hangfire/tasks", WebUtility.HtmlDecode(Link().Match(page.Text).Groups[1].Value));
        Assert.Matches(@"[0-9,]+ pending</a> ·\s+<a [^>]+>[0-9,]+ running</a> ·\s+<a [^>]+>[0-9,]+ done today</a>", page.Text);
    }

    [Fact]
    public async Task ExamplesNameTheAddressThatWasAsked()
    {
        var answer = await api.GetAsync("/");

        Assert.Contains($"curl -i {api.App.Client.BaseAddress}tasks", answer.Text);
    }

    [GeneratedRegex("<a href=\"([^\"]+)\"")]
    private static partial Regex Link();
}
