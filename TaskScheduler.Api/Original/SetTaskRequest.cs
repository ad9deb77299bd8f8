using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Original;

/// <summary>The body of <c>POST /task/set</c>; <see cref="When"/> is in Unix seconds.</summary>
public sealed class SetTaskRequest
{
    [JsonConverter(typeof(AnyValueAsText))]
    public string? Kind { get; init; }

    public JsonElement When { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

public sealed class SetTaskValidator : AbstractValidator<SetTaskRequest>
{
    /// <summary>The year 9999, the last that a time can have here.</summary>
    private const long LastSecond = 253_402_300_799;

    public SetTaskValidator(ExecutionTime executionTime)
    {
        RuleFor(request => request.Kind).Custom((kind, context) =>
        {
            if (kind is null)
                context.AddFailure("kind", $"kind is missing; allowed: {string.Join(", ", Enum.GetNames<TaskKind>())}.");
            else if (!Choice.TryParse<TaskKind>(kind, out _))
                context.AddFailure("kind", $"kind {Choice.Problem<TaskKind>(kind)}.");
        });
        RuleFor(request => request.When).Custom((when, context) =>
        {
            if (when.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
                context.AddFailure("when", "when is missing: a time in Unix seconds, like 1669369358.");
            else if (when.ValueKind != JsonValueKind.Number || !when.TryGetInt64(out var seconds))
                context.AddFailure("when", "when must be a whole number: a time in Unix seconds, like 1669369358.");
            else if (executionTime.Problem(DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, -LastSecond / 10, LastSecond))) is { } problem)
                context.AddFailure("when", $"when {problem}{(seconds > 100_000_000_000 ? " (it is in seconds, not milliseconds)" : "")}.");
        });
        RuleFor(request => request.Unknown).Custom((unknown, context) =>
        {
            foreach (var name in unknown?.Keys ?? [])
            {
                context.AddFailure(
                    InvalidRequests.FieldOf(name, otherwise: "body"),
                    $"'{Rfc3339.Shown(name)}' is not a member of a task; allowed: kind, when.");
            }
        });
    }
}
