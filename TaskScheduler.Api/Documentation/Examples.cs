using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Original;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Documentation;

/// <summary>What the document shows for each call. Answers are made of the types that are really answered.</summary>
public static class Examples
{
    public static readonly Guid Id = new("0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11");

    private const string TraceId = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    private static readonly DateTimeOffset ExecuteAt = Rfc3339.Parse(Rfc3339.Example);

    private static readonly Guid OtherId = new("0199d0a8-6a54-7d10-8f3e-5c1f0e7b2a64");

    private static readonly object NewTask =
        new { kind = TaskKind.FizzBuzz, executeAt = ExecuteAt, label = "order-4711", expireAt = ExecuteAt.AddHours(1) };

    private static readonly object Filtered = new { filter = new { state = new[] { ScheduledTaskState.Failed }, label = new[] { "order-4711" } } };

    private static readonly TaskResponse Pending = new(
        Id, TaskKind.FizzBuzz, ScheduledTaskState.Pending, "order-4711", ExecuteAt, ExecuteAt.AddHours(1), CreatedAt: ExecuteAt.AddHours(-1), StartedAt: null,
        FinishedAt: null, DeletedAt: null, Attempt: 0, Instance: null, Output: null, Error: null);

    private static readonly TaskResponse Completed = Pending with
    {
        State = ScheduledTaskState.Completed,
        StartedAt = ExecuteAt.AddMilliseconds(8),
        FinishedAt = ExecuteAt.AddMilliseconds(15_019),
        Attempt = 1,
        Instance = "web-1:4711",
        Output = TaskKind.FizzBuzz.Definition().OutputOf(Id),
    };

    private static readonly OriginalTask OriginalPending =
        new(Id, TaskKind.FizzBuzz, new Dictionary<string, long> { [nameof(ScheduledTaskState.Pending)] = 1669369358 });

    private static readonly OriginalList OriginalList = new(true, nameof(ScheduledTaskState.Pending), [OriginalPending]);

    private static readonly Dictionary<string, (object? Request, object? Answer)> ByCall = new()
    {
        ["CreateTask"] = (NewTask, Pending),
        ["CreateTasks"] = (
            new { tasks = new object[] { NewTask, new { kind = TaskKind.Fizz, executeAt = ExecuteAt.AddDays(1) } } },
            new CreatedTasksResponse(
                [Pending, Pending with { Id = OtherId, Kind = TaskKind.Fizz, Label = null, ExecuteAt = ExecuteAt.AddDays(1), ExpireAt = null }])),
        ["ListTasks"] = (null, new TaskListResponse([Completed], "AQAAAZrwCpEKAAAAAAAAACo4yVbBYk0nXcJ1YQ")),
        ["CountTasks"] = (null, new TaskCountsResponse(1,
        [
            .. from state in Enum.GetValues<ScheduledTaskState>()
               from kind in Enum.GetValues<TaskKind>()
               select new TaskCount(state, kind, (state, kind) == (Completed.State, Completed.Kind) ? 1 : 0),
        ])),
        ["GetTask"] = (null, Completed),
        ["RescheduleTask"] = (
            new { executeAt = ExecuteAt.AddDays(1), expireAt = ExecuteAt.AddDays(2) },
            Pending with { ExecuteAt = ExecuteAt.AddDays(1), ExpireAt = ExecuteAt.AddDays(2) }),
        ["RequeueTask"] = (null, Pending with { Attempt = 3 }),
        ["DeleteTask"] = (null, null),
        ["DeleteTasks"] = (Filtered, new ChangedTasksResponse(2, 2)),
        ["RequeueTasks"] = (Filtered, new ChangedTasksResponse(2, 2)),
        ["GetWorker"] = (null, new WorkerResponse(true, [TaskKind.Buzz])),
        ["SetWorker"] = (new { paused = true, kinds = new[] { TaskKind.Buzz } }, new WorkerResponse(true, [TaskKind.Buzz])),
        ["OriginalSet"] =
            (new { kind = TaskKind.FizzBuzz, when = 1669369358 }, new OriginalChange(Id.ToString(), true, "Task created")),
        ["OriginalList"] = (null, OriginalList),
        ["OriginalListByPost"] = (null, OriginalList),
        ["OriginalShow"] = (null, new OriginalShow(true, OriginalPending)),
        ["OriginalShowByPost"] = (null, new OriginalShow(true, OriginalPending)),
        ["OriginalDelete"] = (null, new OriginalChange(Id.ToString(), true, "Perform deletion")),
    };

    /// <summary>The request and the answer of a call, by its operation ID; a test finds what is missing.</summary>
    public static (object? Request, object? Answer) Of(string? call) => ByCall.GetValueOrDefault(call ?? "");

    /// <summary>An error as our own calls or those of the original system answer it.</summary>
    public static object Of(ProblemType type, Type shape)
    {
        if (shape == typeof(Problem))
            return Problem(type);
        var message = type.ExampleErrors?.Values.First()[0] ?? type.ExampleDetail ?? type.Title;
        if (shape == typeof(OriginalError))
            return new OriginalError(false, type == ProblemType.NotFound ? null : message);
        return type == ProblemType.NotFound
            ? new OriginalChange(Id.ToString(), false, OriginalTasksController.NoSuchTask)
            : new OriginalChange("", false, message);
    }

    private static Problem Problem(ProblemType type) =>
        new(type.Uri, type.Title, type.Status, type.ExampleDetail, type.ExampleErrors, TraceId);
}
