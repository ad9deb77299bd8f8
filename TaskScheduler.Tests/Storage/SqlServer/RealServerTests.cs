using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Storage.Server;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>What only a server can show of the statements themselves; what they are for is the suite's.</summary>
public sealed class RealServerTests : IAsyncLifetime
{
    private SqlServerServer _server = null!;
    private string _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await SqlServerServer.SharedAsync();
        _database = await _server.CreateDatabaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_database is not null)
            await _server.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task TenInstancesStartTogetherOnAnEmptyDatabase()
    {
        var instances = Enumerable.Range(0, 10).Select(_ => Instance()).ToList();

        await Task.WhenAll(instances.Select(instance => instance.GetRequiredService<ITaskStore>().OpenAsync(Cancel)));

        foreach (var instance in instances)
            await instance.DisposeAsync();
    }

    /// <summary>The hints ask for plans that must exist, whatever the data.</summary>
    [Fact]
    public async Task EveryHandWrittenStatementHasAPlan()
    {
        await using var instance = Instance();
        await instance.GetRequiredService<ITaskStore>().OpenAsync(Cancel);
        var sql = instance.GetRequiredService<StoreSql>();
        var serverSql = instance.GetRequiredService<ServerSql>();
        await using var db = await instance.GetRequiredService<IDbContextFactory<TaskDbContext>>().CreateDbContextAsync(Cancel);

        await db.Database.ExecuteSqlRawAsync(sql.Claim, ["""{"jobs":["1"],"lease":1}"""], Cancel);
        Assert.Empty(await db.Database.SqlQueryRaw<Guid>(sql.Complete, "[]").ToListAsync(Cancel));
        Assert.Empty(await db.Database.SqlQueryRaw<Guid>(sql.NameJobs, "[]").ToListAsync(Cancel));
        Assert.Empty(await db.Database.SqlQueryRaw<string>(serverSql.TakeJobs, 10, DateTimeOffset.MaxValue).ToListAsync(Cancel));
        Assert.Empty(await instance.GetRequiredService<IJobStates>().FindAsync(["1"], Cancel));
    }

    private ServiceProvider Instance()
    {
        var services = new ServiceCollection();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Storage:Provider"] = "SqlServer",
            ["ConnectionStrings:TaskScheduler"] = _server.ConnectionString(_database),
        }).Build();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSettings();
        services.AddLogging();
        services.AddJobs(configuration);
        return services.BuildServiceProvider();
    }
}
