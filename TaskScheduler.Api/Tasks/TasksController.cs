using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Overload;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Everything that a client can do to tasks.</summary>
[ApiController]
[Route("tasks")]
[Tags(ApiDocument.Tasks)]
[KnownQueryOnly]
public sealed class TasksController(TaskCreator creator, TaskClient client, TaskBulk bulk, TaskList list) : CreatingController(creator)
{
    /// <summary>Create a task</summary>
    /// <remarks>Once this is answered with 201 the task is kept, whatever crashes or is restarted.</remarks>
    /// <response code="201">The task, pending.</response>
    [HttpPost(Name = "CreateTask")]
    [Consumes("application/json")]
    [ProducesResponseType<TaskResponse>(StatusCodes.Status201Created)]
    [IdempotencyKeyHeader]
    public Task<ActionResult> Create(
        CreateTaskRequest request,
        [FromHeader(Name = IdempotencyKeyHeaderAttribute.Name)] string? idempotencyKey,
        CancellationToken cancel) =>
        CreateAsync(
            "POST /tasks", [request.ToTask()], idempotencyKey, tasks => Created($"{Request.PathBase}/tasks/{tasks[0].Id}", tasks[0]), cancel);

    /// <summary>Create up to 1,000 tasks</summary>
    /// <remarks>All of them or, if one is refused, none. Errors name the task by its place: tasks[3].kind.</remarks>
    /// <response code="201">The tasks, in the order of the request.</response>
    [HttpPost("batch", Name = "CreateTasks")]
    [Consumes("application/json")]
    [ProducesResponseType<CreatedTasksResponse>(StatusCodes.Status201Created)]
    [IdempotencyKeyHeader]
    public Task<ActionResult> CreateMany(
        CreateTasksRequest request,
        [FromHeader(Name = IdempotencyKeyHeaderAttribute.Name)] string? idempotencyKey,
        CancellationToken cancel) =>
        CreateAsync(
            "POST /tasks/batch",
            request.ToTasks(),
            idempotencyKey,
            tasks => StatusCode(StatusCodes.Status201Created, new CreatedTasksResponse(tasks)),
            cancel);

    /// <summary>List tasks</summary>
    /// <remarks>
    /// Newest first, or by the time that was asked for. Repeat state, kind and label for several of each. Pages neither repeat nor
    /// skip a task that was there from the start. Newest first, a page of a range of execution times may have fewer tasks than
    /// pageSize, or none: it is the last one only if it has no nextPageToken.
    /// </remarks>
    /// <response code="200">One page.</response>
    [HttpGet(Name = "ListTasks")]
    public async Task<TaskListResponse> List([FromQuery] ListTasksRequest request, CancellationToken cancel)
    {
        var (filter, sort) = (request.ToFilter(), request.ToSort());
        var page = await list.PageAsync(filter, sort, request.ToPageSize(), request.ToPosition(), cancel);
        var next = page.Next is null ? null : PageToken.Write(page.Next, filter, sort);
        return new TaskListResponse([.. page.Tasks.Select(TaskResponse.From)], next);
    }

    /// <summary>Count tasks</summary>
    /// <remarks>Every pair of state and kind, also where there are none, and deleted tasks too.</remarks>
    /// <response code="200">The counts, and their sum.</response>
    [HttpGet("counts", Name = "CountTasks")]
    public async Task<TaskCountsResponse> Count(CancellationToken cancel)
    {
        var counts = await list.CountAsync(cancel);
        return new TaskCountsResponse(counts.Sum(tasks => tasks.Count), counts);
    }

    /// <summary>Delete many tasks</summary>
    /// <remarks>
    /// All that a filter matches at that moment, or up to 1,000 by their IDs. Done in small steps, so that nothing else
    /// waits for long; a million tasks take minutes. A request that is cut off has changed some of them; repeat it for the rest.
    /// </remarks>
    /// <response code="200">How many were matched, and how many were not deleted before.</response>
    [HttpPost("delete", Name = "DeleteTasks")]
    [TakesNoSlot]
    [Consumes("application/json")]
    public async Task<ChangedTasksResponse> DeleteMany(ChangeTasksRequest request, CancellationToken cancel) => Answer(
        request.Filter is { } filter
            ? await bulk.DeleteAsync(filter.ToTexts().ToFilter(), cancel)
            : await bulk.DeleteAsync(request.ToIds(), cancel));

