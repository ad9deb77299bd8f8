using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using TaskScheduler.Api.Hosting;

namespace TaskScheduler.Benchmarks;

/// <summary>The product in a process of its own on a new store, driven over HTTP, watched through its console.</summary>
public static class ProductRun
{
    private const int Clients = 16;

    public static async Task<IReadOnlyList<Observation>> MeasureAsync(Scenario scenario, string? postgreSql)
    {
        var folder = Directory.CreateTempSubdirectory("taskscheduler-benchmark-");
        var printed = new ConcurrentDictionary<Guid, DateTimeOffset>();
        var listening = new TaskCompletionSource<string>();
        await using var database = await BenchmarkDatabase.CreateAsync(postgreSql);
        string[] store = database is null
            ? [$"--Storage:File={Path.Combine(folder.FullName, "tasks.db")}"]
            : ["--Storage:Provider=PostgreSql", $"--ConnectionStrings:TaskScheduler={database.ConnectionString}"];
        using var process = Start(store, scenario.Slots, printed, listening);
        try
        {
            var address = await listening.Task.WaitAsync(TimeSpan.FromSeconds(60));
            using var client = new HttpClient { BaseAddress = new Uri(address) };
            var posted = new ConcurrentBag<Guid>();
            // Room to post everything before the first is due.
            var origin = TimeProvider.System.GetUtcNow()
                + (scenario.PostedAhead ?? TimeSpan.FromMilliseconds(500 + (3 * scenario.Tasks.Count)));
            await Parallel.ForEachAsync(
                scenario.Tasks,
                new ParallelOptions { MaxDegreeOfParallelism = Clients },
                async (task, cancel) =>
                {
                    if (scenario.PostedAhead is { } ahead)
                        await Task.Delay(Max(origin + task.Due - ahead - TimeProvider.System.GetUtcNow(), TimeSpan.Zero), cancel);
                    posted.Add((await PostAsync(client, task.Kind.ToString(), origin + task.Due)).Id);
                });
            var measured = posted.ToList();
            if (scenario.PostedForNow > 0)
            {
                // Everything else is due 8 s after the origin.
                await Task.Delay(Max(origin - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(1)));
                measured = [];
                for (var i = 0; i < scenario.PostedForNow; i++)
                    measured.Add((await PostAsync(client, "Fizz", TimeProvider.System.GetUtcNow())).Id);
            }

            while (printed.Count < posted.Count + (scenario.PostedForNow > 0 ? measured.Count : 0))
                await Task.Delay(50);
            var observations = new ConcurrentBag<Observation>();
            await Parallel.ForEachAsync(
                measured,
                new ParallelOptions { MaxDegreeOfParallelism = Clients },
                async (id, _) => observations.Add(await ObserveAsync(client, id, printed[id])));
            return [.. observations];
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
            folder.Delete(recursive: true);
        }
    }

    private static Process Start(
        string[] store, int slots, ConcurrentDictionary<Guid, DateTimeOffset> printed, TaskCompletionSource<string> listening)
    {
        var start = new ProcessStartInfo("dotnet",
        [
            typeof(TaskSchedulerApplication).Assembly.Location, "--urls=http://127.0.0.1:0", $"--Worker:Count={slots}", .. store,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { } text)
                printed[Guid.Parse(text.AsSpan(text.LastIndexOf(' ') + 1))] = TimeProvider.System.GetUtcNow();
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.IndexOf("Start page", StringComparison.Ordinal) is >= 0)
                listening.TrySetResult(line.Data[line.Data.IndexOf("http", StringComparison.Ordinal)..]);
        };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task<Answer> PostAsync(HttpClient client, string kind, DateTimeOffset executeAt)
    {
        using var response = await client.PostAsJsonAsync("/tasks", new { kind, executeAt });
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<Answer>(Json))!;
    }

    private static async Task<Observation> ObserveAsync(HttpClient client, Guid id, DateTimeOffset printedAt)
    {
        var task = (await client.GetFromJsonAsync<Answer>($"/tasks/{id}", Json))!;
        return new Observation(Enum.Parse<Jobs.Tasks.TaskKind>(task.Kind), task.ExecuteAt, task.StartedAt!.Value, printedAt);
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web);

    private sealed record Answer(Guid Id, string Kind, DateTimeOffset ExecuteAt, DateTimeOffset? StartedAt);
}
