using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Instances whose wall clock is five minutes off; their monotonic clock, like anybody's, only counts.</summary>
[Collection(OnAServer.Name)]
public sealed class WrongClockTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();

    public async ValueTask InitializeAsync() => await _store.CreateAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData("-300s")]
    [InlineData("+300s")]
    [InlineData("-300s", "+300s")]
    public async Task TasksStartNeitherEarlyNorLate(params string[] offsets)
    {
        var library = Prerequisites.OrSkip(WrongClock.GetLibrary);
        var instances = await Task.WhenAll(offsets.Select(offset => InstanceProcess.StartOnAsync(_store, WrongClock.Environment(library, offset))));
        await TaskWitness.PlaceAsync(_store);
        var now = TimeProvider.System.GetUtcNow();
        // The last of them is further ahead than the look-ahead, so that Hangfire's schedule has to deliver it in time.
        var ids = new Dictionary<Guid, DateTimeOffset>();
        foreach (var ahead in new[] { 2.0, 4.5, 13.25 })
            ids.Add(await instances[ids.Count % instances.Length].CreateAsync("Fizz", now.AddSeconds(ahead)), now.AddSeconds(ahead));

        await Eventually.TrueAsync(() => instances.Sum(instance => instance.Output.Count) == ids.Count, "all are printed");

        Assert.All(instances.SelectMany(instance => instance.Output), line => Assert.True(
            line.At >= ids[Guid.Parse(line.Text.Split(' ')[^1])].AddSeconds(3), $"{line.Text} came early"));
        await TaskWitness.AssertNothingWrongAsync(_store);
        Assert.InRange(await TaskWitness.LatestStartAsync(_store), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        foreach (var instance in instances)
        {
            Assert.Equal(0, await instance.StopAsync());
            await instance.DisposeAsync();
        }
    }
}
