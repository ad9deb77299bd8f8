using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

public sealed class ApiKeyTests
{
    [Theory]
    [InlineData("GET", "/tasks")]
    [InlineData("POST", "/tasks")]
    [InlineData("PUT", "/tasks")]
    [InlineData("GET", "/tasks/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("DELETE", "/tasks/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("GET", "/nowhere")]
    public async Task CallWithoutAKeyIsRefused(string method, string path)
    {
        await using var app = await StartAsync(Keys);

        var answer = await app.SendAsync(new HttpMethod(method), path, content: null);

        var detail = answer.Problem(HttpStatusCode.Unauthorized, "unauthorized").GetProperty("detail").GetString();
        Assert.Contains("X-Api-Key", detail);
        Assert.StartsWith("ApiKey ", answer.WwwAuthenticate);
    }

    [Theory]
    [InlineData("GET", "/task")]
    [InlineData("POST", "/task/set")]
    [InlineData("GET", "/task/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("POST", "/task/delete/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    public async Task OriginalCallsRefuseInTheOriginalsShape(string method, string path)
    {
        await using var app = await StartAsync(Keys);

        var answer = await app.SendAsync(new HttpMethod(method), path, content: null);

        Assert.Contains("X-Api-Key", answer.OriginalError(HttpStatusCode.Unauthorized));
        Assert.StartsWith("ApiKey ", answer.WwwAuthenticate);
    }

    [Theory]
    [InlineData(Key)]
    [InlineData(OtherKey)]
    public async Task EveryKeyOpensTheApi(string key)
    {
        await using var app = await StartAsync(Keys);

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/tasks", WithKey(key))).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/task", WithKey(key))).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("web")]
    [InlineData("the-key-of-the-web-sho")]
    [InlineData("the-key-of-the-web-shop!")]
    [InlineData("THE-KEY-OF-THE-WEB-SHOP")]
    public async Task WrongKeyIsRefused(string key)
    {
        await using var app = await StartAsync(Keys);

        var answer = await app.GetAsync("/tasks", WithKey(key));

        answer.Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task TwoKeysAtOnceAreNone()
    {
        await using var app = await StartAsync(Keys);

        var answer = await app.GetAsync("/tasks", WithKey(Key), WithKey(OtherKey));

        answer.Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task DashboardUserIsNoCallerOfTheApi()
    {
        await using var app = await StartAsync([.. Keys, .. Users]);

        (await app.GetAsync("/tasks", Admin)).Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task RefusedCallChangesNothing()
    {
        await using var app = await StartAsync(Keys);
        var task = await app.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        await app.SendAsync(HttpMethod.Delete, $"/tasks/{task.Id}", content: null, WithKey("not-the-key-of-anybody"));

        Assert.Equal(ScheduledTaskState.Pending, (await app.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task CallersHaveTheirOwnIdempotencyKeys()
    {
        await using var app = await StartAsync(Keys);

        var web = await CreateAsync(Key, "Fizz");
        var warehouse = await CreateAsync(OtherKey, "Buzz");
        var webAgain = await CreateAsync(Key, "Fizz");

        Assert.Equal((HttpStatusCode.Created, false), (web.Status, web.IsReplayed));
        Assert.Equal((HttpStatusCode.Created, false), (warehouse.Status, warehouse.IsReplayed));
        Assert.Equal((web.Text, true), (webAgain.Text, webAgain.IsReplayed));

        Task<Answer> CreateAsync(string key, string kind) => app.SendAsync(
            HttpMethod.Post,
            "/tasks",
            JsonContent.Create(new { kind, executeAt = "2030-01-01T00:00:00Z" }),
            WithKey(key),
            ("Idempotency-Key", "1"));
    }

    [Fact]
    public async Task CallerGoesByTheNameOfTheKey()
    {
        await using var app = await StartAsync(services => services.AddSingleton<IStartupFilter, TellsTheCaller>(), Keys);

        await app.GetAsync("/tasks", WithKey(OtherKey));

        Assert.Equal("warehouse", app.Services.GetServices<IStartupFilter>().OfType<TellsTheCaller>().Single().Caller);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/docs/index.html")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/problems")]
    [InlineData("/problems/unauthorized")]
    [InlineData("/health/live")]
    public async Task WhatExplainsItselfIsOpenToAll(string path)
    {
        await using var app = await StartAsync(Keys);

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync(path, ("Host", "tasks.example.com"))).Status);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/nothing")]
    public async Task UnknownVerdictNeedsNoKeyEither(string path)
    {
        await using var app = await StartAsync(Keys);

        (await app.GetAsync(path)).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task HomePageShowsWhereTheKeyBelongs()
    {
        await using var app = await StartAsync(Keys);

        Assert.Contains("-H 'X-Api-Key: KEY'", (await app.GetAsync("/")).Text);
    }

    [Fact]
    public async Task DashboardWithoutUsersAnswersThisMachineOnly()
    {
        await using var app = await StartAsync(Keys);

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire")).Status);
        var fromElsewhere = await app.GetAsync("/hangfire", ("Host", "tasks.example.com"), WithKey(Key));
        Assert.Contains(
            "Security:Dashboard:UserName",
            fromElsewhere.Problem(HttpStatusCode.Forbidden, "this-machine-only").GetProperty("detail").GetString());
    }

    /// <summary>Looks who was let in, once the request is through.</summary>
    private sealed class TellsTheCaller : IStartupFilter
    {
        public string? Caller { get; private set; }

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (HttpContext context, RequestDelegate rest) =>
            {
                await rest(context);
                Caller = context.User.Identity?.Name;
            });
            next(app);
        };
    }
}
