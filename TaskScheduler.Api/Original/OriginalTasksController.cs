using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Original;

/// <summary>
/// The four calls of the system that this one is modelled on, in its own words, on the same tasks. Queries and bodies that
/// mean nothing are ignored, as there: its documented examples carry both.
/// </summary>
[ApiController]
[Tags(ApiDocument.OriginalSystem)]
public sealed class OriginalTasksController(TaskCreator creator, TaskClient client, TaskList list) : CreatingController(creator)
{
    public const string NoSuchTask = "There is no such task.";

    private const int MaxListed = 1_000;

    /// <summary>Create a task</summary>
    /// <remarks>Times are in Unix seconds here, and success is 200.</remarks>
    /// <response code="200">The task's ID.</response>
    // Without [Consumes], which would hand other content types on to task/{id}.
    [HttpPost("task/set", Name = "OriginalSet")]
    [ProducesResponseType<OriginalChange>(StatusCodes.Status200OK)]
    [CanAnswer(nameof(ProblemType.InvalidRequest))]
    [IdempotencyKeyHeader]
    public Task<ActionResult> Set(
        SetTaskRequest request,
        [FromHeader(Name = IdempotencyKeyHeaderAttribute.Name)] string? idempotencyKey,
        CancellationToken cancel) =>
        CreateAsync(
            "POST /task/set",
            [request.ToTask()],
            idempotencyKey,
            tasks => Ok(new OriginalChange(tasks[0].Id.ToString(), true, "Task created")),
            cancel);

    /// <summary>List the newest 1,000 tasks</summary>
    /// <remarks>GET and POST are answered alike. A body is ignored.</remarks>
    /// <response code="200">The tasks. Without a status, Deleted ones are left out.</response>
    [HttpGet("task", Name = "OriginalList")]
    [HttpPost("task", Name = "OriginalListByPost")]
    [Takes(ParameterLocation.Query, "status", typeof(ScheduledTaskState[]), "Only tasks in these states.")]
    [Takes(ParameterLocation.Query, "kind", typeof(TaskKind[]), "Only tasks of these kinds.")]
    [CanAnswer(nameof(ProblemType.InvalidRequest))]
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
        var page = await list.PageAsync(filter, TaskSort.NewestFirst, MaxListed, after: null, cancel);
        var shown = filter.States is [] ? "All" : string.Join(", ", filter.States);
        return new OriginalList(true, shown, [.. page.Tasks.Select(OriginalTask.From)]);
    }

    /// <summary>Show a task</summary>
    /// <remarks>GET and POST are answered alike. A query string and a body are ignored.</remarks>
    /// <response code="200">The task.</response>
    [HttpGet("task/{id}", Name = "OriginalShow")]
    [HttpPost("task/{id}", Name = "OriginalShowByPost")]
    [ProducesResponseType<OriginalShow>(StatusCodes.Status200OK)]
    [CanAnswer(nameof(ProblemType.NotFound))]
    public async Task<ActionResult> Show(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.FindAsync(taskId, cancel) is { } task
            ? Ok(new OriginalShow(true, OriginalTask.From(task)))
            : NotFound(new OriginalError(false, null));

    /// <summary>Delete a task</summary>
    /// <remarks>In any state, and again and again. A query string and a body are ignored.</remarks>
    /// <response code="200">The task is deleted.</response>
    [HttpPost("task/delete/{id}", Name = "OriginalDelete")]
    [CanAnswer(nameof(ProblemType.NotFound))]
    public async Task<ActionResult<OriginalChange>> Delete(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.DeleteAsync(taskId, cancel)
            ? new OriginalChange(taskId.ToString(), true, "Perform deletion")
            : NotFound(new OriginalChange(id, false, NoSuchTask));

    private BadRequestObjectResult Refused(string message) => BadRequest(new OriginalError(false, message));
}

/// <summary>The answer of set and delete, an error included.</summary>
/// <param name="Id">The task's ID; empty if none was created.</param>
/// <param name="Success">Whether it was done.</param>
/// <param name="Message">What was done, or what was wrong.</param>
public sealed record OriginalChange(string Id, bool Success, string Message);

/// <summary>An error of list and show.</summary>
/// <param name="Success">Always false.</param>
/// <param name="Message">What was wrong; absent where there is no such task.</param>
public sealed record OriginalError(
    bool Success, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Message);

/// <summary>Tasks, newest first.</summary>
/// <param name="Success">Always true.</param>
/// <param name="Status">The status that was asked for, or All.</param>
/// <param name="Tasks">At most 1,000.</param>
public sealed record OriginalList(bool Success, string Status, IReadOnlyList<OriginalTask> Tasks);

/// <summary>One task.</summary>
/// <param name="Success">Always true.</param>
/// <param name="Task">The task.</param>
public sealed record OriginalShow(bool Success, OriginalTask Task);

/// <summary>A task in the original system's words.</summary>
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
