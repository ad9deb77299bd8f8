using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>
/// A proxy shows the instance below a path: said by <c>X-Forwarded-Prefix</c>, passed on as it is (<c>Instance:PathBase</c>), or both.
/// A browser behind a real proxy is in <see cref="Browser.PathPrefixTests"/>.
/// </summary>
public sealed partial class PathPrefixTests(PathPrefixTests.BehindAProxy proxied, PathPrefixTests.BelowAPath below)
    : IClassFixture<PathPrefixTests.BehindAProxy>, IClassFixture<PathPrefixTests.BelowAPath>
{
    private const string Known = "--Security:KnownProxies=127.0.0.1";
    private const string Header = "X-Forwarded-Prefix";

    [Theory]
    [InlineData("/sched", "/sched")]
    [InlineData("/sched/", "/sched")]
    [InlineData("/a/b-c_d.e~f", "/a/b-c_d.e~f")]
    [InlineData("/", "")]
    [InlineData("", "")]
    // ASP.NET Core takes it for no prefix.
    [InlineData("sched", "")]
    [InlineData("https://evil.example", "")]
    [InlineData("\\evil.example", "")]
    // The last value is the known proxy's; the one before it came from an unknown sender.
    [InlineData("/outer, /inner", "/inner")]
    public async Task KnownProxySaysWhatStandsBeforeOurPaths(string header, string prefix)
    {
        var app = proxied.App;
        (string, string)[] said = [(Header, header), ("X-Forwarded-For", "198.51.100.7")];

        var created = await PostAsync(app, said);
        var start = await app.GetAsync("/", said);
        var document = await app.GetAsync("/openapi/v1.json", said);
        var missing = await app.GetAsync("/tasks/x", [.. said, WithKey(Key)]);
        var problem = await app.GetAsync("/problems/not-found", said);

        Assert.Equal($"{prefix}/tasks/{created.Json.GetProperty("id").GetGuid()}", created.Location);
        Assert.Contains($"{app.Client.BaseAddress!.ToString().TrimEnd('/')}{prefix}/tasks ", start.Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"{prefix}/hangfire/tasks\"", start.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("{base}", start.Text, StringComparison.Ordinal);
        Assert.Equal(prefix is "" ? "/" : prefix, document.Json.GetProperty("servers")[0].GetProperty("url").GetString());
        Assert.Equal($"{prefix}/problems/not-found", missing.Json.GetProperty("type").GetString());
        Assert.Contains($"href=\"{prefix}/problems\"", problem.Text, StringComparison.Ordinal);
        if (prefix.Length > 0)
            Assert.DoesNotMatch("[\"(`]/problems/", document.Text);
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("///evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("/a//b")]
    [InlineData("/a/../b")]
    [InlineData("/..")]
    [InlineData("/.")]
    [InlineData("/a?b")]
    [InlineData("/a#b")]
    [InlineData("/a;Path=/")]
    [InlineData("/a b")]
    [InlineData("/\"><script>alert(1)</script>")]
    [InlineData("/'onload='x")]
    [InlineData("/%2f%2fevil.example")]
    [InlineData("/%0d%0aSet-Cookie:x=y")]
    [InlineData("/%2e%2e")]
    [InlineData("/{origin}")]
    [InlineData("10 KB")]
    public async Task PrefixThatWouldMeanSomethingElseIsRefused(string header)
    {
        var app = proxied.App;
        if (header == "10 KB")
            header = $"/{new string('a', 10_240)}";

        foreach (var path in (string[])["/", "/tasks/x", "/hangfire/tasks", "/docs", "/openapi/v1.json", "/problems"])
        {
            var answer = await app.GetAsync(path, (Header, header), Admin, WithKey(Key));

            var problem = answer.Problem(HttpStatusCode.BadRequest, "invalid-request");
            Assert.Equal(
                "X-Forwarded-Prefix is not a path like /sched, without a slash at its end, of letters, digits, hyphens, dots, underscores and tildes.",
                problem.GetProperty("detail").GetString());
            Assert.Null(answer.Location);
            Assert.Null(answer.Cookie);
        }
    }

    [Theory]
    [InlineData("--Security:KnownProxies=10.0.0.7")]
    [InlineData("--Security:KnownProxies=")]
    public async Task StrangersPrefixMeansNothing(string proxies)
    {
        await using var app = await StartAsync([.. Keys, proxies]);

        foreach (var header in (string[])["/sched", "//evil.example"])
        {
            Assert.StartsWith("/tasks/", (await PostAsync(app, (Header, header))).Location, StringComparison.Ordinal);
            Assert.DoesNotContain(header, (await app.GetAsync("/", (Header, header))).Text, StringComparison.Ordinal);
        }
    }

    /// <summary>The one that speaks for no client, too.</summary>
    [Theory]
    [InlineData(Known)]
    [InlineData("--Security:KnownProxies=")]
    public async Task ProxyThatSaysAPrefixIsNotThisMachine(string proxies)
    {
        await using var app = await StartAsync(proxies);

        var answer = await app.GetAsync("/tasks", (Header, "/sched"));

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.EndsWith("/problems/this-machine-only", answer.Json.GetProperty("type").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PathBaseIsTakenOffAndPutBeforeOurPaths()
    {
        var app = below.App;
        var task = await app.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/sched")).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/sched/health/live")).Status);
        Assert.StartsWith("/sched/tasks/", (await PostAsync(app, "/sched/tasks")).Location, StringComparison.Ordinal);
        var dashboard = await app.GetAsync("/sched/hangfire", Admin);
        Assert.Contains("<a href=\"/sched/\"", dashboard.Text, StringComparison.Ordinal);
        Assert.DoesNotMatch("(href|src|action|data-pollurl)=\"/(?!sched/)", dashboard.Text);
        var job = await app.GetAsync($"/sched/hangfire/jobs/details/{task.JobId}", Admin);
        Assert.Contains($"href=\"/sched/hangfire/tasks/{task.Id}\"", job.Text, StringComparison.Ordinal);
        Assert.Equal("/sched/problems/not-found", (await app.GetAsync("/sched/nothing", WithKey(Key))).Json.GetProperty("type").GetString());
    }

    /// <summary>Probes and scrapers ask the instance itself; links then lead to where they asked.</summary>
    [Fact]
    public async Task RequestWithoutThePathBaseIsAnsweredToo()
    {
        var app = below.App;

        await Eventually.TrueAsync(
            async () => (await app.GetAsync("/health/ready")).Status == HttpStatusCode.OK, "the instance is ready");
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/metrics", WithKey(Key))).Status);
        Assert.StartsWith("/tasks/", (await PostAsync(app)).Location, StringComparison.Ordinal);
        Assert.Contains("href=\"/hangfire/tasks\"", (await app.GetAsync("/hangfire", Admin)).Text, StringComparison.Ordinal);
        (await app.GetAsync("/schedule", WithKey(Key))).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    // One that takes the prefix off and says so, though the setting would do it.
    [InlineData("/sched", "/tasks", "/sched")]
    // One that says what it passes on all the same.
    [InlineData("/sched", "/sched/tasks", "/sched")]
    // One that takes off a prefix of its own.
    [InlineData("/outer", "/sched/tasks", "/outer/sched")]
    [InlineData("/outer/sched", "/sched/tasks", "/outer/sched")]
    [InlineData("/outer", "/tasks", "/outer")]
    public async Task HeaderAndPathBaseGoTogether(string header, string path, string prefix)
    {
        var app = below.App;

        Assert.StartsWith($"{prefix}/tasks/", (await PostAsync(app, path, (Header, header))).Location, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/sched/hangfire/stats", HttpStatusCode.OK)]
    [InlineData("/SCHED/Hangfire/Stats", HttpStatusCode.OK)]
    [InlineData("/hangfire/stats", HttpStatusCode.OK)]
    [InlineData("/sched/hangfire/tasks/pause", HttpStatusCode.Forbidden)]
    [InlineData("/sched/hangfire/jobs/scheduled/delete", HttpStatusCode.Forbidden)]
    [InlineData("/sched/hangfire/hangfire/stats", HttpStatusCode.Forbidden)]
    [InlineData("/sched/sched/hangfire/stats", HttpStatusCode.Unauthorized)]
    [InlineData("/sched/sched/hangfire/tasks/pause", HttpStatusCode.Unauthorized)]
    [InlineData("/sched/hangfire%2fstats", HttpStatusCode.Unauthorized)]
    [InlineData("/sched%2fhangfire/tasks/pause", HttpStatusCode.Unauthorized)]
    public async Task ReaderMayAskForFiguresBelowItAndChangesNothing(string path, HttpStatusCode status)
    {
        var app = below.App;
        var page = await SendAsync(HttpMethod.Get, "/hangfire/tasks", content: null, Reader);
        var token = Token().Match(page.Text).Groups[1].Value;

        foreach (var prefix in (string[])["/", "/hangfire/stats", "/sched"])
        {
            using var form = new FormUrlEncodedContent([new("metrics[]", "recurring:count"), new("__RequestVerificationToken", token)]);

            var answer = await SendAsync(HttpMethod.Post, path, form, Reader, ("Cookie", page.Cookie!), (Header, prefix));

            Assert.Equal(status, answer.Status);
        }

        Assert.Contains("\"paused\":false", (await app.GetAsync("/worker", WithKey(Key))).Text, StringComparison.Ordinal);

        // Whatever path a cookie is for, it is sent.
        async Task<Answer> SendAsync(HttpMethod method, string to, HttpContent? content, params (string Name, string Value)[] headers)
        {
            using var client = WithoutCookies(app);
            using var request = new HttpRequestMessage(method, to) { Content = content };
            foreach (var (name, value) in headers)
                request.Headers.Add(name, value);
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return await Answer.ReadAsync(response);
        }
    }

    [Fact]
    public async Task CookiesAreForThePathsBelowIt()
    {
        var app = below.App;

        Assert.Equal(["/outer/sched/hangfire"], await PathsAsync("/sched/hangfire/tasks", "/outer"));
        Assert.Equal(["/outer/hangfire"], await PathsAsync("/hangfire/tasks", "/outer"));
        Assert.Equal(["/sched/hangfire"], await PathsAsync("/sched/hangfire/tasks", "/"));

        async Task<List<string>> PathsAsync(string path, string header)
        {
            using var client = WithoutCookies(app);
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add(Header, header);
            request.Headers.Add(Admin.Item1, Admin.Item2);
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return
            [
                .. answer.Headers.GetValues("Set-Cookie").SelectMany(cookie => cookie.Split("; "))
                    .Where(part => part.StartsWith("path=", StringComparison.OrdinalIgnoreCase)).Select(part => part[5..]),
            ];
        }
    }

    /// <summary>What is kept for an idempotency key knows of no prefix.</summary>
    [Fact]
    public async Task RepeatedRequestIsAnsweredBelowItsOwnPrefix()
    {
        var app = proxied.App;
        var time = ApiFixture.Now.AddDays(1);

        var first = await PostAsync(app, "/tasks", time, (Header, "/one"), ("Idempotency-Key", "k"));
        var again = await PostAsync(app, "/tasks", time, (Header, "/two"), ("Idempotency-Key", "k"));

        Assert.True(again.IsReplayed);
        Assert.Equal(first.Location!.Replace("/one/", "/two/", StringComparison.Ordinal), again.Location);
    }

    private static HttpClient WithoutCookies(TestApplication app) =>
        new(new HttpClientHandler { UseCookies = false }) { BaseAddress = app.Client.BaseAddress };

    [GeneratedRegex("<meta name=\"csrf-token\" content=\"([^\"]+)\"")]
    private static partial Regex Token();

    private static Task<Answer> PostAsync(TestApplication app, params (string, string)[] headers) => PostAsync(app, "/tasks", headers);

    private static Task<Answer> PostAsync(TestApplication app, string path, params (string, string)[] headers) =>
        PostAsync(app, path, ApiFixture.Now.AddDays(1), headers);

    private static Task<Answer> PostAsync(TestApplication app, string path, DateTimeOffset executeAt, params (string, string)[] headers) =>
        app.SendAsync(HttpMethod.Post, path, JsonContent.Create(new { kind = "Fizz", executeAt }), [.. headers, WithKey(Key)]);

    public sealed class BehindAProxy() : SecuredFixture([.. Keys, .. Users, Known]);

    public sealed class BelowAPath() : SecuredFixture([.. Keys, .. Users, Known, "--Instance:PathBase=/sched"]);
}
