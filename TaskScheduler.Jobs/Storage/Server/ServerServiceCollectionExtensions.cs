namespace TaskScheduler.Jobs.Storage.Server;

public static class ServerServiceCollectionExtensions
{
    /// <summary>What the stores on a database server have in common; the clock is the database's.</summary>
    public static IServiceCollection AddServerStore<TContext, TStore>(this IServiceCollection services, StoreSql sql)
        where TContext : ServerTaskDbContext
        where TStore : ServerStore => services
            .AddSingleton<DatabaseClock>()
            .AddSingleton<TimeProvider>(provider => provider.GetRequiredService<DatabaseClock>())
            .AddSingleton<ITaskStore, TStore>()
            .AddSingleton(sql)
            .AddSingleton<IDbContextFactory<TaskDbContext>, TaskContexts<TaskDbContext, TContext>>()
            .AddSingleton<IDbContextFactory<ServerTaskDbContext>, TaskContexts<ServerTaskDbContext, TContext>>();
}
