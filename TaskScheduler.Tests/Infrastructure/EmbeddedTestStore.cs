using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Storage.Embedded;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A SQLite file. A store on a file that the test names does not remove it.</summary>
public sealed class EmbeddedTestStore : ITestStore
{
    private readonly TemporaryFolder? _folder;
    private readonly string _file;

    public EmbeddedTestStore()
    {
        _folder = new TemporaryFolder();
        _file = _folder.File("tasks.db");
    }

    public EmbeddedTestStore(string file) => _file = file;

    public bool KeepsJobsInMemory => true;

    /// <summary>Only a start makes the file; who is to use it before finds it there, without a schema.</summary>
    public Task<string[]> CreateAsync(bool migrated = true)
    {
        if (!migrated && !File.Exists(_file))
            File.Create(_file).Dispose();
        return Task.FromResult<string[]>([$"--Storage:File={_file}"]);
    }

    /// <summary>The time comes from the <see cref="TimeProvider"/> already.</summary>
    public void Prepare(IServiceCollection services) =>
        services.ConfigureDbContext<EmbeddedTaskDbContext>(
            (provider, options) => options.AddInterceptors(provider.GetServices<IInterceptor>()));

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_file};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await connection.ExecuteAsync(sql);
    }

    public string InsertIntoFirstVersion(Guid id, string state, DateTimeOffset time)
    {
        var at = time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        return $"""
            INSERT INTO Tasks (Id, Kind, State, ExecuteAt, DueAt, CreatedAt, StartedAt, FinishedAt, DeletedAt, Attempt, Tries,
              Instance, InstanceId, ClaimToken, Output, Error, Version, IsShown, JobId, JobState, JobStorageId)
            VALUES ('{id}', 'Fizz', '{state}', {at}, {at}, {at}, {at}, {at}, {at}, 1, 0,
              'web-1', '{Guid.NewGuid()}', '{Guid.NewGuid()}', 'Fizz {id}', 'Full', 2, 1, '{id}', 'Scheduled', '{Guid.NewGuid()}')
            """;
    }

    public ValueTask DisposeAsync()
    {
        _folder?.Dispose();
        return ValueTask.CompletedTask;
    }
}
