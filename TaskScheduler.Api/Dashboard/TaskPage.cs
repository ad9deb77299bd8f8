using Hangfire.Dashboard;
using Microsoft.AspNetCore.Html;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>One task: all that is known of it, and what can be done with it.</summary>
public static class TaskPage
{
    public static async Task<DashboardPage> LoadAsync(DashboardContext context)
    {
        var id = context.UriMatch.Groups["Id"].Value;
        return TaskId.TryParse(id, out var taskId)
            && await context.Service<TaskClient>().FindAsync(taskId, context.GetHttpContext().RequestAborted) is { } task
                ? Of(context, task)
                : NotFound(context, id);
    }

    public static DashboardPage NotFound(DashboardContext context, string id) => new(
        "No such task",
        Markup.Of(
            $"""
            {Notice.Take(context.GetHttpContext())}
            <h1 class="page-header">No such task</h1>
            <p>There is no task '{Rfc3339.Shown(id)}': it never existed, or its record was removed after its retention.</p>
            <p><a href="{context.Url("/tasks")}">Tasks</a></p>
            """),
        StatusCodes.Status404NotFound);

    /// <param name="context">The request.</param>
    /// <param name="task">The task.</param>
    /// <param name="time">A new time that could not be taken, to be mended by the person who wrote it.</param>
    /// <param name="problems">What is wrong with it.</param>
    public static DashboardPage Of(
        DashboardContext context, ScheduledTask task, (string? ExecuteAt, string? ExpireAt)? time = null, params IReadOnlyCollection<string> problems)
    {
        var now = context.Service<TimeProvider>().GetUtcNow();
        return new DashboardPage(
            $"{task.Kind} {task.Id}",
            Markup.Of(
                $"""
                <ol class="breadcrumb"><li><a href="{context.Url("/tasks")}">Tasks</a></li><li class="active">{task.Id}</li></ol>
                <h1 class="page-header">{task.Kind} <small>{task.Id}</small></h1>
                {Notice.Take(context.GetHttpContext())}{TaskMarkup.Problems(problems)}
                <div id="task" data-live>{Facts(context, task, now)}{Markup.If(!context.IsReadOnly, $"{Commands(context, task)}")}</div>
                {Markup.If(!context.IsReadOnly && task.State == ScheduledTaskState.Pending, $"{Reschedule(context, task, time)}")}
                """),
            problems.Count > 0 ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK,
            context.Url($"/tasks/{task.Id}"));
    }

    private static IHtmlContent Facts(DashboardContext context, ScheduledTask task, DateTimeOffset now)
    {
        (string Name, IHtmlContent? Value)[] facts =
        [
            ("State", TaskMarkup.State(task.State)),
            ("Label", Text(task.Label)),
            ("Due", Markup.Time(task.ExecuteAt)),
            ("Next attempt", task.State == ScheduledTaskState.Pending && task.DueAt != task.ExecuteAt ? Markup.Time(task.DueAt) : null),
            ("Expires", task.ExpireAt is null ? null : Markup.Time(task.ExpireAt)),
            ("Created", Markup.Time(task.CreatedAt)),
            ("Started", task.StartedAt is null ? null : Markup.Time(task.StartedAt)),
            ("Late", Text(TaskMarkup.Duration(TaskMarkup.LatenessOf(task, now)))),
            ("Finished", task.FinishedAt is null ? null : Markup.Time(task.FinishedAt)),
            ("Took", Text(TaskMarkup.Duration(task.FinishedAt - task.StartedAt))),
            ("Deleted", task.DeletedAt is null ? null : Markup.Time(task.DeletedAt)),
            ("Attempts", Text($"{task.Attempt}")),
            ("Failed tries", task.Tries == 0 ? null : Text($"{task.Tries}")),
            ("Instance", Text(task.Instance)),
            ("Output", task.Output is null ? null : Markup.Of($"<code>{task.Output}</code>")),
            ("Error", task.Error is null ? null : Markup.Of($"<pre>{task.Error}</pre>")),
            ("Job", task.JobId is null ? null : Markup.Of($"<a href=\"{context.Url($"/jobs/details/{task.JobId}")}\">#{task.JobId}</a>")),
        ];
        return Markup.Of(
            $"<table class=\"table task-facts\"><tbody>{Markup.Join(facts.Where(fact => fact.Value is not null)
                .Select(fact => Markup.Of($"<tr><th scope=\"row\">{fact.Name}</th><td>{fact.Value}</td></tr>")))}</tbody></table>");
    }

    private static IHtmlContent? Text(string? text) => text is null ? null : Markup.Of($"{text}");

    private static IHtmlContent Commands(DashboardContext context, ScheduledTask task) => Markup.Of(
        $"""
        <form method="post" class="tasks-commands">{TaskMarkup.Token(context)}
        {Markup.If(task.State != ScheduledTaskState.Deleted, $"{TaskMarkup.Button(context, "delete", $"/tasks/{task.Id}/delete", "Delete", $"data-ask=\"Delete this task? It never runs again.\"")}")}
        {Markup.If(TaskTransition.Requeue.Allows(task.State), $"{TaskMarkup.Button(context, "requeue", $"/tasks/{task.Id}/requeue", "Requeue")}")}
        </form>
        """);

    /// <summary>Outside of what is refreshed, so that nothing is lost that is being typed.</summary>
    private static IHtmlContent Reschedule(DashboardContext context, ScheduledTask task, (string? ExecuteAt, string? ExpireAt)? time)
    {
        var (executeAt, expireAt) = time ?? (Rfc3339.Format(task.ExecuteAt), task.ExpireAt is { } limit ? Rfc3339.Format(limit) : null);
        return Markup.Of(
            $"""
            <h2>Reschedule</h2>
            <form method="post" action="{context.Url($"/tasks/{task.Id}/reschedule")}" class="tasks-filter">{TaskMarkup.Token(context)}
            {TaskMarkup.TimeField("executeAt", "Due", executeAt)}{TaskMarkup.TimeField("expireAt", "Expires (empty: never)", expireAt)}
            <div class="form-group tasks-apply"><button class="btn btn-sm btn-primary">Reschedule</button></div></form>
            """);
    }
}
