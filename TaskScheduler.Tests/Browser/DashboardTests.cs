using Hangfire;
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

    /// <summary>The largest page that Hangfire offers, with one value of the form for each row.</summary>
    [Fact]
    public async Task FiveThousandSelectedJobsAreDeleted()
    {
        var time = TimeProvider.System.GetUtcNow().AddDays(1);
        for (var i = 0; i < 5; i++)
        {
            await _app.Get<TaskCreator>().CreateAsync(
                [.. Enumerable.Range(0, 1_000).Select(_ => new NewTask(TaskKind.Fizz, time))], key: null, TestContext.Current.CancellationToken);
        }

        const int Patience = 120_000;
        var jobs = _app.Get<JobStorage>().GetMonitoringApi();
        await Eventually.TrueAsync(() => jobs.ScheduledCount() == 5_000, "all have their jobs", TimeSpan.FromMilliseconds(Patience));
        var page = await _browser.OpenAsync(_app.Client.BaseAddress!);
        page.Dialog += (_, dialog) => dialog.AcceptAsync();
        await page.GotoAsync(new Uri(_app.Client.BaseAddress!, "/hangfire/jobs/scheduled?count=5000").ToString(), new() { Timeout = Patience });
        Assert.Equal(5_000, await page.Locator("input.js-jobs-list-checkbox").CountAsync());
        await page.Locator("input.js-jobs-list-select-all").CheckAsync(new() { Timeout = Patience });
        var answer = await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Delete selected" }).ClickAsync(),
            response => response.Url.EndsWith("/scheduled/delete", StringComparison.Ordinal),
            new() { Timeout = Patience });

        Assert.Equal(204, answer.Status);
        var counts = await _app.Get<TaskList>().CountAsync(TestContext.Current.CancellationToken);
        Assert.Equal(5_000, counts.Where(count => count.State == ScheduledTaskState.Deleted).Sum(count => count.Count));
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
