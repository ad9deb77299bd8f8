using System.Globalization;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>An instance that is gone, or looks gone, while others are there.</summary>
[Collection(OnAServer.Name)]
public sealed class KilledInstanceTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();

    public async ValueTask InitializeAsync() => await _store.CreateAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task WhatAKilledInstanceRanAndWasGivenRunsOnTheOtherWithinTenSeconds()
    {
        await using var killed = await InstanceProcess.StartOnAsync(_store, "--Instance:Name=killed");
        await using var other = await InstanceProcess.StartOnAsync(_store, "--Instance:Name=other");
        await TaskWitness.PlaceAsync(_store);
        // So that all of the first ones run on the one that is killed.
        await other.SignalAsync("STOP");
        var due = TimeProvider.System.GetUtcNow().AddSeconds(8);
        var running = await CreateAsync(killed, "Fizz", 50, due);
        var later = await CreateAsync(killed, "Fizz", 20, due.AddSeconds(6));
        await Eventually.TrueAsync(() => CountsAsync(Where("\"State\" = 'Running' AND \"Instance\" = 'killed'"), 50), "50 tasks run");
        await other.SignalAsync("CONT");

        var now = await _store.AskAsync<DateTime>("SELECT clock_timestamp()");
        await killed.KillAsync();

        await Eventually.TrueAsync(() => other.Output.Count == 70, "the other prints all of them");
        Assert.True(await CountsAsync(Where("\"State\" = 'Completed' AND \"Instance\" = 'other' AND \"Tries\" = 0"), 70));
        Assert.True(await CountsAsync(Where("\"Attempt\" = 2"), 50));
        var restarts = await _store.AskAsync<DateTime>("SELECT \"StartedAt\" FROM scheduler.\"Tasks\" ORDER BY 1");
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"slowest start after the kill: {restarts[^1] - now[0]:s\\.fff} s"));
        Assert.InRange(restarts[^1] - now[0], TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(0, await other.StopAsync());
        Assert.Equal(Lines([.. running, .. later]), other.Output.Select(line => line.Text).Order(StringComparer.Ordinal));
        Assert.Empty(killed.Output);
        await TaskWitness.AssertNothingWrongAsync(_store);
    }

    /// <summary>When it wakes up, half of its tasks are done elsewhere and half are being done.</summary>
    [Fact]
    public async Task FrozenInstancePrintsNothingOfWhatItLost()
    {
        string[] hasty = ["--Execution:Heartbeat=00:00:00.5", "--Execution:Lease=00:00:02"];
        await using var frozen = await InstanceProcess.StartOnAsync(_store, ["--Instance:Name=frozen", .. hasty]);
        await TaskWitness.PlaceAsync(_store);
        var due = TimeProvider.System.GetUtcNow().AddSeconds(5);
        Guid[] ids = [.. await CreateAsync(frozen, "Fizz", 10, due), .. await CreateAsync(frozen, "Buzz", 10, due)];
        await Eventually.TrueAsync(() => CountsAsync(Where("\"State\" = 'Running'"), 20), "all run");
        await frozen.SignalAsync("STOP");

        await using var other = await InstanceProcess.StartOnAsync(_store, ["--Instance:Name=other", .. hasty]);
        await Eventually.TrueAsync(() => other.Output.Count >= 10, "the short ones are done elsewhere");
        await frozen.SignalAsync("CONT");

        await Eventually.TrueAsync(() => other.Output.Count == 20, "all are done elsewhere");
        Assert.Equal(0, await other.StopAsync());
        // By the time this one is done, nothing of what the frozen one had to say is left.
        var last = await frozen.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await Eventually.TrueAsync(() => frozen.Output.Any(line => line.Text == $"Fizz {last}"), "the frozen one works again");
        Assert.Equal(0, await frozen.StopAsync());
        Assert.Equal([$"Fizz {last}"], frozen.Output.Select(line => line.Text));
        Assert.Equal(
            ids.Order(), other.Output.Select(line => Guid.Parse(line.Text.Split(' ')[^1])).Order());
        await TaskWitness.AssertNothingWrongAsync(_store);
    }

    private static async Task<Guid[]> CreateAsync(InstanceProcess instance, string kind, int count, DateTimeOffset executeAt) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => instance.CreateAsync(kind, executeAt)));

    private static IEnumerable<string> Lines(IEnumerable<Guid> ids) => ids.Select(id => $"Fizz {id}").Order(StringComparer.Ordinal);

    private static string Where(string condition) => $"(SELECT count(*) FROM scheduler.\"Tasks\" WHERE {condition})";

    private async Task<bool> CountsAsync(string query, long count) =>
        await _store.AskAsync<long>($"SELECT {query}") is var found && found.Single() == count;
}
