using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Original;

/// <summary>
/// The four calls of the system that this one is modelled on, in its own words, on the same tasks. Queries and bodies that
/// mean nothing are ignored, as there: its documented examples carry both.
/// </summary>
[ApiController]
public sealed class OriginalTasksController(TaskCreator creator, TaskClient client, TaskList list) : ControllerBase
{
    private const int LongestList = 1_000;

    // Without [Consumes], which would hand other content types on to task/{id}.
    [HttpPost("task/set")]
    public async Task<OriginalChange> Set(SetTaskRequest request, CancellationToken cancel)
    {
        var executeAt = DateTimeOffset.FromUnixTimeSeconds(request.When.GetInt64());
        var task = await creator.CreateAsync(Choice.Parse<TaskKind>(request.Kind!), executeAt, cancel);
        return new OriginalChange(task.Id.ToString(), true, "Task created");
    }

    [HttpGet("task")]
    [HttpPost("task")]
    public async Task<ActionResult<OriginalList>> List(CancellationToken cancel)
    {
        var states = Request.Query["status"];
        var kinds = Request.Query["kind"];
        foreach (var state in states)
        {
            if (!Choice.TryParse<ScheduledTaskState>(state, out _))
                return Refused($"status {Choice.Problem<ScheduledTaskState>(state)}.");
        }

        foreach (var kind in kinds)
        {
            if (!Choice.TryParse<TaskKind>(kind, out _))
                return Refused($"kind {Choice.Problem<TaskKind>(kind)}.");
        }

        var filter = new TaskFilter(
            [.. states.Select(state => Choice.Parse<ScheduledTaskState>(state!)).Distinct()],
            [.. kinds.Select(kind => Choice.Parse<TaskKind>(kind!)).Distinct()]);
        var (tasks, _) = await list.PageAsync(filter, LongestList, after: null, cancel);
        var shown = filter.States is [] ? "All" : string.Join(", ", filter.States);
        return new OriginalList(true, shown, [.. tasks.Select(OriginalTask.From)]);
    }

    [HttpGet("task/{id}")]
    [HttpPost("task/{id}")]
    public async Task<ActionResult> Show(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.FindAsync(taskId, cancel) is { } task
            ? Ok(new OriginalShow(true, OriginalTask.From(task)))
            : NotFound(new { success = false });

    [HttpPost("task/delete/{id}")]
    public async Task<ActionResult<OriginalChange>> Delete(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.DeleteAsync(taskId, cancel)
            ? new OriginalChange(taskId.ToString(), true, "Perform deletion")
            : NotFound(new OriginalChange(id, false, "There is no such task."));

    private BadRequestObjectResult Refused(string message) => BadRequest(new { success = false, message });
}

/// <summary>The answer of set and delete.</summary>
public sealed record OriginalChange(string Id, bool Success, string Message);

public sealed record OriginalList(bool Success, string Status, IReadOnlyList<OriginalTask> Tasks);

public sealed record OriginalShow(bool Success, OriginalTask Task);

/// <param name="Id">The task's ID.</param>
/// <param name="Kind">The task's kind.</param>
/// <param name="Status">
/// The name of the state, but <c>{ "Pending": Unix seconds }</c> and <c>{ "Running": instance }</c>.
/// </param>
public sealed record OriginalTask(Guid Id, TaskKind Kind, object Status)
{
    public static OriginalTask From(ScheduledTask task) => new(task.Id, task.Kind, task.State switch
    {
        // Rounded up like every due time: the task is not earlier than it says.
        ScheduledTaskState.Pending => new Dictionary<string, long>
        {
            [nameof(ScheduledTaskState.Pending)] = (task.ExecuteAt.ToUnixTimeMilliseconds() + 999) / 1000,
        },
        ScheduledTaskState.Running => new Dictionary<string, string?> { [nameof(ScheduledTaskState.Running)] = task.Instance },
        _ => task.State,
    });
}
