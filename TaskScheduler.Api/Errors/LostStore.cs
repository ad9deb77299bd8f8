using Microsoft.AspNetCore.Mvc.Controllers;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Errors;

/// <summary>What is answered once the task table is gone for good.</summary>
public static class LostStore
{
    public const string Detail =
        "The storage file was deleted, moved or replaced while it was in use. This instance must be restarted.";

    /// <summary>
    /// Refuses every call of the API, whatever is asked, and the dashboard, which would go on to show jobs from memory.
    /// Health, metrics and the documentation are still there.
    /// </summary>
    public static void UseRefusalOnceLost(this WebApplication app)
    {
        var store = app.Services.GetRequiredService<ITaskStore>();
        app.Use((context, next) =>
            store.IsLost && NeedsStore(context) ? WriteAsync(context) : next(context));
    }

    public static Task WriteAsync(HttpContext context) =>
        ErrorResponses.WriteAsync(context, ProblemType.StoreUnavailable, Detail);

    private static bool NeedsStore(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<ControllerActionDescriptor>() is not null
        || context.Request.Path.StartsWithSegments(DashboardEndpoints.Path);
}
