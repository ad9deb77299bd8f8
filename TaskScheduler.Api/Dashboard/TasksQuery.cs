using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>
/// The query of the list of tasks: that of <c>GET /tasks</c>, so that what follows the question mark means the same there and
/// here. Without any, it is what runs next. Empty fields of a form mean nothing.
/// </summary>
public sealed class TasksQuery
{
    private static readonly string[] FilterNames = ["state", "kind", "label", "executeFrom", "executeTo"];
    private static readonly string[] Names = [.. FilterNames, "sort", "pageSize", "pageToken"];

    private static readonly (string Name, string Value)[] WhatRunsNext =
        [("state", nameof(ScheduledTaskState.Pending)), ("sort", ListTasksRequest.NextFirst)];

    private readonly IReadOnlyList<(string Name, string Value)> _pairs;

    private TasksQuery(IEnumerable<KeyValuePair<string, StringValues>> given, IReadOnlyList<(string, string)> otherwise)
    {
        var pairs = given.SelectMany(named => named.Value, (named, value) => (Name: named.Key, Value: value ?? ""))
            .Where(pair => pair.Value.Length > 0)
            .ToList();
        _pairs = pairs is [] ? otherwise : pairs;
        Request = new ListTasksRequest
        {
            State = Of("state"),
            Kind = Of("kind"),
            Label = Of("label"),
            ExecuteFrom = Of("executeFrom"),
            ExecuteTo = Of("executeTo"),
            Sort = Of("sort"),
            PageSize = Of("pageSize"),
            PageToken = Of("pageToken"),
        };
        Problems =
        [
            .. new ListTasksValidator().Validate(Request).Errors.Select(error => error.ErrorMessage),
            .. _pairs.Select(pair => pair.Name).Except(Names, StringComparer.OrdinalIgnoreCase)
                .Select(name => $"'{Rfc3339.Shown(name)}' is not a query parameter here; allowed: {string.Join(", ", Names)}."),
        ];
    }

    public ListTasksRequest Request { get; }

    /// <summary>What is wrong, in whole sentences.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>Whether anything is left out on purpose.</summary>
    public bool HasFilter => FilterPairs.Any();

    public IEnumerable<(string Name, string Value)> FilterPairs => _pairs.Where(pair => Is(pair.Name, FilterNames));

    public static TasksQuery Read(IQueryCollection query) => new(query, WhatRunsNext);

    /// <summary>A filter that was sent as a form.</summary>
    public static TasksQuery Read(IFormCollection form) => new(form.Where(field => Is(field.Key, FilterNames)), []);

    /// <summary>The address of a list that a form names to come back to.</summary>
    public static string AddressOf(string? query) =>
        new TasksQuery(QueryHelpers.ParseQuery(query), WhatRunsNext).Address();

    /// <summary>This list again, with other values for some names; on its first page, unless one is given.</summary>
    public string Address(params IReadOnlyList<(string Name, string? Value)> changes) => $"/tasks{QueryWith(changes)}";

    /// <inheritdoc cref="Address"/>
    public string QueryWith(params IReadOnlyList<(string Name, string? Value)> changes)
    {
        string[] changed = changes is [] ? [] : [.. changes.Select(change => change.Name), "pageToken"];
        var query = new QueryBuilder(_pairs.Where(pair => !Is(pair.Name, changed))
            .Concat(changes.Where(change => change.Value is not null).Select(change => (change.Name, change.Value!)))
            .Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2)));
        return query.ToString();
    }

    private static bool Is(string name, string[] names) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    private string?[] Of(string name) => [.. _pairs.Where(pair => Is(pair.Name, [name])).Select(pair => pair.Value)];
}
