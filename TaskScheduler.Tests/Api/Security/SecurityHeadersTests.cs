using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>The headers of every answer, whichever part of the program wrote it.</summary>
public sealed partial class SecurityHeadersTests
{
    private const string Known = "--Security:KnownProxies=127.0.0.1";
    private const string Break = "X-Break";

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

    private static readonly (string, string)[] ThroughTls =
    [
        ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "tasks.example.com"), ("X-Forwarded-For", "198.51.100.7"),
    ];

    private static readonly string[] Unmapped =
    [
        "/nowhere", "/favicon.ico", "/docs", "/docs/nowhere", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/index.js",
        "/docs/favicon-32x32.png", "/problems/not-found", "/hangfire/nowhere", "/hangfire/tasks/nothing", "/hangfire/?count=1",
        "/tasks/a/b", "/tasks?state=bogus", "/health/nowhere",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryEndpointCarriesThemWithoutKeys()
    {
        await using var app = await StartAsync();

        var statuses = await AskEverythingAsync(app, [], [("Via", "1.1 proxy")]);

        Assert.Superset(Set(200, 301, 400, 403, 404, 405, 415), statuses);
    }

    [Fact]
    public async Task EveryEndpointCarriesThemWithKeysForEveryCaller()
    {
        await using var app = await StartAsync([.. Keys, .. Users]);

        var statuses = await AskEverythingAsync(app, [], [WithKey(Key)], [Admin], [Reader]);

        Assert.Superset(Set(200, 301, 400, 401, 403, 404, 405, 415), statuses);
    }

    [Fact]
    public async Task EveryEndpointOfAWorkerCarriesThem()
    {
        await using var app = await TestApplication.StartAsync<PostgreSqlTestStore>(services: null, "--Instance:Role=Worker", WebKey);

        var statuses = await AskEverythingAsync(app, [], [WithKey(Key)]);

        Assert.Superset(Set(200, 401, 404), statuses);
    }

    [Fact]
    public async Task ErrorsOfEveryKindCarryThem()
    {
        await using var app = await StartAsync(services => services.AddSingleton<IAuthorizationHandler, Breaks>(), [.. Keys, .. Users]);
        using var client = Stranger(app);
        var statuses = new SortedSet<int>();
        var known = WithKey(Key);

        string[] paths =
            ["/", "/tasks", "/task", "/metrics", "/hangfire", "/hangfire/tasks", "/docs/index.html", "/problems", "/nowhere"];
        foreach (var path in paths)
        {
            foreach (var what in (string[])["program", "store", "request"])
                await AskAsync("GET", path, null, known, Admin, (Break, what));
        }

        await AskAsync("POST", "/tasks", """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""", known);
        await AskAsync("POST", "/tasks", "{", known);
        await AskAsync("POST", "/tasks", new string(' ', 2 * 1024 * 1024), known);
        await AskAsync("POST", "/task/set", new string(' ', 2 * 1024 * 1024), known);
        await AskAsync("GET", "/hangfire/tasks?state=bogus", null, Admin);
        await AskAsync("POST", "/hangfire/tasks/pause", null, Admin);
        var pending = (await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1))).Id;
        await AskAsync("POST", $"/tasks/{pending}/requeue", null, known);
        await AskAsync("DELETE", $"/tasks/{pending}", null, known);
        await Eventually.TrueAsync(
            async () =>
            {
                await AskAsync("GET", "/tasks", null, WithKey("not-the-key-of-anybody-at-all-here"));
                return statuses.Contains(429);
            },
            "guessing is slowed");

        Assert.Superset(Set(201, 204, 400, 401, 403, 409, 413, 429, 500, 503), statuses);

        async Task AskAsync(string method, string path, string? body, params (string, string)[] headers)
        {
            using var answer = await SendAsync(client, method, path, body, headers);
            statuses.Add((int)answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("/hangfire/js1", "private")]
    [InlineData("/hangfire/css1", "private")]
    [InlineData("/hangfire/fonts/glyphicons-halflings-regular/woff2", "private")]
    [InlineData("/docs/swagger-ui.css", "max-age=0, private")]
    [InlineData("/problems", "no-cache")]
    [InlineData("/", "no-store")]
    [InlineData("/tasks", "no-store")]
    [InlineData("/hangfire", "no-store")]
    [InlineData("/openapi/v1.json", "no-store")]
    public async Task AssetsAreKeptAndDataIsNot(string path, string cacheControl)
    {
        await using var app = await StartAsync();
        using var client = Stranger(app);

        using var answer = await client.GetAsync(path, Cancel);

        Assert.Equal(cacheControl, Only(answer, "Cache-Control"));
        if (answer.Headers.ETag is not { } tag)
            return;
        using var again = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { tag } } };
        using var unchanged = await client.SendAsync(again, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        // A browser writes these over what it has kept.
        AssertHeaders(unchanged, path);
        Assert.Equal(Only(answer, "Content-Security-Policy"), Only(unchanged, "Content-Security-Policy"));
        Assert.NotEqual(true, unchanged.Headers.CacheControl?.NoStore);
    }

    [Theory]
    [InlineData("/hangfire", "SAMEORIGIN")]
    [InlineData("/hangfire/tasks", "SAMEORIGIN")]
    [InlineData("/docs/index.html", "DENY")]
    [InlineData("/", "DENY")]
    public async Task DashboardAloneMayBeFramedByItsOwnOrigin(string path, string options)
    {
        await using var app = await StartAsync();
        using var client = Stranger(app);

        using var answer = await SendAsync(client, "GET", path, null);

        Assert.Equal((HttpStatusCode.OK, options), (answer.StatusCode, Only(answer, "X-Frame-Options")));
    }

    [Theory]
    [InlineData("/", 200)]
    [InlineData("/tasks", 401)]
    [InlineData("/hangfire/tasks", 200)]
    [InlineData("/problems/nowhere", 404)]
    [InlineData("/health/live", 200)]
    [InlineData("/problems", 500)]
    public async Task BrowserStaysWithHttpsBehindAKnownProxy(string path, int status)
    {
        await using var app = await StartAsync(
            services => services.AddSingleton<IAuthorizationHandler, Breaks>(), [.. Keys, .. Users, Known]);
        using var client = Stranger(app);

        (string, string) breaks = (Break, status == StatusCodes.Status500InternalServerError ? "program" : "");
        using var answer = await SendAsync(client, "GET", path, null, [.. ThroughTls, Admin, breaks]);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("max-age=2592000", Only(answer, "Strict-Transport-Security"));
    }

    [Theory]
    [InlineData(Known, "tasks.example.com", "http")]
    [InlineData(Known, "localhost", "https")]
    [InlineData(Known, "127.0.0.1:8080", "https")]
    [InlineData("--Security:KnownProxies=", "tasks.example.com", "https")]
    [InlineData("--Security:KnownProxies=10.0.0.7", "tasks.example.com", "https")]
    public async Task BrowserMayUseHttpWhereNoKnownProxySaysHttps(string proxies, string host, string scheme)
    {
        await using var app = await StartAsync([.. Keys, .. Users, proxies]);
        using var client = Stranger(app);

        using var answer = await SendAsync(client, "GET", "/hangfire/tasks", null,
            [Admin, ("X-Forwarded-Proto", scheme), ("X-Forwarded-Host", host), ("X-Forwarded-For", "198.51.100.7")]);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
    }

    [Theory]
    [InlineData(Known, "https", true)]
    [InlineData(Known, "http", false)]
    [InlineData("--Security:KnownProxies=", "https", false)]
    public async Task CookiesAreSecureBehindHttps(string proxies, string scheme, bool secure)
    {
        await using var app = await StartAsync([.. Users, proxies]);
        using var client = Stranger(app);
        (string, string)[] caller =
            [Admin, ("X-Forwarded-Proto", scheme), ("X-Forwarded-Host", "tasks.example.com"), ("X-Forwarded-For", "198.51.100.7")];

        using var page = await SendAsync(client, "GET", "/hangfire/tasks", null, caller);
        var antiforgery = Assert.Single(page.Headers.GetValues("Set-Cookie"));
        var token = Token().Match(await page.Content.ReadAsStringAsync(Cancel)).Groups[1].Value;
        using var command = new HttpRequestMessage(HttpMethod.Post, "/hangfire/tasks/delete")
        {
            Content = new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("id", $"{Guid.NewGuid()}")]),
        };
        foreach (var (name, value) in caller.Append(("Cookie", antiforgery.Split(';')[0])))
            command.Headers.TryAddWithoutValidation(name, value);
        using var answer = await client.SendAsync(command, Cancel);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        AssertHeaders(answer, "/hangfire/tasks/delete");
        var notice = answer.Headers.GetValues("Set-Cookie")
            .Single(cookie => cookie.StartsWith("TaskScheduler.Notice=", StringComparison.Ordinal));
        Assert.All([antiforgery, notice], cookie =>
        {
            Assert.Contains("; httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("; samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(secure, cookie.Contains("; secure", StringComparison.OrdinalIgnoreCase));
        });
    }

    /// <summary>Every path that is mapped, and some that are not, by every method.</summary>
    private static async Task<SortedSet<int>> AskEverythingAsync(
        TestApplication app, params (string, string)[][] callers)
    {
        using var client = Stranger(app);
        var statuses = new SortedSet<int>();
        var paths = Mapped(app).Union(Unmapped).ToList();
        foreach (var caller in callers)
        {
            foreach (var path in paths)
            {
                foreach (var method in Methods)
                {
                    var body = method.StartsWith('P') ? "text" : null;
                    using var answer = await SendAsync(client, method, path, body, caller);
                    statuses.Add((int)answer.StatusCode);
                }
            }
        }

        return statuses;
    }

    private static IEnumerable<string> Mapped(TestApplication app)
    {
        var endpoints = app.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();
        Assert.NotEmpty(endpoints);
        string[] values = ["x", "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11"];
        var ours = from endpoint in endpoints
                   from value in values
                   select $"/{Parameter().Replace(endpoint.RoutePattern.RawText!.TrimStart('/'), value)}";
        var routes = typeof(Hangfire.Dashboard.RouteCollection).GetField("_dispatchers", BindingFlags.NonPublic | BindingFlags.Instance)!
            .GetValue(DashboardRoutes.Routes);
        var dispatchers = Assert.IsAssignableFrom<IEnumerable<Tuple<string, IDashboardDispatcher>>>(routes);
        Assert.True(dispatchers.Count() > 30);
        var hangfires = dispatchers.Select(route => $"/hangfire{Pattern().Replace(route.Item1, "1")}");
        return ours.Concat(hangfires).Distinct();
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, string method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, null, body == "text" ? "text/plain" : "application/json");
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        var answer = await client.SendAsync(request, Cancel);
        AssertHeaders(answer, path);
        return answer;
    }

    private static void AssertHeaders(HttpResponseMessage answer, string path)
    {
        var what = $"{answer.RequestMessage!.Method} {path}: {(int)answer.StatusCode}";
        var policy = Only(answer, "Content-Security-Policy");
        var isDashboard = path.StartsWith("/hangfire", StringComparison.Ordinal);
        Assert.Equal((what, "nosniff"), (what, Only(answer, "X-Content-Type-Options")));
        Assert.Equal((what, "no-referrer"), (what, Only(answer, "Referrer-Policy")));
        Assert.Equal((what, "same-origin"), (what, Only(answer, "Cross-Origin-Resource-Policy")));
        Assert.StartsWith("default-src 'none'; ", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-inline", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-eval", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        // The dashboard may stand in a frame of its own origin, and nothing else in any.
        var isFramed = isDashboard && Only(answer, "X-Frame-Options") == "SAMEORIGIN";
        Assert.Equal((what, isFramed ? "SAMEORIGIN" : "DENY"), (what, Only(answer, "X-Frame-Options")));
        Assert.EndsWith(isFramed ? "; frame-ancestors 'self'" : "; frame-ancestors 'none'", policy, StringComparison.Ordinal);
        if (answer.Content.Headers.ContentType?.MediaType == "text/html")
            Assert.Equal((what, "same-origin"), (what, Only(answer, "Cross-Origin-Opener-Policy")));
        if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.NotModified) || !MayBeKept().IsMatch(path))
            Assert.Equal((what, "no-store"), (what, Only(answer, "Cache-Control")));
        if (answer.RequestMessage.RequestUri!.Scheme == "http" && !answer.RequestMessage.Headers.Contains("X-Forwarded-Proto"))
            Assert.False(answer.Headers.Contains("Strict-Transport-Security"), what);
    }

    /// <summary>The one value of a header.</summary>
    private static string Only(HttpResponseMessage answer, string header)
    {
        Assert.True(
            answer.Headers.TryGetValues(header, out var values),
            $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri}: {(int)answer.StatusCode} without {header}");
        // .NET reads "max-age=0, private" as it likes.
        return string.Join(", ", header == "Cache-Control" ? values : [Assert.Single(values)]);
    }

    private static HttpClient Stranger(TestApplication app) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = app.Client.BaseAddress };

    private static HashSet<int> Set(params int[] statuses) => [.. statuses];

    /// <summary>Fails as the request asks for.</summary>
    private sealed class Breaks : IAuthorizationHandler
    {
        public Task HandleAsync(AuthorizationHandlerContext context) =>
            (context.Resource as HttpContext)?.Request.Headers[Break].ToString() switch
            {
                "program" => throw new InvalidOperationException("Broken."),
                "store" => throw new SqliteException("Broken.", 1),
                "request" => throw new BadHttpRequestException("Broken.", StatusCodes.Status400BadRequest),
                _ => Task.CompletedTask,
            };
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\(\?<\w+>[^)]+\)|\[0-9\]\+")]
    private static partial Regex Pattern();

    [GeneratedRegex("^/docs/|^/problems|^/hangfire/(js|css|fonts)")]
    private static partial Regex MayBeKept();

    [GeneratedRegex("<meta name=\"csrf-token\" content=\"([^\"]+)\"")]
    private static partial Regex Token();
}