    /// <summary>Let many failed tasks run again</summary>
    /// <remarks>
    /// All that a filter matches at that moment, or up to 1,000 by their IDs. Tasks that have not failed are matched and left as
    /// they are, and so are those whose expireAt is past.
    /// </remarks>
    /// <response code="200">How many were matched, and how many were requeued.</response>
    [HttpPost("requeue", Name = "RequeueTasks")]
    [TakesNoSlot]
    [Consumes("application/json")]
    public async Task<ChangedTasksResponse> RequeueMany(ChangeTasksRequest request, CancellationToken cancel) => Answer(
        request.Filter is { } filter
            ? await bulk.RequeueAsync(filter.ToTexts().ToFilter(), cancel)
            : await bulk.RequeueAsync(request.ToIds(), cancel));

    /// <summary>Show a task</summary>
    /// <response code="200">The task.</response>
    [HttpGet("{id}", Name = "GetTask")]
    [CanAnswer(nameof(ProblemType.NotFound))]
    public async Task<ActionResult<TaskResponse>> Show(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.FindAsync(taskId, cancel) is { } task
            ? TaskResponse.From(task)
            : NoSuchTask(id);

    /// <summary>Give a pending task another time</summary>
    /// <remarks>Takes effect at once, also for a task that is about to start. A time in the past lets it run now.</remarks>
    /// <response code="200">The task with its new time.</response>
    [HttpPatch("{id}", Name = "RescheduleTask")]
    [Consumes("application/json")]
    [CanAnswer(nameof(ProblemType.NotFound), nameof(ProblemType.WrongState))]
    public async Task<ActionResult<TaskResponse>> Reschedule(
        string id, RescheduleTaskRequest request, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId)
            ? Answer(id, await client.RescheduleAsync(taskId, request.ToTime(), cancel))
            : NoSuchTask(id);

    /// <summary>Let a failed task run again</summary>
    /// <remarks>
    /// With all its tries, and at once if its time is past. Its error is cleared; attempt goes on counting. One whose expireAt is
    /// past stays failed.
    /// </remarks>
    /// <response code="200">The task, pending again.</response>
    [HttpPost("{id}/requeue", Name = "RequeueTask")]
    [CanAnswer(nameof(ProblemType.NotFound), nameof(ProblemType.WrongState))]
    public async Task<ActionResult<TaskResponse>> Requeue(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId)
            ? Answer(id, await client.RequeueAsync(taskId, cancel))
            : NoSuchTask(id);

    /// <summary>Delete a task</summary>
    /// <remarks>
    /// In any state, and again and again. A pending task never runs; a running one is stopped and never prints. The record
    /// stays for a while, in the state Deleted.
    /// </remarks>
    /// <response code="204">The task is deleted.</response>
    [HttpDelete("{id}", Name = "DeleteTask")]
    [ProducesResponseType(StatusCodes.Status204NoContent)]
    [CanAnswer(nameof(ProblemType.NotFound))]
    public async Task<ActionResult> Delete(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.DeleteAsync(taskId, cancel) ? NoContent() : NoSuchTask(id);

    private static ActionResult<TaskResponse> Answer(string id, TaskChange change) => change switch
    {
        { Refusal: { } refusal } => new ProblemResult(ProblemType.WrongState, refusal),
        { Task: { } task } => TaskResponse.From(task),
        _ => NoSuchTask(id),
    };

    private static ChangedTasksResponse Answer(BulkResult result) => new(result.Matched, result.Changed);

    private static ProblemResult NoSuchTask(string id) => new(
        ProblemType.NotFound,
        $"There is no task '{Rfc3339.Shown(id)}': it never existed, or its record was removed after its retention.");
}
