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

    /// <summary>In seconds: how overdue a task can be on arrival.</summary>
    private const double LongAgo = 4;

    private readonly Random _random = new(seed);
    private readonly ConcurrentQueue<ClientTask> _tasks = [];
    private int _labels;

    public IReadOnlyCollection<ClientTask> Tasks => _tasks;

    /// <summary>What is created, each as often as it stands here.</summary>
    public required IReadOnlyList<string> Kinds { get; init; }

    /// <summary>How far ahead most tasks are due.</summary>
    public required TimeSpan Ahead { get; init; }

    /// <summary>That of what it creates. After a change of all that have it, it takes another one.</summary>
    private string Label => string.Create(CultureInfo.InvariantCulture, $"client {seed}, {_labels}");

    /// <summary>Creates, moves, deletes, requeues and looks until the end.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            ClientTask? task = _tasks.IsEmpty ? null : _tasks.ElementAt(_random.Next(Math.Max(0, _tasks.Count - 40), _tasks.Count));
            await (_random.Next(100) switch
            {
                < 60 => CreateAsync(_random.Next(10) == 0 ? _random.Next(2, 8) : 1),
                < 70 when task is not null => DeleteAsync(task),
                < 72 when task is not null => DeleteManyAsync(),
                < 85 when task is not null => MoveAsync(task, Now + (0.75 * Ahead * _random.NextDouble())),
                < 87 when task is not null => RequeueManyAsync(),
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
        var requests = Enumerable.Range(0, count).Select(_ =>
        {
            var kind = Kinds[_random.Next(Kinds.Count)];
            var executeAt = Round(_random.Next(10) switch
            {
                0 => Now.AddSeconds(-LongAgo),
                1 => Now + Far,
                _ => Now + (Ahead * _random.NextDouble()),
            });
            return new { kind, executeAt, label = _random.Next(2) == 0 ? Label : null, expireAt = ExpiryOf(executeAt) };
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
        var tasks = created.Select(ClientTask.From).ToList();
        if (!tasks.Select(task => (task.Kind, task.ExecuteAt, task.Label, task.ExpireAt))
            .SequenceEqual(requests.Select(request => (request.kind, request.executeAt, request.label, request.expireAt))))
        {
            wrongAnswers.Enqueue((null, $"under key {key} {requests.Count} tasks were asked for, and told: {answer.RootElement}"));
        }

        foreach (var task in tasks)
        {
            task.Note($"accepted under key {key} for {Shown(task.ExecuteAt, task.ExpireAt)}, label '{task.Label}'");
            _tasks.Enqueue(task);
        }
    }

    /// <summary>
    /// None, mostly. Or past on arrival; soon, so that it comes while nothing can start; or far away.
    /// </summary>
    private DateTimeOffset? ExpiryOf(DateTimeOffset executeAt) => _random.Next(10) switch
    {
        0 => Round(executeAt.AddSeconds((LongAgo - 1) * (0.2 + _random.NextDouble()))),
        < 4 => Round(executeAt.AddSeconds(0.3 + (4 * _random.NextDouble()))),
        4 => Round(executeAt + Far),
        _ => null,
    };

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

    /// <summary>Some by their IDs; or all that have a label, or those of them that are pending.</summary>
    private async Task DeleteManyAsync()
    {
        var many = _random.Next(3) switch
        {
            0 => ByIds(_ => true),
            1 => ByLabel(state: null),
            _ => ByLabel("Pending"),
        };
        if (many.Tasks is [])
            return;
        foreach (var task in many.Tasks)
        {
            task.DeleteAskedAt ??= Now;
            task.Note("asks to delete many");
        }

        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "/tasks/delete") { Content = JsonContent.Create(many.Request) },
            id: null,
            HttpStatusCode.OK);
        if (answer is null)
            return;
        Check(many, answer);
        tally.Count("API: delete many");
        if (many.State is not null)
            return;
        foreach (var task in many.Tasks)
        {
            task.IsDeleted = true;
            task.Note("deletion of many answered");
        }
    }

    /// <summary>Some by their IDs, which are likely to have failed, or all that have a label and failed.</summary>
    private async Task RequeueManyAsync()
    {
        var many = _random.Next(2) == 0 ? ByIds(IsLikelyFailed) : ByLabel("Failed");
        if (many.Tasks is [])
            return;
        var asks = new List<Ask>();
        using var answer = await AskAsync(
            () =>
            {
                asks.Clear();
                foreach (var task in many.Tasks)
                {
                    task.Note("asks to requeue many");
                    asks.Add(new(Now));
                    // One that was not answered may still be carried out.
                    task.RequeueAsks.Enqueue(asks[^1]);
                }

                return new HttpRequestMessage(HttpMethod.Post, "/tasks/requeue") { Content = JsonContent.Create(many.Request) };
            },
            id: null,
            HttpStatusCode.OK);
        if (answer is null)
            return;
        foreach (var ask in asks)
            ask.AnsweredAt = Now;
        tally.Count("API: requeue many");
        if (Check(many, answer) != many.Tasks.Count)
            return;
        foreach (var task in many.Tasks)
        {
            task.Requeued++;
            task.Note("requeue of many answered");
        }
    }

    private Many ByIds(Func<ClientTask, bool> meant)
    {
        var latest = _tasks.Where(meant).TakeLast(40).ToArray();
        _random.Shuffle(latest);
        var tasks = latest[..Math.Min(latest.Length, _random.Next(1, 6))];
        return new(tasks, new { ids = tasks.Select(task => task.Id).ToArray() }, State: null, IsByIds: true);
    }

    /// <summary>A request that is carried out late must not meet what is created after it.</summary>
    private Many ByLabel(string? state)
    {
        var label = Label;
        _labels++;
        return new([.. _tasks.Where(task => task.Label == label)], new { filter = state is null ? (object)new { label } : new { label, state } }, state, IsByIds: false);
    }

    /// <summary>Only what it created can be counted; of what it named by ID all.</summary>
    /// <returns>How many were changed.</returns>
    private int Check(Many many, JsonDocument answer)
    {
        var matched = answer.RootElement.GetProperty("matched").GetInt32();
        var changed = answer.RootElement.GetProperty("changed").GetInt32();
        if (changed > matched || matched > many.Tasks.Count || (many.IsByIds && matched < many.Tasks.Count))
            wrongAnswers.Enqueue((many.Tasks[0].Id, $"a change of {many.Tasks.Count} tasks was answered {answer.RootElement}"));
        return changed;
    }

    /// <summary>One that has an expiry is given another one, none, or left with its own, which may be too soon.</summary>
    private async Task MoveAsync(ClientTask task, DateTimeOffset time)
    {
        if (task.NewTime is not null)
            return;
        time = Round(time);
        var change = new Dictionary<string, object?> { ["executeAt"] = time };
        task.NewExpireAt = task.ExpireAt;
        if (task.ExpireAt is not null && _random.Next(2) == 0)
            change["expireAt"] = task.NewExpireAt = ExpiryOf(time);
        task.NewTime = time;
        task.Note($"asks to move to {Shown(time, task.NewExpireAt)}");
        using var answer = await AskAsync(
            () => new HttpRequestMessage(HttpMethod.Patch, $"/tasks/{task.Id}") { Content = JsonContent.Create(change) },
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
        var isItsTime = (told.ExecuteAt == task.NewTime && told.ExpireAt == task.NewExpireAt)
            || (told.ExecuteAt == task.ExecuteAt && told.ExpireAt == task.ExpireAt && !task.IsMoved);
        if (told.Id != task.Id || told.Kind != task.Kind || told.Label != task.Label || !isItsTime || (task.IsDeleted && state != "Deleted"))
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

    private static string Shown(DateTimeOffset time, DateTimeOffset? expireAt) => string.Create(
        CultureInfo.InvariantCulture, $"{time:HH:mm:ss.fff}{(expireAt is null ? "" : $", to start before {expireAt:HH:mm:ss.fff}")}");

    /// <summary>To what the task table keeps, so that it can be compared.</summary>
    private static DateTimeOffset Round(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMillisecond));

    /// <summary>A change of many, and the tasks that it can mean.</summary>
    /// <param name="State">The only one that it means; null if it means all.</param>
    private sealed record Many(IReadOnlyList<ClientTask> Tasks, object Request, string? State, bool IsByIds);
}
