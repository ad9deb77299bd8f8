using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Security;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Browser;

/// <summary>
/// A real nginx shows the instance below <c>/sched/</c>, in both ways, and a person uses it. Nothing outside of that path is asked for.
/// </summary>
public sealed partial class PathPrefixTests
{
    /// <summary>Takes the prefix off and says so.</summary>
    private const string Stripping = """
        location /sched/ {
          proxy_pass {instance}/;
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-For $remote_addr;
          proxy_set_header X-Forwarded-Prefix /sched;
        }
        location / { return 404; }
        """;

    /// <summary>Passes requests on as they are.</summary>
    private const string PassingOn = """
        location /sched/ {
          proxy_pass {instance};
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
        }
        location / { return 404; }
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Stripping, "--Security:KnownProxies=127.0.0.1")]
    [InlineData(PassingOn, "--Instance:PathBase=/sched")]
    public async Task PersonLogsInPagesThroughAndDeletes(string server, string setting)
    {
        await using var browser = await Chromium.StartAsync(new() { HttpCredentials = new() { Username = "admin", Password = Password } });
        await using var app = await SecuredApplication.StartAsync([.. Keys, .. Users, setting]);
        await using var nginx = await Nginx.StartAnotherAsync(server.Replace("{instance}", $"http://{app.Client.BaseAddress!.Authority}", StringComparison.Ordinal));
        var tasks = new List<ScheduledTask>();
        for (var i = 0; i < 3; i++)
            tasks.Add(await app.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1 + i)));
        var requests = new List<string>();
        var failures = new ConcurrentQueue<string>();
        var page = await browser.OpenAsync(new Uri(nginx.Address, "/sched/"), requests, []);
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
                failures.Enqueue($"{response.Status} {response.Url}");
        };
        page.Dialog += (_, dialog) => dialog.AcceptAsync();

        await Link(page, "Tasks").ClickAsync();
        await page.GetByLabel("Rows", new() { Exact = true }).FillAsync("2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show", Exact = true }).ClickAsync();
        await Assertions.Expect(Rows(page)).ToHaveCountAsync(2);
        await Link(page, "Next page").ClickAsync();
        await Assertions.Expect(Rows(page)).ToHaveCountAsync(1);
        await page.Locator($"#row-{tasks[2].Id}").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete selected" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 of 1 deleted.");
        await app.WaitForAsync(tasks[2].Id, ScheduledTaskState.Deleted);

        await page.Locator("a[href$='/hangfire/jobs/enqueued']").First.ClickAsync();
        await page.Locator("a[href$='/jobs/scheduled']").First.ClickAsync();
        await page.Locator($"tr:has-text('{tasks[1].Id}') input.js-jobs-list-checkbox").CheckAsync();
        // Hangfire's page loads itself again then, which would end what is asked of the browser next.
        var loaded = new TaskCompletionSource();
        page.Load += (_, _) => loaded.TrySetResult();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete selected" }).ClickAsync();
        await loaded.Task.WaitAsync(Eventually.Deadline, Cancel);
        await app.WaitForAsync(tasks[1].Id, ScheduledTaskState.Deleted);
        await page.GotoAsync(new Uri(nginx.Address, $"/sched/hangfire/jobs/details/{tasks[0].JobId}").ToString());
        await page.Locator("a.task-id").ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToContainTextAsync(tasks[0].Id.ToString());
        await Link(page, "Overview").ClickAsync();
        await Assertions.Expect(page.Locator("#instances")).ToBeVisibleAsync();
        await Link(page, "Start page").ClickAsync();
        await Link(page, "API").ClickAsync();
        await page.Locator("#operations-Tasks-ListTasks").WaitForAsync();
        var problem = page.Locator(".info a[href*='/problems/']").First;
        await Assertions.Expect(problem).ToHaveAttributeAsync("href", new Regex("^/sched/problems/"));

        Assert.Empty(failures);
        Assert.NotEmpty(requests);
        Assert.All(
            requests.Where(request => !request.StartsWith("data:", StringComparison.Ordinal)),
            request => Assert.StartsWith($"{nginx.Address}sched/", request, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Stripping, "--Security:KnownProxies=127.0.0.1")]
    [InlineData(PassingOn, "--Instance:PathBase=/sched")]
    public async Task EveryLinkLeadsBelowItAndSomewhere(string server, string setting)
    {
        await using var app = await SecuredApplication.StartAsync([.. Keys, .. Users, setting]);
        await using var nginx = await Nginx.StartAnotherAsync(server.Replace("{instance}", $"http://{app.Client.BaseAddress!.Authority}", StringComparison.Ordinal));
        await app.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        using var client = new HttpClient { BaseAddress = nginx.Address };
        client.DefaultRequestHeaders.Add(Admin.Item1, Admin.Item2);
        client.DefaultRequestHeaders.Add("X-Api-Key", Key);
        var root = new Uri(nginx.Address, "/sched/");
        var seen = new HashSet<string>();
        var left = new Queue<(Uri Address, string From)>([(root, "the start"), (new Uri(root, "docs"), "the start")]);

        while (left.TryDequeue(out var next))
        {
            if (!seen.Add(next.Address.AbsolutePath))
                continue;
            Assert.True(root.IsBaseOf(next.Address), $"{next.Address}, from {next.From}");
            using var answer = await client.GetAsync(next.Address, Cancel);
            Assert.True(answer.StatusCode != HttpStatusCode.NotFound, $"{next.Address}, from {next.From}: {answer.StatusCode}");
            var address = answer.RequestMessage!.RequestUri!;
            var links = answer.Content.Headers.ContentType?.MediaType switch
            {
                "text/html" => Links(),
                "text/css" => InStyles(),
                _ => null,
            };
            foreach (Match link in links?.Matches(await answer.Content.ReadAsStringAsync(Cancel)) ?? Enumerable.Empty<Match>())
            {
                var target = WebUtility.HtmlDecode(link.Groups["target"].Value);
                if (new Uri(address, target) is { Scheme: "http" } found && found.Host == root.Host)
                    left.Enqueue((found, address.AbsolutePath));
            }
        }

        Assert.True(seen.Count > 30, string.Join('\n', seen));
        Assert.Superset(
            new HashSet<string> { "/sched/hangfire/tasks", "/sched/hangfire/jobs/scheduled", "/sched/hangfire/stats", "/sched/problems/overloaded", "/sched/openapi/v1.json" },
            seen);
    }

    private static ILocator Link(IPage page, string name) => page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true });

    private static ILocator Rows(IPage page) => page.Locator(".tasks-list tbody tr");

    [GeneratedRegex("(?:href|src|action|formaction|data-url|data-pollurl)=[\"'](?<target>[^\"'#][^\"']*)[\"']")]
    private static partial Regex Links();

    [GeneratedRegex("url\\([\"']?(?<target>[^\"')]+)[\"']?\\)")]
    private static partial Regex InStyles();
}
