using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Instances whose wall clock is five minutes off; their monotonic clock, like anybody's, only counts.</summary>
[Collection(HeavyLoad.Name)]
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
        var library = FindFaketimeOrSkip();
        var instances = await Task.WhenAll(offsets.Select(offset => InstanceProcess.StartOnAsync(_store, Faked(library, offset))));
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

    private static Dictionary<string, string> Faked(string library, string offset) => new()
    {
        ["LD_PRELOAD"] = library,
        ["FAKETIME"] = offset,
        ["DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        // Else faketime shifts the deadlines of waits that are on the monotonic clock, and all of them are over at once.
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
    };

    private static string FindFaketimeOrSkip()
    {
        var library = Directory.Exists("/usr/lib")
            ? Directory.GetDirectories("/usr/lib")
                .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1"))
                .FirstOrDefault(File.Exists)
            : null;
        if (library is null && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail("faketime is missing; .ci/run installs it.");
        Assert.SkipWhen(library is null, "faketime is missing: install it (Debian's package faketime).");
        return library!;
    }
}
