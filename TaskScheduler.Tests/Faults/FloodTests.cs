using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Two hundred clients that ask as fast as they can, some of them for batches, and tasks that fall due meanwhile.</summary>
[Collection(Alone.Name)]
public abstract class FloodTests<TStore>
    where TStore : ITestStore, new()
{
    private const int Clients = 200;

    private const string One = """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""";

    private static readonly string Batch = $$"""{"tasks":[{{string.Join(',', Enumerable.Repeat(One, 1_000))}}]}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FloodOfRequestsNeitherDelaysWhatIsDueNorOutlastsItself()
    {
        await using var store = new TStore();
        await using var instance = await InstanceProcess.StartOnAsync(store);
        var firstDue = TimeProvider.System.GetUtcNow().AddSeconds(4);
        var due = new List<Guid>();
        for (var i = 0; i < 20; i++)
            due.Add(await instance.CreateAsync("Fizz", firstDue.AddMilliseconds(150 * i)));
        var answers = new ConcurrentQueue<Answered>();
        var created = new ConcurrentQueue<string>();
        var probes = new List<HttpStatusCode>();
        using var over = new CancellationTokenSource();

        var flood = Enumerable.Range(0, Clients)
            .Select(client => Task.Run(() => AskAsync(instance.Client, client, answers, created, over.Token), Cancel)).ToList();
        await Eventually.TrueAsync(
            async () =>
            {
                using var live = await instance.Client.GetAsync("/health/live", Cancel);
                probes.Add(live.StatusCode);
                return instance.Output.Count == due.Count;
            },
            "everything due is done",
            Eventually.Deadline * 2);
        await over.CancelAsync();
        await Task.WhenAll(flood);

        Assert.All(probes, status => Assert.Equal(HttpStatusCode.OK, status));
        // Busy or not: done, not there any more, or to be asked again.
        Assert.All(answers, answer => Assert.True(
            answer.Status is HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent
            || (answer is { Status: HttpStatusCode.ServiceUnavailable, RetryAfter: true })));
        Assert.NotEmpty(created);
        await Eventually.TrueAsync(
            async () =>
            {
                using var ready = await instance.Client.GetAsync("/health/ready", Cancel);
                return ready.StatusCode == HttpStatusCode.OK;
            },
            "the instance is ready");
        await Parallel.ForEachAsync(
            created, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancel }, async (location, cancel) =>
            {
                using var kept = await instance.Client.GetAsync(location, cancel);
                Assert.Equal(HttpStatusCode.OK, kept.StatusCode);
            });
        var late = new List<TimeSpan>();
        foreach (var id in due)
            late.Add(Lateness(await instance.ShowAsync(id)));
        var usualWait = Median(answers.Select(answer => answer.Took));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{answers.Count} answers in {usualWait:s\\.fff} s, late by {Median(late):s\\.fff} to {late.Max():s\\.fff} s"));
        // In line with the requests they would wait as long; they are a hundred times quicker.
        Assert.True(Median(late) < usualWait, "What is due waits like the requests.");
        // What a killed instance may cost is the bound of the contract.
        Assert.All(late, lateness => Assert.InRange(lateness, TimeSpan.Zero, TimeSpan.FromSeconds(10)));
    }

    private static TimeSpan Median(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static TimeSpan Lateness(JsonElement task) =>
        task.GetProperty("startedAt").GetDateTimeOffset() - task.GetProperty("executeAt").GetDateTimeOffset();

    private static async Task AskAsync(
        HttpClient http,
        int client,
        ConcurrentQueue<Answered> answers,
        ConcurrentQueue<string> created,
        CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            using var request = (client % 8) switch
            {
                0 or 1 => new HttpRequestMessage(HttpMethod.Get, "/tasks"),
                2 or 3 when created.TryPeek(out var location) => new HttpRequestMessage(HttpMethod.Get, location),
                4 or 5 when created.TryPeek(out var location) => new HttpRequestMessage(HttpMethod.Delete, location),
                6 => Post("/tasks/batch", Batch),
                _ => Post("/tasks", One),
            };
            var started = TimeProvider.System.GetTimestamp();
            using var response = await http.SendAsync(request, Cancel);
            answers.Enqueue(new(response.StatusCode, response.Headers.RetryAfter is not null, TimeProvider.System.GetElapsedTime(started)));
            if (response.Headers.Location is { } where)
                created.Enqueue(where.OriginalString);
        }
    }

    private static HttpRequestMessage Post(string path, string json) => new(HttpMethod.Post, path)
    {
        Content = new StringContent(json, new MediaTypeHeaderValue("application/json")),
    };

    private sealed record Answered(HttpStatusCode Status, bool RetryAfter, TimeSpan Took);
}

public sealed class EmbeddedFloodTests : FloodTests<EmbeddedTestStore>;

public sealed class PostgreSqlFloodTests : FloodTests<PostgreSqlTestStore>;
