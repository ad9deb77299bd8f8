using Hangfire.Dashboard;
using Microsoft.AspNetCore.Html;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>Says how many tasks a command for all that match would change, and lets a person confirm it.</summary>
public static class ConfirmPage
{
    /// <summary>Beyond it the exact number costs more than it tells.</summary>
    private const int MostCounted = 1_000_000;

    public static Func<DashboardContext, Task<DashboardPage>> Load(string command, string verb) => async context =>
    {
        var http = context.GetHttpContext();
        var query = TasksQuery.Read(http.Request.Query);
        if (query.Problems.Count > 0)
            return Page(TaskMarkup.Problems(query.Problems), StatusCodes.Status400BadRequest);
        if (!query.HasFilter)
            return Page(TaskMarkup.Problems(["A filter is needed."]), StatusCodes.Status400BadRequest);
        var count = await context.Service<TaskList>().CountUpToAsync(MostCounted + 1, Meant(command, query), http.RequestAborted);
        var tasks = count > MostCounted ? $"more than {MostCounted:N0} tasks" : count == 1 ? "1 task" : $"{count:N0} tasks";
        return Page(Markup.Of(
            $"""
            <p class="lead">{(count == 0 ? $"No task to {command} matches." : $"{verb} {tasks}?")}</p>
            <dl class="dl-horizontal">{Markup.Join(query.FilterPairs.Select(pair => Markup.Of($"<dt>{pair.Name}</dt><dd class=\"task-label\">{pair.Value}</dd>")))}</dl>
            <form method="post" action="{context.Url($"/tasks/matching/{command}")}" class="tasks-commands">{TaskMarkup.Token(context)}<input type="hidden" name="back" value="{query.QueryWith()}">
            {Markup.Join(query.FilterPairs.Select(pair => Markup.Of($"<input type=\"hidden\" name=\"{pair.Name}\" value=\"{pair.Value}\">")))}
            {Markup.If(count > 0 && !context.IsReadOnly, $"<button class=\"btn btn-sm {(command == "delete" ? "btn-death" : "btn-primary")}\">{verb} {tasks}</button>")}
            {TaskMarkup.LinkButton(context, "list", query.Address(), "Back to the list")}</form>
            """));

        DashboardPage Page(IHtmlContent body, int status = StatusCodes.Status200OK) =>
            new($"{verb} all that match", Markup.Of($"<h1 class=\"page-header\">{verb} all that match</h1>{body}"), status);
    };

    /// <summary>Only failed tasks can run again.</summary>
    public static TaskFilter Meant(string command, TasksQuery query)
    {
        var filter = query.Request.ToFilter();
        return command != TaskCommands.Requeue ? filter : filter with
        {
            States = filter.States is [] || filter.States.Contains(ScheduledTaskState.Failed) ? [ScheduledTaskState.Failed] : filter.States,
        };
    }
}
