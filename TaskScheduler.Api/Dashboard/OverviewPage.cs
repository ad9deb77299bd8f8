using System.Text.Json;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Html;
using TaskScheduler.Api.Metrics;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>Pictures of what is due, of what was done and how punctually, and of who does it.</summary>
/// <remarks>
/// The script draws what <c>#overview-figures</c> holds, and draws it anew when that is replaced. Each picture has its figures
/// beside it as a table.
/// </remarks>
public static class OverviewPage
{
    public static async Task<DashboardPage> LoadAsync(DashboardContext context)
    {
        var reading = await context.Service<OverviewFigures>().GetAsync(context.GetHttpContext().RequestAborted);
        var overview = reading.Value;
        return new DashboardPage(
            "Overview",
            Markup.Of(
                $"""
                <h1 class="page-header">Overview</h1>
                <div id="overview-said" data-live>{Said(reading)}</div>
                <div class="overview">
                {Picture("due-minutes", "Due in the next hour", "Tasks due per minute", Due(context, "Minute", o => o.Due.ByMinute))}
                {Picture("due-hours", "Due in the next day", "Tasks due per hour", Due(context, "Hour", o => o.Due.ByHour))}
                {Picture("throughput", "Finished in the last hour", "Tasks finished per minute", Done)}
                {Picture("lateness", "Start lateness in the last hour", "Start lateness per minute", Lateness)}
                </div>
                <section aria-labelledby="instances-title">
                <h2 class="h3" id="instances-title">Instances</h2>
                <div id="instances" data-live>{(overview is null ? Unknown : Instances(overview.Instances))}</div>
                </section>
                <div id="overview-figures" data-live hidden>{(overview is null ? Markup.Nothing : Data(overview))}</div>
                """));

        IHtmlContent Picture(string id, string title, string what, Func<Overview, (IHtmlContent, IHtmlContent)> show) =>
            OverviewPage.Picture(id, title, what, overview is null ? (Unknown, Unknown) : show(overview));
    }

    private static readonly IHtmlContent Unknown = Markup.Of($"<p>Not known at the moment.</p>");

    private static IHtmlContent Said(Reading<Overview> reading) => reading switch
    {
        { Value: null, Failed: true } => Markup.Of(
            $"<div class=\"alert alert-danger\" role=\"alert\">The figures could not be read; the log of this instance says why.</div>"),
        { Value: null } => Markup.Of($"<div class=\"alert alert-info\" role=\"status\">The figures are being read.</div>"),
        { Failed: true } => Markup.Of(
            $"<div class=\"alert alert-warning\" role=\"alert\">The figures could not be read anew; the log of this instance says why. These are of {Markup.Time(reading.At)}.</div>"),
        { Value.Due.Overdue: 0 } => Markup.Of($"<p>No task is overdue, as of {Markup.Time(reading.At)}.</p>"),
        { Value.Due.Overdue: var overdue } => Markup.Of($"<p><strong>{Overdue(overdue)}</strong>, as of {Markup.Time(reading.At)}.</p>"),
    };

    private static string Overdue(int count) => count > TaskFigures.MostOverdue
        ? $"More than {TaskFigures.MostOverdue:N0} tasks are overdue"
        : $"{Tasks(count)} {(count == 1 ? "is" : "are")} overdue";

    /// <summary>Without the script a picture is not there, and its table is.</summary>
    private static IHtmlContent Picture(
        string id, string title, string what, (IHtmlContent Summary, IHtmlContent Table) figures) => Markup.Of(
        $"""
        <section aria-labelledby="{id}-title">
        <h2 class="h3" id="{id}-title">{title}</h2>
        <div id="{id}-summary" data-live>{figures.Summary}</div>
        <div class="overview-picture" hidden><canvas id="{id}" role="img" aria-label="{what}. The table below has the same figures."></canvas></div>
        <details><summary>{what}, as a table</summary>
        <div class="overview-rows" role="region" aria-label="{what}" tabindex="0"><div id="{id}-table" data-live>{figures.Table}</div></div></details>
        </section>
        """);

    private static Func<Overview, (IHtmlContent, IHtmlContent)> Due(
        DashboardContext context, string part, Func<Overview, IReadOnlyList<DueCount>> find) => overview =>
    {
        var due = find(overview);
        var length = due[1].From - due[0].From;
        var most = due.MaxBy(count => count.Count)!;
        return (
            most.Count == 0
                ? Markup.Of($"<p>Nothing is due.</p>")
                : Markup.Of($"<p>{Tasks(due.Sum(count => count.Count))}. The most in one {part.ToLowerInvariant()}: {most.Count:N0}, from {At(most.From)}.</p>"),
            Table(
                [part, "Tasks"],
                "Nothing is due at other times.",
                from count in due
                where count.Count > 0
                let range = $"executeFrom={Rfc3339.Format(count.From)}&executeTo={Rfc3339.Format(count.From + length)}"
                let list = context.Url($"/tasks?state=Pending&sort=executeAt&{range}")
                let link = Markup.Of($"<a id=\"{part}-{count.From.ToUnixTimeSeconds()}\" href=\"{list}\">{At(count.From)}</a>")
                select Row(link, $"{count.Count:N0}")));
    };

