using Hangfire.Dashboard;
using TaskScheduler.Jobs.Execution;
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
        DashboardRoutes.AddJavaScript(assembly, $"{Content}tasks.js");

        NavigationMenu.Items.Insert(0, page => new MenuItem("Tasks", page.Url.To("/tasks"))
        {
            Active = page.RequestPath.StartsWith("/tasks", StringComparison.OrdinalIgnoreCase),
        });
        NavigationMenu.Items.Add(Paused);

        DashboardRoutes.Routes.Add("/tasks", new PageDispatcher(TasksPage.LoadAsync));
        return true;
    }

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
