using Hangfire;

namespace TaskScheduler.Api.Dashboard;

public static class DashboardEndpoints
{
    /// <summary>
    /// Hangfire's dashboard at <c>/hangfire</c>. Who may see it is decided before, by <see cref="Security.ThisMachineOnly"/>;
    /// its commands are protected against forgery because antiforgery is registered.
    /// </summary>
    public static void MapDashboard(this WebApplication app)
    {
        // Its figures are posted for; a plain visit would make Hangfire fail on the form that is not there.
        app.MapGet("/hangfire/stats", (HttpResponse response) =>
        {
            response.Headers.Allow = HttpMethods.Post;
            return Results.StatusCode(StatusCodes.Status405MethodNotAllowed);
        });
        app.MapHangfireDashboardWithNoAuthorizationFilters("/hangfire", new DashboardOptions
        {
            DashboardTitle = "TaskScheduler",
            DisplayStorageConnectionString = false,
        });
    }
}
