using Microsoft.Playwright;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Browser;

/// <summary>
/// The pictures of the documentation, made anew when asked to:
/// <c>UPDATE_SCREENSHOTS=true dotnet test --project TaskScheduler.Tests --filter-class '*.ScreenshotTests'</c>.
/// </summary>
public sealed class ScreenshotTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Update = "UPDATE_SCREENSHOTS";

    [Theory]
    [InlineData("docs/tasks-light.png", ColorScheme.Light)]
    [InlineData("docs/tasks-dark.png", ColorScheme.Dark)]
    public async Task ListIsPictured(string file, ColorScheme theme)
    {
        await using var browser = await Chromium.StartAsync(new()
        {
            ViewportSize = new() { Width = 1280, Height = 800 },
            ColorScheme = theme,
            TimezoneId = "Europe/Berlin",
        });
        var cancel = TestContext.Current.CancellationToken;
        string?[] labels = ["nightly import", "customer 4711", null, "eu-west"];
        var start = ApiFixture.Now;
        await api.App.Get<TaskCreator>().CreateAsync(
            [
                .. Enumerable.Range(0, 240).Select(i => new NewTask((TaskKind)(i % 2), start.AddSeconds(-i), labels[i % 4])),
                .. Enumerable.Range(0, 180).Select(i => new NewTask((TaskKind)(i % 3), start.AddSeconds(90 + (i * 37)), labels[i * 7 % 4])),
                new NewTask(TaskKind.FizzBuzz, start, "customer 4711"),
            ],
            key: null,
            cancel);
        await Eventually.TrueAsync(
            async () => (await api.App.Get<TaskList>().CountAsync(cancel)).Any(count => count is { State: ScheduledTaskState.Failed, Count: > 0 }),
            "one has failed");
        await api.App.Get<WorkerPause>().SetAsync([TaskKind.FizzBuzz], cancel);

        var page = await browser.OpenAsync(new Uri(api.App.Client.BaseAddress!, "/hangfire/tasks"));
        await Assertions.Expect(page.GetByText("nightly import").First).ToBeVisibleAsync();
        var picture = await page.ScreenshotAsync();
        if (Environment.GetEnvironmentVariable(Update) == "true")
            await File.WriteAllBytesAsync(Path.Combine(Repository.Root, file), picture, cancel);
        await api.App.Get<WorkerPause>().SetAsync([], cancel);

        Assert.True(File.Exists(Path.Combine(Repository.Root, file)), $"{file} is missing: {Update}=true makes it.");
    }
}
