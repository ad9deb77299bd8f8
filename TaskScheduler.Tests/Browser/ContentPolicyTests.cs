using Microsoft.Playwright;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Browser;

/// <summary>
/// Every page works under its Content-Security-Policy: <see cref="Chromium"/> fails a test whose pages were kept from
/// something.
/// </summary>
public sealed class ContentPolicyTests(ApiFixture api) : IClassFixture<ApiFixture>, IAsyncLifetime
{
    private readonly List<string> _requests = [];
    private readonly List<string> _complaints = [];
    private Chromium _browser = null!;

    public async ValueTask InitializeAsync() => _browser = await Chromium.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
    }

    [Fact]
    public async Task EveryPageOfTheDashboardShowsAllOfItself()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        var done = await ShownAsync(await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed));
        var pending = await api.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        string[] paths =
        [
            "", "?period=week", "/jobs/enqueued", "/jobs/enqueued/default", "/jobs/enqueued/fetched/default", "/jobs/scheduled",
            "/jobs/processing", "/jobs/succeeded", "/jobs/failed", "/jobs/deleted", "/jobs/awaiting",
            $"/jobs/details/{done.JobId}", $"/jobs/details/{pending.JobId}", "/retries", "/recurring", "/servers",
            "/tasks", "/tasks?state=Nothing", $"/tasks/{failed.Id}", $"/tasks/{pending.Id}", "/tasks/nothing",
            "/tasks/confirm/delete?state=Pending", "/tasks/confirm/requeue?state=Failed", "/overview",
        ];
        foreach (var path in paths)
        {
            var page = await OpenAsync($"/hangfire{path}");

            // Nothing of the layout is loaded from elsewhere; without its script there is none of this.
            Assert.True(await page.EvaluateAsync<bool>("() => !!window.Hangfire?.page && document.fonts.size > 0"), path);
            Assert.Equal("fixed", await StyleAsync(page.Locator(".navbar-fixed-top"), "position"));
            await page.CloseAsync();
        }

        // Chromium counts an error's status and a time that becomes a field's among them.
        Assert.All(_complaints, complaint => Assert.Matches("status of (400|404)|does not conform to the required format", complaint));
        AssertLoadedFromHere();
    }

    [Fact]
    public async Task GraphsOfHangfireAreDrawn()
    {
        var page = await OpenAsync("/hangfire");

        foreach (var graph in (string[])["realtimeGraph", "historyGraph"])
        {
            await Eventually.TrueAsync(
                () => page.EvaluateAsync<bool>(
                    """
                    id => {
                      const graph = document.getElementById(id);
                      const canvas = graph.tagName === 'CANVAS' ? graph : graph.querySelector('canvas');
                      return canvas.width > 0
                        && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0);
                    }
                    """,
                    graph),
                $"{graph} is drawn");
        }

        // Chart.js measures by elements that its own style hides.
        var monitor = page.Locator(".chartjs-size-monitor").First;
        Assert.Equal("hidden", await StyleAsync(monitor, "visibility"));
        Assert.Empty(_complaints);
        AssertLoadedFromHere();
    }

    [Fact]
    public async Task StatesOfAJobHaveTheirColours()
    {
        var job = await ShownAsync(await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed));

        var page = await OpenAsync($"/hangfire/jobs/details/{job.JobId}");

        await Assertions.Expect(page.Locator(".state-card-state-success")).ToHaveCountAsync(1);
        Assert.Equal("rgb(92, 184, 92)", await StyleAsync(page.Locator(".state-card-state-success"), "border-left-color"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/problems")]
    [InlineData("/problems/not-found")]
    public async Task OwnPagesHaveTheirStyle(string path)
    {
        var page = await OpenAsync(path);

        Assert.Equal("864px", await StyleAsync(page.Locator("body"), "max-width"));
        Assert.Equal("600", await StyleAsync(page.Locator("dt").First, "font-weight"));
        Assert.Empty(_complaints);
        AssertLoadedFromHere();
    }

    [Theory]
    [InlineData("/tasks")]
    [InlineData("/metrics")]
    [InlineData("/health/ready")]
    [InlineData("/openapi/v1.json")]
    public async Task AnswersForProgramsAreShownAsText(string path)
    {
        var page = await OpenAsync(path);

        Assert.NotEmpty(await page.Locator("pre").InnerTextAsync());
        Assert.Empty(_complaints);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/problems/not-found")]
    [InlineData("/hangfire")]
    [InlineData("/hangfire/tasks")]
    [InlineData("/docs/index.html")]
    [InlineData("/tasks")]
    public async Task ScriptThatWasSmuggledInDoesNotRun(string path)
    {
        var page = await OpenAsync(path);

        await page.EvaluateAsync(
            """
            () => {
              const script = document.createElement('script');
              script.textContent = 'window.smuggled = true';
              document.body.append(script);
              document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.smuggled = true">');
            }
            """);

        await Eventually.TrueAsync(() => Task.FromResult(_browser.Violations.Count >= 2), "both are stopped");
        Assert.False(await page.EvaluateAsync<bool>("() => window.smuggled === true"));
        _browser.Violations.Clear();
    }

    private Task<ScheduledTask> ShownAsync(ScheduledTask task) => Eventually.GetAsync(
        async () => await api.App.FindAsync(task.Id) is { JobId: not null } row ? row : null, "the task has a job");

    private async Task<IPage> OpenAsync(string path)
    {
        var page = await _browser.OpenAsync(new Uri(api.App.Client.BaseAddress!, path), _requests, _complaints);
        await page.WaitForLoadStateAsync(LoadState.Load);
        return page;
    }

    private static Task<string> StyleAsync(ILocator element, string property) =>
        element.EvaluateAsync<string>("(element, property) => getComputedStyle(element).getPropertyValue(property)", property);

    private void AssertLoadedFromHere() => Assert.All(
        _requests.Where(request => !request.StartsWith("data:", StringComparison.Ordinal)),
        request => Assert.StartsWith(api.App.Client.BaseAddress!.ToString(), request, StringComparison.Ordinal));
}
