using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Two hundred clients that ask as fast as they can, and tasks that fall due meanwhile.</summary>
[Collection(HeavyLoad.Name)]
public abstract class FloodTests<TStore>
    where TStore : ITestStore, new()
{
    private const int Clients = 200;

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
        var answers = new ConcurrentQueue<(HttpStatusCode Status, bool RetryAfter)>();
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
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{answers.Count} answers, {created.Count} created, latest start {late.Max():s\\.fff} s"));
        // What a killed instance may cost is the bound of the contract; the product is a thousand times better.
        Assert.All(late, lateness => Assert.InRange(lateness, TimeSpan.Zero, TimeSpan.FromSeconds(10)));
    }

    private static TimeSpan Lateness(JsonElement task) =>
        task.GetProperty("startedAt").GetDateTimeOffset() - task.GetProperty("executeAt").GetDateTimeOffset();

    private static async Task AskAsync(
        HttpClient http,
        int client,
        ConcurrentQueue<(HttpStatusCode Status, bool RetryAfter)> answers,
        ConcurrentQueue<string> created,
        CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            using var request = (client % 4) switch
            {
                0 => new HttpRequestMessage(HttpMethod.Get, "/tasks"),
                1 when created.TryPeek(out var location) => new HttpRequestMessage(HttpMethod.Get, location),
                2 when created.TryPeek(out var location) => new HttpRequestMessage(HttpMethod.Delete, location),
                _ => new HttpRequestMessage(HttpMethod.Post, "/tasks")
                {
                    Content = new StringContent(
                        """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""", new MediaTypeHeaderValue("application/json")),
                },
            };
            using var response = await http.SendAsync(request, Cancel);
            answers.Enqueue((response.StatusCode, response.Headers.RetryAfter is not null));
            if (response.StatusCode == HttpStatusCode.Created)
                created.Enqueue(response.Headers.Location!.OriginalString);
        }
    }
}

public sealed class EmbeddedFloodTests : FloodTests<EmbeddedTestStore>;

public sealed class PostgreSqlFloodTests : FloodTests<PostgreSqlTestStore>;
