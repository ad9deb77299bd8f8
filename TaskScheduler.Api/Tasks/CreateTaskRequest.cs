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

    /// <summary>A text of your own to find the task by: 1 to 100 characters, none of them a control character.</summary>
    [SentAs(typeof(string), IsLabel = true, MayBeAbsent = true)]
    public JsonElement Label { get; init; }

    /// <summary>
    /// By when the task must have started: a time after executeAt. One that has not started by then expires and never runs.
    /// </summary>
    [SentAs(typeof(DateTimeOffset), MayBeAbsent = true)]
    [JsonConverter(typeof(AnyValueAsText))]
    public string? ExpireAt { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }

    public NewTask ToTask() => new(
        Choice.Parse<TaskKind>(Kind!),
        Rfc3339.Parse(ExecuteAt!),
        Label.IsAbsent() ? null : Label.GetString(),
        ExpireAt is null ? null : Rfc3339.Parse(ExpireAt));
}

public sealed class CreateTaskValidator : AbstractValidator<CreateTaskRequest>
{
    public CreateTaskValidator(ExecutionTime executionTime)
    {
        RuleFor(request => request.Kind).MustBeKind();
        RuleFor(request => request.ExecuteAt).MustBeExecutionTime(executionTime);
        RuleFor(request => request.Label).MustBeLabel();
        RuleFor(request => request).Custom((request, context) =>
        {
            if (request.ExpireAt is not null && executionTime.ExpiryProblem(request.ExecuteAt, request.ExpireAt) is { } problem)
                context.AddFailure("expireAt", $"expireAt {problem}.");
        });
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "kind, executeAt, label, expireAt");
    }
}

/// <summary>The range of execution times that is accepted; the past is, and runs at once.</summary>
public sealed class ExecutionTime(TimeProvider clock, IOptions<TaskOptions> options)
{
    private static readonly DateTimeOffset Earliest = DateTimeOffset.UnixEpoch;

    /// <summary>What is accepted now, to be read after "must be".</summary>
    public string Range => $"from {Rfc3339.Format(Earliest)} to {Rfc3339.Format(Latest)}";

    /// <summary>
    /// Why a task with that execution time cannot expire at that time, to be read after the name of the field; null if it can. An
    /// execution time that cannot be read has its own error.
    /// </summary>
    public string? ExpiryProblem(string? executeAt, string expireAt)
    {
        if (!Rfc3339.TryParse(expireAt, out var expiry, out var problem))
            return problem;
        if (executeAt is null || !Rfc3339.TryParse(executeAt, out var time, out _))
            return null;
        if (expiry <= time)
            return $"must be after executeAt ({Rfc3339.Format(time)}); {Rfc3339.Format(expiry)} is not";
        var latest = (time > clock.GetUtcNow() ? time : clock.GetUtcNow()) + options.Value.MaxAhead;
        return expiry > latest ? $"must be at most {Rfc3339.Format(latest)}; {Rfc3339.Format(expiry)} is not" : null;
    }

    private DateTimeOffset Latest => clock.GetUtcNow() + options.Value.MaxAhead;

    /// <summary>Why a time is not accepted, to be read after the name of the field; null if it is.</summary>
    public string? Problem(DateTimeOffset time) =>
        time < Earliest || time > Latest ? $"must be {Range}; {Rfc3339.Format(time)} is not" : null;
}
