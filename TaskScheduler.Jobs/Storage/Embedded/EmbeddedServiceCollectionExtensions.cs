using Hangfire;
using Hangfire.InMemory;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Data;

namespace TaskScheduler.Jobs.Storage.Embedded;

public static class EmbeddedServiceCollectionExtensions
{
    /// <summary>The task table in a SQLite file and the jobs in memory: nothing to install, one instance.</summary>
    public static IServiceCollection AddEmbeddedStore(this IServiceCollection services)
    {
        services.AddSingleton<JobStorage>(_ => new InMemoryStorage(new InMemoryStorageOptions
        {
            // Numbers begin at 1 again with every start, and rows of the last life would name jobs of this one.
            IdType = InMemoryStorageIdType.Guid,
        }));
        services.AddSingleton<EmbeddedStore>();
        services.AddSingleton(EmbeddedSql.Statements);
        services.AddPooledDbContextFactory<EmbeddedTaskDbContext>((provider, options) => options
            .UseSqlite(new SqliteConnectionStringBuilder
            {
                DataSource = System.IO.Path.GetFullPath(provider.GetRequiredService<IOptions<StorageOptions>>().Value.File),
            }.ToString())
            .AddInterceptors(new EmbeddedConnectionInterceptor()));
        services.AddSingleton<IDbContextFactory<TaskDbContext>, EmbeddedContexts>();
        return services;
    }

    private sealed class EmbeddedContexts(IDbContextFactory<EmbeddedTaskDbContext> contexts) : IDbContextFactory<TaskDbContext>
    {
        public TaskDbContext CreateDbContext() => contexts.CreateDbContext();

        public async Task<TaskDbContext> CreateDbContextAsync(CancellationToken cancellationToken = default) =>
            await contexts.CreateDbContextAsync(cancellationToken);
    }
}
