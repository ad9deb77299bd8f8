using System.Text.Json;
using FluentValidation;
using TaskScheduler.Api.Errors;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Rules for the members that every way of creating a task has.</summary>
public static class TaskRules
{
    public static void MustBeKind<T>(this IRuleBuilder<T, string?> member) => member.Custom((kind, context) =>
    {
        if (kind is null)
            context.AddFailure("kind", $"kind is missing; allowed: {string.Join(", ", Enum.GetNames<TaskKind>())}.");
        else if (!Choice.TryParse<TaskKind>(kind, out _))
            context.AddFailure("kind", $"kind {Choice.Problem<TaskKind>(kind)}.");
    });

    /// <summary>Refuses each member that the request does not have, by name.</summary>
    public static void MustBeEmpty<T>(this IRuleBuilder<T, IDictionary<string, JsonElement>?> unknown, string allowed) =>
        unknown.Custom((members, context) =>
        {
            foreach (var name in members?.Keys ?? [])
            {
                context.AddFailure(
                    InvalidRequests.FieldOf(name, otherwise: "body"),
                    $"'{Rfc3339.Shown(name)}' is not a member of a task; allowed: {allowed}.");
            }
        });
}
