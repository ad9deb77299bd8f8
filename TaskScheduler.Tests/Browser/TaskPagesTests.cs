using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Security;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Browser;

/// <summary>Our pages of the dashboard, as a person uses them who knows only the start page.</summary>
public sealed class TaskPagesTests(ApiFixture api) : IClassFixture<ApiFixture>, IAsyncLifetime
{
    private static readonly ViewportSize Desk = new() { Width = 1280, Height = 900 };
    private static readonly ViewportSize Phone = new() { Width = 390, Height = 844 };

    private readonly string _label = $"import {Guid.NewGuid():N}";
    private readonly List<string> _errors = [];
    private Chromium _browser = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>As long as everything else here waits.</summary>
    static TaskPagesTests() => Assertions.SetDefaultExpectTimeout((float)Eventually.Deadline.TotalMilliseconds);

    public async ValueTask InitializeAsync() =>
        _browser = await Chromium.StartAsync(new() { ViewportSize = Desk, TimezoneId = "Asia/Tokyo" });

    public async ValueTask DisposeAsync()
    {
        if (_browser is null)
            return;
        await api.App.Get<WorkerPause>().SetAsync([], Cancel);
        await _browser.DisposeAsync();
        Assert.Empty(_errors);
    }

    [Fact]
    public async Task TaskIsFoundByItsLabelFromTheStartPageAndDeleted()
    {
        var ids = await CreateAsync(3, TaskKind.Fizz, TimeSpan.FromDays(1));
        var page = await OpenAsync("/");

        await page.GetByRole(AriaRole.Link, new() { Name = "Tasks", Exact = true }).ClickAsync();
        await page.GetByLabel("Label", new() { Exact = true }).FillAsync(_label);
        await Button(page, "Show").ClickAsync();
        await Assertions.Expect(Rows(page)).ToHaveCountAsync(3);
        Assert.Contains($"label={_label.Replace(' ', '+')}", page.Url, StringComparison.Ordinal);
        Assert.DoesNotContain("executeFrom", page.Url, StringComparison.Ordinal);
        await page.Locator($"#row-{ids[1]}").CheckAsync();
        await Button(page, "Delete selected").ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 of 1 deleted.");
        await Assertions.Expect(Rows(page)).ToHaveCountAsync(2);
        Assert.Equal(ScheduledTaskState.Deleted, (await api.App.FindAsync(ids[1])).State);
    }

    [Fact]
    public async Task AllThatMatchAreDeletedAfterTheirNumberWasConfirmed()
    {
        var ids = await CreateAsync(12, TaskKind.Buzz, TimeSpan.FromDays(1));
        var page = await OpenAsync($"/hangfire/tasks?{Label}&kind=Buzz&pageSize=5&sort=executeAt");

        await page.GetByRole(AriaRole.Link, new() { Name = "Next page" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "First page" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Delete all that match" }).ClickAsync();
        await Button(page, "Delete 12 tasks").ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("12 of 12 deleted.");
        foreach (var id in ids)
            Assert.Equal(ScheduledTaskState.Deleted, (await api.App.FindAsync(id)).State);
    }

    [Fact]
    public async Task PausedKindDoesNotStartUntilItIsResumed()
    {
        var page = await OpenAsync("/hangfire/tasks");
        await Button(page, "Pause Fizz").ClickAsync();
        await Assertions.Expect(Paused(page)).ToHaveTextAsync("Paused: Fizz");

        var paused = await api.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now);
        await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        Assert.Equal(ScheduledTaskState.Pending, (await api.App.FindAsync(paused.Id)).State);
        var servers = await OpenAsync("/hangfire/servers");
        await servers.SetViewportSizeAsync(Phone.Width, Phone.Height);
        await Assertions.Expect(Paused(servers)).ToBeVisibleAsync();
        await Button(page, "Resume Fizz").ClickAsync();
        await Assertions.Expect(Paused(page)).ToHaveCountAsync(0);
        await api.App.WaitForAsync(paused.Id, ScheduledTaskState.Completed);
    }

    [Fact]
    public async Task FailedTaskIsRequeued()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        var page = await OpenAsync($"/hangfire/tasks/{failed.Id}");
        await Assertions.Expect(page.GetByText("No luck today.")).ToBeVisibleAsync();

        await Button(page, "Requeue").ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The task runs again.");
        await Eventually.TrueAsync(async () => (await api.App.FindAsync(failed.Id)).Attempt == failed.Attempt + 1, "it runs again");
    }

