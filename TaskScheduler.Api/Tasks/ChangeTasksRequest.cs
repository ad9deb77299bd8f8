using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Which tasks to change: all that a filter matches, or those of some IDs.</summary>
public sealed class ChangeTasksRequest
{
    public const int MaxIds = 1_000;

    /// <summary>All that match, at that moment. At least one member.</summary>
    [SentAs(typeof(FilterRequest), MayBeAbsent = true)]
    public FilterRequest? Filter { get; init; }

    /// <summary>The IDs of the tasks, instead of a filter.</summary>
    [SentAs(typeof(Guid[]), Minimum = 1, Maximum = MaxIds, MayBeAbsent = true)]
    public JsonElement Ids { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }

    public IReadOnlyList<Guid> ToIds() => [.. Ids.EnumerateArray().Select(id => Guid.Parse(id.Text()))];
}

/// <summary>A filter, with the meanings that its members have in the query of a list.</summary>
public sealed class FilterRequest
{
    /// <summary>What is said of each value costs more than the value.</summary>
    public const int MaxValues = 100;

    /// <summary>Only tasks in these states. Without it, all but the deleted ones.</summary>
    [SentAs(typeof(ScheduledTaskState[]), Minimum = 1, Maximum = MaxValues, MayBeAbsent = true, IsNeverNull = true)]
    public JsonElement State { get; init; }

    /// <summary>Only tasks of these kinds.</summary>
    [SentAs(typeof(TaskKind[]), Minimum = 1, Maximum = MaxValues, MayBeAbsent = true, IsNeverNull = true)]
    public JsonElement Kind { get; init; }

    /// <summary>Only tasks with one of these labels.</summary>
    [SentAs(typeof(string[]), Minimum = 1, Maximum = TaskFilter.MaxLabels, IsLabel = true, MayBeAbsent = true, IsNeverNull = true)]
    public JsonElement Label { get; init; }

    /// <summary>Only tasks that were asked to run at this time or later.</summary>
    [SentAs(typeof(DateTimeOffset), MayBeAbsent = true, IsNeverNull = true)]
    public JsonElement ExecuteFrom { get; init; }

    /// <summary>Only tasks that were asked to run before this time.</summary>
    [SentAs(typeof(DateTimeOffset), MayBeAbsent = true, IsNeverNull = true)]
    public JsonElement ExecuteTo { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }

    /// <summary>Of an array a member is meant once more for each value.</summary>
    public FilterTexts ToTexts() => new(Texts(State), Texts(Kind), Texts(Label), Texts(ExecuteFrom), Texts(ExecuteTo));

    internal IEnumerable<(string Name, JsonElement Value)> Members =>
        [("state", State), ("kind", Kind), ("label", Label), ("executeFrom", ExecuteFrom), ("executeTo", ExecuteTo)];

    private static string?[] Texts(JsonElement member) =>
        [.. member.OneOrMore().Select(value => value.IsAbsent() ? null : value.Text())];
}

public sealed class ChangeTasksValidator : AbstractValidator<ChangeTasksRequest>
{
    private static readonly string Size = $"an array of 1 to {ChangeTasksRequest.MaxIds} task IDs";

    public ChangeTasksValidator()
    {
        RuleFor(request => request).Custom((request, context) =>
        {
            if (request.Filter is null == request.Ids.IsAbsent())
                context.AddFailure("body", "Either filter or ids is needed, and not both.");
            if (request.Filter is { } filter)
                CheckFilter(filter, context);
            if (!request.Ids.IsAbsent())
                CheckIds(request.Ids, context);
        });
        RuleFor(request => request.Filter!.Unknown)
            .MustBeEmpty(allowed: "state, kind, label, executeFrom, executeTo", of: "a filter", within: "filter.")
            .When(request => request.Filter is not null);
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "filter, ids", of: "this request");
    }

    private static void CheckFilter(FilterRequest filter, ValidationContext<ChangeTasksRequest> context)
    {
        if (filter.Members.All(member => member.Value.ValueKind == JsonValueKind.Undefined) && filter.Unknown is not { Count: > 0 })
            context.AddFailure("filter", "filter must have at least one member; allowed: state, kind, label, executeFrom, executeTo.");
        var tooLong = filter.Members.Where(member => member.Value.HasMoreThan(FilterRequest.MaxValues)).ToList();
        foreach (var (name, value) in tooLong)
            context.AddFailure($"filter.{name}", $"{name} may have at most {FilterRequest.MaxValues} values; this one has {value.GetArrayLength()}.");
        if (tooLong is not [])
            return;
        foreach (var (name, _) in filter.Members.Where(member => member.Value is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() == 0))
            context.AddFailure($"filter.{name}", $"{name} must not be empty.");
        // A variable that is null by mistake must not mean all tasks.
        foreach (var (name, _) in filter.Members.Where(member => member.Value.ValueKind == JsonValueKind.Null))
            context.AddFailure($"filter.{name}", $"{name} must not be null; leave it out to mean all.");
        foreach (var _ in filter.Label.OneOrMore().Where(label => !label.IsAbsent() && !label.TryGetString(out var _)))
            context.AddFailure("filter.label", "label must be a text in valid Unicode.");
        foreach (var (field, problem) in filter.ToTexts().Problems())
            context.AddFailure($"filter.{field}", problem);
    }

    private static void CheckIds(JsonElement ids, ValidationContext<ChangeTasksRequest> context)
    {
        if (ids.ValueKind != JsonValueKind.Array)
        {
            context.AddFailure("ids", $"ids must be {Size}.");
            return;
        }

        var count = ids.GetArrayLength();
        if (count is 0 or > ChangeTasksRequest.MaxIds)
        {
            context.AddFailure("ids", $"ids must be {Size}; this one has {count}.");
            return;
        }

        foreach (var (i, id) in ids.EnumerateArray().Index())
        {
            if (!TaskId.TryParse(id.Text(), out _))
                context.AddFailure($"ids[{i}]", $"ids[{i}] must be the ID of a task, a UUID; '{Rfc3339.Shown(id.Text())}' is not one.");
        }
    }
}
