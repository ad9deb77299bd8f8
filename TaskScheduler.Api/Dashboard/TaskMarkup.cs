using Hangfire.Dashboard;
using Microsoft.AspNetCore.Html;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>What several of our pages show in the same way.</summary>
public static class TaskMarkup
{
    public static string Url(this DashboardContext context, string path) => context.GetHttpContext().Request.PathBase + path;

    /// <summary>Sends the form that it stands in.</summary>
    /// <param name="context">The request.</param>
    /// <param name="id">By which the script keeps the focus on it.</param>
    /// <param name="command">Where to, like <c>/tasks/delete</c>.</param>
    /// <param name="title">What it says.</param>
    /// <param name="more">Attributes.</param>
    public static IHtmlContent Button(DashboardContext context, string id, string command, string title, FormattableString? more = null)
    {
        var look = id == TaskCommands.Delete ? "btn-death" : "btn-default";
        return Markup.Of($"<button class=\"btn btn-sm {look}\" id=\"{id}\" formaction=\"{context.Url(command)}\" {Markup.Of(more ?? $"")}>{title}</button>");
    }

    public static IHtmlContent LinkButton(DashboardContext context, string id, string path, string title, FormattableString? more = null) =>
        Markup.Of($"<a class=\"btn btn-sm btn-default\" id=\"{id}\" href=\"{context.Url(path)}\" {Markup.Of(more ?? $"")}>{title}</a>");

    public static IHtmlContent State(ScheduledTaskState state) =>
        Markup.Of($"<span class=\"task-state task-{state}\">{state}</span>");

    /// <summary>Without it a command is refused as forged.</summary>
    public static IHtmlContent Token(DashboardContext context) =>
        Markup.Of($"<input type=\"hidden\" name=\"__RequestVerificationToken\" value=\"{context.AntiforgeryToken}\">");

    public static IHtmlContent Problems(IReadOnlyCollection<string> problems) => problems.Count == 0
        ? Markup.Nothing
        : Markup.Of($"<div class=\"alert alert-danger\" role=\"alert\"><ul>{Markup.Join(problems.Select(problem => Markup.Of($"<li>{problem}</li>")))}</ul></div>");

    /// <summary>The script lets a person pick one in their own zone; without it this is a text as the API reads it.</summary>
    public static IHtmlContent TimeField(string name, string title, string? value) => Markup.Of(
        $"""
        <div class="form-group"><label for="{name}">{title}</label>
        <input class="form-control input-sm" id="{name}" name="{name}" value="{value}" placeholder="{Rfc3339.Example}" data-time autocomplete="off"></div>
        """);

    /// <summary>How late its latest attempt started; how late it is already, if it waits. Null before its time.</summary>
    public static TimeSpan? LatenessOf(ScheduledTask task, DateTimeOffset now)
    {
        var end = task.StartedAt ?? (task.State == ScheduledTaskState.Pending ? now : task.ExecuteAt);
        return task.StartedAt is null && end <= task.ExecuteAt ? null : end - task.ExecuteAt;
    }

    public static string? Duration(TimeSpan? duration) => duration switch
    {
        null => null,
        { TotalSeconds: < 1 } span => $"{span.TotalMilliseconds:0} ms",
        { TotalMinutes: < 1 } span => $"{span.TotalSeconds:0.0} s",
        { TotalHours: < 1 } span => $"{span.Minutes} min {span.Seconds} s",
        { TotalDays: < 1 } span => $"{span.Hours} h {span.Minutes} min",
        { } span => $"{span.Days:N0} d {span.Hours} h",
    };
}
