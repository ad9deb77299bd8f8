using System.Collections;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Dashboard;

/// <summary>Pages are read, commands are posted, and nothing else is answered.</summary>
public sealed partial class DashboardMethodsTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    /// <summary>As Hangfire and we name them; <c>*</c> stands for any text.</summary>
    private static readonly string[] Commands =
    [
        "/stats", "/jobs/enqueued/delete", "/jobs/enqueued/requeue", "/jobs/processing/delete", "/jobs/processing/requeue",
        "/jobs/scheduled/enqueue", "/jobs/scheduled/delete", "/jobs/succeeded/requeue", "/jobs/failed/requeue", "/jobs/failed/delete",
        "/jobs/deleted/requeue", "/jobs/awaiting/enqueue", "/jobs/awaiting/delete", "/jobs/actions/requeue/*", "/jobs/actions/delete/*",
        "/recurring/remove", "/recurring/trigger", "/tasks/delete", "/tasks/requeue", "/tasks/matching/delete",
        "/tasks/matching/requeue", "/tasks/pause", "/tasks/resume", "/tasks/*/delete", "/tasks/*/requeue", "/tasks/*/reschedule",
    ];

    private static readonly string[] Pages =
    [
        "/", "/js*", "/css*", "/css-dark*", "/fonts/glyphicons-halflings-regular/eot", "/fonts/glyphicons-halflings-regular/svg",
        "/fonts/glyphicons-halflings-regular/ttf", "/fonts/glyphicons-halflings-regular/woff",
        "/fonts/glyphicons-halflings-regular/woff2", "/jobs/enqueued", "/jobs/enqueued/fetched/*", "/jobs/enqueued/*",
        "/jobs/processing", "/jobs/scheduled", "/jobs/succeeded", "/jobs/failed", "/jobs/deleted", "/jobs/awaiting",
        "/jobs/details/*", "/recurring", "/servers", "/retries", "/overview", "/tasks", "/tasks/confirm/delete",
        "/tasks/confirm/requeue", "/tasks/*",
    ];

    public static TheoryData<string> CommandPaths => [.. Commands.Select(PathOf)];

    public static TheoryData<string> PagePaths => [.. Pages.Select(PathOf)];

    /// <summary>A route that an update of Hangfire adds must be looked at: what it does, and with which method.</summary>
    [Fact]
    public void EveryRouteIsKnown()
    {
        _ = api.App;
        var dispatchers = (IEnumerable)typeof(RouteCollection)
            .GetField("_dispatchers", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(DashboardRoutes.Routes)!;

        var routes = dispatchers.Cast<Tuple<string, IDashboardDispatcher>>().Select(route => Variable().Replace(route.Item1, "*"));

        Assert.Equal(Commands.Concat(Pages).Order(StringComparer.Ordinal), routes.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(CommandPaths))]
    public async Task CommandIsPosted(string path)
    {
        foreach (var method in (string[])["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get", "post"])
            await AssertNotAllowedAsync(method, path, "POST");
    }

    [Theory]
    [MemberData(nameof(PagePaths))]
    public async Task PageIsRead(string path)
    {
        foreach (var method in (string[])["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get", "head"])
            await AssertNotAllowedAsync(method, path, "GET, HEAD");
        foreach (var method in (string[])["GET", "HEAD"])
            Assert.DoesNotMatch("^HTTP/1.1 (405|5..)", await SendAsync(method, path));
    }

    [Theory]
    [InlineData("GET", "404")]
    [InlineData("HEAD", "404")]
    [InlineData("POST", "404")]
    [InlineData("PUT", "405")]
    [InlineData("OPTIONS", "405")]
    public async Task WhatIsNotThereHasNoOtherMethodsEither(string method, string status) =>
        Assert.StartsWith($"HTTP/1.1 {status} ", await SendAsync(method, "/nothing"), StringComparison.Ordinal);

    /// <summary>With it Hangfire's commands were carried out past the check against forgery.</summary>
    [Theory]
    [InlineData("GET", "Content-Length: 9\r\n\r\njobs[]=12")]
    [InlineData("HEAD", "Content-Length: 9\r\n\r\njobs[]=12")]
    [InlineData("GET", "Transfer-Encoding: chunked\r\n\r\n9\r\njobs[]=12\r\n0\r\n\r\n")]
    [InlineData("GET", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    public async Task PageIsReadWithoutABody(string method, string rest)
    {
        var answer = await SendAsync(method, "/jobs/scheduled", $"Content-Type: application/x-www-form-urlencoded\r\n{rest}");

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
        Assert.Equal(method == "GET", answer.Contains("A GET or HEAD of the dashboard takes no body.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task EmptyBodyIsNone() => Assert.StartsWith(
        "HTTP/1.1 200 ", await SendAsync("GET", "/jobs/scheduled", "Content-Length: 0\r\n\r\n"), StringComparison.Ordinal);

    /// <summary>Without them 24 MB at 20,000 jobs, and an offset beyond the numbers of the database.</summary>
    [Theory]
    [InlineData("count=2000000000", 5_000)]
    [InlineData("COUNT=5001", 5_000)]
    [InlineData("count=5000", 5_000)]
    [InlineData("count=10", 10)]
    [InlineData("count=2147483647&from=2147483647", 5_000)]
    [InlineData("count=50%00", 20)]
    [InlineData("count=%2050", 20)]
    [InlineData("count=%2B50", 20)]
    [InlineData("count=20&from=1%00", 20)]
    public async Task PageShowsFiveThousandRowsAtMost(string query, int rows)
    {
        await api.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        var page = await api.GetAsync($"/hangfire/jobs/scheduled?{query}");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Equal([$"{rows:N0}"], ChosenRows().Matches(page.Text).Select(chosen => chosen.Groups[1].Value));
    }

    private static string PathOf(string pattern) => pattern.Replace("*", "1", StringComparison.Ordinal);

    private async Task AssertNotAllowedAsync(string method, string path, string allowed)
    {
        var answer = await SendAsync(method, path, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\njobs[]=12");

        Assert.True(answer.StartsWith("HTTP/1.1 405 ", StringComparison.Ordinal), $"{method} {path}: {answer}");
        Assert.Contains($"\r\nAllow: {allowed}\r\n", answer, StringComparison.Ordinal);
        if (!HttpMethods.IsHead(method))
            Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
        // Hangfire would have left its cookie.
        Assert.DoesNotContain("Set-Cookie", answer, StringComparison.Ordinal);
    }

    private Task<string> SendAsync(string method, string path, string rest = "\r\n") => RawHttp.SendAsync(
        api.App.Client.BaseAddress!, $"{method} /hangfire{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{rest}");

    [GeneratedRegex(@"\(\?<\w+>[^)]*\)|\[0-9\]\+")]
    private static partial Regex Variable();

    [GeneratedRegex("<a class=\"btn btn-sm btn-default active[^>]*>([0-9,]+)<")]
    private static partial Regex ChosenRows();
}
