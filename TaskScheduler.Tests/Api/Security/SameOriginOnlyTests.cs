using System.Net;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>A page of another site in a browser on this machine, which needs no credentials.</summary>
public sealed class SameOriginOnlyTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("sec-fetch-site", "something-new")]
    [InlineData("Sec-Fetch-Site", "")]
    [InlineData("Origin", "https://example.com")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://localhost:9")]
    [InlineData("Origin", "https://{host}")]
    [InlineData("Origin", "http://{host}.example.com")]
    [InlineData("Origin", "")]
    public async Task OtherSiteChangesNothing(string header, string value)
    {
        var id = await api.CreatePendingAsync();
        foreach (var (method, path) in ((HttpMethod, string)[])
            [
                (HttpMethod.Post, $"/task/delete/{id}"), (HttpMethod.Delete, $"/tasks/{id}"), (HttpMethod.Post, $"/tasks/{id}/requeue"),
                (HttpMethod.Post, "/tasks"), (HttpMethod.Post, "/task/set"), (HttpMethod.Post, "/tasks/delete"), (HttpMethod.Put, "/worker"),
                (HttpMethod.Patch, $"/tasks/{id}"), (HttpMethod.Post, $"/hangfire/tasks/{id}/delete"), (HttpMethod.Post, "/hangfire/jobs/scheduled/delete"),
            ])
        {
            var answer = await SendAsync(method, path, (header, value));

            if (path.StartsWith("/task/", StringComparison.Ordinal))
                Assert.Contains("another origin", answer.OriginalError(HttpStatusCode.Forbidden));
            else
                answer.Problem(HttpStatusCode.Forbidden, "other-site");
        }

        Assert.Equal(ScheduledTaskState.Pending, (await api.App.FindAsync(id)).State);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "same-origin", "Origin", "http://elsewhere.example.com")]
    [InlineData("Sec-Fetch-Site", "none", null, null)]
    [InlineData("Origin", "http://{host}", null, null)]
    [InlineData("Origin", "HTTP://{HOST}", null, null)]
    public async Task OwnPagesAndProgramsMayChangeThings(string header, string value, string? another, string? its)
    {
        var id = await api.CreatePendingAsync();

        var answer = await SendAsync(
            HttpMethod.Post, $"/task/delete/{id}", another is null ? [(header, value)] : [(header, value), (another, its!)]);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(ScheduledTaskState.Deleted, (await api.App.FindAsync(id)).State);
    }

    /// <summary>A link on another page leads here.</summary>
    [Theory]
    [InlineData("/")]
    [InlineData("/tasks")]
    [InlineData("/hangfire")]
    public async Task OtherSiteMayLinkHere(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, path, ("Sec-Fetch-Site", "cross-site"))).Status);

    private Task<Answer> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            var sent = value.Replace("{host}", api.App.Client.BaseAddress!.Authority, StringComparison.OrdinalIgnoreCase);
            Assert.True(request.Headers.TryAddWithoutValidation(name, sent));
        }

        return api.SendAsync(request);
    }
}
