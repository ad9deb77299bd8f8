using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>
/// Another proxy with TLS before the entry point of docker-compose.yml, before a real instance: two real nginx in a row. The clients
/// have addresses of their own on this machine, and the proxy before the entry point has 127.0.0.9.
/// </summary>
public sealed class ProxyChainTests : IAsyncLifetime
{
    private const string Outer = "127.0.0.9";

    private static readonly (string, string)[] Claims =
    [
        ("X-Forwarded-For", "203.0.113.9"), ("X-Real-IP", "203.0.113.9"), ("Forwarded", "for=203.0.113.9;proto=https;host=evil.example"),
        ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Prefix", "/evil"),
    ];

    private readonly CapturedLog _log = new();
    private TestApplication _app = null!;

    public async ValueTask InitializeAsync() => _app = await SecuredApplication.StartAsync(
        services => services.AddSingleton(_log.Factory()), [.. Keys, .. Users, "--Security:KnownProxies=127.0.0.1"]);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task InstanceSeesTheClientAndWhereItAsked()
    {
        await using var entry = await Nginx.StartAsync(_app.Client.BaseAddress!, Outer);
        await using var outer = await StartOuterAsync(entry);
        using var client = outer.ClientFrom("127.0.0.2");

        var start = await SendAsync(client, HttpMethod.Get, "/sched/", ("Host", "tasks.example.com"));
        Assert.Contains("https://tasks.example.com/sched/tasks ", await start.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(["max-age=2592000"], start.Headers.GetValues("Strict-Transport-Security"));
        var dashboard = await SendAsync(client, HttpMethod.Get, "/sched/hangfire/tasks", Admin, ("Host", "tasks.example.com"));
        var cookie = Assert.Single(dashboard.Headers.GetValues("Set-Cookie"));
        Assert.Contains("; secure", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; path=/sched/hangfire;", cookie, StringComparison.OrdinalIgnoreCase);
        var id = await CreateAsync(client);
        await SendAsync(client, HttpMethod.Delete, $"/sched/tasks/{id}", WithKey(Key));
        Assert.Contains($"Information: API key 'web' at 127.0.0.2 deleted task {id}.", _log.Lines);
    }

    [Fact]
    public async Task ClientDoesNotBecomeAnotherBySayingSo()
    {
        await using var entry = await Nginx.StartAsync(_app.Client.BaseAddress!, Outer);
        await using var outer = await StartOuterAsync(entry);
        using var guesser = outer.ClientFrom("127.0.0.2");
        using var other = outer.ClientFrom("127.0.0.3");
        for (var i = 0; i < 10; i++)
            await SendAsync(guesser, HttpMethod.Get, "/sched/tasks", WithKey("not-the-key-of-anybody"), ("X-Forwarded-For", $"203.0.113.{i}"));

        var refused = await SendAsync(guesser, HttpMethod.Get, "/sched/tasks", WithKey("not-the-key-of-anybody"), ("X-Forwarded-For", $"127.0.0.3, {Outer}"));
        var known = await SendAsync(other, HttpMethod.Get, "/sched/tasks", WithKey("not-the-key-of-anybody"));

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, known.StatusCode);
        Assert.DoesNotContain(_log.Lines, line => line.Contains("203.0.113.", StringComparison.Ordinal));
        Assert.Equal(11, _log.Lines.Count(line => line.Contains("An unknown caller at 127.0.0.2: WrongKey.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(Outer)]
    [InlineData("")]
    public async Task StrangerIsNotBelieved(string trusted)
    {
        await using var entry = await Nginx.StartAsync(_app.Client.BaseAddress!, trusted);
        using var stranger = entry.ClientFrom("127.0.0.2");

        var start = await SendAsync(stranger, HttpMethod.Get, "/", Claims);
        var created = await SendAsync(stranger, HttpMethod.Get, "/tasks", [.. Claims, WithKey("not-the-key-of-anybody")]);

        var page = await start.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains($"{entry.Address}tasks ", page, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, created.StatusCode);
        Assert.Contains(_log.Lines, line => line.Contains("GET /tasks was refused. An unknown caller at 127.0.0.2: WrongKey.", StringComparison.Ordinal));
    }

    /// <summary>As it comes: what the proxy before it says is then as good as what a client says.</summary>
    [Fact]
    public async Task ProxyThatIsNotConfiguredIsNotBelieved()
    {
        await using var entry = await Nginx.StartAsync(_app.Client.BaseAddress!);
        await using var outer = await StartOuterAsync(entry);
        using var client = outer.ClientFrom("127.0.0.2");

        var answer = await SendAsync(client, HttpMethod.Get, "/sched/tasks", WithKey("not-the-key-of-anybody"), ("Host", "tasks.example.com"));

        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
        Assert.Contains(_log.Lines, line => line.Contains($"GET /tasks was refused. An unknown caller at {Outer}: WrongKey.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LimitsCountByTheClient()
    {
        await using var entry = await Nginx.StartAsync(_app.Client.BaseAddress!, $"10.0.0.0/8, {Outer}", ("rate=3000r/s", "rate=1r/s"), ("burst=3000", "burst=5"));
        await using var outer = await StartOuterAsync(entry);
        using var flooder = outer.ClientFrom("127.0.0.2");
        using var other = outer.ClientFrom("127.0.0.3");

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => SendAsync(flooder, HttpMethod.Get, "/sched/health/live")));

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], answers.Select(answer => answer.StatusCode).Distinct().Order());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(other, HttpMethod.Get, "/sched/health/live")).StatusCode);
    }

    [Theory]
    [InlineData("traefik")]
    [InlineData("10.0.0.7;")]
    [InlineData("10")]
    [InlineData("10.0.0.256")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/")]
    [InlineData("fe80::/129")]
    [InlineData("127.0.0.1, https://10.0.0.7")]
    public async Task WhatIsNoAddressEndsTheStartInOneLine(string trusted)
    {
        using var start = Process.Start(new ProcessStartInfo("sh", [Path.Combine(Repository.Root, "deploy/start-nginx.sh"), "-v"])
        {
            RedirectStandardError = true,
            Environment = { ["TASKSCHEDULER_TRUSTED_PROXIES"] = trusted },
        })!;
        var said = await start.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await start.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, start.ExitCode);
        Assert.Equal(
            $"TASKSCHEDULER_TRUSTED_PROXIES has '{trusted.Split(' ')[^1]}'; allowed: IP addresses and networks like 10.0.0.7, 172.16.0.0/12, separated by commas.\n",
            said);
    }

    /// <summary>As docs/operations.md says that it should send.</summary>
    private static Task<Nginx> StartOuterAsync(Nginx entry) => Nginx.StartAnotherAsync(
        $$"""
        location /sched/ {
          proxy_pass {{entry.Address}};
          proxy_bind {{Outer}};
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-Host $http_host;
          proxy_set_header X-Forwarded-Prefix /sched;
        }
        """,
        isEncrypted: true);

    private static async Task<Guid> CreateAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sched/tasks");
        request.Content = JsonContent.Create(new { kind = "Fizz", executeAt = ApiFixture.Now.AddDays(1) });
        request.Headers.Add("X-Api-Key", Key);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var answer = await Answer.ReadAsync(response);
        Assert.Equal(HttpStatusCode.Created, answer.Status);
        Assert.StartsWith("/sched/tasks/", answer.Location, StringComparison.Ordinal);
        return answer.Json.GetProperty("id").GetGuid();
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
