using System.Net;
using TaskScheduler.Jobs.Tasks;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>A reverse proxy in front; here it runs on this machine.</summary>
public sealed class ReverseProxyTests
{
    private const string Known = "--Security:KnownProxies=127.0.0.0/8,10.0.0.7";

    private static readonly (string, string)[] Forwarded =
    [
        ("Host", "tasks.example.com"), ("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "tasks.example.com"), ("Forwarded", "for=198.51.100.7"), ("Via", "1.1 proxy"),
    ];

    [Theory]
    [InlineData(Known)]
    [InlineData("--Security:KnownProxies=")]
    public async Task CallsAndPagesGoThroughIt(string proxies)
    {
        await using var app = await StartAsync([.. Keys, .. Users, proxies]);

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/tasks", [.. Forwarded, WithKey(Key)])).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire", [.. Forwarded, Admin])).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/", Forwarded)).Status);
    }

    [Theory]
    [InlineData(Known)]
    [InlineData("--Security:KnownProxies=")]
    public async Task CommandOfTheDashboardGoesThroughIt(string proxies)
    {
        await using var app = await StartAsync([.. Users, proxies]);
        var task = await app.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        var answer = await app.DeleteOnDashboardAsync(task.JobId!, [.. Forwarded, Admin]);

        Assert.Equal(HttpStatusCode.NoContent, answer.Status);
        await app.WaitForAsync(task.Id, ScheduledTaskState.Deleted);
    }

    [Fact]
    public async Task KnownOneTellsHowTheClientCallsUs()
    {
        await using var app = await StartAsync([.. Keys, Known]);

        var page = await app.GetAsync("/", ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "tasks.example.com"), ("X-Forwarded-For", "198.51.100.7"));

        Assert.Contains("https://tasks.example.com/tasks", page.Text);
    }

    [Fact]
    public async Task UnknownOneIsNotBelieved()
    {
        await using var app = await StartAsync(Keys);

        var page = await app.GetAsync("/", ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "tasks.example.com"), ("X-Forwarded-For", "198.51.100.7"));

        Assert.Contains($"{app.Client.BaseAddress}tasks", page.Text);
        Assert.DoesNotContain("tasks.example.com", page.Text);
    }

    [Fact]
    public async Task FailedLoginsBehindAKnownOneAreTheClients()
    {
        await using var app = await StartAsync([.. Keys, Known]);
        for (var i = 0; i < 10; i++)
            await app.GetAsync("/tasks", ("X-Forwarded-For", $"203.0.113.{i}, 198.51.100.7, 10.0.0.7"), WithKey("not-the-key-of-anybody"));

        var guesser = await app.GetAsync("/tasks", ("X-Forwarded-For", "198.51.100.7"), WithKey("not-the-key-of-anybody"));
        var other = await app.GetAsync("/tasks", ("X-Forwarded-For", "198.51.100.8"), WithKey("not-the-key-of-anybody"));

        guesser.Problem(HttpStatusCode.TooManyRequests, "too-many-failed-logins");
        other.Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task HeaderOfAStrangerHidesNobody()
    {
        await using var app = await StartAsync(Keys);
        for (var i = 0; i < 10; i++)
            await app.GetAsync("/tasks", ("X-Forwarded-For", $"203.0.113.{i}"), WithKey("not-the-key-of-anybody"));

        var answer = await app.GetAsync("/tasks", WithKey("not-the-key-of-anybody"));

        answer.Problem(HttpStatusCode.TooManyRequests, "too-many-failed-logins");
    }

    /// <summary>ASP.NET Core's own switch believes everybody.</summary>
    [Theory]
    [InlineData("--Security:KnownProxies=10.0.0.7", false)]
    [InlineData(Known, true)]
    public async Task SwitchOfAspNetCoreBelievesKnownOnesOnly(string proxies, bool isBelieved)
    {
        await using var app = await StartAsync([.. Keys, proxies, "--ForwardedHeaders_Enabled=true"]);

        var page = await app.GetAsync("/", ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "198.51.100.7"));

        Assert.Equal(isBelieved, page.Text.Contains("https://127.0.0.1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("X-Forwarded-For")]
    [InlineData("X-Original-For")]
    public async Task NobodyBecomesThisMachineByForwarding(string header)
    {
        await using var app = await StartAsync(Known);

        (await app.GetAsync("/tasks", (header, "127.0.0.1"))).Problem(HttpStatusCode.Forbidden, "this-machine-only");
    }
}
