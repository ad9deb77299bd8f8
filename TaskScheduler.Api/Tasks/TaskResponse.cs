using System.Text.Json.Serialization;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>A task.</summary>
/// <param name="Id">The task's ID.</param>
/// <param name="Kind">What the task does.</param>
/// <param name="State">Where the task stands.</param>
/// <param name="Label">The client's own text; null without one.</param>
/// <param name="ExecuteAt">When it was asked to run, rounded up to the millisecond. It never starts before.</param>
/// <param name="ExpireAt">By when it must have started, rounded up to the millisecond; null if it may start at any time.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="StartedAt">When its latest attempt started; null while it is pending.</param>
/// <param name="FinishedAt">When it was completed, failed or expired.</param>
/// <param name="DeletedAt">When it was deleted.</param>
/// <param name="Attempt">The number of its latest attempt; 0 until the first one.</param>
/// <param name="Instance">The instance that its latest attempt ran on; null while it is pending.</param>
/// <param name="Output">The line that it printed; null until it is completed.</param>
/// <param name="Error">Why its latest try failed; null unless one did.</param>
public sealed record TaskResponse(
    Guid Id,
    TaskKind Kind,
    ScheduledTaskState State,
    string? Label,
    DateTimeOffset ExecuteAt,
    DateTimeOffset? ExpireAt,
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
        task.Id, task.Kind, task.State, task.Label, task.ExecuteAt, task.ExpireAt, task.CreatedAt, task.StartedAt, task.FinishedAt,
        task.DeletedAt, task.Attempt, task.Instance, task.Output, task.Error);
}

/// <summary>The tasks of a batch.</summary>
/// <param name="Tasks">The tasks, pending, in the order of the request.</param>
public sealed record CreatedTasksResponse(IReadOnlyList<TaskResponse> Tasks);

/// <summary>One page of a list.</summary>
/// <param name="Tasks">The tasks, in the order of the list.</param>
/// <param name="NextPageToken">What to ask for the next page with; absent on the last.</param>
public sealed record TaskListResponse(
    IReadOnlyList<TaskResponse> Tasks,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? NextPageToken);

/// <summary>How many tasks there are.</summary>
/// <param name="Total">All of them, deleted ones too.</param>
/// <param name="Counts">How many of each state and kind: every pair, also where there are none.</param>
public sealed record TaskCountsResponse(long Total, IReadOnlyList<TaskCount> Counts);

/// <summary>What a change of many tasks came to.</summary>
/// <param name="Matched">How many tasks the filter or the IDs meant.</param>
/// <param name="Changed">How many of them were in a state that allows the change, and were changed.</param>
public sealed record ChangedTasksResponse(long Matched, long Changed);
