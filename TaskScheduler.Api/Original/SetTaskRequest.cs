using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Original;

/// <summary>The body of <c>POST /task/set</c>.</summary>
public sealed class SetTaskRequest
{
    /// <summary>What the task does.</summary>
    [SentAs(typeof(TaskKind))]
    [JsonConverter(typeof(AnyValueAsText))]
    public string? Kind { get; init; }

    /// <summary>When the task shall run, in Unix seconds. A time in the past runs at once.</summary>
    [SentAs(typeof(long))]
    public JsonElement When { get; init; }

    public NewTask ToTask() => TryGetSeconds(out var seconds)
        ? new(Choice.Parse<TaskKind>(Kind!), DateTimeOffset.FromUnixTimeSeconds(seconds))
        : throw new FormatException($"'{When}' should have been refused by the validator.");

    /// <summary>JSON may write a whole number with a fraction or an exponent, and some clients do: 1669369358.0.</summary>
    public bool TryGetSeconds(out long seconds)
    {
        seconds = 0;
        if (When.ValueKind != JsonValueKind.Number)
            return false;
        if (When.TryGetInt64(out seconds))
            return true;
        var isWhole = When.TryGetDouble(out var number) && double.IsInteger(number) && Math.Abs(number) < long.MaxValue;
        seconds = isWhole ? (long)number : 0;
        return isWhole;
    }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

public sealed class SetTaskValidator : AbstractValidator<SetTaskRequest>
{
    /// <summary>The year 9999, the last that a time can have here.</summary>
    private const long LastSecond = 253_402_300_799;

    /// <summary>In seconds this is the year 5138.</summary>
    private const long CertainlyMilliseconds = 100_000_000_000;

    public SetTaskValidator(ExecutionTime executionTime)
    {
        RuleFor(request => request.Kind).MustBeKind();
        RuleFor(request => request.When).Custom((when, context) =>
        {
            if (when.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
                context.AddFailure("when", "when is missing: a time in Unix seconds, like 1669369358.");
            else if (!context.InstanceToValidate.TryGetSeconds(out var seconds))
                context.AddFailure("when", "when must be a whole number: a time in Unix seconds, like 1669369358.");
            else if (seconds > CertainlyMilliseconds)
                context.AddFailure("when", $"when must be {executionTime.Range}, in seconds; {seconds} looks like milliseconds.");
            else if (executionTime.Problem(TimeOf(seconds)) is { } problem)
                context.AddFailure("when", $"when {problem}.");
        });
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "kind, when");
    }

    /// <summary>Clamped to what a time can be here; all that is clamped is out of range anyway.</summary>
    private static DateTimeOffset TimeOf(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, -LastSecond / 10, LastSecond));
}
