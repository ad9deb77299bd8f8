using System.Text.Json.Serialization;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>A task as the API shows it.</summary>
public sealed record TaskResponse(
    Guid Id,
    TaskKind Kind,
    ScheduledTaskState State,
    DateTimeOffset ExecuteAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? DeletedAt,
    int Attempt,
    string? Instance,
    string? Output,
    string? Error)
{
    public static TaskResponse From(ScheduledTask task) => new(
        task.Id, task.Kind, task.State, task.ExecuteAt, task.CreatedAt, task.StartedAt, task.FinishedAt, task.DeletedAt,
        task.Attempt, task.Instance, task.Output, task.Error);
}

/// <summary>The tasks of a batch, in the order of the request.</summary>
public sealed record CreatedTasksResponse(IReadOnlyList<TaskResponse> Tasks);

/// <summary>One page of a list; <paramref name="NextPageToken"/> is absent on the last.</summary>
public sealed record TaskListResponse(
    IReadOnlyList<TaskResponse> Tasks,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? NextPageToken);
