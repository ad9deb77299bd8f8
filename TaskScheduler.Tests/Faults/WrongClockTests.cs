using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Instances whose wall clock is five minutes off; their monotonic clock, like that of any process, only counts.</summary>
[Collection(OnAServer.Name)]
public sealed class WrongClockTests : IAsyncLifetime
{
    /// <summary>The last is further ahead than the look-ahead, so that the instances have to find it in time.</summary>
    private static readonly double[] Ahead = [2, 6.5, 13.25];

    private readonly PostgreSqlTestStore _store = new();

    public async ValueTask InitializeAsync() => await _store.CreateAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task TasksStartNeitherEarlyNorLate()
    {
        var library = Prerequisites.OrSkip(WrongClock.GetLibrary);
        // With one slot each, so that neither can do the other's share.
        var instances = await Task.WhenAll(((string[])["-300s", "+300s"]).Select(offset =>
            InstanceProcess.StartOnAsync(_store, WrongClock.Environment(library, offset), "--Worker:Count=1")));
        await TaskWitness.PlaceAsync(_store);
        var now = TimeProvider.System.GetUtcNow();
        var ids = new Dictionary<Guid, DateTimeOffset>();
        foreach (var due in Ahead.Select(ahead => now.AddSeconds(ahead)))
        {
            foreach (var instance in instances)
                ids.Add(await instance.CreateAsync("Fizz", due), due);
        }

        await Eventually.TrueAsync(() => instances.Sum(instance => instance.Output.Count) == ids.Count, "all are printed");

        Assert.All(instances, instance => Assert.NotEmpty(instance.Output));
        Assert.All(instances.SelectMany(instance => instance.Output), line => Assert.True(
            line.At >= ids[Guid.Parse(line.Text.Split(' ')[^1])].AddSeconds(3), $"{line.Text} came early"));
        await TaskWitness.AssertNothingWrongAsync(_store);
        Assert.InRange(await TaskWitness.LatestStartAsync(_store), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        // With one each, the dashboard of one would refuse the pages of the other.
        Assert.Equal([1], await _store.AskAsync<long>("SELECT count(*) FROM scheduler.\"SharedKeys\""));
        foreach (var instance in instances)
        {
            Assert.Equal(0, await instance.StopAsync());
            await instance.DisposeAsync();
        }
    }
}
