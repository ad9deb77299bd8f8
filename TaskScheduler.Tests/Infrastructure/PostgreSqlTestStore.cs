using System.Globalization;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Storage.PostgreSql;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A database on the tests' PostgreSQL. A store on a database that somebody else made does not remove it.</summary>
public sealed class PostgreSqlTestStore : ITestStore
{
    private readonly bool _made;
    private PostgreSqlServer? _server;
    private string? _database;

    public PostgreSqlTestStore() => _made = true;

    public PostgreSqlTestStore(PostgreSqlServer server, string database) => (_server, _database) = (server, database);

    public bool KeepsJobsInMemory => false;

    public PostgreSqlServer Server => _server ?? throw new InvalidOperationException("The database is not made yet.");

    public string Database => _database ?? throw new InvalidOperationException("The database is not made yet.");

    public async Task<string[]> CreateAsync(bool migrated = true)
    {
        _server ??= await PostgreSqlServer.SharedAsync();
        _database ??= await _server.CreateDatabaseAsync(migrated);
        return ["--Storage:Provider=PostgreSql", $"--ConnectionStrings:TaskScheduler={_server.ConnectionString(_database)}"];
    }

    public void Prepare(IServiceCollection services) =>
        services.ConfigureDbContext<PostgreSqlTaskDbContext>((provider, options) => options
            .AddInterceptors(provider.GetServices<IInterceptor>())
            .AddInterceptors(new StatementClock(provider.GetRequiredService<TimeProvider>(), "clock_timestamp()", now =>
                string.Create(CultureInfo.InvariantCulture, $"timestamptz '{now.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}+00'")))
            // EF keeps something for every database that a process knows, and objects to twenty of them.
            .ConfigureWarnings(warnings => warnings.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning)));

    public Task ExecuteAsync(string sql) => Server.ExecuteAsync(Database, sql);

    /// <summary>Asks past the product; the first column.</summary>
    public Task<IReadOnlyList<T>> AskAsync<T>(string sql) => Server.AskAsync<T>(Database, sql);

    public string InsertIntoFirstVersion(Guid id, string state, DateTimeOffset time)
    {
        var at = string.Create(CultureInfo.InvariantCulture, $"'{time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}+00'");
        return $"""
            INSERT INTO scheduler."Tasks" ("Id", "Kind", "State", "ExecuteAt", "DueAt", "CreatedAt", "StartedAt", "FinishedAt",
              "DeletedAt", "Attempt", "Tries", "Instance", "InstanceId", "ClaimToken", "JobId", "Output", "Error")
            VALUES ('{id}', 'Fizz', '{state}', {at}, {at}, {at}, {at}, {at}, {at}, 1, 0,
              'web-1', gen_random_uuid(), gen_random_uuid(),
              (SELECT (count(*) + 4711)::text FROM scheduler."Tasks"), 'Fizz {id}', 'Full')
            """;
    }

    public async ValueTask DisposeAsync()
    {
        if (_made && _server is not null && _database is not null)
            await _server.DropDatabaseAsync(_database);
    }
}
