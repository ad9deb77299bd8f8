using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Browser;

/// <summary>The pictures as a person sees them.</summary>
public sealed class OverviewTests : IAsyncLifetime
{
    private static readonly string[] Pictures = ["due-minutes", "due-hours", "throughput", "lateness"];

    private readonly List<string> _requests = [];
    private readonly List<string> _complaints = [];
    private TestApplication _app = null!;
    private Chromium? _browser;

    public async ValueTask InitializeAsync() => _app = await TestApplication.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        if (_browser is not null)
            await _browser.DisposeAsync();
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task PicturesAreDrawnWithinTheScreenAndKeepNobodyOut(ColorScheme theme, int width)
    {
        await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddMinutes(5));

        var page = await OpenAsync(theme, width);

        foreach (var picture in Pictures)
            await Eventually.TrueAsync(() => IsDrawnAsync(page, picture), $"{picture} is drawn");
        await page.EvaluateAsync("document.querySelectorAll('details').forEach(table => table.open = true)");
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        var serious = (await page.RunAxe()).Violations.Where(violation => violation.Impact is "serious" or "critical");
        Assert.Empty(serious.SelectMany(violation => violation.Nodes.Select(node => $"{violation.Id}: {node.Html}")));
        Assert.NotEmpty(_requests);
        Assert.All(_requests, request => Assert.StartsWith($"{_app.Client.BaseAddress}", request, StringComparison.Ordinal));
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task TimesAreThoseOfTheReadersZone()
    {
        var due = TaskFigures.StartOfMinute(TimeProvider.System.GetUtcNow()).AddMinutes(20);
        await _app.CreateAsync(TaskKind.Fizz, due);
        var page = await OpenAsync();
        await page.Locator("#due-minutes-table").Locator("xpath=ancestor::details").Locator("summary").ClickAsync();

        var time = page.Locator("#due-minutes-table [data-at]").First;

        await Assertions.Expect(time).ToHaveTextAsync($"{due.AddHours(5.5):HH:mm}");
        // Hangfire shows titles in boxes of its own, and moves them there.
        Assert.Equal(
            $"{due:yyyy-MM-dd HH:mm} UTC", await time.EvaluateAsync<string>("time => time.title || time.dataset.originalTitle"));
    }

    [Fact]
    public async Task PicturesFollowWithoutALoadAndAnOpenTableStaysOpen()
    {
        var page = await OpenAsync();
        await page.Locator("#due-minutes-summary", new() { HasText = "Nothing is due." }).WaitForAsync();
        var empty = await PixelsAsync(page, "due-minutes");
        var table = page.Locator("section", new() { Has = page.Locator("#due-minutes") }).Locator("details");
        await table.Locator("summary").ClickAsync();
        await page.EvaluateAsync("window.sameDocument = true");

        await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddMinutes(5));

        await page.Locator("#due-minutes-table td", new() { HasText = "1" }).WaitForAsync();
        await Eventually.TrueAsync(async () => await PixelsAsync(page, "due-minutes") > empty, "the bar is drawn");
        Assert.True(await page.EvaluateAsync<bool>("window.sameDocument"));
        Assert.NotNull(await table.GetAttributeAsync("open"));
    }

    [Fact]
    public async Task WithoutScriptTheTablesAreThere()
    {
        await _app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow().AddMinutes(5));
        var page = await OpenAsync();
        await page.RouteAsync("**/js*", route => route.AbortAsync());
        await page.ReloadAsync();

        await page.Locator("section", new() { Has = page.Locator("#due-minutes-title") }).Locator("summary").ClickAsync();

        Assert.True(await page.Locator("#due-minutes-table td").First.IsVisibleAsync());
        Assert.Equal(0, await page.Locator("canvas:visible").CountAsync());
    }

    private async Task<IPage> OpenAsync(ColorScheme theme = ColorScheme.Light, int width = 1280)
    {
        _browser = await Chromium.StartAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 900 },
            ColorScheme = theme,
            TimezoneId = "Asia/Kolkata",
        });
        return await _browser.OpenAsync(new Uri(_app.Client.BaseAddress!, "/hangfire/overview"), _requests, _complaints);
    }

    private static async Task<bool> IsDrawnAsync(IPage page, string picture) =>
        await page.Locator($"#{picture}").IsVisibleAsync() && await PixelsAsync(page, picture) > 0;

    /// <summary>How many pixels of the picture are not empty.</summary>
    private static Task<int> PixelsAsync(IPage page, string picture) => page.EvaluateAsync<int>(
        """
        id => {
          const canvas = document.getElementById(id);
          if (!canvas.width || !canvas.height) return 0;
          const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          return pixels.filter((value, i) => i % 4 === 3 && value > 0).length;
        }
        """,
        picture);
}
