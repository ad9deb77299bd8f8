using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Errors;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Everything that a client can do to tasks.</summary>
[ApiController]
[Route("tasks")]
[KnownQueryOnly]
public sealed class TasksController(TaskCreator creator, TaskClient client, TaskList list) : ControllerBase
{
    [HttpPost]
    [Consumes("application/json")]
    [IdempotencyKeyHeader]
    public Task<ActionResult> Create(
        CreateTaskRequest request,
        [FromHeader(Name = IdempotencyKeyHeaderAttribute.Name)] string? idempotencyKey,
        CancellationToken cancel) =>
        CreateAsync(
            "POST /tasks", [request.ToTask()], idempotencyKey, tasks => Created($"/tasks/{tasks[0].Id}", tasks[0]), cancel);

    [HttpPost("batch")]
    [Consumes("application/json")]
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

    [HttpGet]
    public async Task<TaskListResponse> List([FromQuery] ListTasksRequest request, CancellationToken cancel)
    {
        var filter = request.ToFilter();
        var (tasks, more) = await list.PageAsync(filter, request.ToPageSize(), request.ToPosition(), cancel);
        var next = more ? PageToken.Write(new PagePosition(tasks[^1].CreatedAt, tasks[^1].Sequence), filter) : null;
        return new TaskListResponse([.. tasks.Select(TaskResponse.From)], next);
    }

    [HttpGet("{id}")]
    public async Task<ActionResult<TaskResponse>> Show(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.FindAsync(taskId, cancel) is { } task
            ? TaskResponse.From(task)
            : NoSuchTask(id);

    [HttpPatch("{id}")]
    [Consumes("application/json")]
    public async Task<ActionResult<TaskResponse>> Reschedule(
        string id, RescheduleTaskRequest request, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId)
            ? Answer(
                id,
                await client.RescheduleAsync(taskId, Rfc3339.Parse(request.ExecuteAt!), cancel),
                $"only a {ScheduledTaskState.Pending} task can be given another time")
            : NoSuchTask(id);

    [HttpPost("{id}/requeue")]
    public async Task<ActionResult<TaskResponse>> Requeue(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId)
            ? Answer(
                id, await client.RequeueAsync(taskId, cancel), $"only a {ScheduledTaskState.Failed} task can be requeued")
            : NoSuchTask(id);

    [HttpDelete("{id}")]
    public async Task<ActionResult> Delete(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.DeleteAsync(taskId, cancel) ? NoContent() : NoSuchTask(id);

    private async Task<ActionResult> CreateAsync(
        string call,
        IReadOnlyList<NewTask> request,
        string? idempotencyKey,
        Func<IReadOnlyList<TaskResponse>, ActionResult> created,
        CancellationToken cancel)
    {
        // Without API keys the callers have no names and share their idempotency keys.
        var key = idempotencyKey is null
            ? null
            : IdempotencyKey.Of(User.Identity?.Name ?? "", idempotencyKey, call, request);
        var creation = await creator.CreateAsync(request, key, cancel);
        switch (creation.Outcome)
        {
            case CreationOutcome.KeyReused:
                return new ProblemResult(
                    ProblemType.IdempotencyKeyReused,
                    $"This {IdempotencyKeyHeaderAttribute.Name} was sent before with another request. Use a new one.");
            case CreationOutcome.KeyInUse:
                Response.Headers.RetryAfter = "1";
                return new ProblemResult(
                    ProblemType.IdempotencyKeyInUse,
                    $"A request with this {IdempotencyKeyHeaderAttribute.Name} has not ended yet. Repeat this one.");
            case CreationOutcome.Replayed:
                Response.Headers[IdempotencyKeyHeaderAttribute.Replayed] = "true";
                break;
        }

        return created([.. creation.Tasks.Select(TaskResponse.From)]);
    }

    private static ActionResult<TaskResponse> Answer(string id, TaskChange change, string rule) => change switch
    {
        { Applied: true, Task: { } task } => TaskResponse.From(task),
        { Task: { } task } => new ProblemResult(ProblemType.WrongState, $"The task is {task.State}; {rule}."),
        _ => NoSuchTask(id),
    };

    private static ProblemResult NoSuchTask(string id) => new(
        ProblemType.NotFound,
        $"There is no task '{Rfc3339.Shown(id)}': it never existed, or its record was removed after its retention.");
}
