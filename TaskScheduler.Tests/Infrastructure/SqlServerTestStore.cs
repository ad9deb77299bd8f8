using System.Globalization;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Storage.SqlServer;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A database on the tests' SQL Server.</summary>
public sealed class SqlServerTestStore : ITestStore
{
    private SqlServerServer? _server;
    private string? _database;

    public bool KeepsJobsInMemory => false;

    /// <summary>Always makes an empty database: SQL Server has no templates, and a backup to restore is no faster.</summary>
    public async Task<string[]> CreateAsync(bool migrated = true)
    {
        _server ??= await SqlServerServer.SharedAsync();
        _database ??= await _server.CreateDatabaseAsync();
        return ["--Storage:Provider=SqlServer", $"--ConnectionStrings:TaskScheduler={_server.ConnectionString(_database)}"];
    }

    public void Prepare(IServiceCollection services) =>
        services.ConfigureDbContext<SqlServerTaskDbContext>((provider, options) => options
            .AddInterceptors(provider.GetServices<IInterceptor>())
            .AddInterceptors(new StatementClock(provider.GetRequiredService<TimeProvider>(), "SYSUTCDATETIME()", now =>
                string.Create(CultureInfo.InvariantCulture, $"CAST('{now.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffffff}' AS datetime2(7))")))
            // EF keeps something for every database that a process knows, and objects to twenty of them.
            .ConfigureWarnings(warnings => warnings.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning)));

    public Task ExecuteAsync(string sql) => _server!.ExecuteAsync(_database!, sql);

    public string InsertIntoFirstVersion(Guid id, string state, DateTimeOffset time)
    {
        var at = string.Create(CultureInfo.InvariantCulture, $"'{time.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fff}+00:00'");
        return $"""
            INSERT INTO scheduler.Tasks (Id, Kind, State, ExecuteAt, DueAt, CreatedAt, StartedAt, FinishedAt, DeletedAt, Attempt,
              Tries, Instance, InstanceId, ClaimToken, [Output], Error, [Version], IsShown, JobId, JobState, JobStorageId)
            SELECT '{id}', 'Fizz', '{state}', {at}, {at}, {at}, {at}, {at}, {at}, 1, 0,
              'web-1', NEWID(), NEWID(), 'Fizz {id}', 'Full', 2, 1, CAST(COUNT(*) + 4711 AS nvarchar(20)), 'Scheduled', NEWID()
            FROM scheduler.Tasks
            """;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null && _database is not null)
            await _server.DropDatabaseAsync(_database);
    }
}
