using System.Text.Json;
using FluentValidation;
using TaskScheduler.Api.Errors;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Rules for the members that several requests have.</summary>
public static class TaskRules
{
    /// <summary>How many unknown members are named in an answer.</summary>
    private const int MaxNamed = 100;

    public static void MustBeKind<T>(this IRuleBuilder<T, string?> member) => member.Custom((kind, context) =>
    {
        if (kind is null)
            context.AddFailure("kind", $"kind is missing; allowed: {string.Join(", ", Enum.GetNames<TaskKind>())}.");
        else if (!Choice.TryParse<TaskKind>(kind, out _))
            context.AddFailure("kind", $"kind {Choice.Problem<TaskKind>(kind)}.");
    });

    public static void MustBeExecutionTime<T>(this IRuleBuilder<T, string?> member, ExecutionTime allowed) =>
        member.Custom((executeAt, context) =>
        {
            if (executeAt is null)
                context.AddFailure("executeAt", $"executeAt is missing: an RFC 3339 time with an offset, like {Rfc3339.Example}.");
            else if (!Rfc3339.TryParse(executeAt, out var time, out var problem))
                context.AddFailure("executeAt", $"executeAt {problem}.");
            else if (allowed.Problem(time) is { } outOfRange)
                context.AddFailure("executeAt", $"executeAt {outOfRange}.");
        });

    /// <summary>A label, or none.</summary>
    public static void MustBeLabel<T>(this IRuleBuilder<T, JsonElement> member) => member.Custom((label, context) =>
    {
        if (label.IsAbsent())
            return;
        var problem = label.TryGetString(out var text) ? TaskLabel.Problem(text) : "must be a text in valid Unicode";
        if (problem is not null)
            context.AddFailure("label", $"label {problem}.");
    });

    /// <summary>Refuses each member that the request does not have, by name.</summary>
    public static IRuleBuilderOptionsConditions<T, IDictionary<string, JsonElement>?> MustBeEmpty<T>(
        this IRuleBuilder<T, IDictionary<string, JsonElement>?> unknown, string allowed, string of = "a task", string within = "") =>
        unknown.Custom((members, context) =>
        {
            // A megabyte holds a hundred thousand of them.
            foreach (var name in (members?.Keys ?? []).Take(MaxNamed))
            {
                context.AddFailure(
                    within + InvalidRequests.FieldOf(name, otherwise: "body"),
                    $"'{Rfc3339.Shown(name)}' is not a member of {of}; allowed: {allowed}.");
            }
        });
}