    private static (IHtmlContent, IHtmlContent) Done(Overview overview)
    {
        var (completed, failed) = (overview.Done.Sum(minute => minute.Completed), overview.Done.Sum(minute => minute.Failed));
        return (
            completed + failed == 0
                ? Markup.Of($"<p>Nothing finished.</p>")
                : Markup.Of($"<p>{Tasks(completed)} completed, {failed:N0} failed.</p>"),
            Table(
                ["Minute", "Completed", "Failed"],
                "Nothing finished in other minutes.",
                from minute in overview.Done
                where minute.Completed + minute.Failed > 0
                select Row(At(minute.From), $"{minute.Completed:N0}", $"{minute.Failed:N0}")));
    }

    private static (IHtmlContent, IHtmlContent) Lateness(Overview overview)
    {
        var measured = overview.Done.Where(minute => minute.Median is not null).ToList();
        return (
            measured is [.., var last]
                ? Markup.Of(
                    $"""
                    <p>In the minute from {At(last.From)}: half of the tasks at most {TaskMarkup.Duration(last.Median)} late,
                    99 of 100 at most {TaskMarkup.Duration(last.Percentile99)}, by a sample.</p>
                    """)
                : Markup.Of($"<p>Nothing to measure: no task finished in its first attempt.</p>"),
            Table(
                ["Minute", "p50: half of them at most", "p99: 99 of 100 at most"],
                "A task counts in the minute in which it finished. In other minutes there was nothing to measure.",
                from minute in measured
                select Row(At(minute.From), TaskMarkup.Duration(minute.Median), TaskMarkup.Duration(minute.Percentile99))));
    }

    private static IHtmlContent Instances(IReadOnlyList<InstanceFigures> instances)
    {
        var rows = instances.Select(i => Markup.Of(
            $"""
            <tr><th scope="row">{i.Name}</th><td>{i.Running:N0}</td><td>{i.Slots:N0}</td>
            <td>{(i.Slots == 0 ? Markup.Of($"runs no tasks") : Load(i))}</td></tr>
            """));
        return instances is []
            ? Markup.Of($"<p>No instance has said lately that it lives.</p>")
            : Markup.Of(
                $"""
                {Markup.If(instances.All(i => i.Slots == 0), $"<div class=\"alert alert-warning\" role=\"alert\">No instance has a slot: nothing will run.</div>")}
                <div class="table-responsive"><table class="table overview-instances">
                <thead><tr><th scope="col">Instance</th><th scope="col">Running</th><th scope="col">Slots</th><th scope="col">Load</th></tr></thead>
                <tbody>{Markup.Join(rows)}</tbody></table></div>
                """);
    }

    /// <summary>A bar of the browser's own, for which no script is needed and no style.</summary>
    private static IHtmlContent Load(InstanceFigures i) => Markup.Of(
        $"<meter min=\"0\" max=\"{i.Slots}\" high=\"{0.9 * i.Slots}\" value=\"{i.Running}\" aria-hidden=\"true\"></meter> {(double)i.Running / i.Slots:P0}");

    private static IHtmlContent Table(string[] heads, string others, IEnumerable<IHtmlContent> rows) => Markup.Of(
        $"""
        <table class="table table-condensed">
        <thead><tr>{Markup.Join(heads.Select(head => Markup.Of($"<th scope=\"col\">{head}</th>")))}</tr></thead>
        <tbody>{Markup.Join(rows)}</tbody></table>
        <p>{others}</p>
        """);

    private static IHtmlContent Row(IHtmlContent head, params IEnumerable<string?> cells) => Markup.Of(
        $"<tr><th scope=\"row\">{head}</th>{Markup.Join(cells.Select(cell => Markup.Of($"<td>{cell}</td>")))}</tr>");

    /// <summary>In UTC; the script writes it in the reader's zone.</summary>
    private static IHtmlContent At(DateTimeOffset time) => Markup.Of(
        $"<span data-at=\"{time.ToUnixTimeMilliseconds()}\" title=\"{time.UtcDateTime:yyyy-MM-dd HH:mm} UTC\">{time.UtcDateTime:HH:mm} UTC</span>");

    private static string Tasks(int count) => count == 1 ? "1 task" : $"{count:N0} tasks";

    /// <summary>The serializer writes what could end the element as an escape.</summary>
    private static IHtmlContent Data(Overview overview)
    {
        var json = JsonSerializer.Serialize(new
        {
            dueMinutes = overview.Due.ByMinute.Select(Point),
            dueHours = overview.Due.ByHour.Select(Point),
            done = overview.Done.Select(minute => new
            {
                from = minute.From.ToUnixTimeMilliseconds(),
                minute.Completed,
                minute.Failed,
                median = minute.Median?.TotalMilliseconds,
                percentile99 = minute.Percentile99?.TotalMilliseconds,
            }),
        }, JsonSerializerOptions.Web);
        return Markup.Of($"<script type=\"application/json\">{new HtmlString(json)}</script>");

        static object Point(DueCount due) => new { from = due.From.ToUnixTimeMilliseconds(), due.Count };
    }
}
