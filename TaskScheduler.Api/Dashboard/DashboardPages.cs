using Hangfire;
using Hangfire.Dashboard;
using Hangfire.States;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>
/// Our pages, in Hangfire's dashboard by its own extension points. These belong to the process, hence once, however many
/// applications it starts; a page finds the services of the one that was asked.
/// </summary>
public static class DashboardPages
{
    private const string Content = "TaskScheduler.Api.Dashboard.Content.";

    private static readonly Lazy<bool> Added = new(Add);

    public static void EnsureAdded() => _ = Added.Value;

    public static T Service<T>(this DashboardContext context)
        where T : notnull => context.GetHttpContext().RequestServices.GetRequiredService<T>();

    private static bool Add()
    {
        var assembly = typeof(DashboardPages).Assembly;
        DashboardRoutes.AddStylesheet(assembly, $"{Content}tasks.css");
        DashboardRoutes.AddStylesheet(assembly, $"{Content}overview.css");
        DashboardRoutes.AddJavaScript(assembly, $"{Content}tasks.js");
        DashboardRoutes.AddJavaScript(assembly, $"{Content}overview.js");

        NavigationMenu.Items.Insert(0, page => new MenuItem("Tasks", page.Url.To("/tasks"))
        {
            Active = page.RequestPath.StartsWith("/tasks", StringComparison.OrdinalIgnoreCase),
        });
        NavigationMenu.Items.Insert(1, page => new MenuItem("Overview", page.Url.To("/overview"))
        {
            Active = page.RequestPath.StartsWith("/overview", StringComparison.OrdinalIgnoreCase),
        });
        NavigationMenu.Items.Add(page => new MenuItem("Start page", StartPage(page)));
        NavigationMenu.Items.Add(Paused);
        GlobalConfiguration.Configuration.UseJobDetailsRenderer(0, TaskOf);
        // Hangfire's own constructs the state that a job waits for, and fails on one that is not known here.
        JobHistoryRenderer.Register(AwaitingState.StateName, JobHistoryRenderer.DefaultRenderer);

        var routes = DashboardRoutes.Routes;
        routes.Add("/overview", new PageDispatcher(OverviewPage.LoadAsync));
        routes.Add("/tasks", new PageDispatcher(TasksPage.LoadAsync));
        routes.Add("/tasks/confirm/delete", new PageDispatcher(ConfirmPage.Load(TaskCommands.Delete, "Delete")));
        routes.Add("/tasks/confirm/requeue", new PageDispatcher(ConfirmPage.Load(TaskCommands.Requeue, "Requeue")));
        routes.Add("/tasks/delete", new CommandDispatcher(TaskCommands.Selected(TaskCommands.Delete)));
        routes.Add("/tasks/requeue", new CommandDispatcher(TaskCommands.Selected(TaskCommands.Requeue)));
        routes.Add("/tasks/matching/delete", new CommandDispatcher(TaskCommands.Matching(TaskCommands.Delete)));
        routes.Add("/tasks/matching/requeue", new CommandDispatcher(TaskCommands.Matching(TaskCommands.Requeue)));
        routes.Add("/tasks/pause", new CommandDispatcher(TaskCommands.Pause(pauses: true)));
        routes.Add("/tasks/resume", new CommandDispatcher(TaskCommands.Pause(pauses: false)));
        routes.Add("/tasks/(?<Id>[^/]+)/delete", new CommandDispatcher(TaskCommands.DeleteAsync));
        routes.Add("/tasks/(?<Id>[^/]+)/requeue", new CommandDispatcher(TaskCommands.RequeueAsync));
        routes.Add("/tasks/(?<Id>[^/]+)/reschedule", new CommandDispatcher(TaskCommands.RescheduleAsync));
        routes.Add("/tasks/(?<Id>[^/]+)", new PageDispatcher(TaskPage.LoadAsync));
        return true;
    }

    /// <summary>On the page of a job: its task, and why the last command changed nothing.</summary>
    private static NonEscapedString TaskOf(JobDetailsRendererDto job)
    {
        if (TaskJob.TaskOf(job.JobDetails.Job) is not { } task)
            return new("");
        var refusal = job.JobDetails.Properties.TryGetValue(DashboardCommands.Refusal, out var reason) ? reason : null;
        return new(Markup.Of(
            $"""
            {Markup.If(refusal is not null, $"<div class=\"alert alert-warning\">Nothing was changed: {refusal}</div>")}
            <p>This job stands for the task <a class="task-id" href="{job.Page.Url.To($"/tasks/{task}")}">{task}</a>, which can be rescheduled there, too.</p>
            """).ToText());
    }

    /// <summary>Hangfire has put its own path behind the prefix.</summary>
    private static string StartPage(RazorPage page) => $"{page.Url.To("")[..^DashboardEndpoints.Path.Length]}/";

    /// <summary>On every page, also on Hangfire's.</summary>
    private static MenuItem? Paused(RazorPage page)
    {
        var paused = page.Context.Service<TaskAlarm>().Paused;
        if (paused.Count == 0)
            return null;
        var kinds = paused.Count == Enum.GetValues<TaskKind>().Length ? "everything" : string.Join(", ", paused.Order());
        return new MenuItem($"Paused: {kinds}", page.Url.To("/tasks#worker"));
    }
}
