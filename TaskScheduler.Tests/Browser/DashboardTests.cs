using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Browser;

public sealed class DashboardTests : IAsyncLifetime
{
    private TestApplication _app = null!;
    private Chromium _browser = null!;

    public async ValueTask InitializeAsync()
    {
        _browser = await Chromium.StartAsync();
        _app = await TestApplication.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
        if (_browser is not null)
            await _browser.DisposeAsync();
    }

    [Fact]
    public async Task StartPageLeadsToTheDashboard()
    {
        var page = await _browser.OpenAsync(_app.Client.BaseAddress!);

        await page.GetByRole(Microsoft.Playwright.AriaRole.Link, new() { Name = "Dashboard" }).ClickAsync();

        Assert.Equal("/hangfire", new Uri(page.Url).AbsolutePath);
        Assert.Contains("TaskScheduler", await page.TitleAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeletingAScheduledJobDeletesItsTask()
    {
        var task = await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddDays(1));
        var page = await _browser.OpenAsync(new Uri(_app.Client.BaseAddress!, "/hangfire/jobs/scheduled"));
        page.Dialog += (_, dialog) => dialog.AcceptAsync();

        await Eventually.TrueAsync(
            async () =>
            {
                await page.ReloadAsync();
                return await page.GetByText($"Fizz {task.Id}").CountAsync() > 0;
            },
            "the dashboard lists the task");
        await page.Locator("input.js-jobs-list-checkbox").CheckAsync();
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Delete selected" }).ClickAsync();

        await _app.WaitForAsync(task.Id, ScheduledTaskState.Deleted);
    }

    [Fact]
    public async Task EnqueueNowChangesNothingAndTheJobsPageSaysWhy()
    {
        var task = await ShownAsync(await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddDays(1)));
        var page = await _browser.OpenAsync(new Uri(_app.Client.BaseAddress!, "/hangfire/jobs/scheduled"));
        await page.Locator("input.js-jobs-list-checkbox").CheckAsync();
        var answer = page.WaitForResponseAsync(response => response.Url.EndsWith("/scheduled/enqueue", StringComparison.Ordinal));

        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Enqueue now" }).ClickAsync();
        await answer;

        var job = await _browser.OpenAsync(new Uri(_app.Client.BaseAddress!, $"/hangfire/jobs/details/{task.JobId}"));
        Assert.Equal(1, await job.GetByText("its task runs by itself at its time, never before").CountAsync());
        Assert.Equal(task.Version, (await _app.FindAsync(task.Id)).Version);
    }

    [Fact]
    public async Task RunningTaskIsShownAsProcessingAndThenAsSucceeded()
    {
        var task = await ShownAsync(await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow()));

        var page = await _browser.OpenAsync(new Uri(_app.Client.BaseAddress!, $"/hangfire/jobs/details/{task.JobId}"));
        await Eventually.TrueAsync(() => Shows("Processing"), "the dashboard shows Processing");
        await _app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(() => Shows("Succeeded"), "the dashboard shows Succeeded");

        async Task<bool> Shows(string state)
        {
            await page.ReloadAsync();
            return await page.Locator(".state-card-title", new() { HasText = state }).CountAsync() > 0;
        }
    }

    private Task<ScheduledTask> ShownAsync(ScheduledTask task) => Eventually.GetAsync(
        async () => await _app.FindAsync(task.Id) is { JobId: not null } row ? row : null, "the task has a job");
}
