using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;

namespace TaskScheduler.Api.Tasks;

/// <summary>The body of <c>PATCH /tasks/{id}</c>.</summary>
public sealed class RescheduleTaskRequest
{
    [JsonConverter(typeof(AnyValueAsText))]
    public string? ExecuteAt { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

public sealed class RescheduleTaskValidator : AbstractValidator<RescheduleTaskRequest>
{
    public RescheduleTaskValidator(ExecutionTime executionTime)
    {
        RuleFor(request => request.ExecuteAt).MustBeExecutionTime(executionTime);
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "executeAt", of: "a change");
    }
}
