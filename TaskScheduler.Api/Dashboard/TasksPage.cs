using Hangfire.Dashboard;
using Microsoft.AspNetCore.Html;
using TaskScheduler.Api.Metrics;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>The list of tasks, how many there are, and what is paused.</summary>
/// <remarks>The script replaces what is marked with <c>data-live</c> by what a later answer has under the same ID.</remarks>
public static class TasksPage
{
    private static readonly (string Title, TimeSpan Ahead)[] Soon =
        [("overdue", TimeSpan.Zero), ("next 10 minutes", TimeSpan.FromMinutes(10)), ("next hour", TimeSpan.FromHours(1)), ("next 24 hours", TimeSpan.FromDays(1))];

    public static async Task<DashboardPage> LoadAsync(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var query = TasksQuery.Read(http.Request.Query);
        var counts = await context.Service<TaskTableMetrics>().CountsAsync(http.RequestAborted);
        var paused = await context.Service<WorkerPause>().GetAsync(http.RequestAborted);
        var now = context.Service<TimeProvider>().GetUtcNow();
        var isWrong = query.Problems.Count > 0;
        var list = isWrong ? Markup.Nothing : await ListAsync(context, query, now);
        return new DashboardPage(
            "Tasks",
            Markup.Of(
                $"""
                <h1 class="page-header">Tasks</h1>
                {Notice.Take(http)}{TaskMarkup.Problems(query.Problems)}
                <div class="tasks-head">
                <section aria-label="Counts" id="counts" data-live>{Counts(context, counts?.All)}</section>
                <div>{Filter(context, query, now)}<section aria-label="Worker" id="worker" data-live>{Worker(context, query, paused)}</section></div>
                </div>
                {list}
                """),
            isWrong ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK);
    }

    private static IHtmlContent Counts(DashboardContext context, IReadOnlyList<TaskCount>? counts)
    {
        if (counts is null)
            return Markup.Of($"<p>The counts are not known at the moment.</p>");
        var kinds = Enum.GetValues<TaskKind>();
        var rows = counts.GroupBy(count => count.State).Select(state => Markup.Of(
            $"""
            <tr><th scope="row">{Count(state.Key, kind: null, state.Sum(count => count.Count), $"{state.Key}")}</th>
            {Markup.Join(kinds.Select(kind => Markup.Of($"<td>{Number(state.Key, kind)}</td>")))}
            <td>{Count(state.Key, kind: null, state.Sum(count => count.Count))}</td></tr>
            """));
        return Markup.Of(
            $"""
            <table class="table table-condensed tasks-counts">
            <thead><tr><th scope="col">State</th>{Markup.Join(kinds.Select(kind => Markup.Of($"<th scope=\"col\">{kind}</th>")))}<th scope="col">All</th></tr></thead>
            <tbody>{Markup.Join(rows)}</tbody></table>
            """);

        IHtmlContent Number(ScheduledTaskState state, TaskKind kind) =>
            Count(state, kind, counts.Single(count => count.State == state && count.Kind == kind).Count);

        IHtmlContent Count(ScheduledTaskState state, TaskKind? kind, long count, string? text = null)
        {
            var sort = state == ScheduledTaskState.Pending ? ListTasksRequest.NextFirst : ListTasksRequest.NewestFirst;
            var address = context.Url($"/tasks?state={state}{(kind is null ? "" : $"&kind={kind}")}&sort={sort}");
            return count == 0 && text is null ? Markup.Of($"0") : Markup.Of($"<a href=\"{address}\">{text ?? $"{count:N0}"}</a>");
        }
    }

