using System.Globalization;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>What adding an instance adds.</summary>
[Collection(Alone.Name)]
public sealed class CapacityTests
{
    private const int Slots = 5;
    private const int Tasks = 15;

    private static readonly string Settings = $"--Worker:Count={Slots}";

    private const string MaxAtOnce =
        """
        SELECT max(running) FROM (
          SELECT sum(CASE "is" WHEN 'Running' THEN 1 ELSE -1 END) OVER (PARTITION BY instance ORDER BY n) AS running
          FROM public.witness WHERE "is" IN ('Running', 'Completed')) AS moment
        """;

    /// <summary>Three rounds of tasks for one instance are one round for three, and each takes its share of it.</summary>
    [Fact]
    public async Task ThreeInstancesAreThreeTimesAsFastAsOne()
    {
        await using var store = new PostgreSqlTestStore();
        List<InstanceProcess> processes = [.. await InstanceProcess.StartManyAsync(store, 1, Settings)];
        await TaskWitness.PlaceAsync(store);
        var alone = await RunAsync(store, processes);

        processes.AddRange(await Task.WhenAll(
            ((string[])["i1", "i2"]).Select(name => InstanceProcess.StartOnAsync(store, $"--Instance:Name={name}", Settings))));
        var together = await RunAsync(store, processes);

        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"one: {alone:s\\.ff} s, three: {together:s\\.ff} s"));
        // Two rounds on one of the three would be 1.5 times as fast.
        Assert.InRange(alone / together, 1.6, 3.5);
        foreach (var process in processes)
            await process.DisposeAsync();
    }

    /// <returns>From the tasks' time to the completion of the last.</returns>
    private static async Task<TimeSpan> RunAsync(PostgreSqlTestStore store, List<InstanceProcess> processes)
    {
        var printed = processes.Select(process => process.Output.Count).ToList();
        var due = TimeProvider.System.GetUtcNow().AddSeconds(3);
        // Everything over the first: work goes where there are slots, not where it was posted.
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(_ => processes[0].CreateAsync("Fizz", due)));

        await Eventually.TrueAsync(
            () => processes.Sum(process => process.Output.Count) == printed.Sum() + Tasks, "all tasks are done");

        Assert.All(processes.Zip(printed), pair => Assert.Equal(pair.Second + (Tasks / processes.Count), pair.First.Output.Count));
        Assert.Equal([Slots], await store.AskAsync<long>(MaxAtOnce));
        await TaskWitness.AssertNothingWrongAsync(store);
        return (await store.AskAsync<TimeSpan>(
            $"""SELECT max(at - due) FROM public.witness WHERE "is" = 'Completed' AND due > '{due.AddSeconds(-1):O}'""")).Single();
    }
}