    [Fact]
    public async Task TaskIsRescheduledInTheReadersZone()
    {
        var id = (await CreateAsync(1, TaskKind.Fizz, TimeSpan.FromDays(1)))[0];
        var page = await OpenAsync($"/hangfire/tasks/{id}");

        await page.GetByLabel("Due", new() { Exact = true }).FillAsync("2030-01-01T08:30:00.25");
        await page.GetByLabel("Expires").FillAsync("2030-01-01T08:00");
        await Button(page, "Reschedule").ClickAsync();
        await Assertions.Expect(page.GetByText("expireAt must be after executeAt")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByLabel("Due", new() { Exact = true })).ToHaveValueAsync("2030-01-01T08:30:00.25");
        await page.GetByLabel("Expires").FillAsync("2030-01-01T09:00");
        await Button(page, "Reschedule").ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The task has its new time.");
        Assert.Equal(new DateTimeOffset(2029, 12, 31, 23, 30, 0, 250, TimeSpan.Zero), (await api.App.FindAsync(id)).ExecuteAt);
        var due = page.Locator("time").First;
        await Assertions.Expect(due).ToHaveTextAsync("2030-01-01 08:30:00.250");
        await Assertions.Expect(due).ToHaveAttributeAsync("datetime", "2029-12-31T23:30:00.250Z");
        await due.HoverAsync();
        await Assertions.Expect(page.GetByText("2029-12-31 23:30:00.250 UTC")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task PageKeepsWhatWasSelectedAndTypedWhileItRefreshesItself()
    {
        var ids = await CreateAsync(3, TaskKind.Fizz, TimeSpan.FromDays(1));
        var page = await OpenAsync($"/hangfire/tasks?state=Pending&{Label}&sort=executeAt");
        await page.Locator($"#row-{ids[0]}").CheckAsync();
        await page.Locator($"#row-{ids[2]}").CheckAsync();
        await page.GetByLabel("Rows", new() { Exact = true }).FillAsync("7");

        await CreateAsync(1, TaskKind.Fizz, TimeSpan.FromDays(1));
        await api.DeleteAsync($"/tasks/{ids[2]}");

        await Assertions.Expect(Rows(page)).ToHaveCountAsync(4);
        await Assertions.Expect(page.Locator("tr.gone")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("input[name=id]:checked")).ToHaveCountAsync(2);
        await Assertions.Expect(page.GetByLabel("Rows", new() { Exact = true })).ToHaveValueAsync("7");
        await Assertions.Expect(page.GetByLabel("Rows", new() { Exact = true })).ToBeFocusedAsync();
        await Button(page, "Delete selected").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 of 2 deleted.");
    }

    [Fact]
    public async Task HiddenTabAsksForNothing()
    {
        var page = await OpenAsync("/hangfire/tasks");
        await page.WaitForRequestAsync(request => request.ResourceType == "fetch");
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);

        await HideAsync(true);
        var asked = 0;
        page.Request += (_, _) => Interlocked.Increment(ref asked);
        // Another tab of the same program asks twice in the meantime.
        var other = await OpenAsync("/hangfire/tasks");
        for (var i = 0; i < 2; i++)
            await other.WaitForRequestAsync(request => request.ResourceType == "fetch");
        Assert.Equal(0, asked);

        await page.RunAndWaitForRequestAsync(() => HideAsync(false), request => request.ResourceType == "fetch");

        Task HideAsync(bool hidden) => page.EvaluateAsync(
            "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }",
            hidden);
    }

    [Fact]
    public async Task KeyboardIsEnough()
    {
        var id = (await CreateAsync(1, TaskKind.Fizz, TimeSpan.FromDays(1)))[0];
        var page = await OpenAsync($"/hangfire/tasks?{Label}");

        await TabToAsync($"row-{id}");
        await page.Keyboard.PressAsync("Space");
        await page.Locator("#label").FocusAsync();
        await TabToAsync("delete");
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 of 1 deleted.");

        async Task TabToAsync(string element)
        {
            for (var i = 0; i < 100 && await page.EvaluateAsync<string>("document.activeElement.id") != element; i++)
                await page.Keyboard.PressAsync("Tab");
            Assert.Equal(element, await page.EvaluateAsync<string>("document.activeElement.id"));
        }
    }

    [Theory]
    [InlineData(ColorScheme.Light, false)]
    [InlineData(ColorScheme.Dark, false)]
    [InlineData(ColorScheme.Light, true)]
    [InlineData(ColorScheme.Dark, true)]
    public async Task NothingSeriousKeepsAnybodyOut(ColorScheme theme, bool onAPhone)
    {
        var ids = await CreateAsync(3, TaskKind.FizzBuzz, TimeSpan.FromDays(1), label: new string('W', 100));
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        var job = await api.App.CreateShownAsync(TaskKind.Buzz, ApiFixture.Now.AddDays(1));
        await api.App.Get<WorkerPause>().SetAsync([TaskKind.Buzz], Cancel);
        await using var person = await Chromium.StartAsync(new() { ViewportSize = onAPhone ? Phone : Desk, ColorScheme = theme });

        foreach (var path in (string[])[
            "/", "/hangfire/tasks", "/hangfire/tasks?state=Failed&state=Deleted&state=Completed&state=Pending", "/hangfire/tasks?state=Foo",
            $"/hangfire/tasks/{ids[0]}", $"/hangfire/tasks/{failed.Id}", "/hangfire/tasks/confirm/delete?state=Pending", "/hangfire/tasks/nothing"])
        {
            var page = await person.OpenAsync(new Uri(api.App.Client.BaseAddress!, path));
            if (path.EndsWith("=Pending", StringComparison.Ordinal) && await page.Locator("input[name=id]").CountAsync() > 0)
                await page.Locator("input[name=id]").First.CheckAsync();
            var serious = (await page.RunAxe()).Violations.Where(violation => violation.Impact is "serious" or "critical");

            Assert.Empty(serious.SelectMany(violation => violation.Nodes.Select(node => $"{path}: {violation.Id}: {node.Html}")));
            Assert.Equal(await page.EvaluateAsync<int>("innerWidth"), await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
            await page.CloseAsync();
        }

        Assert.NotNull(job.JobId);
    }

    [Fact]
    public async Task ReaderIsTurnedAwayByHandMadeRequestsToo()
    {
        await using var app = await SecuredApplication.StartAsync(Credentials.Users);
        var task = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        await using var reader = await Chromium.StartAsync(new()
        {
            HttpCredentials = new() { Username = "reader", Password = Credentials.ReaderPassword },
        });
        var page = await reader.OpenAsync(new Uri(app.Client.BaseAddress!, $"/hangfire/tasks/{task.Id}"));
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameRegex = new Regex("Fizz") })).ToBeVisibleAsync();
        Assert.Equal(0, await page.Locator("main button").CountAsync());

