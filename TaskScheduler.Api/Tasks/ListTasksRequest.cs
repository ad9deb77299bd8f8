using System.ComponentModel;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>The query of <c>GET /tasks</c>.</summary>
public sealed class ListTasksRequest
{
    public const string NewestFirst = "-createdAt";
    public const string NextFirst = "executeAt";
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

    [Description("Only tasks with one of these labels. At most 10.")]
    [SentAs(typeof(string[]), Maximum = TaskFilter.MaxLabels, IsLabel = true)]
    [FromQuery(Name = "label")]
    public string?[] Label { get; init; } = [];

    [Description("Only tasks that were asked to run at this time or later.")]
    [SentAs(typeof(DateTimeOffset))]
    [FromQuery(Name = "executeFrom")]
    public string?[] ExecuteFrom { get; init; } = [];

    [Description("Only tasks that were asked to run before this time.")]
    [SentAs(typeof(DateTimeOffset))]
    [FromQuery(Name = "executeTo")]
    public string?[] ExecuteTo { get; init; } = [];

    [Description("-createdAt: newest first. executeAt: by the time that was asked for, what runs next first among pending ones.")]
    [SentAs(typeof(string), Choices = [NewestFirst, NextFirst])]
    [FromQuery(Name = "sort")]
    public string?[] Sort { get; init; } = [];

    [Description("How many tasks a page has at most.")]
    [SentAs(typeof(int), Minimum = 1, Maximum = LargestPageSize, Default = DefaultPageSize)]
    [FromQuery(Name = "pageSize")]
    public string?[] PageSize { get; init; } = [];

    [Description("The nextPageToken of the page before, with the same filters and order as there.")]
    [SentAs(typeof(string))]
    [FromQuery(Name = "pageToken")]
    public string?[] PageToken { get; init; } = [];

    public TaskFilter ToFilter() => ToTexts().ToFilter();

    public TaskSort ToSort() => Sort is [NextFirst] ? TaskSort.NextFirst : TaskSort.NewestFirst;

    /// <summary>The filter's part; null stands for what was given without a value.</summary>
    public FilterTexts ToTexts() => new(State, Kind, Label, ExecuteFrom, ExecuteTo);

    public int ToPageSize() =>
        PageSize is [{ } size] && WholeNumber.TryParse(size, out var number) ? (int)number : DefaultPageSize;

    public PagePosition? ToPosition() =>
        PageToken is [{ } token] && Tasks.PageToken.TryRead(token, ToFilter(), ToSort(), out var position) ? position : null;
}

public sealed class ListTasksValidator : AbstractValidator<ListTasksRequest>
{
    public ListTasksValidator()
    {
        RuleFor(request => request).Custom((request, context) =>
        {
            foreach (var (field, problem) in request.ToTexts().Problems())
                context.AddFailure(field, problem);
        });
        RuleFor(request => request.Sort).Custom((sorts, context) =>
        {
            if (sorts is not ([] or [ListTasksRequest.NewestFirst] or [ListTasksRequest.NextFirst]))
                context.AddFailure("sort", $"sort must be one of {ListTasksRequest.NewestFirst}, {ListTasksRequest.NextFirst}.");
        });
        RuleFor(request => request.PageSize).Custom((sizes, context) =>
        {
            if (sizes is not [] && !(sizes is [var size] && IsPageSize(size)))
                context.AddFailure("pageSize", $"pageSize must be one whole number from 1 to {ListTasksRequest.LargestPageSize}.");
        });
        RuleFor(request => request).Custom((request, context) =>
        {
            if (request.PageToken is not [] && !request.ToTexts().Problems().Any() && request.ToPosition() is null)
            {
                context.AddFailure("pageToken",
                    "pageToken must be the nextPageToken of an answer to the same filters and sort, unchanged.");
            }
        });
    }

    private static bool IsPageSize(string? text) =>
        WholeNumber.TryParse(text, out var size) && size is >= 1 and <= ListTasksRequest.LargestPageSize;
}
