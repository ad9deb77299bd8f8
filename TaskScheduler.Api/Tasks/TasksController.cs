using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Errors;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Create, list, show and delete tasks.</summary>
[ApiController]
[Route("tasks")]
[KnownQueryOnly]
public sealed class TasksController(TaskClient client, TaskList list) : ControllerBase
{
    [HttpPost]
    [Consumes("application/json")]
    public async Task<ActionResult<TaskResponse>> Create(CreateTaskRequest request, CancellationToken cancel)
    {
        var kind = Choice.Parse<TaskKind>(request.Kind!);
        var task = await client.CreateAsync(kind, Rfc3339.Parse(request.ExecuteAt!), cancel);
        return Created($"/tasks/{task.Id}", TaskResponse.From(task));
    }

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

    [HttpDelete("{id}")]
    public async Task<ActionResult> Delete(string id, CancellationToken cancel) =>
        TaskId.TryParse(id, out var taskId) && await client.DeleteAsync(taskId, cancel) ? NoContent() : NoSuchTask(id);

    private static ProblemResult NoSuchTask(string id) => new(
        ProblemType.NotFound,
        $"There is no task '{Rfc3339.Shown(id)}': it never existed, or its record was removed after its retention.");
}
