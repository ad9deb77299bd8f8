using Hangfire.Dashboard;

namespace TaskScheduler.Api.Dashboard;

/// <summary>The list of tasks.</summary>
public static class TasksPage
{
    public static Task<DashboardPage> LoadAsync(DashboardContext context) => Task.FromResult(new DashboardPage(
        "Tasks", Markup.Of($"{Notice.Take(context.GetHttpContext())}<h1 class=\"page-header\">Tasks</h1>")));
}