    private static IHtmlContent Filter(DashboardContext context, TasksQuery query, DateTimeOffset now)
    {
        var request = query.Request;
        IEnumerable<string?> labels = request.Label is [] ? [""] : request.Label.Length < TaskFilter.MaxLabels ? [.. request.Label, ""] : request.Label;
        var soon = Soon.Select(part => Markup.Of(
            $"<a href=\"{context.Url($"/tasks?state=Pending&sort=executeAt&executeTo={Rfc3339.Format(now + part.Ahead)}")}\">{part.Title}</a>"));
        return Markup.Of(
            $"""
            <form method="get" action="{context.Url("/tasks")}" class="tasks-filter" id="filter">
            {Boxes<ScheduledTaskState>("state", "State", request.State)}{Boxes<TaskKind>("kind", "Kind", request.Kind)}
            <div class="form-group"><label for="label">Label</label>{Markup.Join(labels.Select((label, i) => Markup.Of(
                $"<input class=\"form-control input-sm\" id=\"{(i == 0 ? "label" : $"label{i}")}\" name=\"label\" value=\"{label}\" aria-label=\"{(i == 0 ? "Label" : $"or label {i + 1}")}\" autocomplete=\"off\">")))}</div>
            {TaskMarkup.TimeField("executeFrom", "Due from", request.ExecuteFrom.FirstOrDefault())}
            {TaskMarkup.TimeField("executeTo", "Due before", request.ExecuteTo.FirstOrDefault())}
            <div class="form-group"><label for="sort">Order</label><select class="form-control input-sm" id="sort" name="sort">
            {Option(ListTasksRequest.NewestFirst, "newest first", isChosen: request.ToSort() == TaskSort.NewestFirst)}{Option(ListTasksRequest.NextFirst, "by time", isChosen: request.ToSort() == TaskSort.NextFirst)}</select></div>
            <div class="form-group"><label for="pageSize">Rows</label>
            <input class="form-control input-sm" id="pageSize" name="pageSize" type="number" min="1" max="{ListTasksRequest.LargestPageSize}" value="{request.PageSize.FirstOrDefault() ?? $"{ListTasksRequest.DefaultPageSize}"}"></div>
            <div class="form-group tasks-apply"><button class="btn btn-sm btn-primary">Show</button> <a class="btn btn-sm btn-default" href="{context.Url("/tasks")}">What runs next</a></div>
            <p class="tasks-soon">Due: {Markup.Join(soon.SelectMany((link, i) => i == 0 ? [link] : new[] { Markup.Of($" · "), link }))}</p>
            </form>
            """);
    }

