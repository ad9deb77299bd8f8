namespace TaskScheduler.Jobs.Storage.Server;

public static class ServerServiceCollectionExtensions
{
    /// <summary>What the stores on a database server have in common; the clock is the database's.</summary>
    public static IServiceCollection AddServerStore<TContext, TStore>(
        this IServiceCollection services, StoreSql sql)
        where TContext : ServerTaskDbContext
        where TStore : ServerStore
    {
        services.AddSingleton<DatabaseClock>();
        services.AddSingleton<TimeProvider>(provider => provider.GetRequiredService<DatabaseClock>());
        services.AddSingleton<ITaskStore, TStore>();
        services.AddSingleton(sql);
        services.AddSingleton<IDbContextFactory<TaskDbContext>, TaskContexts<TaskDbContext, TContext>>();
        services.AddSingleton<IDbContextFactory<ServerTaskDbContext>, TaskContexts<ServerTaskDbContext, TContext>>();
        return services;
    }
}
