using Hangfire;
using Hangfire.Dashboard;
using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Dashboard;

public static class DashboardEndpoints
{
    public const string Path = "/hangfire";

    /// <summary>
    /// Hangfire's dashboard at <c>/hangfire</c>. Who may see it and use it is decided before, by the policy
    /// <see cref="Access.Dashboard"/>; its commands are protected against forgery because antiforgery is registered.
    /// </summary>
    public static void MapDashboard(this WebApplication app)
    {
        // Its figures are posted for; a plain visit would make Hangfire fail on the form that is not there.
        app.MapGet($"{Path}/stats", (HttpResponse response) =>
        {
            response.Headers.Allow = HttpMethods.Post;
            return Results.StatusCode(StatusCodes.Status405MethodNotAllowed);
        }).RequireAuthorization(Access.Dashboard);
        app.MapHangfireDashboardWithAuthorizationPolicy(Access.Dashboard, Path, new DashboardOptions
        {
            DashboardTitle = "TaskScheduler",
            DisplayStorageConnectionString = false,
            IsReadOnlyFunc = context => IsReadOnly(context.GetHttpContext()),
        });
    }

    /// <summary>Hides what the policy refuses. Without users there is no login, and this machine may do everything.</summary>
    private static bool IsReadOnly(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true } && !DashboardLogin.HasFullAccess(context.User);
}
