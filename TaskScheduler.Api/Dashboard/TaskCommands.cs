using System.Text.Json;
using FluentValidation;
using Hangfire.Dashboard;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>What can be done on our pages; each is a call of the API as well.</summary>
public static class TaskCommands
{
    public const string Delete = "delete";
    public const string Requeue = "requeue";

    public static Func<DashboardContext, IFormCollection, Task<CommandResult>> Selected(string command) => async (context, form) =>
    {
        var ids = form["id"].Select(id => TaskId.TryParse(id ?? "", out var taskId) ? taskId : (Guid?)null).ToList();
        var back = TasksQuery.AddressOf(form["back"]);
        if (ids is [] || ids.Contains(null))
            return new(back, ids is [] ? "No task was selected." : "One of these is not the ID of a task; nothing was changed.", Refused: true);
        var bulk = context.Service<TaskBulk>();
        var (some, cancel) = (ids.OfType<Guid>().ToList(), context.GetHttpContext().RequestAborted);
        var result = command == Delete ? await bulk.DeleteAsync(some, cancel) : await bulk.RequeueAsync(some, cancel);
        return Said(back, command, result.Changed, some.Count);
    };

    public static Func<DashboardContext, IFormCollection, Task<CommandResult>> Matching(string command) => async (context, form) =>
    {
        var query = TasksQuery.Read(form);
        var back = TasksQuery.AddressOf(form["back"]);
        if (query.Problems.Count > 0 || !query.HasFilter)
            return new(back, query.HasFilter ? string.Join(" ", query.Problems) : "A filter is needed; nothing was changed.", Refused: true);
        var (bulk, filter) = (context.Service<TaskBulk>(), ConfirmPage.Meant(command, query));
        var cancel = context.GetHttpContext().RequestAborted;
        var result = command == Delete ? await bulk.DeleteAsync(filter, cancel) : await bulk.RequeueAsync(filter, cancel);
        return Said(back, command, result.Changed, result.Matched);
    };

    /// <summary>Of the kinds that the form names, or of all.</summary>
    public static Func<DashboardContext, IFormCollection, Task<CommandResult>> Pause(bool pauses) => async (context, form) =>
    {
        var (pause, cancel) = (context.Service<WorkerPause>(), context.GetHttpContext().RequestAborted);
        var back = TasksQuery.AddressOf(form["back"]);
        var names = form["kind"];
        if (names.FirstOrDefault(name => !Choice.TryParse<TaskKind>(name, out _)) is { } wrong)
            return new(back, $"kind {Choice.Problem<TaskKind>(wrong)}.", Refused: true);
        IReadOnlyList<TaskKind> kinds = names.Count == 0 ? Enum.GetValues<TaskKind>() : [.. names.Select(name => Choice.Parse<TaskKind>(name!))];
        await (pauses ? pause.PauseAsync(kinds, cancel) : pause.ResumeAsync(kinds, cancel));
        return new(back, $"{string.Join(", ", kinds)} {(pauses ? "paused" : "resumed")}, on all instances.");
    };

    public static async Task<CommandResult> DeleteAsync(DashboardContext context, IFormCollection form) =>
        TaskId.TryParse(IdOf(context), out var id) && await context.Service<TaskClient>().DeleteAsync(id, context.GetHttpContext().RequestAborted)
            ? new(Path(context), "The task is deleted.")
            : NoSuchTask(context);

    public static async Task<CommandResult> RequeueAsync(DashboardContext context, IFormCollection form) =>
        TaskId.TryParse(IdOf(context), out var id)
            ? Said(context, "The task runs again.", await context.Service<TaskClient>().RequeueAsync(id, context.GetHttpContext().RequestAborted))
            : NoSuchTask(context);

    public static async Task<CommandResult> RescheduleAsync(DashboardContext context, IFormCollection form)
    {
        var (client, cancel) = (context.Service<TaskClient>(), context.GetHttpContext().RequestAborted);
        if (!TaskId.TryParse(IdOf(context), out var id) || await client.FindAsync(id, cancel) is not { } task)
            return NoSuchTask(context);
        var (executeAt, expireAt) = (TextOf(form, "executeAt"), TextOf(form, "expireAt"));
        var request = new RescheduleTaskRequest { ExecuteAt = executeAt, ExpireAt = JsonSerializer.SerializeToElement(expireAt) };
        var errors = context.Service<IValidator<RescheduleTaskRequest>>().Validate(request).Errors;
        return errors is []
            ? Said(context, "The task has its new time.", await client.RescheduleAsync(id, request.ToTime(), cancel))
            : new(Path(context), "", Refused: true)
            {
                Page = TaskPage.Of(context, task, (executeAt, expireAt), [.. errors.Select(error => error.ErrorMessage)]),
            };
    }

    private static string? TextOf(IFormCollection form, string name) => form[name].FirstOrDefault() is { Length: > 0 } text ? text : null;

    private static string IdOf(DashboardContext context) => context.UriMatch.Groups["Id"].Value;

    private static string Path(DashboardContext context) => $"/tasks/{IdOf(context)}";

    private static CommandResult Said(string back, string command, long changed, long of) =>
        new(back, $"{changed:N0} of {of:N0} {(command == Delete ? "deleted" : "requeued")}.", Refused: changed == 0);

    private static CommandResult Said(DashboardContext context, string done, TaskChange change) =>
        change.Task is null ? NoSuchTask(context) : new(Path(context), change.Refusal ?? done, Refused: !change.Applied);

    private static CommandResult NoSuchTask(DashboardContext context) => new("/tasks", "There is no such task.", Refused: true)
    {
        Page = TaskPage.NotFound(context, IdOf(context)),
    };
}
