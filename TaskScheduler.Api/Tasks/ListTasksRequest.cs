using System.ComponentModel;
using System.Globalization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>The query of <c>GET /tasks</c>.</summary>
public sealed class ListTasksRequest
{
    public const int DefaultPageSize = 50;
    public const int LargestPageSize = 500;

    [Description("Only tasks in these states. Without it, all but the deleted ones.")]
    [SentAs(typeof(ScheduledTaskState[]))]
    [FromQuery(Name = "state")]
    public string?[] State { get; init; } = [];

    [Description("Only tasks of these kinds.")]
    [SentAs(typeof(TaskKind[]))]
    [FromQuery(Name = "kind")]
    public string?[] Kind { get; init; } = [];

    [Description("How many tasks a page has at most.")]
    [SentAs(typeof(int), Minimum = 1, Maximum = LargestPageSize, Default = DefaultPageSize)]
    [FromQuery(Name = "pageSize")]
    public string?[] PageSize { get; init; } = [];

    [Description("The nextPageToken of the page before, with the same filters as there.")]
    [SentAs(typeof(string))]
    [FromQuery(Name = "pageToken")]
    public string?[] PageToken { get; init; } = [];

    public TaskFilter ToFilter() => new(
        [.. State.Select(state => Choice.Parse<ScheduledTaskState>(state!)).Distinct().Order()],
        [.. Kind.Select(kind => Choice.Parse<TaskKind>(kind!)).Distinct().Order()]);

    public int ToPageSize() =>
        PageSize is [{ } size] ? int.Parse(size, CultureInfo.InvariantCulture) : DefaultPageSize;

    public PagePosition? ToPosition() =>
        PageToken is [{ } token] && Tasks.PageToken.TryRead(token, ToFilter(), out var position) ? position : null;
}

public sealed class ListTasksValidator : AbstractValidator<ListTasksRequest>
{
    public ListTasksValidator()
    {
        RuleFor(request => request.State).Custom(CheckChoices<ScheduledTaskState>("state"));
        RuleFor(request => request.Kind).Custom(CheckChoices<TaskKind>("kind"));
        RuleFor(request => request.PageSize).Custom((sizes, context) =>
        {
            if (sizes is not [] && !(sizes is [var size] && IsPageSize(size)))
                context.AddFailure("pageSize", $"pageSize must be one whole number from 1 to {ListTasksRequest.LargestPageSize}.");
        });
        RuleFor(request => request).Custom((request, context) =>
        {
            if (request.PageToken is [])
                return;
            var readable = request.State.All(state => Choice.TryParse<ScheduledTaskState>(state, out _))
                && request.Kind.All(kind => Choice.TryParse<TaskKind>(kind, out _));
            if (readable && request.ToPosition() is null)
            {
                context.AddFailure("pageToken",
                    "pageToken must be the nextPageToken of an answer to the same state and kind filters, unchanged.");
            }
        });
    }

    private static bool IsPageSize(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
        && size is >= 1 and <= ListTasksRequest.LargestPageSize;

    private static Action<string?[], ValidationContext<ListTasksRequest>> CheckChoices<T>(string name)
        where T : struct, Enum => (values, context) =>
    {
        foreach (var value in values.Where(value => !Choice.TryParse<T>(value, out _)))
            context.AddFailure(name, $"{name} {Choice.Problem<T>(value)}.");
    };
}
