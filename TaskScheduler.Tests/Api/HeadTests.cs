using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api;

/// <summary>HEAD is answered like GET, whatever answers it: our routes, MVC, Swagger UI, Hangfire, the metrics.</summary>
public sealed class HeadTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    /// <summary>What is behind a path that takes the rest of an address.</summary>
    private static readonly string[] Below =
    [
        "/docs/", "/docs/index.html", "/docs/index.css", "/docs/index.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/none",
        "/hangfire/", "/hangfire/tasks", "/hangfire/tasks?pageSize=x", "/hangfire/overview", "/hangfire/jobs/scheduled", "/hangfire/servers",
        "/hangfire/js1", "/hangfire/css1", "/hangfire/css-dark1", "/hangfire/fonts/glyphicons-halflings-regular/woff2", "/hangfire/none",
        "/hangfire/tasks/delete", "/tasks?state=None", "/task?status=None", "/none", "/health/none",
    ];

    [Fact]
    public async Task HeadIsAnsweredLikeGetAndWithoutABody()
    {
        var task = await api.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        var routes = Routes().Select(route => PathOf(route.RoutePattern, task)).Distinct().ToList();
        Assert.Superset(
            new HashSet<string> { "/", "/tasks", $"/tasks/{task.Id}", "/tasks/counts", "/worker", "/task", $"/task/{task.Id}", "/metrics", "/openapi/v1.json", "/problems", "/health/live" },
            routes.ToHashSet());

        foreach (var path in routes.Concat(Below).Append($"/hangfire/jobs/details/{task.JobId}").Append($"/hangfire/tasks/{task.Id}"))
        {
            var get = await SendAsync("GET", path);
            var head = await SendAsync("HEAD", path);

            Assert.Equal((path, get.Status, ""), (path, head.Status, head.Body));
            Assert.Equal((path, get.Headers), (path, head.Headers));
        }
    }

    [Fact]
    public async Task RefusalOfAnotherMethodNamesBoth()
    {
        var task = await api.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));
        var refused = 0;

        foreach (var path in Routes().Select(route => PathOf(route.RoutePattern, task)).Distinct())
        {
            var get = await SendAsync("GET", path);
            var answer = await SendAsync("BREW", path);
            if (answer.Status != "405")
                continue;
            refused++;
            var allowed = answer.Headers.Split('\n').Single(line => line.StartsWith("Allow: ", StringComparison.Ordinal))[7..].Split(", ");
            Assert.True(allowed.Contains("GET") == (get.Status != "405"), $"{path}: {get.Status}, {string.Join(' ', allowed)}");
            Assert.True(allowed.Contains("HEAD") == allowed.Contains("GET"), $"{path}: {string.Join(' ', allowed)}");
            Assert.Equal(allowed.Distinct(), allowed);
        }

        Assert.True(refused > 10);
    }

    /// <summary>The names of methods have their case, and a body would be sent with the answer to this one.</summary>
    [Fact]
    public async Task NoOtherMethodIsTakenForIt()
    {
        foreach (var path in (string[])["/tasks", "/docs/index.html"])
        {
            foreach (var method in (string[])["head", "Head", "HEADS"])
            {
                var status = (await SendAsync(method, path)).Status;
                Assert.True(status == "405", $"{method} {path}: {status}");
            }
        }
    }

    private List<RouteEndpoint> Routes() => [.. api.App.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private static string PathOf(RoutePattern pattern, ScheduledTask task) => "/" + string.Join('/', pattern.PathSegments
        .Select(segment => segment.Parts[0] switch
        {
            RoutePatternLiteralPart => string.Concat(segment.Parts.OfType<RoutePatternLiteralPart>().Select(part => part.Content)),
            RoutePatternParameterPart { IsCatchAll: true } => "",
            RoutePatternParameterPart { Name: "slug" } => "not-found",
            _ => task.Id.ToString(),
        })).TrimEnd('/');

    /// <summary>The headers that do not tell how the body was framed, when it was, and who asked.</summary>
    private async Task<(string Status, string Headers, string Body)> SendAsync(string method, string path)
    {
        string[] others = ["Date", "Expires", "Content-Length", "Transfer-Encoding", "Set-Cookie", "Connection"];
        var answer = await RawHttp.SendAsync(
            api.App.Client.BaseAddress!, $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var lines = answer[..end].Split("\r\n");
        return (
            lines[0].Split(' ')[1],
            string.Join('\n', lines[1..].Where(line => !others.Contains(line.Split(':')[0], StringComparer.OrdinalIgnoreCase)).Order()),
            answer[(end + 4)..]);
    }
}
