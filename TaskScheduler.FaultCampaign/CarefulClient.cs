using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace TaskScheduler.FaultCampaign;

/// <summary>
/// A client as one should be: it repeats what was not answered, at whatever instance is there, creations under their
/// idempotency key. It does one thing after the other, and gives a task one new time at most, so that a request that a
/// frozen instance carries out late changes nothing that came after it.
/// </summary>
public sealed class CarefulClient(
    Func<IReadOnlyList<Life>> available, int seed, ConcurrentQueue<(Guid? Id, string Text)> wrongAnswers, Tally tally)
{
    /// <summary>Counted, but no fault.</summary>
    public const string Repeated = "requests repeated";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Far = TimeSpan.FromHours(1);

    private readonly Random _random = new(seed);
    private readonly ConcurrentQueue<ClientTask> _tasks = [];

    public IReadOnlyCollection<ClientTask> Tasks => _tasks;

    /// <summary>What is created, each as often as it stands here.</summary>
    public required IReadOnlyList<string> Kinds { get; init; }

    /// <summary>How far ahead most tasks are due.</summary>
    public required TimeSpan Ahead { get; init; }

    /// <summary>Creates, moves, deletes, requeues and looks until the end.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            ClientTask? task = _tasks.IsEmpty ? null : _tasks.ElementAt(_random.Next(Math.Max(0, _tasks.Count - 40), _tasks.Count));
            await (_random.Next(100) switch
            {
                < 60 => CreateAsync(_random.Next(10) == 0 ? _random.Next(2, 8) : 1),
                < 72 when task is not null => DeleteAsync(task),
                < 86 when task is not null => MoveAsync(task, Now + (0.75 * Ahead * _random.NextDouble())),
                < 94 when task is not null => RequeueAsync(_tasks.LastOrDefault(IsLikelyFailed) ?? task),
                _ when task is not null => ShowAsync(task),
                _ => CreateAsync(1),
            });
            await Task.Delay(TimeSpan.FromSeconds(0.1 + (0.8 * _random.NextDouble())), end)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What is an hour away is moved to now or deleted, so that everything ends.</summary>
    public async Task FinishAsync()
    {
        foreach (var task in _tasks.Where(task => task.Due > Now.AddMinutes(1)))
        {
            if (task.NewTime is null)
                await MoveAsync(task, Now.AddSeconds(2));
            else
                await DeleteAsync(task);
        }
    }

    private static DateTimeOffset Now => Fleet.Now;

    /// <summary>Between its tries it waits for six seconds in all; a killed instance adds a lease.</summary>
    private static bool IsLikelyFailed(ClientTask task) =>
        CampaignInstance.MayFail(task.Id) && task.Due < Now.AddSeconds(-12) && task.DeleteAskedAt is null;

    private async Task CreateAsync(int count)
    {
        var key = $"{_random.NextInt64():x16}-{_tasks.Count}";
        var requests = Enumerable.Range(0, count).Select(_ => new
        {
            kind = Kinds[_random.Next(Kinds.Count)],
            executeAt = Round(_random.Next(10) switch
            {
                0 => Now.AddSeconds(-1),
                1 => Now + Far,
                _ => Now + (Ahead * _random.NextDouble()),
            }),
        }).ToList();
        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Post, count == 1 ? "/tasks" : "/tasks/batch")
            {
                Content = count == 1 ? JsonContent.Create(requests[0]) : JsonContent.Create(new { tasks = requests }),
                Headers = { { "Idempotency-Key", key } },
            },
            id: null,
            HttpStatusCode.Created);
        if (answer is null)
            return;
        var created = count == 1 ? [answer.RootElement] : answer.RootElement.GetProperty("tasks").EnumerateArray().ToArray();
        var told = created.Select(task => (task.GetProperty("kind").GetString(), task.GetProperty("executeAt").GetDateTimeOffset()));
        if (!told.SequenceEqual(requests.Select(request => ((string?)request.kind, request.executeAt))))
            wrongAnswers.Enqueue((null, $"under key {key} {requests.Count} tasks were asked for, and told: {answer.RootElement}"));
        foreach (var task in created)
        {
            var accepted = ClientTask.From(task);
            accepted.Note($"accepted under key {key} for {accepted.ExecuteAt:HH:mm:ss.fff}");
            _tasks.Enqueue(accepted);
        }
    }

    private async Task DeleteAsync(ClientTask task)
    {
        task.DeleteAskedAt ??= Now;
        task.Note("asks to delete");
        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Delete, $"/tasks/{task.Id}"), task.Id, HttpStatusCode.NoContent);
        if (answer is null)
            return;
        task.IsDeleted = true;
        task.Note("deletion answered");
        tally.Count("API: delete");
    }

    private async Task MoveAsync(ClientTask task, DateTimeOffset time)
    {
        if (task.NewTime is not null)
            return;
        task.NewTime = time = Round(time);
        task.Note(string.Create(CultureInfo.InvariantCulture, $"asks to move to {time:HH:mm:ss.fff}"));
        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Patch, $"/tasks/{task.Id}") { Content = JsonContent.Create(new { executeAt = time }) },
            task.Id,
            HttpStatusCode.OK,
            HttpStatusCode.Conflict);
        // A conflict says that it was not pending; when an earlier try went through unanswered, it was before.
        task.IsMoved = answer is not null && IsTask(answer);
        if (task.IsMoved)
            Check(task, answer!);
        task.Note(task.IsMoved ? "move answered" : "move refused");
        if (task.IsMoved)
            tally.Count("API: reschedule");
    }

    private async Task RequeueAsync(ClientTask task)
    {
        task.Note("asks to requeue");
        var ask = new Ask(Now);
        using var answer = await AskAsync(
            () =>
            {
                // One that was not answered may still be carried out.
                task.RequeueAsks.Enqueue(ask = new(Now));
                return new HttpRequestMessage(HttpMethod.Post, $"/tasks/{task.Id}/requeue");
            },
            task.Id,
            HttpStatusCode.OK,
            HttpStatusCode.Conflict);
        if (answer is null)
            return;
        ask.AnsweredAt = Now;
        if (!IsTask(answer))
            return;
        task.Requeued++;
        task.Note("requeue answered");
        tally.Count("API: requeue");
        Check(task, answer);
    }

    private async Task ShowAsync(ClientTask task)
    {
        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Get, $"/tasks/{task.Id}"), task.Id, HttpStatusCode.OK);
        if (answer is not null)
            Check(task, answer);
    }

    /// <summary>A client that was told of a change reads it, at whatever instance.</summary>
    private void Check(ClientTask task, JsonDocument answer)
    {
        var (told, state) = (ClientTask.From(answer.RootElement), answer.RootElement.GetProperty("state").GetString());
        var isItsTime = told.ExecuteAt == task.NewTime || (told.ExecuteAt == task.ExecuteAt && !task.IsMoved);
        if (told.Id != task.Id || told.Kind != task.Kind || !isItsTime || (task.IsDeleted && state != "Deleted"))
            wrongAnswers.Enqueue((task.Id, $"what was read is not what was told before: {answer.RootElement}"));
    }

    /// <summary>Whether it shows the changed task, and not why nothing was changed.</summary>
    private static bool IsTask(JsonDocument answer) => answer.RootElement.TryGetProperty("executeAt", out _);

    /// <summary>Asks until there is an answer; one that says to come again later is none.</summary>
    /// <returns>An empty document for an answer without a body; null if there was none, which is noted.</returns>
    private async Task<JsonDocument?> AskAsync(Func<HttpRequestMessage> request, Guid? id, params HttpStatusCode[] allowed)
    {
        var deadline = Now + Patience;
        var last = "no instance was there";
        for (var tries = 0; Now < deadline; tries++)
        {
            if (tries > 0)
            {
                tally.Count(Repeated);
                await Task.Delay(BetweenTries);
            }

            var instances = available();
            if (instances.Count == 0)
                continue;
            try
            {
                using var message = request();
                using var answer = await instances[_random.Next(instances.Count)].Process.Client.SendAsync(message);
                var text = await answer.Content.ReadAsStringAsync();
                if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests
                    || (answer.StatusCode == HttpStatusCode.Conflict && !allowed.Contains(HttpStatusCode.Conflict)))
                {
                    last = $"{(int)answer.StatusCode} {text}";
                    continue;
                }

                if (allowed.Contains(answer.StatusCode))
                    return JsonDocument.Parse(text.Length == 0 ? "{}" : text);
                wrongAnswers.Enqueue((id, $"{message.Method} {message.RequestUri} was answered {(int)answer.StatusCode} {text}"));
                // A careful client comes again after an error that is not its own.
                if ((int)answer.StatusCode < 500)
                    return null;
                last = "an error";
            }
            catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException or JsonException)
            {
                last = error.Message;
            }
        }

        wrongAnswers.Enqueue((id, $"a request was not answered within {Patience}: {last}"));
        return null;
    }

    /// <summary>To what the task table keeps, so that it can be compared.</summary>
    private static DateTimeOffset Round(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMillisecond));
}
