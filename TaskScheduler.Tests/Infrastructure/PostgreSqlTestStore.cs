using System.Globalization;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Storage.PostgreSql;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A database on the tests' PostgreSQL. A store on a database that it did not make does not remove it.</summary>
public sealed class PostgreSqlTestStore : PostgreSqlDatabase, ITestStore
{
    /// <summary>EF builds its model and compiles its queries for every database anew, unless all keep them in one place.</summary>
    private static readonly MemoryCache Compiled = new(new MemoryCacheOptions());

    private readonly bool _made;

    public PostgreSqlTestStore() => _made = true;

    public PostgreSqlTestStore(PostgreSqlServer server, string database)
        : base(server, database)
    {
    }

    public bool KeepsJobsInMemory => false;

    public async Task<string[]> CreateAsync(bool migrated = true)
    {
        if (!IsMade)
        {
            var server = await TestPostgreSql.SharedAsync();
            IsMadeOn(
                server,
                await (migrated ? server.CreateDatabaseAsync(await TestPostgreSql.TemplateAsync()) : server.CreateDatabaseAsync()));
        }

        return ["--Storage:Provider=PostgreSql", $"--ConnectionStrings:TaskScheduler={Server.ConnectionString(Database)}"];
    }

    public void Prepare(IServiceCollection services) =>
        services.ConfigureDbContext<PostgreSqlTaskDbContext>((provider, options) => options
            .AddInterceptors(provider.GetServices<IInterceptor>())
            .AddInterceptors(new StatementClock(provider.GetRequiredService<TimeProvider>(), "clock_timestamp()", now =>
                string.Create(CultureInfo.InvariantCulture, $"timestamptz '{now.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}+00'")))
            .UseMemoryCache(Compiled)
            // EF keeps something for every database that a process knows, and objects to twenty of them.
            .ConfigureWarnings(warnings => warnings.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning)));

    public string InsertIntoFirstVersion(Guid id, string state, DateTimeOffset time)
    {
        var at = string.Create(CultureInfo.InvariantCulture, $"'{time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}+00'");
        return $"""
            INSERT INTO scheduler."Tasks" ("Id", "Kind", "State", "ExecuteAt", "DueAt", "CreatedAt", "StartedAt", "FinishedAt",
              "DeletedAt", "Attempt", "Tries", "Instance", "InstanceId", "ClaimToken", "Output", "Error", "Version", "IsShown",
              "JobId", "JobState", "JobStorageId")
            VALUES ('{id}', 'Fizz', '{state}', {at}, {at}, {at}, {at}, {at}, {at}, 1, 0,
              'web-1', gen_random_uuid(), gen_random_uuid(), 'Fizz {id}', 'Full', 2, TRUE,
              (SELECT (count(*) + 4711)::text FROM scheduler."Tasks"), 'Scheduled', gen_random_uuid())
            """;
    }

    public async ValueTask DisposeAsync()
    {
        if (_made && IsMade)
            await Server.DropDatabaseAsync(Database);
    }
}