    private static IHtmlContent Boxes<T>(string name, string title, string?[] given)
        where T : struct, Enum => Markup.Of(
        $"<fieldset><legend>{title}</legend>{Markup.Join(Enum.GetValues<T>().Select(value => Markup.Of(
            $"<label><input type=\"checkbox\" name=\"{name}\" value=\"{value}\"{Checked(given.Any(text => Choice.TryParse<T>(text, out var one) && one.Equals(value)))}> {value}</label>")))}</fieldset>");

    private static IHtmlContent Checked(bool isChecked) => Markup.If(isChecked, $" checked");

    private static IHtmlContent Option(string value, string title, bool isChosen) =>
        Markup.Of($"<option value=\"{value}\"{Markup.If(isChosen, $" selected")}>{title}</option>");

    private static IHtmlContent Worker(DashboardContext context, TasksQuery query, IReadOnlyList<TaskKind> paused)
    {
        var all = Enum.GetValues<TaskKind>();
        var said = paused.Count == 0 ? "No kind is paused." : $"Paused: {string.Join(", ", paused)}; what runs goes on.";
        if (context.IsReadOnly)
            return Markup.Of($"<p>{said}</p>");
        return Markup.Of(
            $"""
            <form method="post" class="tasks-commands">{TaskMarkup.Token(context)}<input type="hidden" name="back" value="{query.QueryWith()}">
            <span>{said}</span>
            {Markup.Join(all.Select(kind => Button(kind, paused.Contains(kind))))}
            {Markup.If(paused.Count < all.Length, $"{TaskMarkup.Button(context, "pause-all", "/tasks/pause", "Pause all")}")}
            {Markup.If(paused.Count > 0, $"{TaskMarkup.Button(context, "resume-all", "/tasks/resume", "Resume all")}")}
            </form>
            """);

        IHtmlContent Button(TaskKind kind, bool isPaused) => TaskMarkup.Button(
            context,
            $"pause-{kind}",
            isPaused ? "/tasks/resume" : "/tasks/pause",
            $"{(isPaused ? "Resume" : "Pause")} {kind}",
            $"name=\"kind\" value=\"{kind}\"");
    }

    private static async Task<IHtmlContent> ListAsync(DashboardContext context, TasksQuery query, DateTimeOffset now)
    {
        var (filter, sort) = (query.Request.ToFilter(), query.Request.ToSort());
        var page = await context.Service<TaskList>().PageAsync(
            filter, sort, query.Request.ToPageSize(), query.Request.ToPosition(), context.GetHttpContext().RequestAborted);
        var next = page.Next is null ? null : PageToken.Write(page.Next, filter, sort);
        return Markup.Of(
            $"""
            <div id="list" data-live><form method="post">{Markup.If(!context.IsReadOnly, $"{Commands(context, query)}")}
            <div class="table-responsive" tabindex="0" role="region" aria-label="Tasks"><table class="table tasks-list">
            <thead><tr>{Markup.If(!context.IsReadOnly, $"<th class=\"min-width\"><input type=\"checkbox\" id=\"all\" aria-label=\"Select all rows\" hidden></th>")}
            <th scope="col">Kind</th><th scope="col">Due</th><th scope="col">Label</th><th scope="col">State</th>
            <th scope="col" title="From the due time to the start, or to now">Late</th><th scope="col">ID</th><th scope="col">Attempt</th><th scope="col">Instance</th></tr></thead>
            <tbody>{Markup.Join(page.Tasks.Select(task => Row(context, task, now)))}</tbody></table></div>
            {Markup.If(page.Tasks.Count == 0, $"<p class=\"alert alert-info\">{(next is null ? "No task matches." : "None here; the next page may have some.")}</p>")}
            <p>{Markup.If(query.Request.PageToken is not [], $"{TaskMarkup.LinkButton(context, "first", query.Address(("pageToken", null)), "First page")}")}
            {Markup.If(next is not null, $"{TaskMarkup.LinkButton(context, "next", query.Address(("pageToken", next)), "Next page", $"rel=\"next\"")}")}</p>
            </form></div>
            """);
    }

    private static IHtmlContent Commands(DashboardContext context, TasksQuery query)
    {
        var filter = query.QueryWith(("pageToken", null));
        return Markup.Of(
            $"""
            <div class="tasks-commands">{TaskMarkup.Token(context)}<input type="hidden" name="back" value="{query.QueryWith()}">
            {TaskMarkup.Button(context, "delete", "/tasks/delete", "Delete selected", $"data-needs-rows data-ask=\"Delete the selected tasks? They never run again.\"")}
            {TaskMarkup.Button(context, "requeue", "/tasks/requeue", "Requeue selected", $"data-needs-rows")}
            {Markup.If(query.HasFilter, $"{TaskMarkup.LinkButton(context, "delete-all", $"/tasks/confirm/delete{filter}", "Delete all that match…")}")}
            {Markup.If(query.HasFilter, $"{TaskMarkup.LinkButton(context, "requeue-all", $"/tasks/confirm/requeue{filter}", "Requeue all that match…")}")}
            </div>
            """);
    }

    private static IHtmlContent Row(DashboardContext context, ScheduledTask task, DateTimeOffset now) => Markup.Of(
        $"""
        <tr class="hover">{Markup.If(!context.IsReadOnly, $"<td>{Box(task)}</td>")}
        <td>{task.Kind}</td><td>{Markup.Time(task.ExecuteAt)}</td><td class="task-label">{task.Label}</td><td>{TaskMarkup.State(task.State)}</td>
        <td>{TaskMarkup.Duration(TaskMarkup.LatenessOf(task, now))}</td>
        <td><a class="task-id" id="task-{task.Id}" href="{context.Url($"/tasks/{task.Id}")}"><span>{$"{task.Id}"[..24]}</span>{$"{task.Id}"[24..]}</a></td>
        <td>{(task.Attempt == 0 ? "" : $"{task.Attempt}")}</td><td class="task-label">{task.Instance}</td></tr>
        """);

    private static IHtmlContent Box(ScheduledTask task) => Markup.Of(
        $"<input type=\"checkbox\" name=\"id\" value=\"{task.Id}\" id=\"row-{task.Id}\" aria-label=\"Select {task.Kind} {task.Id}\">");
}
