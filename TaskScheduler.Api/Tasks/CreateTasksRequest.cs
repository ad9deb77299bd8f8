using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>A batch: all of its tasks are created, or none.</summary>
public sealed class CreateTasksRequest
{
    public const int MaxTasks = 1_000;

    /// <summary>The tasks to create.</summary>
    [SentAs(typeof(CreateTaskRequest[]), Minimum = 1, Maximum = MaxTasks)]
    public IReadOnlyList<CreateTaskRequest?>? Tasks { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }

    public IReadOnlyList<NewTask> ToTasks() => [.. Tasks!.Select(task => task!.ToTask())];
}

public sealed class CreateTasksValidator : AbstractValidator<CreateTasksRequest>
{
    private static readonly string Size = $"an array of 1 to {CreateTasksRequest.MaxTasks} tasks";

    public CreateTasksValidator(ExecutionTime executionTime)
    {
        RuleFor(request => request.Tasks).Custom((tasks, context) =>
        {
            if (tasks is null)
                context.AddFailure("tasks", $"tasks is missing: {Size}.");
            else if (tasks.Count is 0 or > CreateTasksRequest.MaxTasks)
                context.AddFailure("tasks", $"tasks must be {Size}; this one has {tasks.Count}.");
        });
        // A megabyte holds hundreds of thousands of empty objects, each with something to say about it.
        RuleForEach(request => request.Tasks)
            .NotNull().WithMessage("tasks[{CollectionIndex}] must be a task, not null.")
            .SetValidator(new CreateTaskValidator(executionTime)!)
            .When(request => request.Tasks?.Count <= CreateTasksRequest.MaxTasks);
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "tasks", of: "a batch");
    }
}
