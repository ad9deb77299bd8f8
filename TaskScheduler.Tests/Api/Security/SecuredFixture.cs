using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Api.Security;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>One application with these keys and users for all tests of a class.</summary>
public abstract class SecuredFixture(params string[] settings) : Fixture<TestApplication>
{
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());

    public TestApplication App => Made;

    /// <summary>The logins that failed in one test lock no caller out in the next.</summary>
    public void ForgetFailedLogins() => _clock.Advance(TimeSpan.FromMinutes(1));

    protected override Task<TestApplication> MakeAsync() => SecuredApplication.StartAsync(
        services =>
        {
            services.AddSingleton(new FailedLogins(_clock, NullLogger<FailedLogins>.Instance));
            Prepare(services);
        },
        settings);

    protected virtual void Prepare(IServiceCollection services)
    {
    }
}
