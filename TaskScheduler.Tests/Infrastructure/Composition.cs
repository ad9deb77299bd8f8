using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>The domain's services as the host puts them together, without the host.</summary>
internal static class Composition
{
    public static IServiceCollection For(params string[] arguments)
    {
        var configuration = new ConfigurationBuilder().AddCommandLine(arguments).Build();
        return new ServiceCollection()
            .AddSingleton<IConfiguration>(configuration)
            .AddSettings()
            .AddLogging()
            .AddMetrics()
            .AddJobs(configuration);
    }
}
