using TaskScheduler.Jobs.Storage;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage;

/// <summary>How instances meet an empty database: at once, for a store that several can use.</summary>
public abstract class StartTogetherTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private readonly TStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.CreateAsync(migrated: false);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task TenInstancesStartedAtOnceOnAnEmptyDatabaseAllComeUp()
    {
        var instances = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => JobsAtRest.BuildAsync(_store)));

        await Task.WhenAll(instances.Select(instance => Task.Run(() => instance.Get<ITaskStore>().OpenAsync(Cancel), Cancel)));

        var tasks = await Task.WhenAll(instances.Select(instance => instance.CreateAsync(JobsAtRest.Start.AddHours(1))));
        await Task.WhenAll(instances.Select(instance => instance.BeatAsync()));
        await Task.WhenAll(instances.Select(instance => instance.ShowAsync()));
        var rows = await instances[0].RowsAsync();
        Assert.Equal(tasks.Select(task => task.Id).Order(), rows.Select(row => row.Id).Order());
        Assert.All(rows, row => Assert.True(row.IsShown));
        Assert.Equal(rows.Count, rows.Select(row => row.JobId).Distinct().Count());
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }
}
