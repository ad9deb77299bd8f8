using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using TaskScheduler.Api.Documentation;

namespace TaskScheduler.Api.Tasks;

/// <summary>When the task shall run instead.</summary>
public sealed class RescheduleTaskRequest
{
    /// <summary>The new time: an RFC 3339 time with an offset. A time in the past lets the task run at once.</summary>
    [SentAs(typeof(DateTimeOffset))]
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
