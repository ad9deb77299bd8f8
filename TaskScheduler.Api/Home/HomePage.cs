using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Metrics;
using TaskScheduler.Api.Security;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Home;

/// <summary>The page at <c>/</c>: what this is, and where a person goes from here.</summary>
public static class HomePage
{
    private const string Body =
        """
        <h1>TaskScheduler</h1>
        <p>Runs <code>Fizz</code>, <code>Buzz</code> and <code>FizzBuzz</code> tasks at the moment you ask for: once, and
          never early.</p>
        {now}
        <dl>
          <dt><a href="{base}/hangfire/tasks">Tasks</a></dt>
          <dd>Find tasks by label, kind, state and time; see what runs next; delete, requeue, reschedule, pause.</dd>
          <dt><a href="{base}/hangfire/overview">Overview</a></dt>
          <dd>What is due in the next hour and day, how punctually tasks start, and what each instance runs.</dd>
          <dt><a href="{base}/hangfire">Dashboard</a></dt><dd>The same as jobs, with their history, and the servers.</dd>
          <dt><a href="{base}/tasks">Tasks as JSON</a></dt>
          <dd>The newest: <a href="{base}/tasks?state=Pending">pending</a>,
            <a href="{base}/tasks?state=Running">running</a>, <a href="{base}/tasks?state=Completed">completed</a>.</dd>
          <dt><a href="{base}/docs">API</a></dt>
          <dd>Every call, to read and to try; the <a href="{base}/openapi/v1.json">OpenAPI document</a> to generate a client from;
            the <a href="{base}/problems">problems</a> that errors name.</dd>
          <dt><a href="{base}/health/ready">Health</a></dt><dd>Whether this instance is ready to work.</dd>
        </dl>
        <h2>Schedule a task</h2>
        <pre id="create" tabindex="0">curl -i {origin}/tasks {key}-H 'Content-Type: application/json' \
          -d "{\"kind\":\"FizzBuzz\",\"executeAt\":\"$(date -u -d '+5 seconds' +%FT%TZ)\"}"</pre>
        <h2>Look at it, list, delete</h2>
        <pre tabindex="0">curl {key}{origin}/tasks/ID
        curl {key}'{origin}/tasks?state=Pending&amp;state=Running&amp;kind=FizzBuzz'
        curl {key}-i -X DELETE {origin}/tasks/ID</pre>
        """;

    /// <summary>With keys the examples say where yours belongs.</summary>
    public static void MapHome(this WebApplication app)
    {
        var needsKey = app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.ApiKeys.Count > 0;
        var page = Page.Of("TaskScheduler", Body)
            .Replace("{key}", needsKey ? $"-H '{ApiKeyAuthentication.Header}: KEY' " : "", StringComparison.Ordinal);
        var alarm = app.Services.GetRequiredService<TaskAlarm>();
        var table = app.Services.GetRequiredService<TaskTableMetrics>();
        app.MapGet("/", async (HttpRequest request) => Results.Content(
                page.Replace("{origin}", Origin(request), StringComparison.Ordinal)
                    .Replace("{now}", await NowAsync(request.HttpContext), StringComparison.Ordinal)
                    .Replace("{base}", request.PathBase, StringComparison.Ordinal),
                Page.MediaType))
            .RequireAuthorization(Access.Pages)
            .WithMetadata(Page.WithData);

        async Task<string> NowAsync(HttpContext http) => await MaySeeTasksAsync(http)
            ? Now(await table.CountsAsync(http.RequestAborted), alarm.Paused, http.Request.PathBase)
            : "";
    }

    /// <summary>The page is open to strangers once there are logins. A browser that was logged in to the dashboard is here, too.</summary>
    private static async Task<bool> MaySeeTasksAsync(HttpContext http)
    {
        var policy = await http.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>().GetPolicyAsync(Access.Dashboard);
        var evaluator = http.RequestServices.GetRequiredService<IPolicyEvaluator>();
        var login = await evaluator.AuthenticateAsync(policy!, http);
        return (await evaluator.AuthorizeAsync(policy!, login, http, http)).Succeeded;
    }

    /// <summary>Three numbers, and what is paused. Without the database the page is there all the same.</summary>
    private static string Now(TableCounts? counts, IReadOnlySet<TaskKind> paused, PathString pathBase)
    {
        var numbers = counts is null
            ? "<p>How many tasks there are is not known at the moment.</p>"
            : $"""
                <p><a href="{pathBase}/hangfire/tasks">{counts.Of(ScheduledTaskState.Pending):N0} pending</a> ·
                <a href="{pathBase}/hangfire/tasks?state=Running&amp;sort=-createdAt">{counts.Of(ScheduledTaskState.Running):N0} running</a> ·
                <a href="{pathBase}/hangfire/tasks?state=Completed&amp;sort=-createdAt">{counts.CompletedToday:N0} done today</a> (UTC)</p>
                """;
        return paused.Count == 0
            ? numbers
            : $"{numbers}<p><strong>Paused: <a href=\"{pathBase}/hangfire/tasks#worker\">{string.Join(", ", paused.Order())}</a></strong></p>";
    }

    /// <summary>Encoded, because a client may write its host as it likes.</summary>
    private static string Origin(HttpRequest request) => HtmlEncoder.Default.Encode($"{request.Scheme}://{request.Host}{request.PathBase}");
}
