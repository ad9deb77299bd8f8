using System.Collections.Concurrent;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Three instances under load, each stopped and started again in its turn.</summary>
[Collection(OnAServer.Name)]
public sealed class RollingRestartTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();

    public async ValueTask InitializeAsync() => await _store.CreateAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task RollingRestartLosesNothingRepeatsNothingAndCountsNoTry()
    {
        var instances = await InstanceProcess.StartManyAsync(_store, 3);
        await TaskWitness.PlaceAsync(_store);
        var all = new ConcurrentBag<InstanceProcess>(instances);
        var posted = new ConcurrentBag<Guid>();
        using var restarted = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 3).Select(k => PostAsync(instances, k, posted, restarted.Token)).ToList();

        for (var i = 0; i < instances.Length; i++)
        {
            var before = posted.Count;
            await Eventually.TrueAsync(() => posted.Count >= before + 20, "there is load");
            Assert.Equal(0, await instances[i].StopAsync());
            var next = await InstanceProcess.StartOnAsync(_store, $"--Instance:Name=again{i}");
            all.Add(next);
            instances[i] = next;
        }

        await restarted.CancelAsync();
        await Task.WhenAll(clients);
        await Eventually.TrueAsync(() => all.Sum(instance => instance.Output.Count) >= posted.Count, "all are printed");

        Assert.Equal(
            posted.Select(id => $"Fizz {id}").Order(StringComparer.Ordinal),
            all.SelectMany(instance => instance.Output).Select(line => line.Text).Order(StringComparer.Ordinal));
        Assert.Equal([0L], await _store.AskAsync<long>("""SELECT count(*) FROM scheduler."Tasks" WHERE "Tries" > 0"""));
        Assert.InRange(await TaskWitness.LatestStartAsync(_store), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        await TaskWitness.AssertNothingWrongAsync(_store);
        foreach (var instance in all)
            await instance.DisposeAsync();
    }

    /// <summary>As a careful client does: what one instance does not answer is asked of the next.</summary>
    private static async Task PostAsync(
        InstanceProcess[] instances, int first, ConcurrentBag<Guid> posted, CancellationToken restarted)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(150));
        for (var i = first; !restarted.IsCancellationRequested; i++)
        {
            try
            {
                posted.Add(await instances[i % instances.Length].CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddSeconds(3)));
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException or ObjectDisposedException)
            {
                // It is being restarted; the connection was refused, so nothing was accepted there.
            }

            await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
