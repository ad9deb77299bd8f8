using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

[Collection(OnAServer.Name)]
public sealed class SeveralInstancesTests : IAsyncLifetime
{
    private static readonly TimeSpan Fizz = TimeSpan.FromSeconds(3);
    private readonly PostgreSqlTestStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>Each is due at a moment of its own, and every tenth is deleted at another one, by another instance.</summary>
    [Fact]
    public async Task ThreeInstancesWorkThroughThreeThousandTasksWithoutBreakingAnInvariant()
    {
        const int Clients = 12, PerClient = 250;
        var instances = await InstanceProcess.StartManyAsync(_store, 3, "--Worker:Count=1000");
        await TaskWitness.PlaceAsync(_store);
        var accepted = new ConcurrentDictionary<Guid, DateTimeOffset>();
        var deletions = new ConcurrentBag<Task<Guid>>();

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            var random = new Random(client);
            for (var i = 0; i < PerClient; i++)
            {
                var executeAt = TimeProvider.System.GetUtcNow().AddSeconds(3 + (9 * random.NextDouble()));
                var task = await PostAsync(instances[client % 3], executeAt);
                var id = task.GetProperty("id").GetGuid();
                Assert.Equal("Pending", task.GetProperty("state").GetString());
                Assert.Equal(0, task.GetProperty("attempt").GetInt32());
                Assert.InRange(
                    task.GetProperty("executeAt").GetDateTimeOffset(), executeAt, executeAt.AddMilliseconds(1));
                Assert.True(accepted.TryAdd(id, task.GetProperty("executeAt").GetDateTimeOffset()));
                if (i % 10 == 0)
                    deletions.Add(DeleteAsync(instances[(client + 1) % 3], id, executeAt.AddSeconds(4 * random.NextDouble())));
            }
        }));
        var deleted = (await Task.WhenAll(deletions)).ToHashSet();
        await Eventually.TrueAsync(
            async () => (await _store.AskAsync<long>(
                """SELECT count(*) FROM scheduler."Tasks" WHERE "State" NOT IN ('Completed', 'Deleted')""")) is [0],
            "every task has ended",
            TimeSpan.FromSeconds(60));

        // A clean end prints what is left to print: what is not on a console now was never printed.
        var tasks = await ListAsync(instances[2]);
        var exitCodes = await Task.WhenAll(instances.Select(instance => instance.StopAsync()));

        Assert.Equal([0, 0, 0], exitCodes);
        Assert.Equal(accepted.Keys.Order(), tasks.Keys.Order());
        Assert.Equal(accepted.Keys.Order(), await _store.AskAsync<Guid>("""SELECT "Id" FROM scheduler."Tasks" ORDER BY "Id" """));
        Assert.All(tasks, task => Assert.Equal(deleted.Contains(task.Key) ? "Deleted" : "Completed", Text(task.Value, "state")));
        Assert.All(tasks, task => Assert.Contains(Text(task.Value, "output"), (string?[])[$"Fizz {task.Key}", null]));
        Assert.All(tasks, task => Assert.True(deleted.Contains(task.Key) || Text(task.Value, "output") is not null));
        Assert.Contains(tasks.Values, task => Text(task, "state") == "Deleted" && Text(task, "output") is null);
        await TaskWitness.AssertNothingWrongAsync(_store);

        // Committed is printed, once, by the instance that committed it and after that; what was deleted before is silent.
        var committed = (await _store.AskAsync<string>(
            """
            SELECT json_build_array(has_output, instance, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text
            FROM public.witness WHERE had_output IS NULL AND has_output IS NOT NULL
            """))
            .Select(row => JsonElement.Parse(row))
            .Select(row => (Line: row[0].GetString()!, Instance: row[1].GetString()!, At: row[2].GetDateTimeOffset()))
            .ToDictionary(commit => commit.Line);
        var printed = instances.SelectMany((instance, i) => instance.Output.Select(line => (line.Text, line.At, Instance: $"i{i}"))).ToList();
        Assert.Equal(committed.Keys.Order(StringComparer.Ordinal), printed.Select(line => line.Text).Order(StringComparer.Ordinal));
        Assert.All(printed, line => Assert.Equal(committed[line.Text].Instance, line.Instance));
        Assert.All(printed, line => Assert.True(line.At > committed[line.Text].At, $"{line} came before its commit"));
        Assert.All(printed, line => Assert.True(
            line.At >= accepted[Guid.Parse(line.Text["Fizz ".Length..])] + Fizz, $"{line} came early"));

        var shares = instances.Select(instance => instance.Output.Count).ToList();
        Report($"lines per instance: {string.Join(", ", shares)}; latest start: {await TaskWitness.LatestStartAsync(_store):s\\.fff} s");
        Assert.All(shares, share => Assert.InRange(share, printed.Count / 12, printed.Count));
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }

    private static async Task<JsonElement> PostAsync(InstanceProcess instance, DateTimeOffset executeAt)
    {
        using var response = await instance.Client.PostAsJsonAsync("/tasks", new { kind = "Fizz", executeAt }, Cancel);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var task = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal($"/tasks/{task.GetProperty("id").GetGuid()}", response.Headers.Location?.OriginalString);
        return task;
    }

    private static async Task<Guid> DeleteAsync(InstanceProcess instance, Guid id, DateTimeOffset at)
    {
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() >= at, "the moment of a deletion comes");
        using var response = await instance.Client.DeleteAsync($"/tasks/{id}", Cancel);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        return id;
    }

    /// <summary>All tasks, page by page; none of them twice.</summary>
    private static async Task<Dictionary<Guid, JsonElement>> ListAsync(InstanceProcess instance)
    {
        var tasks = new Dictionary<Guid, JsonElement>();
        string? token = null;
        do
        {
            var page = await instance.Client.GetFromJsonAsync<JsonElement>(
                $"/tasks?state=Completed&state=Deleted&pageSize=500{(token is null ? "" : $"&pageToken={Uri.EscapeDataString(token)}")}", Cancel);
            foreach (var task in page.GetProperty("tasks").EnumerateArray())
                tasks.Add(task.GetProperty("id").GetGuid(), task);
            token = page.TryGetProperty("nextPageToken", out var next) ? next.GetString() : null;
        } while (token is not null);
        return tasks;
    }

    private static string? Text(JsonElement task, string property) => task.GetProperty(property).GetString();

    private static void Report(FormattableString figures) =>
        TestContext.Current.TestOutputHelper?.WriteLine(figures.ToString(CultureInfo.InvariantCulture));
}
