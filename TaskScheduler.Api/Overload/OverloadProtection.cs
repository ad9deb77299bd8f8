using TaskScheduler.Api.Dashboard;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Overload;

public static class OverloadProtection
{
    public static void AddOverloadProtection(this IServiceCollection services)
    {
        services.AddSingleton(_ => new RequestSlots(RequestSlots.OfApi, RequestSlots.MaxWait));
        services.AddKeyedSingleton(DashboardEndpoints.Path, (_, _) => new RequestSlots(RequestSlots.OfDashboard, RequestSlots.MaxWait));
    }

    /// <summary>
    /// The dashboard's pages work on pool threads that Hangfire's storage blocks. They have slots of their own, so that an
    /// operator sees something while the API is flooded. For those who may see it only, hence after the access rules.
    /// </summary>
    public static void UseDashboardSlots(this WebApplication app)
    {
        var slots = app.Services.GetRequiredKeyedService<RequestSlots>(DashboardEndpoints.Path);
        app.UseWhen(context => TakesSlot(context.Request.Path), branch => branch.Use(async (context, next) =>
        {
            using var slot = await slots.TakeAsync(context.RequestAborted);
            if (slot is null)
                await ErrorResponses.WriteAsync(context, ProblemType.Overloaded);
            else
                await next(context);
        }));
    }

    /// <summary>A change of all that match takes minutes, in steps of its own.</summary>
    private static bool TakesSlot(PathString path) =>
        path.StartsWithSegments(DashboardEndpoints.Path) && !path.StartsWithSegments($"{DashboardEndpoints.Path}/tasks/matching");
}
