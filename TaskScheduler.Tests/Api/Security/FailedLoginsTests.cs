using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Api.Security;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Api.Security;

public sealed class FailedLoginsTests
{
    private const string Guess = "not-the-key-of-anybody";

    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public async Task AfterTenWrongKeysTheRightOneHasToWaitUntilTheMinuteIsOver()
    {
        await using var app = await StartOnOurClockAsync([.. Keys, .. Users]);
        for (var i = 0; i < 10; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await app.GetAsync("/tasks", WithKey(Guess))).Status);
        _clock.Advance(TimeSpan.FromSeconds(20));

        var refused = await app.GetAsync("/tasks", WithKey(Key));
        _clock.Advance(TimeSpan.FromSeconds(40));
        var answered = await app.GetAsync("/tasks", WithKey(Key));

        refused.Problem(HttpStatusCode.TooManyRequests, "too-many-failed-logins");
        Assert.Equal(TimeSpan.FromSeconds(40), refused.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, answered.Status);
    }

    [Fact]
    public async Task OriginalCallsRefuseInTheOriginalsShape()
    {
        await using var app = await StartOnOurClockAsync(Keys);
        for (var i = 0; i < 10; i++)
            await app.GetAsync("/task", WithKey(Guess));

        var refused = await app.GetAsync("/task", WithKey(Key));

        refused.OriginalError(HttpStatusCode.TooManyRequests);
        Assert.Equal(TimeSpan.FromMinutes(1), refused.RetryAfter);
    }

    [Fact]
    public async Task WrongPasswordsCountLikeWrongKeys()
    {
        await using var app = await StartOnOurClockAsync([.. Keys, .. Users]);
        for (var i = 0; i < 4; i++)
            await app.GetAsync("/hangfire", Login("admin", Guess));
        await app.GetAsync("/hangfire", ("Authorization", "Basic unreadable"));
        for (var i = 0; i < 5; i++)
            await app.GetAsync("/tasks", WithKey(Guess));

        (await app.GetAsync("/hangfire", Admin)).Problem(HttpStatusCode.TooManyRequests, "too-many-failed-logins");
        (await app.GetAsync("/tasks", WithKey(Key))).Problem(HttpStatusCode.TooManyRequests, "too-many-failed-logins");
    }

    [Fact]
    public async Task RequestsWithoutCredentialsAreNoFailedLogins()
    {
        await using var app = await StartOnOurClockAsync([.. Keys, .. Users]);
        for (var i = 0; i < 12; i++)
        {
            await app.GetAsync("/tasks");
            await app.GetAsync("/hangfire");
        }

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/tasks", WithKey(Key))).Status);
    }

    [Fact]
    public async Task RefusalOfAReadersCommandIsNoFailedLogin()
    {
        await using var app = await StartOnOurClockAsync(Users);
        for (var i = 0; i < 12; i++)
            await app.SendAsync(HttpMethod.Post, "/hangfire/jobs/scheduled/delete", content: null, Reader);

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire", Reader)).Status);
    }

    [Fact]
    public async Task WhatIsOpenStaysOpen()
    {
        await using var app = await StartOnOurClockAsync(Keys);
        for (var i = 0; i < 10; i++)
            await app.GetAsync("/tasks", WithKey(Guess));

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/health/live", WithKey(Guess))).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/", WithKey(Guess))).Status);
    }

    [Fact]
    public void OthersAreNotAffected()
    {
        var logins = NewLogins();
        Fail(logins, "192.0.2.1", times: 10);

        Assert.NotNull(logins.WaitOf(IPAddress.Parse("192.0.2.1")));
        Assert.Null(logins.WaitOf(IPAddress.Parse("192.0.2.2")));
    }

    [Fact]
    public void NineMayFail()
    {
        var logins = NewLogins();
        Fail(logins, "192.0.2.1", times: 9);

        Assert.Null(logins.WaitOf(IPAddress.Parse("192.0.2.1")));
    }

    [Fact]
    public void MinuteBeginsWithTheFirstOfTheTen()
    {
        var logins = NewLogins();
        Fail(logins, "192.0.2.1", times: 1);
        _clock.Advance(TimeSpan.FromSeconds(59));
        Fail(logins, "192.0.2.1", times: 9);

        Assert.Equal(TimeSpan.FromSeconds(1), logins.WaitOf(IPAddress.Parse("192.0.2.1")));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(logins.WaitOf(IPAddress.Parse("192.0.2.1")));

        // Nine of the last minute still count.
        Fail(logins, "192.0.2.1", times: 1);
        Assert.Equal(TimeSpan.FromSeconds(59), logins.WaitOf(IPAddress.Parse("192.0.2.1")));
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.2", false)]
    public void OneWhoOwnsManyAddressesIsCountedOnce(string one, string other, bool same)
    {
        var logins = NewLogins();
        Fail(logins, one, times: 10);

        Assert.Equal(same, logins.WaitOf(IPAddress.Parse(other)) is not null);
    }

    [Fact]
    public void NoMoreAddressesAreRememberedThanTheCap()
    {
        var logins = NewLogins();
        Fail(logins, "192.0.2.1", times: 10);
        for (var i = 1; i < FailedLogins.MaxAddresses + 500; i++)
            logins.Add(new IPAddress([10, (byte)(i >> 16), (byte)(i >> 8), (byte)i]));

        Assert.Equal(FailedLogins.MaxAddresses, logins.AddressCount);
        // The quietest was forgotten first.
        Assert.Null(logins.WaitOf(IPAddress.Parse("192.0.2.1")));
    }

    [Fact]
    public void AddressIsForgottenWhenItsMinuteIsOver()
    {
        var logins = NewLogins();
        Fail(logins, "192.0.2.1", times: 10);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Fail(logins, "192.0.2.2", times: 1);

        Assert.Equal(1, logins.AddressCount);
    }

    private static void Fail(FailedLogins logins, string address, int times)
    {
        for (var i = 0; i < times; i++)
            logins.Add(IPAddress.Parse(address));
    }

    private FailedLogins NewLogins() => new(_clock, NullLogger<FailedLogins>.Instance);

    private Task<TestApplication> StartOnOurClockAsync(string[] settings) =>
        SecuredApplication.StartAsync(services => services.AddSingleton<TimeProvider>(_clock), settings);
}
