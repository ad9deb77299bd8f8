using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

[Collection(OnAFile.Name)]
public sealed class KillAndRestartTests
{
    [Fact]
    public async Task HundredTasksSurviveAKillInTheirMidst()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        var before = await InstanceProcess.StartAsync(file);
        var start = TimeProvider.System.GetUtcNow();
        var ids = new List<Guid>();
        for (var i = 0; i < 100; i++)
        {
            // Some are done by the kill, some run, some are held, and some fall due while no instance is there.
            var kind = i % 3 == 0 ? "Buzz" : "Fizz";
            ids.Add(await before.CreateAsync(kind, start.AddMilliseconds((i * 70) - 500)));
        }

        await Eventually.TrueAsync(() => before.Output.Count >= 10, "ten lines are printed");
        await before.KillAsync();
        await before.DisposeAsync();

        await using var after = await InstanceProcess.StartAsync(file);
        var tasks = new List<JsonElement>();
        foreach (var id in ids)
        {
            await Eventually.TrueAsync(
                async () => (await after.ShowAsync(id)).GetProperty("state").GetString() == "Completed",
                $"task {id} completes after the restart");
            tasks.Add(await after.ShowAsync(id));
        }

        var restarted = tasks.Where(task => task.GetProperty("instance").GetString()!.EndsWith($":{after.Id}", StringComparison.Ordinal)).ToList();
        await Eventually.TrueAsync(() => after.Output.Count == restarted.Count, "what the second life committed is printed there");
        var printed = before.Output.Concat(after.Output).Select(line => line.Text).ToList();
        Assert.NotEmpty(restarted);
        Assert.Equal(printed.Count, printed.Distinct().Count());
        Assert.Subset(tasks.Select(task => task.GetProperty("output").GetString()!).ToHashSet(), printed.ToHashSet());
        Assert.All(tasks, task => Assert.True(
            task.GetProperty("startedAt").GetDateTimeOffset() >= task.GetProperty("executeAt").GetDateTimeOffset()));
    }

    [Fact]
    public async Task TaskThatWasRunningAtAKillRunsAgainAtOnceAfterTheRestart()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        // Much longer than the test waits: the storage file's lock tells at once that its holder is gone.
        const string Lease = "--Execution:Lease=00:05:00";
        await using var before = await InstanceProcess.StartAsync(file, Lease);
        var id = await before.CreateAsync("Buzz", TimeProvider.System.GetUtcNow());
        await Eventually.TrueAsync(
            async () => (await before.ShowAsync(id)).GetProperty("state").GetString() == "Running", "the task runs");
        await before.KillAsync();

        await using var after = await InstanceProcess.StartAsync(file, Lease);

        await Eventually.TrueAsync(
            async () => (await after.ShowAsync(id)).GetProperty("attempt").GetInt32() == 2, "a second attempt starts");
        await Eventually.TrueAsync(() => after.Output.Any(line => line.Text == $"Buzz {id}"), "the line is printed");
        Assert.Empty(before.Output);
    }
}
