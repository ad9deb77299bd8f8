using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>What shall run, and when.</summary>
public sealed class CreateTaskRequest
{
    /// <summary>What the task does.</summary>
    [SentAs(typeof(TaskKind))]
    [JsonConverter(typeof(AnyValueAsText))]
    public string? Kind { get; init; }

    /// <summary>When the task shall run: an RFC 3339 time with an offset. A time in the past runs at once.</summary>
    [SentAs(typeof(DateTimeOffset))]
    [JsonConverter(typeof(AnyValueAsText))]
    public string? ExecuteAt { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }

    public NewTask ToTask() => new(Choice.Parse<TaskKind>(Kind!), Rfc3339.Parse(ExecuteAt!));
}

public sealed class CreateTaskValidator : AbstractValidator<CreateTaskRequest>
{
    public CreateTaskValidator(ExecutionTime executionTime)
    {
        RuleFor(request => request.Kind).MustBeKind();
        RuleFor(request => request.ExecuteAt).MustBeExecutionTime(executionTime);
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "kind, executeAt");
    }
}

/// <summary>The range of execution times that is accepted; the past is, and runs at once.</summary>
public sealed class ExecutionTime(TimeProvider clock, IOptions<TaskOptions> options)
{
    private static readonly DateTimeOffset Earliest = DateTimeOffset.UnixEpoch;

    /// <summary>What is accepted now, to be read after "must be".</summary>
    public string Range => $"from {Rfc3339.Format(Earliest)} to {Rfc3339.Format(Latest)}";

    private DateTimeOffset Latest => clock.GetUtcNow() + options.Value.MaxAhead;

    /// <summary>Why a time is not accepted, to be read after the name of the field; null if it is.</summary>
    public string? Problem(DateTimeOffset time) =>
        time < Earliest || time > Latest ? $"must be {Range}; {Rfc3339.Format(time)} is not" : null;
}
