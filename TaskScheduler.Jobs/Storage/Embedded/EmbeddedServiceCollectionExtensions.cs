using Hangfire.InMemory;

namespace TaskScheduler.Jobs.Storage.Embedded;

public static class EmbeddedServiceCollectionExtensions
{
    /// <summary>Failed jobs stay for as long as their tasks. So many of the others would take too much memory.</summary>
    private static readonly TimeSpan FinishedJobs = TimeSpan.FromHours(3);

    /// <summary>The task table in a SQLite file and the jobs in memory: nothing to install, one instance.</summary>
    public static IServiceCollection AddEmbeddedStore(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        return services
            .AddSingleton<JobStorage>(_ => new InMemoryStorage(new() { MaxExpirationTime = null }) { JobExpirationTimeout = FinishedJobs })
            .AddSingleton<StorageFile>()
            .AddSingleton<ITaskStore, EmbeddedStore>()
            .AddSingleton(EmbeddedSql.Statements)
            .AddSingleton<WriterTurns>()
            .AddSingleton<EmbeddedInterceptor>()
            .AddPooledDbContextFactory<EmbeddedTaskDbContext>((provider, options) => options
                .UseSqlite(provider.GetRequiredService<StorageFile>().ConnectionString)
                .AddInterceptors(provider.GetRequiredService<EmbeddedInterceptor>()))
            .AddSingleton<IDbContextFactory<TaskDbContext>, TaskContexts<TaskDbContext, EmbeddedTaskDbContext>>();
    }
}
