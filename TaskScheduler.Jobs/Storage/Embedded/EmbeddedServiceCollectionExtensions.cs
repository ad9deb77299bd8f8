using Hangfire.InMemory;

namespace TaskScheduler.Jobs.Storage.Embedded;

public static class EmbeddedServiceCollectionExtensions
{
    /// <summary>The task table in a SQLite file and the jobs in memory: nothing to install, one instance.</summary>
    public static IServiceCollection AddEmbeddedStore(this IServiceCollection services)
    {
        services.AddSingleton<JobStorage>(_ => new InMemoryStorage());
        services.AddSingleton<StorageFile>();
        services.AddSingleton<ITaskStore, EmbeddedStore>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(EmbeddedSql.Statements);
        services.AddSingleton<WriterTurns>();
        services.AddSingleton<EmbeddedInterceptor>();
        services.AddPooledDbContextFactory<EmbeddedTaskDbContext>((provider, options) => options
            .UseSqlite(provider.GetRequiredService<StorageFile>().ConnectionString)
            .AddInterceptors(provider.GetRequiredService<EmbeddedInterceptor>()));
        services.AddSingleton<IDbContextFactory<TaskDbContext>, TaskContexts<TaskDbContext, EmbeddedTaskDbContext>>();
        return services;
    }
}
