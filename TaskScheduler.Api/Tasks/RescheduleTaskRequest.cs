using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>When the task shall run instead.</summary>
public sealed class RescheduleTaskRequest
{
    /// <summary>The new time: an RFC 3339 time with an offset. A time in the past lets the task run at once.</summary>
    [SentAs(typeof(DateTimeOffset))]
    [JsonConverter(typeof(AnyValueAsText))]
    public string? ExecuteAt { get; init; }

    /// <summary>By when the task must have started: after executeAt, or null for no limit. Left out, it stays as it is.</summary>
    [SentAs(typeof(DateTimeOffset), MayBeAbsent = true)]
    public JsonElement ExpireAt { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }

    public NewTime ToTime() => new(
        Rfc3339.Parse(ExecuteAt!),
        KeepsExpireAt: ExpireAt.ValueKind == JsonValueKind.Undefined,
        ExpireAt.IsAbsent() ? null : Rfc3339.Parse(ExpireAt.Text()));
}

public sealed class RescheduleTaskValidator : AbstractValidator<RescheduleTaskRequest>
{
    public RescheduleTaskValidator(ExecutionTime executionTime)
    {
        RuleFor(request => request.ExecuteAt).MustBeExecutionTime(executionTime);
        RuleFor(request => request).Custom((request, context) =>
        {
            if (!request.ExpireAt.IsAbsent()
                && executionTime.ExpiryProblem(request.ExecuteAt, request.ExpireAt.Text()) is { } problem)
            {
                context.AddFailure("expireAt", $"expireAt {problem}.");
            }
        });
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "executeAt, expireAt", of: "a change");
    }
}
