using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

public sealed class ApiKeyTests : IClassFixture<ApiKeyTests.Application>
{
    private readonly Application _application;

    public ApiKeyTests(Application application) => _application = application;

    private TestApplication App => _application.App;

    [Theory]
    [InlineData("GET", "/tasks")]
    [InlineData("POST", "/tasks")]
    [InlineData("PUT", "/tasks")]
    [InlineData("GET", "/tasks/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("DELETE", "/tasks/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("GET", "/nowhere")]
    public async Task CallWithoutAKeyIsRefused(string method, string path)
    {
        var answer = await App.SendAsync(new HttpMethod(method), path, content: null);

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
        var answer = await App.SendAsync(new HttpMethod(method), path, content: null);

        Assert.Contains("X-Api-Key", answer.OriginalError(HttpStatusCode.Unauthorized));
        Assert.StartsWith("ApiKey ", answer.WwwAuthenticate);
    }

    [Theory]
    [InlineData(Key)]
    [InlineData(OtherKey)]
    public async Task EveryKeyOpensTheApi(string key)
    {
        Assert.Equal(HttpStatusCode.OK, (await App.GetAsync("/tasks", WithKey(key))).Status);
        Assert.Equal(HttpStatusCode.OK, (await App.GetAsync("/task", WithKey(key))).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("web")]
    [InlineData("the-key-of-the-web-shop-012345678")]
    [InlineData("the-key-of-the-web-shop-0123456789!")]
    [InlineData("THE-KEY-OF-THE-WEB-SHOP-0123456789")]
    public async Task WrongKeyIsRefused(string key)
    {
        var answer = await App.GetAsync("/tasks", WithKey(key));

        answer.Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task TwoKeysAtOnceAreNone()
    {
        var answer = await App.GetAsync("/tasks", WithKey(Key), WithKey(OtherKey));

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
        var task = await App.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        await App.SendAsync(HttpMethod.Delete, $"/tasks/{task.Id}", content: null, WithKey("not-the-key-of-anybody"));

        Assert.Equal(ScheduledTaskState.Pending, (await App.FindAsync(task.Id)).State);
    }

    [Fact]
    public async Task CallersHaveTheirOwnIdempotencyKeys()
    {
        var web = await CreateAsync(Key, "Fizz");
        var warehouse = await CreateAsync(OtherKey, "Buzz");
        var webAgain = await CreateAsync(Key, "Fizz");

        Assert.Equal((HttpStatusCode.Created, false), (web.Status, web.IsReplayed));
        Assert.Equal((HttpStatusCode.Created, false), (warehouse.Status, warehouse.IsReplayed));
        Assert.Equal((web.Text, true), (webAgain.Text, webAgain.IsReplayed));

        Task<Answer> CreateAsync(string key, string kind) => App.SendAsync(
            HttpMethod.Post,
            "/tasks",
            JsonContent.Create(new { kind, executeAt = "2030-01-01T00:00:00Z" }),
            WithKey(key),
            ("Idempotency-Key", "1"));
    }

    [Fact]
    public async Task CallerGoesByTheNameOfTheKey()
    {
        var filter = App.Services.GetServices<IStartupFilter>().OfType<TellsTheCaller>().Single();

        await App.GetAsync("/tasks", WithKey(OtherKey));

        // The answer is here before the server is through with the request.
        await Eventually.TrueAsync(() => filter.Caller == "warehouse", "the caller has the name");
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
        Assert.Equal(HttpStatusCode.OK, (await App.GetAsync(path, ("Host", "tasks.example.com"))).Status);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/nothing")]
    public async Task UnknownVerdictNeedsNoKeyEither(string path)
    {
        (await App.GetAsync(path)).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task HomePageShowsWhereTheKeyBelongs()
    {
        Assert.Contains("-H 'X-Api-Key: KEY'", (await App.GetAsync("/")).Text);
    }

    [Fact]
    public async Task DashboardWithoutUsersAnswersThisMachineOnly()
    {
        Assert.Equal(HttpStatusCode.OK, (await App.GetAsync("/hangfire")).Status);
        var fromElsewhere = await App.GetAsync("/hangfire", ("Host", "tasks.example.com"), WithKey(Key));
        Assert.Contains(
            "Security:Dashboard:UserName",
            fromElsewhere.Problem(HttpStatusCode.Forbidden, "this-machine-only").GetProperty("detail").GetString());
    }

    public sealed class Application() : SecuredFixture(Keys)
    {
        protected override void Prepare(IServiceCollection services) => services.AddSingleton<IStartupFilter, TellsTheCaller>();
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
