using Microsoft.Playwright;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Security;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Browser;

/// <summary>The page on which the calls are read and tried.</summary>
public sealed class DocsTests(ApiFixture api) : IClassFixture<ApiFixture>, IAsyncLifetime
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
    public async Task ListIsTriedOut()
    {
        var page = await OpenAsync(api.App);
        var task = await api.CreatePendingAsync(TaskKind.Buzz);

        var answer = await TryAsync(page, "ListTasks");

        Assert.Equal("200", await StatusAsync(answer));
        await Assertions.Expect(answer).ToContainTextAsync(task.ToString());
        AssertLoadsAndComplainsOfNothing(from: api.App);
    }

    [Fact]
    public async Task ExampleOfCreateIsTriedOut()
    {
        var page = await OpenAsync(api.App);

        var answer = await TryAsync(page, "CreateTask");

        Assert.Equal("201", await StatusAsync(answer));
        await Assertions.Expect(answer).ToContainTextAsync("FizzBuzz");
        await Assertions.Expect(answer).ToContainTextAsync("location: /tasks/");
        AssertLoadsAndComplainsOfNothing(from: api.App);
    }

    [Fact]
    public async Task KeyIsEnteredOnThePage()
    {
        await using var app = await SecuredApplication.StartAsync(Credentials.WebKey);
        var page = await OpenAsync(app);

        Assert.Equal("401", await StatusAsync(await TryAsync(page, "ListTasks")));
        await page.Locator(".auth-wrapper .btn.authorize").ClickAsync();
        await page.Locator(".auth-container input").FillAsync(Credentials.Key);
        await page.Locator(".auth-btn-wrapper .authorize").ClickAsync();
        await page.Locator(".auth-btn-wrapper .btn-done").ClickAsync();
        await page.Locator("#operations-Tasks-ListTasks .execute").ClickAsync();

        await Eventually.TrueAsync(
            async () => await StatusAsync(page.Locator("#operations-Tasks-ListTasks")) == "200", "the call is answered");
        AssertLoads(from: app);
    }

    [Fact]
    public async Task EveryCallIsShownWithItsErrors()
    {
        var page = await OpenAsync(api.App);

        await page.Locator("#operations-Tasks-CreateTask .opblock-summary-control").ClickAsync();

        var call = page.Locator("#operations-Tasks-CreateTask");
        await Assertions.Expect(call.Locator(".responses-table")).ToContainTextAsync("idempotency-key-reused");
        await Assertions.Expect(page.Locator(".opblock")).Not.ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator(".info")).ToContainTextAsync("/problems/store-unavailable");
        await Assertions.Expect(page.Locator(".errors-wrapper")).ToHaveCountAsync(0);
        AssertLoadsAndComplainsOfNothing(from: api.App);
    }

    [Fact]
    public async Task PageForbidsTheBrowserToAskOtherHosts()
    {
        using var answer = await api.App.Client.GetAsync("/docs/index.html", TestContext.Current.CancellationToken);

        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
    }

    private async Task<IPage> OpenAsync(TestApplication app)
    {
        var page = await _browser.OpenAsync(new Uri(app.Client.BaseAddress!, "/docs"), _requests, _complaints);
        await page.Locator("#operations-Tasks-ListTasks").WaitForAsync();
        return page;
    }

    private static async Task<ILocator> TryAsync(IPage page, string call)
    {
        var block = page.Locator($"#operations-Tasks-{call}");
        await block.Locator(".opblock-summary-control").ClickAsync();
        await block.Locator(".try-out__btn").ClickAsync();
        await block.Locator(".execute").ClickAsync();
        await block.Locator(".live-responses-table").WaitForAsync();
        return block;
    }

    private static async Task<string> StatusAsync(ILocator block) =>
        (await block.Locator(".live-responses-table .response > .response-col_status").InnerTextAsync()).Trim();

    private void AssertLoadsAndComplainsOfNothing(TestApplication from)
    {
        AssertLoads(from);
        Assert.Empty(_complaints);
    }

    private void AssertLoads(TestApplication from)
    {
        Assert.NotEmpty(_requests);
        // The page's icons are written into its style sheet.
        Assert.All(
            _requests.Where(request => !request.StartsWith("data:", StringComparison.Ordinal)),
            request => Assert.StartsWith(from.Client.BaseAddress!.ToString(), request, StringComparison.Ordinal));
    }
}
