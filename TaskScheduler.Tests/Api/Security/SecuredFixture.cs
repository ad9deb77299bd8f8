using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Api.Security;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>One application with these keys and users for all tests of a class. The wrong logins of one test do not count in the next.</summary>
public abstract class SecuredFixture(params string[] settings) : Fixture<TestApplication>
{
    public TestApplication App => Made;

    protected override Task<TestApplication> MakeAsync() => SecuredApplication.StartAsync(
        services =>
        {
            services.AddSingleton(new FailedLogins(int.MaxValue, TimeSpan.FromMinutes(1)));
            Prepare(services);
        },
        settings);

    protected virtual void Prepare(IServiceCollection services)
    {
    }
}
