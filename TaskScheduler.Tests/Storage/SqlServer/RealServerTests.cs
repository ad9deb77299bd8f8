using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage.Server;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>What only a server can show of the statements themselves; what they are for is the suite's.</summary>
public sealed class RealServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The hints ask for plans that must exist, whatever the data.</summary>
    [Fact]
    public async Task EveryHandWrittenStatementHasAPlan()
    {
        await using var instance = await JobsAtRest.OpenAsync<SqlServerTestStore>();
        var sql = instance.Get<StoreSql>();
        await using var db = await instance.OpenTableAsync();

        await db.Database.ExecuteSqlRawAsync(sql.Claim, ["""{"jobs":[{"job":"1","id":"01a2142f-d19d-70bc-acda-e68e3d6ac543","attempt":0}],"lease":1}"""], Cancel);
        Assert.Empty(await db.Database.SqlQueryRaw<Guid>(sql.Complete, "[]").ToListAsync(Cancel));
        Assert.Empty(await db.Database.SqlQueryRaw<Guid>(sql.NameJobs, "[]").ToListAsync(Cancel));
        Assert.Empty(await db.Database.SqlQueryRaw<string>(instance.Get<ServerSql>().TakeJobs, 10, DateTimeOffset.MaxValue)
            .ToListAsync(Cancel));
        Assert.Empty(await instance.Get<IJobStates>().FindAsync([new("1", Guid.NewGuid())], Cancel));
    }
}
