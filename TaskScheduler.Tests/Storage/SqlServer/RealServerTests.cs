using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Projection;
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
        var id = Guid.NewGuid();
        var attempt = $$"""{"max":1,"token":"{{id}}","instance":"web-1","instanceId":"{{id}}","lease":1}""";
        var nothing = $$"""{"storage":"{{id}}","rows":[]}""";

        await db.ExecuteAsync(sql.Insert, """{"createdAt":0,"tasks":[],"keys":[]}""", Cancel);
        Assert.Empty(await db.QueryTasksAsync(sql.Claim, attempt, Cancel));
        Assert.Empty(await db.QueryTasksAsync(sql.TakeOver, attempt, Cancel));
        Assert.Empty(await db.QueryAsync<Guid>(sql.Complete, "[]", Cancel));
        Assert.Single(await db.QueryAsync<TableLook>(sql.Look, attempt, Cancel));
        Assert.Empty(await db.QueryAsync<long>(sql.Show, nothing, Cancel));
        Assert.True(Assert.Single(await db.QueryAsync<bool>(sql.IsProjector, attempt, Cancel)));
        var task = await instance.CreateAsync(instance.Now.AddDays(1));
        await instance.ShowAsync();
        var states = await instance.Get<JobLookup>().FindStatesAsync([await instance.FindAsync(task.Id)], Cancel);
        Assert.Equal([new(task.Id, "Scheduled")], states);
    }

    /// <summary>All of them have a lease: the instance that shows jobs is the same, whichever asks.</summary>
    [Fact]
    public async Task OneOfThoseThatLiveIsTheProjector()
    {
        await using var instance = await JobsAtRest.OpenAsync<SqlServerTestStore>();
        var sql = instance.Get<StoreSql>();
        await using var db = await instance.OpenTableAsync();
        var ids = Enumerable.Range(0, 5).Select(_ => Guid.NewGuid()).ToList();
        db.Instances.AddRange(ids.Select(id => new InstanceLease { Id = id, Name = "web", SeenAt = instance.Now }));
        await db.SaveChangesAsync(Cancel);

        Assert.Single(await FindProjectorsAsync([.. ids, Guid.NewGuid()]));
        instance.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(ids, await FindProjectorsAsync(ids));

        async Task<IReadOnlyList<Guid>> FindProjectorsAsync(IReadOnlyList<Guid> asking)
        {
            var projectors = new List<Guid>();
            foreach (var id in asking)
            {
                if ((await db.QueryAsync<bool>(sql.IsProjector, $$"""{"instanceId":"{{id}}","lease":1000}""", Cancel)).Single())
                    projectors.Add(id);
            }

            return projectors;
        }
    }
}
