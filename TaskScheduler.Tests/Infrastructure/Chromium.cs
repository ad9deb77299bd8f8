using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A person at the machine's own Chromium, which all tests share: without another's pages and cookies. Where there is none, a
/// test is skipped on a laptop and fails on CI. A page that is stopped by its Content-Security-Policy fails the test.
/// </summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Places =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

    /// <summary>It takes seconds to start. It ends with the process.</summary>
    private static readonly Lazy<Task<IBrowser>> Common = new(LaunchAsync);

    private readonly IBrowserContext _person;

    private Chromium(IBrowserContext person)
    {
        _person = person;
        person.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.Ordinal))
                Violations.Enqueue($"{message.Page?.Url}: {message.Text}");
        };
    }

    /// <summary>What a page was kept from. A test that provokes it takes it out.</summary>
    public ConcurrentQueue<string> Violations { get; } = [];

    /// <param name="options">The person's login, zone, theme and window.</param>
    public static async Task<Chromium> StartAsync(BrowserNewContextOptions? options = null)
    {
        FindProgramOrSkip();
        return new Chromium(await (await Common.Value).NewContextAsync(options));
    }

    public async Task<IPage> OpenAsync(Uri address)
    {
        var page = await _person.NewPageAsync();
        await page.GotoAsync(address.ToString());
        return page;
    }

    /// <summary>Notes what the page asks for, and its warnings and errors.</summary>
    public async Task<IPage> OpenAsync(Uri address, ICollection<string> requests, ICollection<string> complaints)
    {
        var page = await _person.NewPageAsync();
        page.Request += (_, request) => requests.Add(request.Url);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                complaints.Add(message.Text);
        };
        page.PageError += (_, error) => complaints.Add(error);
        await page.GotoAsync(address.ToString());
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _person.DisposeAsync();
        Assert.Empty(Violations);
    }

    private static string FindProgramOrSkip()
    {
        var path = Environment.GetEnvironmentVariable("CHROMIUM_PATH") ?? Places.FirstOrDefault(File.Exists);
        if (path is null && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail("Chromium is missing; .ci/run installs it.");
        Assert.SkipWhen(path is null, "Chromium is missing: install it, or set CHROMIUM_PATH.");
        return path!;
    }

    private static async Task<IBrowser> LaunchAsync()
    {
        var playwright = await Playwright.CreateAsync();
        return await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = FindProgramOrSkip(),
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        });
    }
}