        var statuses = await page.EvaluateAsync<int[]>(
            """
            async id => Promise.all(['delete', 'requeue', 'matching/delete', 'pause', `${id}/delete`, `${id}/reschedule`].map(async command => {
              const token = document.querySelector('meta[name="csrf-token"]').content;
              const body = new URLSearchParams({ __RequestVerificationToken: token, id, state: 'Pending' });
              return (await fetch(`/hangfire/tasks/${command}`, { method: 'POST', body })).status;
            }))
            """,
            task.Id.ToString());

        Assert.All(statuses, status => Assert.Equal(403, status));
        Assert.Equal(task.Version, (await app.FindAsync(task.Id)).Version);
    }

    [Fact]
    public async Task CommandOfHangfiresThatChangedNothingSaysWhy()
    {
        var task = await api.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        var page = await OpenAsync($"/hangfire/jobs/details/{task.JobId}");

        await page.GetByRole(AriaRole.Button, new() { Name = "Requeue" }).ClickAsync();

        await Assertions.Expect(page.GetByText("Nothing was changed")).ToContainTextAsync("its task runs by itself at its time, never before");
        await page.GetByRole(AriaRole.Link, new() { Name = $"{task.Id}" }).ClickAsync();
        Assert.EndsWith($"/hangfire/tasks/{task.Id}", page.Url, StringComparison.Ordinal);
        // The refusal of a command is an answer, which Chromium counts among the errors.
        _errors.RemoveAll(error => error.Contains("422", StringComparison.Ordinal));
    }

    private string Label => $"label={Uri.EscapeDataString(_label)}";

    private static ILocator Button(IPage page, string name) => page.Locator("main").GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    private static ILocator Rows(IPage page) => page.Locator(".tasks-list tbody tr");

    private static ILocator Paused(IPage page) => page.Locator(".navbar-nav").GetByRole(AriaRole.Link, new() { NameRegex = new Regex("^Paused") });

    private async Task<IPage> OpenAsync(string path)
    {
        var page = await _browser.OpenAsync(new Uri(api.App.Client.BaseAddress!, path));
        page.PageError += (_, error) => _errors.Add(error);
        page.Dialog += (_, dialog) => dialog.AcceptAsync();
        return page;
    }

    private async Task<IReadOnlyList<Guid>> CreateAsync(int count, TaskKind kind, TimeSpan ahead, string? label = null)
    {
        var now = ApiFixture.Now;
        var created = await api.App.Get<TaskCreator>().CreateAsync(
            [.. Enumerable.Range(0, count).Select(i => new NewTask(kind, now + ahead + TimeSpan.FromMinutes(i), label ?? _label))], key: null, Cancel);
        return [.. created.Tasks.Select(task => task.Id)];
    }
}
