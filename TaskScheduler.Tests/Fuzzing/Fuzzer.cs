using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>Sends requests to an application, and holds it to what it has answered.</summary>
public sealed class Fuzzer(ApiFixture api) : IDisposable
{
    private const int MaxShown = 4_000;

    private readonly ConcurrentBag<RawConnection> _connections = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public Ledger Ledger { get; } = new();

    /// <summary>Statuses and how often each was answered.</summary>
    public ConcurrentDictionary<int, int> Statuses { get; } = new();

    private Uri Server => api.App.Client.BaseAddress!;

    /// <summary>Creates what the first requests find: tasks in every state.</summary>
    public async Task PrepareAsync()
    {
        if (Ledger.Tasks.Count > 0)
            return;
        ScheduledTask[] tasks =
        [
            await api.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1)),
            await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed),
            await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed),
            await api.CreateAsync(TaskKind.Buzz, ScheduledTaskState.Running),
        ];
        foreach (var task in tasks)
            Ledger.Add(task.Id, new AcceptedTask(task.Kind.ToString(), task.ExecuteAt, Label: null, ExpireAt: null));
    }

    /// <summary>Sends the request and checks all that its answer must be.</summary>
    /// <param name="fuzzed">The request.</param>
    /// <param name="isAlone">Whether no other request is under way, so that what changes was changed by this one.</param>
    public async Task SendAsync(FuzzCase fuzzed, bool isAlone = true)
    {
        var request = Ledger.Fill(fuzzed.Request);
        var keyWasSent = Ledger.KeyWasSent(request);
        var bulk = isAlone && fuzzed.Call.Id is "DeleteTasks" or "RequeueTasks" && fuzzed.Expected == Expected.Success
            ? await BulkCheck.BeforeAsync(api, Ledger, request)
            : null;
        var before = isAlone ? await LastTaskAsync() : 0;
        RawAnswer? answer = null;
        try
        {
            answer = await ExchangeAsync(fuzzed, request);
            Statuses.AddOrUpdate(answer?.Status ?? 0, 1, (_, count) => count + 1);
            // Before it is judged: the tasks are there, whatever else is wrong with the answer. A HEAD changes nothing and says nothing.
            if (answer is { Status: < 300 } && request.Method != "HEAD")
                Record(fuzzed, request, answer, isAlone);
            AnswerChecks.Check(fuzzed, request, answer, keyWasSent);
            if (bulk is not null)
                await bulk.CheckAsync(answer!);
            if (isAlone && answer is not { Status: < 300 })
                Assert.True(before == await LastTaskAsync(), "A request that was refused created a task.");
        }
        catch (Exception error) when (error is not OperationCanceledException || !Cancel.IsCancellationRequested)
        {
            throw new Xunit.Sdk.XunitException(
                $"{error.Message}\n\n{fuzzed}\n\nThe request:\n  {Shown(request.ToBytes())}\nThe answer:\n{answer?.ToString() ?? "none"}");
        }
    }

    /// <summary>Checks that the server still works, and that its lists show every task that it has accepted, as it was.</summary>
    public async Task CheckThatNothingIsLostAsync()
    {
        var resumed = await api.SendAsync(HttpMethod.Put, "/worker", new StringContent("""{"paused":false}""", null, "application/json"));
        Assert.Equal("""{"paused":false,"kinds":[]}""", resumed.Text);
        Ledger.Paused = [];
        var created = await api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z"}""");
        Assert.Equal(System.Net.HttpStatusCode.Created, created.Status);
        Ledger.Add(created.Json.GetProperty("id").GetGuid(), TaskOf(created.Json));

        var listed = new Dictionary<Guid, AcceptedTask>();
        var states = string.Join('&', Enum.GetNames<ScheduledTaskState>().Select(state => $"state={state}"));
        for (string? token = ""; token is not null;)
        {
            var page = (await api.GetAsync($"/tasks?pageSize=500&{states}{token}")).Json;
            foreach (var task in page.GetProperty("tasks").EnumerateArray())
                Assert.True(listed.TryAdd(task.GetProperty("id").GetGuid(), TaskOf(task)), $"{task} is on two pages.");
            token = page.TryGetProperty("nextPageToken", out var next) ? $"&pageToken={next.GetString()}" : null;
        }

        Assert.All(Ledger.Tasks, task =>
        {
            Assert.True(listed.TryGetValue(task.Key, out var found), $"{task} is in no list.");
            Assert.True(task.Value.Is(found), $"{task} became {found}.");
        });
        Assert.Empty(listed.Keys.Except(Ledger.Tasks.Keys));
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
    }

    internal static AcceptedTask TaskOf(JsonElement task) => new(
        task.GetProperty("kind").GetString(),
        task.GetProperty("executeAt").GetDateTimeOffset(),
        task.GetProperty("label").GetString(),
        task.GetProperty("expireAt") is { ValueKind: not JsonValueKind.Null } expireAt ? expireAt.GetDateTimeOffset() : null);

    private async Task<RawAnswer?> ExchangeAsync(FuzzCase fuzzed, FuzzedRequest request)
    {
        if (!_connections.TryTake(out var connection))
            connection = await RawConnection.OpenAsync(Server, Cancel);
        var answer = await connection.SendAsync(request.ToBytes(), request.Method == "HEAD", fuzzed.IsCutOff, Cancel);
        Assert.True(answer is not null || fuzzed.IsCutOff, $"The connection was closed without an answer, after {connection.Before}");
        if (fuzzed.IsRefusedBare || request.Body is { ChunkSize: > 0, IsTooLarge: true })
        {
            // The server may have taken it for something else, and may still do so with what is sent next. And where it has
            // read the beginning of a body that turns out to be too large, it does not read it to its end.
            connection.Dispose();
            return answer;
        }

        Assert.False(connection.HasMore, "There was more than one answer.");
        connection.Before = $"{fuzzed}, answered with {answer?.Status}.";
        if (connection.IsOpen)
            _connections.Add(connection);
        return answer;
    }

    private void Record(FuzzCase fuzzed, FuzzedRequest request, RawAnswer answer, bool isAlone)
    {
        if (answer.MediaType != "application/json")
            return;
        using var json = JsonDocument.Parse(answer.Body);
        var root = json.RootElement;
        using var asked = fuzzed.Expected == Expected.Success && request.Body is { } body && fuzzed.Call.Body is not null
            ? JsonDocument.Parse(body.ToBytes())
            : null;
        // Under another method or path a request may have become any of the calls.
        if (answer.Status == 201)
        {
            List<JsonElement> created = root.TryGetProperty("tasks", out var tasks) ? [.. tasks.EnumerateArray()] : [root];
            Assert.Equal(asked is null ? created.Select(TaskOf) : TasksIn(asked), created.Select(TaskOf));
            foreach (var task in created)
                Ledger.Add(task.GetProperty("id").GetGuid(), TaskOf(task));
        }
        else if (root.TryGetProperty("message", out var message) && message.GetString() == "Task created")
        {
            Ledger.Add(
                root.GetProperty("id").GetGuid(),
                asked is null ? new AcceptedTask(Kind: null, ExecuteAt: null, Label: null, ExpireAt: null) : TasksIn(asked).Single());
        }
        else if (root.TryGetProperty("executeAt", out _) && fuzzed.Call.Id == "RescheduleTask")
        {
            if (asked is not null)
            {
                var time = TasksIn(asked).Single();
                Assert.Equal(time.ExecuteAt, TaskOf(root).ExecuteAt);
                Assert.True(!asked.RootElement.TryGetProperty("expireAt", out _) || time.ExpireAt == TaskOf(root).ExpireAt, "It has another expireAt.");
            }

            Ledger.Reschedule(root.GetProperty("id").GetGuid());
        }
        else if (fuzzed is { Call.Id: "ListTasks", IsOfCall: true })
        {
            Ledger.Learn(request, root);
        }
        else if (root.TryGetProperty("paused", out var paused))
        {
            string[] kinds = [.. root.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetString()!)];
            Assert.Equal(kinds is not [], paused.GetBoolean());
            var expected = asked is null ? fuzzed.Call.Id == "GetWorker" ? Ledger.Paused : null : PausedIn(asked);
            if (isAlone && expected is not null)
                Assert.Equal(expected, kinds);
            Ledger.Paused = isAlone ? kinds : null;
        }
    }

    /// <summary>What a valid body asks for, read without the product.</summary>
    private static List<AcceptedTask> TasksIn(JsonDocument body)
    {
        List<JsonElement> tasks = body.RootElement.TryGetProperty("tasks", out var batch) ? [.. batch.EnumerateArray()] : [body.RootElement];
        return [.. tasks.Select(task => new AcceptedTask(
            task.TryGetProperty("kind", out var kind) ? NameOf<TaskKind>(kind) : null,
            task.TryGetProperty("executeAt", out var time)
                ? Times.Milliseconds(time.GetString()!)
                : DateTimeOffset.FromUnixTimeSeconds((long)task.GetProperty("when").GetDouble()),
            task.TryGetProperty("label", out var label) ? label.GetString() : null,
            task.TryGetProperty("expireAt", out var late) ? Times.Milliseconds(late.GetString()!) : null))];
    }

    private static string[] PausedIn(JsonDocument body)
    {
        if (!body.RootElement.GetProperty("paused").GetBoolean())
            return [];
        var all = Enum.GetNames<TaskKind>();
        return body.RootElement.TryGetProperty("kinds", out var kinds)
            ? [.. all.Intersect(kinds.EnumerateArray().Select(NameOf<TaskKind>))]
            : all;
    }

    internal static string NameOf<T>(JsonElement text)
        where T : struct, Enum => Enum.GetNames<T>().Single(name => name.Equals(text.GetString(), StringComparison.OrdinalIgnoreCase));

    private async Task<long> LastTaskAsync()
    {
        await using var db = await api.App.OpenTableAsync();
        return await db.Tasks.MaxAsync(task => task.Sequence, Cancel);
    }

    /// <summary>A command that sends the same bytes again.</summary>
    private string Shown(byte[] request)
    {
        if (request.Length > MaxShown)
        {
            var file = Path.Combine(Path.GetTempPath(), $"fuzz-{Guid.NewGuid():N}.http");
            File.WriteAllBytes(file, request);
            return $"nc {Server.Host} {Server.Port} < {file}";
        }

        var text = new StringBuilder();
        foreach (var value in request)
        {
            text.Append((char)value switch
            {
                '\r' => "\\r",
                '\n' => "\\n",
                '%' => "%%",
                '\\' => "\\\\",
                '\'' or < ' ' or > '~' => string.Create(CultureInfo.InvariantCulture, $"\\x{value:x2}"),
                var plain => plain.ToString(),
            });
        }

        return $"printf '{text}' | nc {Server.Host} {Server.Port}";
    }
}

/// <summary>One application for all requests, on the kind of store.</summary>
public sealed class FuzzFixture<TStore> : ApiFixture
    where TStore : ITestStore, new()
{
    public Fuzzer Fuzzer => field ??= new Fuzzer(this);

    protected override Task<TestApplication> StartAsync(
        Action<Microsoft.Extensions.DependencyInjection.IServiceCollection> services, params string[] settings) =>
        TestApplication.StartAsync<TStore>(services, settings);

    protected override ValueTask EndAsync()
    {
        Fuzzer.Dispose();
        return base.EndAsync();
    }
}
