using System.Diagnostics;
using System.Net;
using TaskScheduler.Api.Security;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

public sealed class FailedLoginsTests
{
    private const string Guess = "not-the-key-of-anybody";

    [Fact]
    public async Task WrongKeysOfOthersRefuseNothingThatIsRight()
    {
        await using var app = await StartAsync([.. Keys, .. Users]);

        await GuessAsync(() => app.GetAsync("/tasks", WithKey(Guess)));

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/tasks", WithKey(Key))).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/metrics", WithKey(OtherKey))).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire", Admin)).Status);
        (await app.GetAsync("/tasks")).Problem(HttpStatusCode.Unauthorized, "unauthorized");
        (await app.GetAsync("/hangfire", Login("admin", Guess))).Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task WrongPasswordsOfOthersRefuseNothingThatIsRight()
    {
        await using var app = await StartAsync([.. Keys, .. Users]);

        await GuessAsync(() => app.GetAsync("/hangfire", Login("admin", Guess)));

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire", Admin)).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire", Reader)).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/tasks", WithKey(Key))).Status);
        (await app.GetAsync("/hangfire")).Problem(HttpStatusCode.Unauthorized, "unauthorized");
        (await app.GetAsync("/tasks", WithKey(Guess))).Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task RightOnesPassInTheMidstOfManyGuesses()
    {
        await using var app = await StartAsync(Keys);

        var guesses = Enumerable.Range(0, 200).Select(i => app.GetAsync("/tasks", WithKey($"{Guess}{i}"))).ToList();
        var right = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => app.GetAsync("/tasks", WithKey(Key))));

        Assert.All(right, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.All(await Task.WhenAll(guesses), answer => Assert.Contains(
            answer.Status, (HttpStatusCode[])[HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests]));
    }

    /// <summary>Otherwise the time would tell which guess was wrong, without waiting for the answer.</summary>
    [Fact]
    public async Task RightPasswordWaitsAsLongAsAWrongOneOnceThereWereTooMany()
    {
        await using var app = await StartAsync(Users);
        await GuessAsync(() => app.GetAsync("/hangfire", Login("admin", Guess)));

        var started = Stopwatch.GetTimestamp();
        var answer = await app.GetAsync("/hangfire", Admin);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        // A timer may end some milliseconds early.
        Assert.True(Stopwatch.GetElapsedTime(started) > FailedLogins.Delay * 0.95);
    }

    [Fact]
    public async Task GuessOnTheStartPageCountsToo()
    {
        await using var app = await StartAsync(Users);

        for (var i = 0; i < FailedLogins.LimitPerMinute; i++)
            Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/", Login("admin", Guess))).Status);

        (await app.GetAsync("/hangfire", Login("admin", Guess))).Problem(HttpStatusCode.TooManyRequests, "too-many-failed-logins");
    }

    [Fact]
    public async Task OriginalCallsRefuseInTheOriginalsShape()
    {
        await using var app = await StartAsync(Keys);
        for (var i = 0; i < FailedLogins.LimitPerMinute; i++)
            await app.GetAsync("/task", WithKey(Guess));

        var refused = await app.GetAsync("/task", WithKey(Guess));

        refused.OriginalError(HttpStatusCode.TooManyRequests);
        Assert.InRange(refused.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task RequestsWithoutCredentialsAreNoFailedLogins()
    {
        await using var app = await StartAsync([.. Keys, .. Users]);
        for (var i = 0; i < 12; i++)
        {
            await app.GetAsync("/tasks");
            await app.GetAsync("/hangfire");
        }

        (await app.GetAsync("/tasks", WithKey(Guess))).Problem(HttpStatusCode.Unauthorized, "unauthorized");
        (await app.GetAsync("/hangfire", Login("admin", Guess))).Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task RefusalOfAReadersCommandIsNoFailedLogin()
    {
        await using var app = await StartAsync(Users);
        for (var i = 0; i < 12; i++)
            await app.SendAsync(HttpMethod.Post, "/hangfire/jobs/scheduled/delete", content: null, Reader);

        (await app.GetAsync("/hangfire", Login("admin", Guess))).Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task WhatIsOpenStaysOpen()
    {
        await using var app = await StartAsync(Keys);
        await GuessAsync(() => app.GetAsync("/tasks", WithKey(Guess)));

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/health/live", WithKey(Guess))).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/", WithKey(Guess))).Status);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.2", false)]
    public void OneWhoOwnsManyAddressesIsCountedOnce(string one, string other, bool same)
    {
        using var logins = new FailedLogins(FailedLogins.LimitPerMinute, TimeSpan.FromMinutes(1));
        Fail(logins, one, FailedLogins.LimitPerMinute);

        Assert.Equal(same, logins.IsBeyondLimit("Basic", IPAddress.Parse(other)));
        Assert.False(logins.IsBeyondLimit("ApiKey", IPAddress.Parse(one)));
    }

    [Fact]
    public async Task WindowEnds()
    {
        using var logins = new FailedLogins(3, TimeSpan.FromMilliseconds(500));
        Fail(logins, "192.0.2.1", 2);
        Assert.False(logins.IsBeyondLimit("Basic", IPAddress.Parse("192.0.2.1")));

        await Eventually.TrueAsync(
            () => logins.Add("Basic", IPAddress.Parse("192.0.2.1")) is { } wait && wait <= TimeSpan.FromMilliseconds(500),
            "the limit is reached");
        await Eventually.TrueAsync(() => !logins.IsBeyondLimit("Basic", IPAddress.Parse("192.0.2.1")), "the window is over");
    }

    private static void Fail(FailedLogins logins, string address, int times)
    {
        for (var i = 0; i < times; i++)
            Assert.Null(logins.Add("Basic", IPAddress.Parse(address)));
    }

    /// <summary>Sends wrong credentials until they are answered as too many, and once more.</summary>
    private static async Task GuessAsync(Func<Task<Answer>> send)
    {
        for (var i = 0; i < FailedLogins.LimitPerMinute; i++)
            (await send()).Problem(HttpStatusCode.Unauthorized, "unauthorized");
        for (var i = 0; i < 2; i++)
        {
            var refused = await send();
            refused.Problem(HttpStatusCode.TooManyRequests, "too-many-failed-logins");
            Assert.InRange(refused.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        }
    }
}
